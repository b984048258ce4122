"""Rate and distortion of codecs over a folder of photos: every photo at every setting, every byte of every
file counted.

A photo is its pixels here, RGB: alpha, colour profile and EXIF data are left out, for all codecs alike.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dsslic_search.bench import record
from dsslic_search.bench.codecs import Codec, Pixels, check_settings, find
from dsslic_search.bench.kept import KeptRows
from dsslic_search.bench.kept import read as read_kept
from dsslic_search.bench.kept import write as keep_rows
from dsslic_search.bench.metrics import PerceptualDistance, bpp, ms_ssim, ms_ssim_db, psnr
from dsslic_search.bench.photos import photos_in, read_photo
from dsslic_search.core.errors import DSSError, PhotoError
from dsslic_search.networks import runtime
from dsslic_search.networks.lpips import MIN_SIDE

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

EQUAL_PSNR = 100.0  # dB, stands for no difference at all, where there is no number
T = TypeVar("T")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_WARM_SIDE = 64


@dataclass(frozen=True)
class Row:
    """One photo at one setting of one codec.

    ``bpp``: bits / (H·W). ``bytes_by_part`` sums to ``bytes``. ``psnr_rgb``: dB, :data:`EQUAL_PSNR` where
    nothing differs. ``lpips``: AlexNet, version 0.1. Seconds: of CPU, all threads of the codec together, from
    pixels to file and from file to pixels.
    """

    image: str
    setting: float
    bytes: int
    bpp: float
    bytes_by_part: dict[str, int]
    psnr_rgb: float
    ms_ssim: float
    lpips: float
    encode_cpu_seconds: float
    decode_cpu_seconds: float


def measure(
    path: Path,
    names: Sequence[str],
    settings: Sequence[float] | None = None,
    points: int | None = None,
) -> dict[str, list[Row]]:
    """Rows of one photo by codec. Codecs that share an encoder share its work. ``settings`` instead of the
    codecs' own ladders; ``points``: so many of each ladder alone, its ends and others evenly between."""
    runtime.use_one_thread()
    pixels = read_photo(path).pixels
    if min(pixels.shape[:2]) < MIN_SIDE:
        raise PhotoError(
            f"{path.name}: a side has fewer than {MIN_SIDE} pixels, too few to measure; take it out of "
            "the folder"
        )
    judge = _Judge(pixels)
    rows: dict[str, list[Row]] = {name: [] for name in names}
    for group in groups(find(names)):
        _warm(group)
        for setting in settings or some_of(group[0].ladder, points):
            file, encoding = _timed(group[0].encode, pixels, setting)
            for codec in group:
                data = codec.cut(file)
                parts = codec.layers(data)
                size = sum(parts.values())
                shown, decoding = _timed(codec.decode, data)
                rows[codec.name].append(
                    Row(
                        image=path.name,
                        setting=setting,
                        bytes=size,
                        bpp=round(bpp(size, *pixels.shape[:2]), 6),
                        bytes_by_part=parts,
                        **judge.measures(shown),
                        encode_cpu_seconds=round(encoding, 4),
                        decode_cpu_seconds=round(decoding, 4),
                    )
                )
    return rows


def some_of(ladder: Sequence[float], points: int | None) -> Sequence[float]:
    """As many settings, from the first to the last."""
    if points is None or points >= len(ladder):
        return ladder
    return [ladder[round(i * (len(ladder) - 1) / (points - 1))] for i in range(points)]


class _Judge:
    """Measures of decoded pictures of one photo; of a picture that was seen before they are not computed
    again."""

    def __init__(self, pixels: Pixels) -> None:
        self._pixels = pixels
        self._distance = PerceptualDistance(pixels)
        self._seen: dict[bytes, dict[str, float]] = {}

    def measures(self, shown: Pixels) -> dict[str, float]:
        key = hashlib.sha256(shown.tobytes()).digest()
        if key not in self._seen:
            self._seen[key] = {
                "psnr_rgb": round(min(psnr(self._pixels, shown), EQUAL_PSNR), 4),
                "ms_ssim": round(ms_ssim(self._pixels, shown), 6),
                "lpips": round(self._distance(shown), 6),
            }
        return self._seen[key]


def groups(codecs: Sequence[Codec]) -> list[list[Codec]]:
    """Codecs that share an encoder and its ladder, together."""
    found: dict[Any, list[Codec]] = {}
    for codec in codecs:
        found.setdefault((codec.encode, codec.ladder), []).append(codec)
    return list(found.values())


_warmed: set[str] = set()


def _warm(group: list[Codec]) -> None:
    """Load networks and compile what is compiled on first use, so that no photo's seconds have it."""
    small = np.random.default_rng(0).integers(0, 256, (_WARM_SIDE, _WARM_SIDE, 3)).astype(np.uint8)
    for codec in group:
        if codec.name not in _warmed:
            codec.decode(codec.cut(codec.encode(small, codec.ladder[len(codec.ladder) // 2])))
            _warmed.add(codec.name)


def _timed(work: Callable[..., T], *given: Any) -> tuple[T, float]:
    """Of the whole process: encoders work in threads of their own even where they use only one at a time."""
    start = time.process_time()
    result = work(*given)
    return result, time.process_time() - start


def run(
    folder: Path,
    names: Sequence[str],
    *,
    points: int | None = None,
    settings: Sequence[float] | None = None,
    photos: Sequence[str] | None = None,
    kept: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, dict[str, Any]]:
    """The results of each codec, by name: what it is, means by setting, and all rows.

    ``points`` and ``settings`` as for :func:`measure`; ``photos``: names of those that are measured, else
    all; ``kept``: a folder in which every photo that was measured is kept, and taken from (`bench.kept`).
    ``workers``: processes, each with one photo and one codec at a time;
    one a core if None; 1 works in this process. ``progress``: called with what is done and all there is to
    do. UsageError for unknown codecs, settings that one of them does not take, and empty folders, PhotoError
    for a photo that cannot be measured.
    """
    codecs = find(names)
    check_settings(codecs, settings or ())
    paths = photos_in(folder, photos)
    tasks = [(path, [codec.name for codec in group]) for path in paths for group in groups(codecs)]
    rows: dict[tuple[str, str], list[Row]] = {}
    keeping, files, left = KeptRows(kept), dict[tuple[Path, str], Path | None](), []
    for path, of in tasks:
        file = files[path, of[0]] = keeping.file(path, of, settings, points)
        known = read_kept(file)
        if known is None:
            left.append((path, of))
        else:
            rows.update({(name, path.name): [Row(**row) for row in each] for name, each in known.items()})
    done = len(tasks) - len(left)
    progress(done, len(tasks))
    for path, found in _work(left, settings, points, workers or os.cpu_count() or 1):
        rows.update({(name, path.name): of_codec for name, of_codec in found.items()})
        first = next(iter(found))
        keep_rows(files[path, first], {name: list(map(asdict, each)) for name, each in found.items()})
        done += 1
        progress(done, len(tasks))
    return {
        codec.name: summary(codec, [row for path in paths for row in rows[codec.name, path.name]])
        for codec in codecs
    }


def _work(
    tasks: list[tuple[Path, list[str]]], settings: Sequence[float] | None, points: int | None, workers: int
) -> Iterator[tuple[Path, dict[str, list[Row]]]]:
    """As they are done."""
    if workers == 1 or not tasks:
        yield from ((path, measure(path, names, settings, points)) for path, names in tasks)
        return
    import multiprocessing

    others = set(multiprocessing.active_children())
    with _one_thread_each():
        pool = ProcessPoolExecutor(min(workers, len(tasks)), _processes(), _leave_interrupts)
        try:
            waiting: dict[Future[dict[str, list[Row]]], Path] = {
                pool.submit(measure, path, names, settings, points): path for path, names in tasks
            }
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except KeyboardInterrupt:
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()  # they write nothing, and one photo can take long
            raise
        except BrokenProcessPool as e:
            raise DSSError(
                "a worker process was ended from outside, perhaps for want of memory; try --workers 1"
            ) from e
        finally:
            pool.shutdown(cancel_futures=True)


def _processes() -> BaseContext:
    """How worker processes begin: where it can be, as copies of one that has imported what all of them
    need."""
    import multiprocessing

    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", __name__, "dsslic_search.networks.lpips"])
    return context


def _leave_interrupts() -> None:
    """To the process that started this one."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """NumPy's and PyTorch's libraries read these once, when a process starts."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def summary(codec: Codec, rows: list[Row]) -> dict[str, Any]:
    """The result of one codec, from its rows of all photos."""
    settings = list(dict.fromkeys(row.setting for row in rows))
    return {
        "codec": codec.name,
        "label": codec.label,
        "encoder": codec.encoder,
        "photos": len({row.image for row in rows}),
        "lpips": f"AlexNet, version 0.1, weights {runtime.identity('lpips')}",
        "mean": [_mean([row for row in rows if row.setting == setting]) for setting in settings],
        "rows": [asdict(row) for row in rows],
    }


def _mean(rows: list[Row]) -> dict[str, Any]:
    """Over the photos of one setting. "bpp_as_the_paper_counts" divides by H·W·3; MS-SSIM in dB is that of
    the mean."""
    numbers = [f.name for f in fields(Row) if f.name not in ("image", "bytes_by_part")]
    mean: dict[str, Any] = {
        name: round(float(np.mean([getattr(row, name) for row in rows])), 6) for name in numbers
    }
    mean["ms_ssim_db"] = round(ms_ssim_db(mean["ms_ssim"]), 4)
    mean["bpp_as_the_paper_counts"] = round(mean["bpp"] / 3, 6)
    parts = dict.fromkeys(part for row in rows for part in row.bytes_by_part)
    shares = {
        part: float(np.mean([row.bpp * row.bytes_by_part.get(part, 0) / row.bytes for row in rows]))
        for part in parts
    }
    mean["bpp_by_part"] = {part: round(share, 6) for part, share in shares.items()}
    return mean


def table(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Means for people, line by line."""
    head = ("codec", "setting", "bpp", "PSNR", "MS-SSIM", "LPIPS", "encode", "decode", "bpp of parts")
    return record.table(
        head, [_cells(name, mean) for name, result in results.items() for mean in result["mean"]]
    )


def _cells(name: str, mean: Mapping[str, Any]) -> tuple[str, ...]:
    parts = mean["bpp_by_part"] if len(mean["bpp_by_part"]) > 1 else {}
    return (
        name,
        f"{mean['setting']:g}",
        f"{mean['bpp']:.4f}",
        f"{mean['psnr_rgb']:.3f}",
        f"{mean['ms_ssim']:.5f}",
        f"{mean['lpips']:.4f}",
        f"{mean['encode_cpu_seconds']:.3f}s",
        f"{mean['decode_cpu_seconds']:.3f}s",
        ", ".join(f"{part} {share:.4f}" for part, share in parts.items()),
    )
