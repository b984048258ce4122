"""What the compact image's scale gives: equal short trainings at 1/8, 1/4 and 1/2, each measured with the
real coder.

Everything is measured on the photos held out of the codec's training, with the teacher's labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.bench.metrics import PerceptualDistance, bpp, psnr
from dsslic_search.codec import bpg, container
from dsslic_search.codec.bpg.colour import rescale
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.header import Header
from dsslic_search.codec.layers import compact, label_map
from dsslic_search.core.kinds import KeepMode
from dsslic_search.networks import runtime
from dsslic_search.networks.grid import SCALES

if TYPE_CHECKING:
    from dsslic_search.training.codec import CodecTraining, Crop

Pixels = NDArray[np.uint8]
QPS = (50, 44, 40, 34, 28, 22, 16, 10)
DIRECT_QPS = (51, 49, 47, 45, 42, 39, 35, 31)
RATES = (0.02, 0.05, 0.1, 0.2)  # bits a pixel
TRAINING_BATCH = 2  # half of what the codec is trained with: enough to tell the scales apart


def run(
    data: Path, run_folder: Path, settings: CodecTraining, scales: Sequence[int] = SCALES
) -> dict[str, Any]:
    """Train each scale (or take up its training in ``run_folder``) and measure it beside direct HEVC."""
    from dataclasses import asdict, replace

    from dsslic_search.training import codec

    unseen = codec.load([p for p in codec.clean_photos(data) if codec.held_out(p)])
    table: dict[str, Any] = {}
    for scale in scales:
        folder = run_folder / f"scale-{scale}"
        codec.train(data, folder, folder, replace(settings, scale=scale))
        table[f"1/{scale}"] = networks(folder, unseen, QPS)
    table["direct HEVC"] = direct(unseen, DIRECT_QPS)
    return {
        "photos": len(unseen),
        "training": {k: v for k, v in asdict(settings).items() if k != "scale"},
        "at_equal_rate": {name: [at_rate(points, rate) for rate in RATES] for name, points in table.items()},
        "points": table,
    }


def networks(
    folder: Path, photos: list[Crop], qps: Sequence[int], finenet: str = "finenet"
) -> list[dict[str, float]]:
    """The coarse stage with the CompNet and the FineNet in a folder, by c's QP: see :func:`_points`."""
    import torch

    from dsslic_search.training.codec import whole

    compact_net, fine = (runtime.load(name, folder / f"{name}.safetensors") for name in ("compnet", finenet))
    scale = compact_net.config.scale

    def code(photo: Crop, qp: int) -> tuple[Pixels, int, int]:
        with torch.inference_mode():
            x, labels = whole(photo, torch.device("cpu"), block=8)
            made = (compact_net(x, labels)[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
            layer = compact.encode(made, qp)
            seen = (
                torch.from_numpy(compact.decode(layer, grey=False)).permute(2, 0, 1)[None].to(torch.float32)
                / 255
            )
            coarse = (
                (fine(seen, labels)[0].permute(1, 2, 0) * 255).clamp(0, 255).round().to(torch.uint8).numpy()
            )
        return coarse, len(_file(photo, scale, qp, layer)), len(layer.data)

    return _points(photos, qps, code)


def direct(photos: list[Crop], qps: Sequence[int]) -> list[dict[str, float]]:
    """HEVC 4:4:4 of 10 bits in a BPG file, by QP: see :func:`_points`."""

    def code(photo: Crop, qp: int) -> tuple[Pixels, int, int]:
        pixels = _whole_cells(photo)
        data = bpg.encode(rescale(pixels, bit_depth=8, out_depth=10), qp=qp, bit_depth=10, preset="slow")
        return bpg.decode(data, max_pixels=pixels.size).rgb8(), len(data), 0

    return _points(photos, qps, code)


def _points(
    photos: list[Crop], qps: Sequence[int], code: Callable[[Crop, int], tuple[Pixels, int, int]]
) -> list[dict[str, float]]:
    """By QP, means over the photos: bits a pixel of the whole file, bytes of c in it, PSNR in dB and
    LPIPS."""
    looks = [PerceptualDistance(_whole_cells(photo)) for photo in photos]
    points = []
    for qp in qps:
        found = []
        for photo, look in zip(photos, looks, strict=True):
            made, size, compact = code(photo, qp)
            found.append((bpp(size, *made.shape[:2]), compact, psnr(_whole_cells(photo), made), look(made)))
        means = np.mean(found, 0)
        names = ("bpp", "compact_bytes", "psnr", "lpips")
        points.append(
            {"qp": float(qp), **{name: round(float(m), 5) for name, m in zip(names, means, strict=True)}}
        )
    return points


def at_rate(points: list[dict[str, float]], rate: float) -> dict[str, float | None]:
    """PSNR and LPIPS at ``rate`` bits a pixel, linear in the rate's logarithm between the points; None
    outside them."""
    ordered = sorted(points, key=lambda p: p["bpp"])
    rates = np.log([p["bpp"] for p in ordered])
    outside = not rates[0] <= np.log(rate) <= rates[-1]
    values = {
        name: None if outside else round(float(np.interp(np.log(rate), rates, [p[name] for p in ordered])), 4)
        for name in ("psnr", "lpips")
    }
    return {"bpp": rate, **values}


def _whole_cells(photo: Crop) -> Pixels:
    height, width = (n // 8 * 8 for n in photo.labels.shape)
    return np.ascontiguousarray(photo.pixels[:height, :width])


def _file(photo: Crop, scale: int, qp: int, layer: Chunk) -> bytes:
    """A whole .dsslic file of the coarse stage."""
    height, width = _whole_cells(photo).shape[:2]
    map_scale = label_map.scale_for(height, width)
    half = map_scale // 2
    labels = np.ascontiguousarray(photo.labels[half:height:map_scale, half:width:map_scale])
    labels = np.pad(
        labels,
        [(0, -(-n // map_scale) - m) for n, m in zip((height, width), labels.shape, strict=True)],
        mode="edge",
    )
    nobody = "0" * 16
    header = Header(
        width=width,
        height=height,
        grey=False,
        keep=KeepMode.COARSE,
        map_scale=map_scale,
        compact_scale=scale,
        quality=50,
        compact_qp=qp,
        residual_qp=qp,
        vocabulary=nobody,
        segmenter=nobody,
        finenet=nobody,
    )
    return container.pack(header, [label_map.encode(labels), layer])
