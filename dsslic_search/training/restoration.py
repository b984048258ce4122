"""Train the restoration network on photos that went through the codec.

First the pairs: tiles of the training photos, each coded at one QP from every part of the range with the
encoder that ships, kept in ``<run>/pairs``. Then the network, on crops of them: the squared error relative to
what coding left of the tile, so that every quality counts alike.
"""

from __future__ import annotations

import math
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dsslic_search.codec import bpg, encoder
from dsslic_search.codec.layers import axes, residual
from dsslic_search.codec.layers.planes import Planes
from dsslic_search.codec.layers.terms import Terms
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core.errors import UsageError
from dsslic_search.networks import grid, runtime, weights
from dsslic_search.networks.grid import LABEL_SCALE, SCALE
from dsslic_search.networks.restorer import Restorer, RestorerConfig
from dsslic_search.training.codec import clean_photos, held_out

TILE = 512
MAX_SIDE = 2048  # photos are first reduced to this: very large ones are soft
TILES_A_PHOTO = 3
QP_PARTS = ((16, 21), (22, 26), (27, 31), (32, 36), (37, 41), (42, 47))


@dataclass(frozen=True)
class RestorationTraining:
    """Settings of one run. ``crop`` in pixels; ``bfloat16`` computes the network in it; ``average``: decay of
    the weights' average."""

    steps: int = 15000
    batch: int = 16
    crop: int = 128
    rate: float = 1.5e-3
    average: float = 0.999
    checkpoint_every: int = 500
    bfloat16: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Pair:
    """``photo`` uint8 [H, W, 3]; ``decoded`` int16 [H, W, 3] in quarters of a grey level; ``labels`` uint8
    [H/4, W/4]; ``error``: mean squared error of ``decoded`` in grey levels²."""

    photo: NDArray[np.uint8]
    decoded: NDArray[np.int16]
    labels: NDArray[np.uint8]
    qp: int
    error: float


def tiles_of(path: Path) -> list[NDArray[np.uint8]]:
    """One to three tiles, uint8 [512, 512, 3] or smaller where the photo is, of a photo; always the same
    ones."""
    image = Image.open(path).convert("RGB")
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    pixels = np.asarray(image)
    height, width = (min(n, TILE) // SCALE * SCALE for n in pixels.shape[:2])
    spare = pixels.shape[0] - height, pixels.shape[1] - width
    rng = random.Random(path.stem)
    found = []
    for _ in range(TILES_A_PHOTO if max(spare) >= TILE // 2 else 1):
        y, x = rng.randint(0, spare[0]), rng.randint(0, spare[1])
        found.append(np.ascontiguousarray(pixels[y : y + height, x : x + width]))
    return found


def make_pairs(path: Path, folder: Path) -> None:
    """Code a photo's tiles at six QPs and keep what comes of it, one file a tile; tiles already there are
    left as they are."""
    runtime.use_one_thread()
    for number, pixels in enumerate(tiles_of(path)):
        target = folder / f"{path.stem}-{number}.npz"
        if target.exists():
            continue
        labels, scale = encoder.segment_photo(SourcePhoto(pixels))
        cells = pixels.shape[0] // SCALE, pixels.shape[1] // SCALE
        marks = grid.network_labels(labels, scale, cells).astype(np.uint8)
        rng = random.Random(target.stem)
        qps = [rng.randint(*part) for part in QP_PARTS]
        terms = Terms(axes=axes.principal(pixels))
        coded = [bpg.decode(residual.encode_picture(pixels, qp, terms), max_pixels=pixels.size) for qp in qps]
        decoded = [residual.reconstruct(cast(Planes, picture.planes), terms) for picture in coded]
        partial = target.with_suffix(".tmp.npz")
        np.savez(partial, photo=pixels, labels=marks, qps=qps, decoded=np.stack(decoded))
        partial.replace(target)


def load_pairs(files: list[Path]) -> list[Pair]:
    """The pairs that :func:`make_pairs` kept."""
    found = []
    for file in files:
        with np.load(file) as kept:
            photo, labels, every = kept["photo"], kept["labels"], kept["decoded"]
            for qp, decoded in zip(kept["qps"].tolist(), every, strict=True):
                error = float(np.mean((decoded.astype(np.float32) / 4 - photo) ** 2))
                found.append(Pair(photo, decoded, labels, qp, max(error, 0.05)))
    return found


def batch(
    pairs: list[Pair], s: RestorationTraining, step: int
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """photo and decoded float32 [N, 3, crop, crop] in 0..1, labels int64 [N, crop/4, crop/4], QP and error
    float32 [N]."""
    rng = random.Random(f"{s.seed}/{step}")
    photos, decodeds, marks, chosen = [], [], [], rng.choices(pairs, k=s.batch)
    for pair in chosen:
        y, x = (rng.randrange((n - s.crop) // LABEL_SCALE + 1) * LABEL_SCALE for n in pair.photo.shape[:2])
        photo, decoded = (p[y : y + s.crop, x : x + s.crop] for p in (pair.photo, pair.decoded))
        at = tuple(slice(n // LABEL_SCALE, (n + s.crop) // LABEL_SCALE) for n in (y, x))
        labels = pair.labels[at]
        if rng.random() < 0.5:
            photo, decoded, labels = photo[:, ::-1], decoded[:, ::-1], labels[:, ::-1]
        photos.append(torch.from_numpy(photo.transpose(2, 0, 1).copy()))
        decodeds.append(torch.from_numpy(decoded.transpose(2, 0, 1).copy()))
        marks.append(torch.from_numpy(labels.astype(np.int64)))
    return (
        torch.stack(photos).to(torch.float32).div_(255),
        torch.stack(decodeds).to(torch.float32).div_(4 * 255),
        torch.stack(marks),
        torch.tensor([p.qp for p in chosen], dtype=torch.float32),
        torch.tensor([p.error for p in chosen], dtype=torch.float32),
    )


def evaluate(net: Restorer, pairs: list[Pair]) -> dict[str, float]:
    """Mean gain in PSNR, dB, of the restored over the decoded photos (both rounded to 8 bits), by part of the
    QP range."""
    gains: dict[str, list[float]] = {f"{low}-{high}": [] for low, high in QP_PARTS}
    device = next(net.parameters()).device
    with torch.inference_mode():
        for pair in pairs:
            decoded = torch.from_numpy(pair.decoded.transpose(2, 0, 1).copy())[None].to(
                device, torch.float32
            ) / (4 * 255)
            labels = torch.from_numpy(pair.labels.astype(np.int64))[None].to(device)
            made = net(decoded, labels, torch.tensor([float(pair.qp)], device=device))
            wanted = torch.from_numpy(pair.photo.transpose(2, 0, 1).copy())[None].to(device, torch.float32)
            before, after = (
                ((p * 255).round().clamp(0, 255) - wanted).square().mean().item() for p in (decoded, made)
            )
            part = next(f"{low}-{high}" for low, high in QP_PARTS if low <= pair.qp <= high)
            gains[part].append(10 * math.log10(max(before, 1e-3) / max(after, 1e-3)))
    return {part: round(float(np.mean(found)), 4) for part, found in gains.items() if found}


def train(
    data: Path,
    run: Path,
    out: Path,
    settings: RestorationTraining | None = None,
    config: RestorerConfig | None = None,
) -> str:
    """Train (or resume from ``run``); writes ``restorer.safetensors`` into ``out`` and returns its
    identity."""
    s = settings or RestorationTraining()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(s.seed)
    photos = clean_photos(data)
    if not photos:
        raise UsageError(
            "no photos to train the restoration on; expected codec/<set>/images and teacher in the data "
            "folder"
        )
    folder = run / "pairs"
    folder.mkdir(parents=True, exist_ok=True)
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for _ in pool.map(lambda sample: make_pairs(sample.image, folder), photos):
            pass
    torch.set_num_threads(threads)
    kept = {
        held: [
            f
            for p in photos
            if held_out(p) == held
            for f in sorted(folder.glob(f"{_escaped(p.image.stem)}-?.npz"))
        ]
        for held in (False, True)
    }
    pairs, unseen = load_pairs(kept[False]), load_pairs(kept[True])
    print(f"{len(pairs)} pairs to train on, {len(unseen)} unseen", flush=True)
    net = Restorer(config).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(s.average)
    )
    optimiser = torch.optim.Adam(net.parameters(), s.rate)
    parts: dict[str, Any] = {"net": net, "average": average, "optimiser": optimiser}
    checkpoint, start = run / "restoration.pt", 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        start = saved["step"]
        print(f"resuming at step {start}", flush=True)
    began, mean = time.time(), 1.0
    for step in range(start, s.steps):
        for group in optimiser.param_groups:
            group["lr"] = (
                s.rate
                * min(1, (step + 1) / 200)
                * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / s.steps)))
            )
        photo, decoded, labels, qp, error = (t.to(device) for t in batch(pairs, s, step))
        with torch.autocast(device.type, torch.bfloat16, enabled=s.bfloat16):
            made = net(decoded.contiguous(memory_format=torch.channels_last), labels, qp).float()
        loss = ((made - photo).square().mean((1, 2, 3)) * 255**2 / error).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimiser.step()
        average.update_parameters(net)
        mean = loss.item() if step == start else 0.99 * mean + 0.01 * loss.item()
        if (step + 1) % 100 == 0:
            print(
                f"step {step + 1}/{s.steps} error left {mean:.4f} "
                f"{(time.time() - began) / (step + 1 - start):.3f} s/step",
                flush=True,
            )
        if (step + 1) % s.checkpoint_every == 0 or step + 1 == s.steps:
            print(
                f"step {step + 1}: dB gained by QP on unseen photos "
                f"{evaluate(cast(Restorer, average.module), unseen)}",
                flush=True,
            )
            torch.save(
                {name: part.state_dict() for name, part in parts.items()}
                | {"step": step + 1, "settings": asdict(s)},
                checkpoint.with_suffix(".tmp"),
            )
            checkpoint.with_suffix(".tmp").replace(checkpoint)
    out.mkdir(parents=True, exist_ok=True)
    best = cast(Restorer, average.module.cpu())
    return weights.save(out / "restorer.safetensors", best, "restorer", best.config)


def _escaped(stem: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in stem)
