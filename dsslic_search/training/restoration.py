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
from typing import cast

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
from dsslic_search.training import checkpoint
from dsslic_search.training.checkpoint import Budget, Seconds
from dsslic_search.training.codec import clean_photos, held_out

TILE = 512
MAX_SIDE = 2048  # photos are first reduced to this: very large ones are soft
TILES_A_PHOTO = 3
STEPS = Budget(steps=15_000)
SAYING_STEPS = 100  # between two lines about the run
CHECKPOINT_SECONDS = 300
QP_PARTS = ((16, 21), (22, 26), (27, 31), (32, 36), (37, 41), (42, 47))


@dataclass(frozen=True)
class RestorationTraining:
    """Settings of one run. ``crop`` in pixels; ``rate``: of Adam, at its highest; ``warm_up`` in steps;
    ``bfloat16`` computes the network in it; ``average``: decay of the weights' average."""

    batch: int = 16
    crop: int = 128
    rate: float = 1.5e-3
    warm_up: int = 200
    average: float = 0.999
    bfloat16: bool = False
    seed: int = 0

    @classmethod
    def going_on(cls) -> RestorationTraining:
        """For a network that was trained before: at a third of the rate, and fewer crops that are larger, of
        which less lies so near an edge that the network sees nothing beyond it."""
        return cls(batch=8, crop=192, rate=5e-4)


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
    budget: Budget = STEPS,
    settings: RestorationTraining | None = None,
    config: RestorerConfig | None = None,
    start: Path | None = None,
) -> str:
    """Train (or resume from ``run``, where a run that has reached its end may be given more); writes
    ``restorer.safetensors`` into ``out`` and returns its identity. ``start``: weights to begin with, of a
    network as large as they tell, at lower rates. UsageError without photos, and for a run that was begun
    otherwise."""
    s = settings or (RestorationTraining() if start is None else RestorationTraining.going_on())
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(s.seed)
    pairs, unseen = _pairs(data, run / "pairs")
    print(f"{len(pairs)} pairs to train on, {len(unseen)} unseen", flush=True)
    if start is None:
        net = Restorer(config)
    else:
        trained: Restorer = runtime.load("restorer", start)
        net = Restorer(trained.config)
        net.load_state_dict(trained.state_dict())
    net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(s.average)
    )
    optimiser, seconds = torch.optim.Adam(net.parameters(), s.rate), Seconds()
    parts = {"net": net, "average": average, "optimiser": optimiser, "seconds": seconds}
    begun = asdict(s) | ({} if start is None else {"start": weights.identity(start)})
    file = run / "restoration.pt"
    step = checkpoint.resume(file, parts, begun, device)

    def keep() -> None:
        checkpoint.keep(file, parts, step, begun)
        gains = evaluate(cast(Restorer, average.module), unseen)
        print(
            f"step {step}, {seconds.spent / 60:.1f} minutes: dB gained by QP on unseen photos {gains}",
            flush=True,
        )

    mean, kept, before, began = 0.0, time.monotonic(), seconds.spent, time.monotonic()
    while (spent := budget.spent(step, seconds.spent)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = (
                s.rate
                * min(1, (step + 1) / s.warm_up)
                * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * spent)))
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
        step += 1
        seconds.spent = before + time.monotonic() - began
        mean = 0.99 * mean + 0.01 * loss.item() if mean else loss.item()
        if step % SAYING_STEPS == 0:
            print(
                f"step {step}, {spent:.1%} spent, {seconds.spent / 60:.1f} minutes, error left {mean:.4f}",
                flush=True,
            )
        if time.monotonic() - kept > CHECKPOINT_SECONDS:
            keep()
            kept = time.monotonic()
    keep()
    out.mkdir(parents=True, exist_ok=True)
    best = cast(Restorer, average.module.cpu())
    return weights.save(out / "restorer.safetensors", best, "restorer", best.config)


def _pairs(data: Path, folder: Path) -> tuple[list[Pair], list[Pair]]:
    """The pairs to train on and those of photos that are held out, made where they are not there yet."""
    photos = clean_photos(data)
    if not photos:
        raise UsageError(
            "no photos to train the restoration on; expected codec/<set>/images and teacher in the data "
            "folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(max(1, threads)) as pool:
        for _ in pool.map(lambda sample: make_pairs(sample.image, folder), photos):
            pass
    torch.set_num_threads(threads)
    found: tuple[list[Path], list[Path]] = [], []
    for photo in photos:
        found[held_out(photo)].extend(sorted(folder.glob(f"{_escaped(photo.image.stem)}-?.npz")))
    return load_pairs(found[False]), load_pairs(found[True])


def _escaped(stem: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in stem)
