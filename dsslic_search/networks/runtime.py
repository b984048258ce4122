"""Running the networks on photos of any size: loading once, padding, tiles with margins.

All functions take and give numpy arrays and may be called from several threads at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import StageError, WeightsError
from dsslic_search.networks import grid, weights
from dsslic_search.networks.grid import COMPACT_MARGIN, LABEL_SCALE, SCALE
from dsslic_search.networks.look import PLAINLY, Look

if TYPE_CHECKING:
    import torch

UNDER_RESIDUAL = "finenet"  # closest to the photo
SHOWN = "finenet_perceptual"  # closest to what an eye expects
IMAGE_WORDS = "image_words"
_loading = threading.Lock()
_SIZES = ("classes", "embedding", "width", "deep", "area", "side", "scale")


def load(name: str, path: Path) -> Any:
    """The network of that name (see :func:`network`) with the weights in a file, ready to run. WeightsError
    when that is unsound."""
    import torch

    from dsslic_search.networks.compnet import CompNet, CompNetConfig
    from dsslic_search.networks.finenet import FineNet, FineNetConfig
    from dsslic_search.networks.image_words import ImageWordsConfig, ImageWordsNet
    from dsslic_search.networks.restorer import Restorer, RestorerConfig
    from dsslic_search.networks.segnet import SegNetConfig
    from dsslic_search.networks.segnets import made
    from dsslic_search.networks.unfilled import Unfilled

    architecture = name if name == IMAGE_WORDS else name.partition("_")[0]
    config, state = weights.load(path, architecture)
    makers: dict[str, Any] = {
        "segnet": lambda: made(SegNetConfig(**config)),
        "compnet": lambda: CompNet(CompNetConfig(**config)),
        "finenet": lambda: FineNet(FineNetConfig(**config)),
        "restorer": lambda: Restorer(RestorerConfig(**config)),
        IMAGE_WORDS: lambda: ImageWordsNet(ImageWordsConfig(**config)),
    }
    try:
        if config.get("blocks", 0) > len(state) or min(config.get(name, 1) for name in _SIZES) < 1:
            raise ValueError("sizes that no network has")
        with torch.device("meta"), Unfilled():  # where no size that a file tells takes memory
            net: torch.nn.Module = makers[architecture]()
        net.load_state_dict(state, assign=True)
    except ValueError as e:
        raise WeightsError(
            f"{path}: the network that it tells of cannot be ({e}); {weights.advice(path)}"
        ) from e
    except (TypeError, KeyError, RuntimeError, ArithmeticError) as e:
        raise WeightsError(
            f"{path}: its tensors are not those of the network that it tells of; {weights.advice(path)}"
        ) from e
    return net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs


@cache
def _opened(name: str, path: Path) -> Any:
    return load(name, path)


def network(name: str, wanted: str | None = None) -> Any:
    """The shipped network "segnet", "compnet", "finenet", "finenet_perceptual", "restorer" or "image_words",
    loaded once.

    ``wanted``: identity of the weights that it must have, those that ship or shipped before. WeightsError
    when the file of weights is unsound, StageError when there are no such weights here.
    """
    path = (
        weights.folder() / f"{name}.safetensors"
        if wanted in (None, identity(name))
        else weights.find(str(wanted))
    )
    if path is None:
        shown = "map, compact and coarse" if name == "restorer" else "map and compact"
        raise StageError(
            f"this file's picture depends on weights {wanted} of the {name.partition('_')[0]} network, which "
            "are not here: "
            f"only its {shown} stages can be shown; upgrade dsslic-search"
        )
    with _loading:
        return _opened(name, path)


def network_of(name: str, file: Path) -> Any:
    """The network of that name with the weights in a file, loaded once. WeightsError when that is
    unsound."""
    with _loading:
        return _opened(name, file.resolve())


def identity(name: str) -> str:
    """16 hex digits naming the shipped weights of a network, without loading them."""
    return weights.identity(weights.folder() / f"{name}.safetensors")


def working_size(height: int, width: int, area: int) -> tuple[int, int]:
    """(height, width) in multiples of 32 with about ``area`` pixels and about the photo's proportions (at
    most 8:1)."""
    aspect = min(8.0, max(1 / 8, width / height))
    rows = (area / aspect) ** 0.5
    return max(32, round(rows / 32) * 32), max(32, round(rows * aspect / 32) * 32)


def class_scores(net: Any, pixels: NDArray[np.uint8], look: Look = PLAINLY) -> torch.Tensor:
    """SegNet's scores of a photo, uint8 [H, W, 3] sRGB: float32 [1, classes, h, w] at a quarter of the
    working size; where it looks at the mirrored photo too, the mean of both."""
    import torch
    from PIL import Image

    height, width = working_size(pixels.shape[0], pixels.shape[1], look.area or net.config.area)
    asked = net.quick if look.alone else net
    small = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0)
    with torch.inference_mode():
        x = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].to(torch.float32) / 255
        scores: torch.Tensor = asked(x.contiguous(memory_format=torch.channels_last))
        if look.mirrored_too:
            mirrored = asked(x.flip(3).contiguous(memory_format=torch.channels_last)).flip(3)
            scores = (scores + mirrored) / 2
    return scores


def segment(
    pixels: NDArray[np.uint8],
    map_size: tuple[int, int],
    look: Look = PLAINLY,
    file: Path | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Parse a photo, uint8 [H, W, 3] sRGB, into class ids, uint8 [h, w] = ``map_size``, ``other`` where
    SegNet is in doubt, and the probability of each label, float32 [h, w]. ``file``: of other weights than
    those that ship."""
    import torch
    import torch.nn.functional as F

    from dsslic_search.networks.confidence import Confidence, decide_surely

    net = network("segnet") if file is None else network_of("segnet", file)
    rule = Confidence.of(net.config, look.alone)
    with torch.inference_mode():
        scores = F.interpolate(class_scores(net, pixels, look), map_size, mode="bilinear")
        labels, probabilities = decide_surely(scores[0], rule)
    return labels.numpy(), probabilities.numpy()


def image_words(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """What a photo, uint8 [H, W, 3] sRGB, shows: the probability of each word, float32 [1000], and the vector
    by which like photos are found, int8 [dimensions]."""
    import torch

    net = network(IMAGE_WORDS)
    with torch.inference_mode():
        scores, vector = net(squashed(pixels, net.config.side))
        probabilities = torch.softmax(scores[0] / net.config.temperature, 0).numpy()
    return probabilities, np.clip(np.rint(vector[0].numpy()), -127, 127).astype(np.int8)


def squashed(pixels: NDArray[np.uint8], side: int) -> torch.Tensor:
    """A photo, uint8 [H, W, 3], at ``side`` × ``side`` pixels whatever its proportions: float32 [1, 3, side,
    side] in 0..1."""
    import torch
    from PIL import Image

    small = Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR, reducing_gap=3.0)
    x = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].to(torch.float32) / 255
    return x.contiguous(memory_format=torch.channels_last)


def make_compact(pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.uint8]:
    """CompNet: photo uint8 [H, W, 3] and :func:`grid.network_labels` → compact image uint8 [h, w, 3]; sides
    are H/8, W/8 rounded up."""
    import torch

    net = network("compnet")
    cells = labels.shape[0] // 2, labels.shape[1] // 2
    out = np.empty((*cells, 3), np.uint8)
    with torch.inference_mode():
        for *take, rows, columns in grid.tiles(cells, COMPACT_MARGIN):
            ys, xs = grid.scaled(take[0], take[1], SCALE)
            ly, lx = grid.scaled(take[0], take[1], SCALE // LABEL_SCALE)
            part = pixels[ys, xs]
            part = np.pad(
                part,
                ((0, ys.stop - ys.start - part.shape[0]), (0, xs.stop - xs.start - part.shape[1]), (0, 0)),
                mode="edge",
            )
            photo = torch.from_numpy(part).permute(2, 0, 1)[None].to(torch.float32) / 255
            compact = net(photo, torch.from_numpy(labels[ly, lx])[None])[0].permute(1, 2, 0)
            top, left = rows.start - take[0].start, columns.start - take[1].start
            inner = compact[top : top + rows.stop - rows.start, left : left + columns.stop - columns.start]
            out[rows, columns] = (inner * 255).round().to(torch.uint8).numpy()
    return out


def make_coarse(
    compact: NDArray[np.uint8],
    labels: NDArray[np.int64],
    height: int,
    width: int,
    name: str = UNDER_RESIDUAL,
    wanted: str | None = None,
) -> NDArray[np.uint8]:
    """FineNet: decoded compact image uint8 [h, w, 3] and :func:`grid.network_labels` → coarse image uint8
    [height, width, 3].

    ``name`` and ``wanted`` as for :func:`network`.

    Floating point inside: another processor may round a pixel to the neighbouring grey level.
    """
    import torch

    from dsslic_search.networks.finenet import BICUBIC_REACH

    net = network(name, wanted)
    cells = compact.shape[0], compact.shape[1]
    out = np.empty((cells[0] * SCALE, cells[1] * SCALE, 3), np.uint8)
    with torch.inference_mode():
        for *take, rows, columns in grid.tiles(cells, net.margin + BICUBIC_REACH):
            ly, lx = grid.scaled(take[0], take[1], SCALE // LABEL_SCALE)
            c = (
                torch.from_numpy(np.ascontiguousarray(compact[take[0], take[1]]))
                .permute(2, 0, 1)[None]
                .to(torch.float32)
                / 255
            )
            tile = net(c, torch.from_numpy(labels[ly, lx])[None])[0].permute(1, 2, 0)
            top, left = (rows.start - take[0].start) * SCALE, (columns.start - take[1].start) * SCALE
            ys, xs = grid.scaled(rows, columns, SCALE)
            inner = tile[top : top + ys.stop - ys.start, left : left + xs.stop - xs.start]
            out[ys, xs] = (inner * 255).clamp(0, 255).round().to(torch.uint8).numpy()
    return np.ascontiguousarray(out[:height, :width])


def restore(
    decoded: NDArray[np.int16], labels: NDArray[np.int64], qp: int, strength: float, wanted: str | None = None
) -> NDArray[np.uint8]:
    """The restoration network: decoded photo int16 [H, W, 3] or grey [H, W] in quarters of a grey level,
    :func:`grid.network_labels` and the QP it was coded at → restored photo, uint8 of the same shape.

    ``strength``: how much of the network's correction to apply, 1 for all. ``wanted`` as for :func:`network`.
    Floating point inside: another processor may round a pixel to the neighbouring grey level.
    """
    height, width = decoded.shape[:2]
    out = np.empty(decoded.shape, np.uint8)
    for rows, columns, correction in corrections(decoded, labels, qp, wanted):
        made = decoded[rows, columns].astype(np.float32) / 4 + np.float32(strength) * correction
        out[rows, columns] = np.rint(np.clip(made, 0, 255, out=made))
    return out[:height, :width]


def corrections(
    decoded: NDArray[np.int16], labels: NDArray[np.int64], qp: int, wanted: str | None = None
) -> Iterator[tuple[slice, slice, NDArray[np.float32]]]:
    """What the restoration network would add to a decoded photo, tile by tile: rows, columns and float32 grey
    levels, of the shape of that part of ``decoded``. Arguments as for :func:`restore`."""
    import torch

    net = network("restorer", wanted)
    height, width = decoded.shape[:2]
    grey = decoded.ndim == 2
    level = torch.tensor([float(qp)])
    for rows, columns in grid.squares(height, width):
        ys, xs = grid.widened(rows, height, net.margin), grid.widened(columns, width, net.margin)
        part = decoded[ys, xs]
        part = np.pad(
            part,
            ((0, -part.shape[0] % SCALE), (0, -part.shape[1] % SCALE), *([] if grey else [(0, 0)])),
            mode="edge",
        )
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(part)).to(torch.float32) / (4 * 255)
            x = x.expand(3, -1, -1)[None] if grey else x.permute(2, 0, 1)[None]
            top, left = ys.start // LABEL_SCALE, xs.start // LABEL_SCALE
            at = (
                slice(top, top + part.shape[0] // LABEL_SCALE),
                slice(left, left + part.shape[1] // LABEL_SCALE),
            )
            x = x.contiguous(memory_format=torch.channels_last)
            more = (net.correction(x, torch.from_numpy(labels[at])[None], level)[0] * 255).permute(1, 2, 0)
            inner = more[
                rows.start - ys.start : rows.stop - ys.start,
                columns.start - xs.start : columns.stop - xs.start,
            ]
            found: NDArray[np.float32] = (inner.mean(2) if grey else inner).numpy()
        yield rows, columns, found


def use_one_thread() -> None:
    """Make torch use one core in the calling thread: for pools that put one photo on each core."""
    import torch

    torch.set_num_threads(1)
