"""An archive of sample photos, served by `dss-search serve` in a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from dsslic_search import Archive
from tests import once

SAMPLES = Path(__file__).parents[2] / "samples"
HOSTILE = "<img src=x onerror=\"document.title='hostile'\">&amp;.jpg"
SIDE = 320  # pixels: enough for SegNet to see what is there

_DEGREES = {"picos": (43.2, -4.8), "sunset": (43.0, -2.5), "stream": (42.9, -2.4), "dogs": (52.5, 13.4)}
_DATE_OF = {"picos": "2019:07:02 10:00:00", "sunset": "2021:12:24 17:30:00", "dogs": "2021:12:25 09:00:00"}


def write_photos(folder: Path) -> None:
    """The sample photos, small, some with a date and a place, and one with a name that is markup."""
    folder.mkdir()
    for source in sorted(SAMPLES.glob("*.jpg")):
        with Image.open(source) as photo:
            photo.thumbnail((SIDE, SIDE))
            exif = photo.getexif()
            if source.stem in _DATE_OF:
                exif.get_ifd(0x8769)[0x9003] = _DATE_OF[source.stem]
            if source.stem in _DEGREES:
                lat, lon = _DEGREES[source.stem]
                place = exif.get_ifd(0x8825)
                place.update(
                    {1: "N", 2: (lat, 0.0, 0.0), 3: "W" if lon < 0 else "E", 4: (abs(lon), 0.0, 0.0)}
                )
            name = HOSTILE if source.stem == "fig" else source.name
            photo.save(folder / name, quality=85, exif=exif)


def fill(root: Path) -> Path:
    """An archive of them below ``root``, a copy of one that is filled once a run."""

    def ingest(folder: Path) -> None:
        write_photos(folder / "photos")
        with Archive(folder / "archive") as archive:
            archive.ingest([folder / "photos"])

    shutil.copytree(once.filled("served", ingest), root, dirs_exist_ok=True)
    return root / "archive"


@contextmanager
def serving(archive: Path, *options: str) -> Iterator[str]:
    """The address of a server of that archive, without the slash at its end."""
    with started(archive, *options) as (_, address):
        yield address


@contextmanager
def started(archive: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of that archive as a process, and its address. As on a computer with several archives, all
    servers of a run keep their pictures in one folder, by the versions of photos."""
    command = [
        sys.executable,
        "-X",
        "faulthandler",
        "-m",
        "dsslic_search.cli.main",
        "serve",
        "--archive",
        str(archive),
        "--port",
        "0",
    ]
    cache = once.KEPT[-1] / "pictures" if once.KEPT else archive.with_name("cache")
    command += ["--no-browser", "--cache", str(cache), *options]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None and server.stderr is not None
        address = server.stdout.readline().strip()
        assert address.startswith("http://"), server.stderr.read()
        yield server, address.rstrip("/")
        assert server.poll() is None, f"the server ended with {server.returncode}: {server.stderr.read()}"
    finally:
        server.terminate()
        server.communicate(timeout=30)
