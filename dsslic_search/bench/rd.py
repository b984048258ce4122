"""Rate and distortion of the codec over a folder of photos, beside figures of other codecs measured before."""

from __future__ import annotations

import csv
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dsslic_search.bench.metrics import bd_rate, bpp, ms_ssim, psnr
from dsslic_search.codec import container, dsslic
from dsslic_search.codec.picture import Photo, open_photo
from dsslic_search.config import DEFAULT_MAX_PIXELS
from dsslic_search.errors import UsageError
from dsslic_search.networks import runtime

QUALITIES = (5, 15, 25, 40, 50, 60, 75, 85, 95)
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class Row:
    """One photo at one quality: bytes of the file and of its parts, RGB PSNR in dB, MS-SSIM, wall milliseconds."""

    image: str
    quality: int
    bytes: int
    bpp: float
    header_bytes: int
    map_bytes: int
    compact_bytes: int
    residual_bytes: int
    psnr_rgb: float
    ms_ssim: float
    coarse_psnr_rgb: float
    coarse_ms_ssim: float
    milliseconds: dict[str, float]


def photos_in(folder: Path) -> list[Path]:
    """The photos directly in ``folder``, sorted. UsageError when there are none."""
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES)
    if not found:
        raise UsageError(f"{folder}: no photos here; name a folder of {', '.join(SUFFIXES)} files")
    return found


def measure(name: str, photo: Photo, quality: int) -> Row:
    """Encode, decode and compare one photo; every byte of the file counts."""
    encoded = dsslic.encode_photo(photo, dsslic.EncodeOptions(quality))
    layout = container.read(encoded.data)
    size = {e.kind: e.length for e in layout.entries}
    full = dsslic.decode_stage(encoded.data, "full").pixels
    coarse = dsslic.decode_stage(encoded.data, "coarse").pixels
    wanted = photo.pixels[..., 0] if photo.grey else photo.pixels
    return Row(
        image=name,
        quality=quality,
        bytes=len(encoded.data),
        bpp=bpp(len(encoded.data), photo.height, photo.width),
        header_bytes=layout.header_bytes,
        map_bytes=size[container.MAP],
        compact_bytes=size[container.COMPACT],
        residual_bytes=size[container.RESIDUAL],
        psnr_rgb=psnr(wanted, full),
        ms_ssim=ms_ssim(wanted, full),
        coarse_psnr_rgb=psnr(wanted, coarse),
        coarse_ms_ssim=ms_ssim(wanted, coarse),
        milliseconds={k: round(v, 1) for k, v in encoded.milliseconds.items()},
    )


def read_peers(path: Path) -> dict[str, dict[str, list[dict[str, float]]]]:
    """codec → setting → rows (bpp, psnr_rgb, ms_ssim) of a CSV with those columns. UsageError when they are missing."""
    found: dict[str, dict[str, list[dict[str, float]]]] = defaultdict(lambda: defaultdict(list))
    try:
        with path.open(newline="") as f:
            for row in csv.DictReader(f):
                found[row["codec"]][row["setting"]].append({k: float(row[k]) for k in ("bpp", "psnr_rgb", "ms_ssim")})
    except (OSError, KeyError, ValueError) as e:
        raise UsageError(f"{path}: not a readable table with columns codec, setting, bpp, psnr_rgb, ms_ssim ({e})") from e
    return found


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {k: round(float(np.mean([r[k] for r in rows])), 5) for k in rows[0]}


def run(folder: Path, peers: Path | None, qualities: tuple[int, ...] = QUALITIES) -> dict[str, Any]:
    """Measure every photo at every quality, two at a time; BD-rates (PSNR, %) are against the peer codec "bpg444"."""
    names = photos_in(folder)

    def one(path: Path) -> list[Row]:
        runtime.use_one_thread()
        photo = open_photo(path.read_bytes(), path.name, DEFAULT_MAX_PIXELS)
        return [measure(path.name, photo, q) for q in qualities]

    with ThreadPoolExecutor(2) as pool:
        rows = [row for found in pool.map(one, names) for row in found]
    fields = [f for f in Row.__dataclass_fields__ if f not in ("image", "milliseconds")]
    ladder = [_mean([{f: float(getattr(r, f)) for f in fields} for r in rows if r.quality == q]) for q in qualities]
    result: dict[str, Any] = {"photos": len(names), "mean_by_quality": ladder}
    if peers is not None:
        tables = {codec: [_mean(rs) for rs in settings.values()] for codec, settings in read_peers(peers).items()}
        result["peers_mean_by_setting"] = tables
        result["bd_rate_psnr_percent_against_bpg444"] = _bd_rates({"dsslic": ladder, **tables})
    result["rows"] = [asdict(r) for r in rows]
    return result


def _bd_rates(curves: dict[str, list[dict[str, float]]]) -> dict[str, float | None]:
    """None where a curve does not overlap the anchor's enough."""
    points = {name: sorted({(r["bpp"], r["psnr_rgb"]) for r in rows if np.isfinite(r["psnr_rgb"])}) for name, rows in curves.items()}
    anchor = points.get("bpg444")
    if anchor is None:
        return {}
    rates: dict[str, float | None] = {}
    for name, curve in points.items():
        try:
            rates[name] = round(bd_rate([p[0] for p in anchor], [p[1] for p in anchor], [p[0] for p in curve], [p[1] for p in curve]), 2)
        except ValueError:
            rates[name] = None
    return rates
