"""Train CompNet and FineNet together, for fidelity.

The coding of c is stood in for by :func:`dsslic_search.training.coding.coded`, at a QP drawn for every crop,
and what c would cost there is a part of the loss. The weights shown at the coarse stage are trained after
these, see :mod:`dsslic_search.training.perceptual`.
"""

from __future__ import annotations

import hashlib
import math
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dsslic_search.core.errors import UsageError
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.compnet import CompNet, CompNetConfig
from dsslic_search.networks.finenet import FineNet, FineNetConfig
from dsslic_search.networks.grid import LABEL_SCALE, SCALE
from dsslic_search.training import checkpoint
from dsslic_search.training.coding import MAX_QP, MIN_QP, coded, step_of
from dsslic_search.training.dataset import Sample, teacher_samples
from dsslic_search.training.losses import ssim
from dsslic_search.training.own import is_held_out, photos_below, readable
from dsslic_search.training.teacher import FiledTeacher, Teacher

HELD_OUT_ONE_PHOTO_IN = 10
# photo pixels: held-out photos are cut to multiples of it, which the stand-in can code at every scale
BLOCK = 128
SHOWN_QP = 34.0  # what the training reports its progress at: about the default quality


@dataclass(frozen=True)
class CodecTraining:
    """Settings of one run. ``crop`` in pixels; loss weights as in the paper; ``bits``: weight of c's bits a
    compact pixel, by grey level of the quantiser's step (the losses of these networks change with the QP as
    if it were 0.008); ``scale``: photo pixels per compact pixel, each way. ``bfloat16``: compute the networks
    in it, which halves the time where the processor has AMX or is a recent GPU."""

    steps: int = 7500
    batch: int = 4
    crop: int = 256
    rate: float = 2e-3
    l1: float = 20.0
    structure: float = 1.0
    picture: float = 2.0
    bits: float = 0.004
    scale: int = SCALE
    checkpoint_every: int = 500
    bfloat16: bool = False
    seed: int = 0

    @classmethod
    def further(cls, bfloat16: bool = False) -> CodecTraining:
        """For going on from trained networks."""
        return cls(steps=3500, rate=5e-4, bfloat16=bfloat16)


@dataclass(frozen=True)
class Crop:
    """A whole photo in memory: ``pixels`` uint8 [H, W, 3], ``labels`` uint8 [H, W]."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def clean_photos(data: Path) -> list[Sample]:
    """The photos of a data folder that no coarse JPEG has been at."""
    return [
        p for p in teacher_samples(data) if p.image.parts[-3] in ("cid22_train", "clic2025_val", "wallpapers")
    ]


def held_out(sample: Sample) -> bool:
    """Whether a photo is kept out of training, to see how the networks do on photos they do not know."""
    return hashlib.sha256(sample.image.stem.encode()).digest()[1] % HELD_OUT_ONE_PHOTO_IN == 0


def load(samples: list[Sample]) -> list[Crop]:
    """Decode photos and teacher's labels. UsageError when there are none."""
    if not samples:
        raise UsageError(
            "no photos to train the codec on; expected codec/<set>/images and teacher in the data folder"
        )
    files = FiledTeacher()
    return [Crop(np.asarray(Image.open(s.image).convert("RGB")), files.taught(s.image)[0]) for s in samples]


def crops_of(data: Path, crop: int, teacher: Teacher | None = None) -> tuple[list[Crop], list[Crop]]:
    """The photos to train on, and those kept from it: of a data folder its clean ones, with the labels that
    lie beside them; of any other folder all in it and below, of at least ``crop`` pixels each way, with those
    that ``teacher`` gives. UsageError that names the first thing that is not as expected."""
    if (data / "codec").is_dir():
        samples = clean_photos(data)
        return load([p for p in samples if not held_out(p)]), load([p for p in samples if held_out(p)])
    if teacher is None:
        raise UsageError(f"{data}: there is no codec/ in it, and nobody to label its photos; name a teacher")
    paths, found = photos_below(data), list[tuple[bool, Crop]]()
    for path, pixels in readable(paths):
        if min(pixels.shape[:2]) < crop:
            print(f"left out: {path}: fewer than {crop} pixels high or wide", flush=True)
            continue
        found.append((is_held_out(path.stem), Crop(pixels, teacher.taught(path, pixels)[0])))
        if len(found) % 50 == 0:
            print(f"{len(found)} of {len(paths)} photos labelled", flush=True)
    if len(found) < 2:
        raise UsageError(
            f"{data}: of {len(paths)} photos {len(found)} can be trained with, and it takes two, one of them "
            f"to see how well it goes; they need {crop} pixels each way"
        )
    if len({held for held, _ in found}) == 1:  # few photos: one of them on the other side
        found[-1] = (not found[-1][0], found[-1][1])
    return [each for held, each in found if not held], [each for held, each in found if held]


def batch(
    photos: list[Crop], crop: int, count: int, draw: str, label_scale: int = LABEL_SCALE
) -> tuple[Tensor, Tensor, Tensor]:
    """Photos float32 [N, 3, crop, crop] in 0..1, labels int64 [N, crop/label_scale, crop/label_scale] and QPs
    float32 [N]; the same for the same ``draw``."""
    rng = random.Random(draw)
    areas = [p.pixels.size for p in photos]
    xs, ys = [], []
    for photo in rng.choices(photos, areas, k=count):
        height, width = photo.labels.shape
        y, x = rng.randrange(height - crop + 1), rng.randrange(width - crop + 1)
        pixels = photo.pixels[y : y + crop, x : x + crop]
        half = label_scale // 2
        labels = photo.labels[y + half : y + crop : label_scale, x + half : x + crop : label_scale]
        if rng.random() < 0.5:
            pixels, labels = pixels[:, ::-1], labels[:, ::-1]
        xs.append(torch.from_numpy(pixels.transpose(2, 0, 1).copy()))
        ys.append(torch.from_numpy(labels.astype(np.int64)))
    qps = torch.tensor([rng.uniform(MIN_QP, MAX_QP) for _ in range(count)])
    return torch.stack(xs).to(torch.float32).div_(255), torch.stack(ys), qps


def whole(photo: Crop, device: torch.device, block: int = BLOCK) -> tuple[Tensor, Tensor]:
    """A photo as the networks take it, one of a batch: float32 [1, 3, H, W] and int64 [1, H/4, W/4], cut to
    multiples of ``block``."""
    height, width = (n // block * block for n in photo.labels.shape)
    x = (
        torch.from_numpy(photo.pixels[:height, :width].transpose(2, 0, 1).copy())[None].to(
            device, torch.float32
        )
        / 255
    )
    half = LABEL_SCALE // 2
    labels = torch.from_numpy(photo.labels[half:height:LABEL_SCALE, half:width:LABEL_SCALE].astype(np.int64))[
        None
    ].to(device)
    return x, labels


def evaluate(compnet: CompNet, finenet: FineNet, photos: list[Crop]) -> tuple[float, float]:
    """(PSNR of the coarse image in dB, bits of c a photo pixel) on the held-out photos, c coded by the
    stand-in at SHOWN_QP."""
    errors, costs = [], []
    device = next(finenet.parameters()).device
    with torch.inference_mode():
        for photo in photos:
            x, labels = whole(photo, device)
            c, bits = coded(compnet(x, labels), torch.tensor([SHOWN_QP], device=device))
            errors.append(F.mse_loss(finenet(c, labels).clamp(0, 1), x).item())
            costs.append(bits.item() / compnet.config.scale**2)
    return -10 * float(np.mean(np.log10(errors))), float(np.mean(costs))


def learning_rate(peak: float, step: int, steps: int) -> float:
    """A short rise, then a cosine down to a fiftieth."""
    return peak * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def start_from(folder: Path, device: torch.device) -> tuple[CompNet, FineNet]:
    """CompNet and FineNet with the weights in a folder. WeightsError when these are unsound or missing."""
    compnet, finenet = (
        runtime.load(name, folder / f"{name}.safetensors").train().to(device)
        for name in ("compnet", "finenet")
    )
    return compnet, finenet


def train(
    data: Path,
    run: Path,
    out: Path,
    settings: CodecTraining | None = None,
    classes: int = 51,
    start: Path | None = None,
    teacher: Teacher | None = None,
) -> tuple[str, str]:
    """Train (or resume from ``run``); writes ``compnet.safetensors`` and ``finenet.safetensors`` into
    ``out``.

    ``data`` and ``teacher``: see `crops_of`. ``start``: a folder with weights to go on from. Returns the
    identities of the new ones.
    """
    s = settings or CodecTraining()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(s.seed)
    photos, unseen = crops_of(data, s.crop, teacher)
    if start is None:
        compnet, finenet = (
            CompNet(CompNetConfig(classes, scale=s.scale)).to(device),
            FineNet(FineNetConfig(classes, scale=s.scale)).to(device),
        )
    else:
        compnet, finenet = start_from(start, device)
        if compnet.config.scale != s.scale:
            raise UsageError(
                f"{start}: these networks are for a compact scale of 1/{compnet.config.scale}, not "
                f"1/{s.scale}"
            )
    makers = [*compnet.parameters(), *finenet.parameters()]
    optimiser = torch.optim.Adam(makers, s.rate)
    parts: dict[str, Any] = {"compnet": compnet, "finenet": finenet, "optimiser": optimiser}
    kept = run / "fidelity.pt"
    first = checkpoint.resume(kept, parts, asdict(s), device)
    began, mean = time.time(), 0.0
    for step in range(first, s.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(s.rate, step, s.steps)
        photo, labels, qp = (t.to(device) for t in batch(photos, s.crop, s.batch, f"{s.seed}/{step}"))
        with torch.autocast(device.type, torch.bfloat16, enabled=s.bfloat16):
            compact = compnet(photo, labels).float()
        shown, bits = coded(compact, qp)
        with torch.autocast(device.type, torch.bfloat16, enabled=s.bfloat16):
            coarse = finenet(shown, labels).float()
        loss = s.l1 * F.l1_loss(coarse, photo) + s.structure * (1 - ssim(coarse, photo, every=2))
        loss = (
            loss
            + s.picture * F.l1_loss(compact, F.avg_pool2d(photo, s.scale))
            + s.bits * (step_of(qp) * bits).mean()
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(makers, 1.0)
        optimiser.step()
        mean = loss.item() if step == first else 0.98 * mean + 0.02 * loss.item()
        if (step + 1) % 50 == 0:
            print(
                f"step {step + 1}/{s.steps} loss {mean:.4f} {(time.time() - began) / (step + 1 - first):.3f} "
                "s/step",
                flush=True,
            )
        if (step + 1) % s.checkpoint_every == 0 or step + 1 == s.steps:
            score, cost = evaluate(compnet, finenet, unseen)
            print(
                f"step {step + 1}: coarse {score:.3f} dB, c about {cost:.4f} bpp on {len(unseen)} unseen "
                "photos",
                flush=True,
            )
            checkpoint.keep(kept, parts, step + 1, asdict(s))
    out.mkdir(parents=True, exist_ok=True)
    return (
        weights.save(out / "compnet.safetensors", compnet.cpu(), "compnet", compnet.config),
        weights.save(out / "finenet.safetensors", finenet.cpu(), "finenet", finenet.config),
    )
