"""Train SegNet: cross-entropy on people's labels, and on the teacher's where people are silent.

The encoder's batch statistics stay as they begin (`training.segnet_start`) and its first stages stay frozen,
which halves the cost of a step on a CPU.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageEnhance, ImageFilter
from torch import Tensor, nn

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.networks import weights
from dsslic_search.networks.runtime import working_size
from dsslic_search.networks.segnet import SegNetConfig
from dsslic_search.networks.segnets import AnySegNet, fold, made
from dsslic_search.training import checkpoint
from dsslic_search.training.checkpoint import Budget, Seconds
from dsslic_search.training.pack import Balanced, PackedPhoto
from dsslic_search.training.paste import Thing, Things, paste
from dsslic_search.training.segnet_start import begin, encoder_of, named

CHECKPOINT_SECONDS = 300
SAYING_STEPS = 50  # between two lines about the run


@dataclass(frozen=True)
class SegNetTraining:
    """Settings of one run. Rates are peaks of a cosine schedule over the budget (``between_rate``: of what
    was trained before besides the encoder); ``ema`` is the decay per step. Until ``early`` of the budget is
    spent, photos and crops are smaller, ``early_crop`` pixels instead of ``crop``: the same view in fewer
    pixels (progressive resizing; Tan & Le 2021). ``pasted_share`` of the crops get a thing of another photo
    (`training.paste`)."""

    batch: int = 8
    crop: int = 320
    early_crop: int = 224
    early: float = 0.5
    encoder_rate: float = 2e-4
    between_rate: float = 3e-4
    decoder_rate: float = 1.5e-3
    weight_decay: float = 1e-4
    warmup: int = 100
    ema: float = 0.998
    labelled_share: float = 0.5
    pasted_share: float = 0.25
    balanced_share: float = 0.5
    balance_power: float = 0.3
    class_balance: float = 0.3
    seed: int = 0

    @classmethod
    def accelerated(cls) -> SegNetTraining:
        """For a device where larger batches cost little: rates grow by the square root of the batch."""
        return cls(batch=32, early=0.0, encoder_rate=4e-4, decoder_rate=3e-3)

    @classmethod
    def from_mosaic(cls) -> SegNetTraining:
        """From MOSAIC's weights, whose encoder has seen scenes, and has no norms to hold it."""
        return cls(encoder_rate=1e-4)

    @classmethod
    def going_on(cls) -> SegNetTraining:
        """From a trained network: half the rates, and more of the time for large crops."""
        return cls(early=0.4, encoder_rate=1e-4, decoder_rate=7e-4)


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
    photo: PackedPhoto,
    area: int,
    crop: int,
    rng: random.Random,
    wanted: int | None = None,
    thing: Thing | None = None,
) -> tuple[Tensor, ...]:
    """One random crop of a photo seen at about ``area`` pixels, with some pixel of the class ``wanted`` in
    it, and perhaps a ``thing`` pasted: uint8 [3, crop, crop]; at 1/4 of that the class ids uint8 and their
    weights float32, both [crop/4, crop/4]."""
    image, targets = photo.pixels, photo.targets
    scale = (area / (image.width * image.height)) ** 0.5 * math.exp(
        rng.uniform(math.log(0.55), math.log(1.8))
    )
    stretch = math.exp(rng.uniform(-0.12, 0.12))
    width, height = crop / (scale * stretch), crop / (scale / stretch)  # of the crop, in photo pixels
    x0 = rng.uniform(min(0, image.width - width), max(0, image.width - width))
    y0 = rng.uniform(min(0, image.height - height), max(0, image.height - height))
    rows, columns = targets.ids.shape
    places = np.flatnonzero(targets.ids == wanted) if wanted is not None else ()
    if len(places):
        y, x = divmod(int(places[rng.randrange(len(places))]), columns)
        x0 = x * image.width / columns - rng.uniform(0.2, 0.8) * width
        y0 = y * image.height / rows - rng.uniform(0.2, 0.8) * height
        x0, y0 = (
            min(max(at, min(0, full - part)), max(0, full - part))
            for at, full, part in ((x0, image.width, width), (y0, image.height, height))
        )
    at = (np.arange(crop // 4) * 4 + 2.0) / crop
    ys = np.floor((y0 + at * height) * rows / image.height).astype(int)
    xs = np.floor((x0 + at * width) * columns / image.width).astype(int)
    inside = ((ys >= 0) & (ys < rows))[:, None] & ((xs >= 0) & (xs < columns))[None]
    cells = np.ix_(ys.clip(0, rows - 1), xs.clip(0, columns - 1))
    affine = [width / crop, 0, x0, 0, height / crop, y0]
    fill = (124, 116, 104)
    if width / crop >= 2:  # shrink first, so that the bilinear warp does not alias
        step = int(width / crop)
        image = image.reduce(step)
        affine = [v / step for v in affine]
    seen = image.transform(
        (crop, crop), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR, fillcolor=fill
    )
    ids, weight = targets.ids[cells], targets.weight[cells] * inside
    if thing is not None:
        paste(thing, seen, ids, weight, rng)
    parts = [np.asarray(augment(seen, rng)).transpose(2, 0, 1), ids, weight]
    if rng.random() < 0.5:
        parts = [part[..., ::-1] for part in parts]
    return tuple(torch.from_numpy(part.copy()) for part in parts)


class Batches:
    """Batches by number, the same for the same seed and number; prepared ahead in threads."""

    def __init__(
        self, labelled: Balanced, taught: Balanced, things: Things, s: SegNetTraining, area: int
    ) -> None:
        self.labelled, self.taught, self.things = labelled, taught, things
        self.s, self.area = s, area

    def make(self, number: int, crop: int) -> tuple[Tensor, ...]:
        """Photos uint8 [N, 3, crop, crop], ids uint8 and weights float32 [N, crop/4, crop/4]."""
        s = self.s
        rng = random.Random(f"{s.seed}/{number}")
        chosen = [self._source(rng.random() < s.labelled_share).draw(rng) for _ in range(s.batch)]
        area = round(self.area * (crop / s.crop) ** 2)
        things = [self.things.draw(rng) if rng.random() < s.pasted_share else None for _ in chosen]
        drawn = [
            draw(photo, area, crop, rng, wanted, thing)
            for (photo, wanted), thing in zip(chosen, things, strict=True)
        ]
        return tuple(torch.stack(part) for part in zip(*drawn, strict=True))

    def _source(self, labelled: bool) -> Balanced:
        """Photos that people labelled, or that the teacher alone did; the others where there are none."""
        wanted, others = (self.labelled, self.taught) if labelled else (self.taught, self.labelled)
        return wanted if wanted.photos else others

    def ahead(self, first: int, crop: int, threads: int) -> Iterator[tuple[Tensor, ...]]:
        """Endless batches from number ``first``."""
        with ThreadPoolExecutor(threads) as pool:
            waiting: list[Future[tuple[Tensor, ...]]] = []
            number = first
            while True:
                while len(waiting) <= threads:
                    waiting.append(pool.submit(self.make, number, crop))
                    number += 1
                yield waiting.pop(0).result()


def as_input(photos: Tensor) -> Tensor:
    """uint8 [N, 3, H, W] as float32 in 0..1, what the network takes."""
    return photos.to(torch.float32).div_(255).contiguous(memory_format=torch.channels_last)


def class_weights(counts: np.ndarray[Any, Any], power: float) -> Tensor:
    """(median frequency / frequency) ** power, within 0.5..3, float32 [classes]."""
    frequency = counts / counts.sum() + 1e-6
    return torch.tensor(((np.median(frequency) / frequency) ** power).clip(0.5, 3), dtype=torch.float32)


def rate_factor(step: int, spent: float, warmup: int) -> float:
    """Linear warm-up over steps, then half a cosine over the budget to 1 %."""
    warm = min(1.0, (step + 1) / warmup)
    return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * spent)))


class Run:
    """A training that goes on from its checkpoint."""

    def __init__(
        self,
        photos: list[PackedPhoto],
        folder: Path,
        budget: Budget,
        s: SegNetTraining,
        config: SegNetConfig,
        start: Path | None = None,
    ) -> None:
        self.budget, self.s, self.config = budget, s, config
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        training = [p for p in photos if p.part == "training"]
        self.held = [p for p in photos if p.part == "calibration" and p.labelled]
        if not training:
            raise UsageError("the packed set has no photo to train on; pack some more photos")
        labelled, taught = (
            Balanced(
                [p for p in training if p.labelled == by_people],
                config.classes,
                s.balance_power,
                s.balanced_share,
            )
            for by_people in (True, False)
        )
        self.balance = class_weights(labelled.counts + taught.counts, s.class_balance).to(self.device)
        things = Things(labelled.photos, classes_of(config))
        self.batches = Batches(labelled, taught, things, s, config.area)
        torch.manual_seed(s.seed)
        net = made(config, folded=False)
        begin(net, start, self._seen, classes_of(config))
        self.net = net.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        self.encoder = net.encoder
        self.optimiser = self._optimiser()
        self.average = torch.optim.swa_utils.AveragedModel(
            net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(s.ema), use_buffers=True
        )
        self.file = folder / "segnet.pt"
        # not the budget: a run that has reached its end may be given more
        begun = {} if start is None else {"start": named(start), "norms": "made again"}
        self.settings = asdict(s) | begun
        self.seconds, self.mean_loss = Seconds(), 0.0
        self.step = checkpoint.resume(self.file, self._parts(), self.settings, self.device)

    def _seen(self) -> Tensor:
        """What a network that goes on sees at first."""
        return torch.cat([as_input(self.batches.make(-n, self.s.crop)[0]) for n in (1, 2)])

    def _parts(self) -> dict[str, Any]:
        return {
            "net": self.net,
            "average": self.average,
            "optimiser": self.optimiser,
            "seconds": self.seconds,
        }

    def _optimiser(self) -> torch.optim.Optimizer:
        for part in self.net.settled:
            part.requires_grad_(False)
        groups: list[dict[str, Any]] = []
        known: set[int] = set()
        for rate, modules in (
            (self.s.encoder_rate, self.encoder),
            (self.s.between_rate, self.net.between),
            (self.s.decoder_rate, [self.net]),
        ):
            own = {id(p): p for m in modules for p in m.parameters() if id(p) not in known}
            known |= own.keys()
            if trained := [p for p in own.values() if p.requires_grad]:
                groups.append({"params": trained, "peak": rate})
        return torch.optim.AdamW(groups, weight_decay=self.s.weight_decay)

    @property
    def spent(self) -> float:
        """The part of the budget that is spent, 0..1."""
        return self.budget.spent(self.step, self.seconds.spent)

    def go(self) -> AnySegNet:
        """Train to the end of the budget; the average network, folded."""
        while self.spent < 1:
            crop = self.s.early_crop if self.spent < self.s.early else self.s.crop
            self._stretch(crop)
        self.keep()
        return fold(cast(AnySegNet, self.average.module.cpu().eval()))

    def _stretch(self, crop: int) -> None:
        """Steps with one size of crop."""
        began, before, kept = time.monotonic(), self.seconds.spent, time.monotonic()
        threads = 2 if self.device.type == "cpu" else 12
        for batch in self.batches.ahead(self.step, crop, threads):
            spent = self.spent
            if spent >= 1 or (crop != self.s.crop and spent >= self.s.early):
                return
            self._learn(batch, spent)
            self.step += 1
            self.seconds.spent = before + time.monotonic() - began
            if self.step % SAYING_STEPS == 0:
                print(
                    f"step {self.step}, {self.spent:.1%} spent, {self.seconds.spent / 60:.1f} minutes, "
                    f"loss {self.mean_loss:.4f}",
                    flush=True,
                )
            if time.monotonic() - kept > CHECKPOINT_SECONDS:
                self.keep()
                kept = time.monotonic()

    def _learn(self, batch: tuple[Tensor, ...], spent: float) -> None:
        self.net.train()
        for part in self.encoder:
            part.eval()
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate_factor(self.step, spent, self.s.warmup)
        photos, ids, importance = (t.to(self.device, non_blocking=True) for t in batch)
        loss = F.cross_entropy(self.net(as_input(photos)), ids.long(), self.balance, reduction="none")
        loss = (loss * importance).sum() / importance.sum().clamp(min=1)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.average.update_parameters(self.net)
        if self.step % 10 == 0:  # asking for the loss waits for the device
            now = loss.item()
            self.mean_loss = now if self.mean_loss == 0 else 0.9 * self.mean_loss + 0.1 * now

    def keep(self) -> None:
        """Write the checkpoint, and say what the average network makes of photos that it does not train
        on."""
        checkpoint.keep(self.file, self._parts(), self.step, self.settings)
        if self.held:
            accuracy, iou = judge(cast(AnySegNet, self.average.module), self.held, self.device)
            print(
                f"step {self.step}: accuracy {accuracy:.4f}, mean IoU {iou:.4f} on the calibration part",
                flush=True,
            )


@torch.inference_mode()
def judge(net: AnySegNet, photos: list[PackedPhoto], device: torch.device) -> tuple[float, float]:
    """Pixel accuracy, and IoU averaged over the classes that occur, on pixels that count fully (those that
    people labelled)."""
    net.eval()
    classes = net.config.classes
    table = np.zeros((classes, classes), np.int64)
    for photo in photos:
        height, width = working_size(photo.pixels.height, photo.pixels.width, net.config.area)
        small = photo.pixels.resize((width, height), Image.Resampling.BILINEAR)
        x = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].to(device, torch.float32) / 255
        targets = photo.targets
        found = F.interpolate(net(x), targets.ids.shape, mode="bilinear")[0].argmax(0).cpu().numpy()
        known = targets.weight == 1
        index = targets.ids[known].astype(np.int64) * classes + found[known]
        table += np.bincount(index, minlength=classes * classes).reshape(classes, classes)
    right, present = np.diag(table), table.sum(1) > 0
    union = table.sum(0) + table.sum(1) - right
    return float(right.sum() / table.sum()), float((right[present] / union[present]).mean())


def config_for(classes: Vocabulary) -> SegNetConfig:
    """Of a SegNet for a class list; one that is not the package's goes with the weights."""
    own = classes.identity != vocabulary.built_in().identity
    return SegNetConfig(classes=len(classes), vocabulary=vocabulary.written(classes) if own else "")


def classes_of(config: SegNetConfig) -> Vocabulary:
    """The class list of a SegNet: :func:`config_for`, the other way."""
    return vocabulary.parse(config.vocabulary) if config.vocabulary else vocabulary.built_in()


def train(
    photos: list[PackedPhoto],
    folder: Path,
    out: Path,
    budget: Budget,
    settings: SegNetTraining | None = None,
    config: SegNetConfig | None = None,
    start: Path | None = None,
) -> str:
    """Train (or go on from ``folder``) and write the folded average weights to ``out``; returns their
    identity. A run that has reached its end goes on when it is given a larger budget, at the rate that the
    longer schedule has there. ``start``: what to begin with instead of ImageNet's weights, a trained SegNet
    of any class list or a folder with MOSAIC's weights (`training.segnet_start`). UsageError when ``folder``
    has a run with other settings."""
    folder.mkdir(parents=True, exist_ok=True)
    usual = SegNetTraining()
    if start is not None:
        usual = SegNetTraining.from_mosaic() if start.is_dir() else SegNetTraining.going_on()
    chosen = settings or (SegNetTraining.accelerated() if torch.cuda.is_available() else usual)
    like = replace(config or SegNetConfig(), encoder=encoder_of(start))
    run = Run(photos, folder, budget, chosen, like, start)
    return weights.save(out, run.go(), "segnet", run.config)
