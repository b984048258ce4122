"""How many photos a second go into an archive, and what memory that takes: whole processes, beside another
build.

Each case is a folder of photos and the words of an `ingest`. A process that ingests one photo alone is
measured too: what is left when it is taken off is what each further photo costs.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from dsslic_search.bench.photos import photos_in
from dsslic_search.bench.processes import OTHER, THIS, Taken, builds_beside, taken_by
from dsslic_search.bench.record import table as lines_of

MEGAPIXELS = 12.0
LARGE_MEGAPIXELS = 24.0
NOISE_LEVELS = 3.0  # standard deviation of the noise that enlarged photos get, grey levels
JPEG_QUALITY = 92
FLAT_COLOUR = (90, 140, 200)


@dataclass(frozen=True)
class Case:
    """``words``: of `ingest`, beside photos and archive; ``own_words``: for this build alone."""

    name: str
    folder: Path
    words: tuple[str, ...]
    own_words: tuple[str, ...] = ()


def run(
    images: Path,
    against: Path | None = None,
    *,
    rounds: int = 3,
    photos: int = 24,
    large: int = 60,
    flat: int = 48,
    memory: str = "2GB",
    workers: int = 2,
) -> dict[str, Any]:
    """``images``: the photos that are ingested as layers as they are, and from which ``photos`` JPEG files of
    12 megapixels are made for keep mode reference and ``large`` of 24 for the memory that both modes take
    (layers at effort 1: how hard x265 tries takes time, not memory), this build being told to stay under
    ``memory``. ``flat``: megapixels of a picture of one colour, which small files hold in other formats,
    ingested by this build as layers without a word on memory. Where one of the three is 0 there is none of
    that."""
    builds = builds_beside(against)
    given = ("--workers", str(workers))
    with tempfile.TemporaryDirectory() as place:
        here = Path(place)
        plain = here / "photos"
        plain.mkdir()
        for path in photos_in(images):
            shutil.copyfile(path, plain / path.name)
        cases = [Case("layers", plain, ("--keep", "layers", *given))]
        if photos:
            folder = enlarge(images, here / "12", photos, MEGAPIXELS)
            cases.append(Case("reference, 12 megapixels", folder, ("--keep", "reference", *given)))
        found = {case.name: _beside(case, builds, rounds, here) for case in cases}
        if large:
            folder = enlarge(images, here / "24", large, LARGE_MEGAPIXELS)
            for keep, words in (("layers", ("--effort", "1")), ("reference", ())):
                case = Case(
                    f"{keep}, 24 megapixels",
                    folder,
                    ("--keep", keep, *words, *given),
                    ("--memory", memory),
                )
                found[case.name] = _beside(case, builds, 1, here)
        of_one_colour = _flat(flat, builds[THIS], here) if flat else {}
    return {
        "rounds": rounds,
        "workers": workers,
        "memory": memory,
        "cases": found,
        "flat": {"megapixels": flat, "formats": of_one_colour},
    }


def _flat(megapixels: int, build: Path, place: Path) -> dict[str, dict[str, float]]:
    """What the ingest of a picture of one colour takes, by its format."""
    import imagecodecs

    size = megapixels * 1000, 1000
    while size[0] > 2 * size[1]:
        size = size[0] // 2, size[1] * 2
    picture = Image.new("RGB", size, FLAT_COLOUR)
    files = {name: place / f"flat.{name}" for name in ("png", "gif", "avif", "webp")}
    picture.save(files["png"])
    picture.save(files["webp"], lossless=True)
    picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=2).save(files["gif"])
    files["avif"].write_bytes(imagecodecs.avif_encode(np.asarray(picture), level=60, speed=9))
    found = {}
    for name, path in files.items():
        archive = place / "archive"
        words = ["ingest", str(path), "--archive", str(archive), "--keep", "layers"]
        taken = taken_by(build, words, place)
        found[name] = {
            "file_bytes": path.stat().st_size,
            "processor_seconds": round(taken.processor_seconds, 2),
            "peak_megabytes": round(taken.peak_bytes / 1e6, 1),
        }
        shutil.rmtree(archive)
    return found


def enlarge(images: Path, folder: Path, count: int, megapixels: float) -> Path:
    """``count`` JPEG files of about so many megapixels made from the photos in ``images`` in turn, each with
    noise of its own; returns ``folder``, which is made."""
    folder.mkdir()
    sources = photos_in(images)
    for number in range(count):
        source = sources[number % len(sources)]
        with Image.open(source) as opened:
            picture = opened.convert("RGB")
        factor = (megapixels * 1e6 / (picture.width * picture.height)) ** 0.5
        size = round(picture.width * factor), round(picture.height * factor)
        pixels = np.array(picture.resize(size, Image.Resampling.BICUBIC))
        noise = np.random.default_rng(number).normal(0, NOISE_LEVELS, pixels.shape[:2]).astype(np.float32)
        for rows in range(0, len(pixels), 256):
            part = pixels[rows : rows + 256] + noise[rows : rows + 256, :, None]
            pixels[rows : rows + 256] = np.clip(np.rint(part), 0, 255)
        Image.fromarray(pixels).save(folder / f"{number:03}-{source.stem}.jpg", quality=JPEG_QUALITY)
    return folder


def _beside(case: Case, builds: Mapping[str, Path], rounds: int, place: Path) -> dict[str, Any]:
    first, *_ = paths = photos_in(case.folder)
    whole: dict[str, list[Taken]] = {build: [] for build in builds}
    alone: dict[str, list[Taken]] = {build: [] for build in builds}
    for number in range(rounds):
        for build in list(builds)[:: -1 if number % 2 else 1]:
            words = (*case.words, *(case.own_words if build == THIS else ()))
            for what, kept in ((first, alone), (case.folder, whole)):
                archive = place / "archive"
                kept[build].append(
                    taken_by(builds[build], ["ingest", str(what), "--archive", str(archive), *words], place)
                )
                shutil.rmtree(archive)
    rows = {build: _figures(whole[build], alone[build], len(paths)) for build in builds}
    ratios = {
        name: round(rows[THIS][name] / rows[OTHER][name], 2)
        for name in rows[THIS]
        if OTHER in rows and rows[OTHER][name]
    }
    return {"photos": len(paths), "words": list(case.words), **rows, **({"ratio": ratios} if ratios else {})}


def _figures(whole: Sequence[Taken], alone: Sequence[Taken], photos: int) -> dict[str, float]:
    processor = median(taken.processor_seconds for taken in whole)
    seconds = median(taken.seconds for taken in whole)
    start = median(taken.processor_seconds for taken in alone)
    start_seconds = median(taken.seconds for taken in alone)
    more = max(1, photos - 1)
    return {
        "processor_seconds": round(processor, 2),
        "seconds": round(seconds, 2),
        "processor_seconds_of_one_photo": round(start, 2),
        "processor_seconds_a_further_photo": round(max(0.0, processor - start) / more, 4),
        "photos_per_processor_second": round(photos / processor, 3),
        "photos_per_second": round(photos / seconds, 3),
        "further_photos_per_second": round(more / max(1e-3, seconds - start_seconds), 3),
        "peak_megabytes": round(max(taken.peak_bytes for taken in whole) / 1e6, 1),
    }


def table(results: dict[str, Any]) -> Iterator[str]:
    """Lines for people."""
    rows = [
        (
            f"{name}: {figure}",
            *(f"{case[build][figure]:g}" for build in (THIS, OTHER, "ratio") if build in case),
        )
        for name, case in results["cases"].items()
        for figure in case[THIS]
    ]
    head = ("", THIS, OTHER, "ratio")[: len(rows[0])]
    rows += [
        (f"{results['flat']['megapixels']} megapixels of one colour, {name}: {figure}", f"{value:g}")
        + ("",) * (len(head) - 2)
        for name, figures in results["flat"]["formats"].items()
        for figure, value in figures.items()
    ]
    yield from lines_of(head, rows)
