"""Train CompNet and FineNet together, against the discriminator.

The coding of c is stood in for by rounding to 8 bits and noise of a random strength, passed straight through in the
backward pass. The run has three thirds: fidelity alone, so that the discriminator has something to judge; with the
adversarial terms, growing from nothing; and, as in the paper, fidelity alone again, which is what the residual layer
wants.
"""

from __future__ import annotations

import hashlib
import math
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dsslic_search.errors import UsageError
from dsslic_search.networks import weights
from dsslic_search.networks.compnet import LABEL_SCALE, SCALE, CompNet, CompNetConfig
from dsslic_search.networks.discriminator import Discriminator, DiscriminatorConfig
from dsslic_search.networks.finenet import FineNet, FineNetConfig
from dsslic_search.training.dataset import Sample, teacher_samples
from dsslic_search.training.losses import feature_distance, judged_real, ssim

HELD_OUT_ONE_IN = 10


@dataclass(frozen=True)
class CodecTraining:
    """Settings of one run. ``crop`` in pixels; loss weights as in the paper, with the adversarial share as a whole. ``bfloat16``:
    compute the networks in it, which halves the time where the processor has AMX or is a recent GPU."""

    steps: int = 7500
    batch: int = 16
    crop: int = 128
    rate: float = 2e-3
    judge_rate: float = 2e-4
    l1: float = 20.0
    structure: float = 1.0
    adversarial: float = 0.05
    features: float = 0.5
    picture: float = 2.0
    noise: float = 2.0
    checkpoint_every: int = 500
    bfloat16: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Crop:
    """A whole photo in memory: ``pixels`` uint8 [H, W, 3], ``labels`` uint8 [H, W]."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def held_out(sample: Sample) -> bool:
    """Whether a photo is kept out of training, to see how the networks do on photos they do not know."""
    return hashlib.sha256(sample.image.stem.encode()).digest()[1] % HELD_OUT_ONE_IN == 0


def load(samples: list[Sample]) -> list[Crop]:
    """Decode photos and teacher's labels. UsageError when there are none."""
    if not samples:
        raise UsageError("no photos to train the codec on; expected codec/<set>/images and teacher in the data folder")
    return [Crop(np.asarray(Image.open(s.image).convert("RGB")), np.asarray(Image.open(s.teacher))) for s in samples]


def batch(photos: list[Crop], s: CodecTraining, step: int) -> tuple[Tensor, Tensor]:
    """Photos float32 [N, 3, crop, crop] in 0..1 and labels int64 [N, crop/4, crop/4]; the same for the same step."""
    rng = random.Random(f"{s.seed}/{step}")
    areas = [p.pixels.size for p in photos]
    xs, ys = [], []
    for photo in rng.choices(photos, areas, k=s.batch):
        height, width = photo.labels.shape
        y, x = rng.randrange(height - s.crop + 1), rng.randrange(width - s.crop + 1)
        pixels = photo.pixels[y : y + s.crop, x : x + s.crop]
        half = LABEL_SCALE // 2
        labels = photo.labels[y + half : y + s.crop : LABEL_SCALE, x + half : x + s.crop : LABEL_SCALE]
        if rng.random() < 0.5:
            pixels, labels = pixels[:, ::-1], labels[:, ::-1]
        xs.append(torch.from_numpy(pixels.transpose(2, 0, 1).copy()))
        ys.append(torch.from_numpy(labels.astype(np.int64)))
    return torch.stack(xs).to(torch.float32).div_(255), torch.stack(ys)


def coded(compact: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """What the decoder would roughly see of ``compact``: 8 bits, and noise of ``strength`` grey levels."""
    noise = torch.randn(compact.shape, generator=generator).to(compact.device) * (strength / 255)
    seen = ((compact + noise).clamp(0, 1) * 255).round() / 255
    return compact + (seen - compact).detach()


def adversarial_share(step: int, steps: int) -> float:
    """How much the adversarial terms count, 0..1: only in the middle third of the run, growing over its first half."""
    third = steps / 3
    return min(1.0, (step - third) / (third / 2)) if third < step < 2 * third else 0.0


def evaluate(compnet: CompNet, finenet: FineNet, photos: list[Crop], s: CodecTraining) -> tuple[float, float]:
    """(PSNR of the coarse image, PSNR of plain box-and-bicubic) in dB on the held-out photos, c rounded to 8 bits."""
    errors, plain = [], []
    device = next(finenet.parameters()).device
    with torch.inference_mode():
        for photo in photos:
            height, width = (n // SCALE * SCALE for n in photo.labels.shape)
            x = torch.from_numpy(photo.pixels[:height, :width].transpose(2, 0, 1).copy())[None].to(device, torch.float32) / 255
            half = LABEL_SCALE // 2
            labels = torch.from_numpy(photo.labels[half:height:LABEL_SCALE, half:width:LABEL_SCALE].astype(np.int64))[None].to(device)
            c = (compnet(x, labels) * 255).round() / 255
            errors.append(F.mse_loss(finenet(c, labels).clamp(0, 1), x).item())
            up = F.interpolate(F.avg_pool2d(x, SCALE), scale_factor=SCALE, mode="bicubic", align_corners=False)
            plain.append(F.mse_loss(up.clamp(0, 1), x).item())
    return -10 * float(np.mean(np.log10(errors))), -10 * float(np.mean(np.log10(plain)))


def train(data: Path, run: Path, out: Path, settings: CodecTraining | None = None, classes: int = 51) -> tuple[str, str]:
    """Train (or resume from ``run``); writes ``compnet.safetensors`` and ``finenet.safetensors`` into ``out``.

    Returns their identities.
    """
    s = settings or CodecTraining()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(s.seed)
    samples = [p for p in teacher_samples(data) if p.image.parts[-3] in ("cid22_train", "clic2025_val", "wallpapers")]
    photos = load([p for p in samples if not held_out(p)])
    unseen = load([p for p in samples if held_out(p)])
    compnet, finenet = CompNet(CompNetConfig(classes)).to(device), FineNet(FineNetConfig(classes)).to(device)
    judge = Discriminator(DiscriminatorConfig(classes)).to(device)
    makers = [*compnet.parameters(), *finenet.parameters()]
    optimiser = torch.optim.Adam(makers, s.rate)
    judge_optimiser = torch.optim.Adam(judge.parameters(), s.judge_rate, betas=(0.5, 0.999))
    parts: dict[str, Any] = {
        "compnet": compnet,
        "finenet": finenet,
        "judge": judge,
        "optimiser": optimiser,
        "judge_optimiser": judge_optimiser,
    }
    run.mkdir(parents=True, exist_ok=True)
    checkpoint, start = run / "codec.pt", 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        start = saved["step"]
        print(f"resuming at step {start}", flush=True)
    began, mean = time.time(), 0.0
    for step in range(start, s.steps):
        for group in optimiser.param_groups:
            group["lr"] = s.rate * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / s.steps)))
        photo, labels = (t.to(device) for t in batch(photos, s, step))
        generator = torch.Generator().manual_seed(s.seed * 1_000_003 + step)
        strength = random.Random(step).uniform(0, s.noise)
        with torch.autocast(device.type, torch.bfloat16, enabled=s.bfloat16):
            compact = compnet(photo, labels).float()
            coarse = finenet(coded(compact, strength, generator), labels).float()
        loss = s.l1 * F.l1_loss(coarse, photo) + s.structure * (1 - ssim(coarse, photo))
        loss = loss + s.picture * F.l1_loss(compact, F.avg_pool2d(photo, SCALE))
        share = adversarial_share(step, s.steps)
        if share > 0:
            with torch.autocast(device.type, torch.bfloat16, enabled=s.bfloat16):
                real, fake = judge(photo, labels), judge(coarse.detach(), labels)
            judge_loss = 0.5 * (judged_real(real, True) + judged_real(fake, False))
            judge_optimiser.zero_grad(set_to_none=True)
            judge_loss.backward()
            judge_optimiser.step()
            for p in judge.parameters():
                p.requires_grad_(False)
            with torch.autocast(device.type, torch.bfloat16, enabled=s.bfloat16):
                made = judge(coarse, labels)
            loss = loss + share * (s.adversarial * judged_real(made, True) + s.features * feature_distance(made, real))
            for p in judge.parameters():
                p.requires_grad_(True)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(makers, 1.0)
        optimiser.step()
        mean = loss.item() if step == start else 0.98 * mean + 0.02 * loss.item()
        if (step + 1) % 50 == 0:
            print(f"step {step + 1}/{s.steps} loss {mean:.4f} {(time.time() - began) / (step + 1 - start):.3f} s/step", flush=True)
        if (step + 1) % s.checkpoint_every == 0 or step + 1 == s.steps:
            score, plain = evaluate(compnet, finenet, unseen, s)
            print(f"step {step + 1}: coarse {score:.3f} dB on {len(unseen)} unseen photos, bicubic {plain:.3f} dB", flush=True)
            torch.save({name: part.state_dict() for name, part in parts.items()} | {"step": step + 1}, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)
    out.mkdir(parents=True, exist_ok=True)
    return (
        weights.save(out / "compnet.safetensors", compnet.cpu(), "compnet", compnet.config),
        weights.save(out / "finenet.safetensors", finenet.cpu(), "finenet", finenet.config),
    )
