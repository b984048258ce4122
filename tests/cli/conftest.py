"""A small archive of real photos, and a way to run the command line as a user would."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsslic_search.cli.main import main
from tests import once

SAMPLES = Path(__file__).parents[2] / "samples"


@dataclass(frozen=True)
class Ran:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def message(self) -> str:
        """The one line that an error consists of."""
        lines = self.err.strip().splitlines()
        assert "Traceback" not in self.err
        assert lines, "no message"
        return lines[-1]


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def picture() -> Callable[[Path], Image.Image]:
    """Opens a picture file whole, leaving no file open."""

    def load(path: Path) -> Image.Image:
        with Image.open(path) as opened:
            return opened.copy()

    return load


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["dss-search", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        return Ran(int(stopped.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def photos() -> Path:
    """Every sample photo, 240 pixels long, in a folder of two levels; for tests to copy, not to change."""

    def write(folder: Path) -> None:
        (folder / "more").mkdir()
        for i, path in enumerate(sorted(SAMPLES.glob("*.jpg"))):
            picture = Image.open(path)
            picture.thumbnail((240, 240))
            picture.save((folder / "more" if i % 2 else folder) / path.name, quality=92)

    return once.filled("photos-of-two-levels", write)


@pytest.fixture(scope="session")
def archive(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of these, for all tests of a process: a copy of one that is filled once a run."""

    def ingest(folder: Path) -> None:
        from dsslic_search import Archive

        with Archive(folder / "a") as opened:
            report = opened.ingest([photos], effort=1, segmenter="segnet")
        assert report.added == len(list(SAMPLES.glob("*.jpg")))

    place = tmp_path_factory.mktemp("archive")
    shutil.copytree(once.filled("archive-of-two-levels", ingest), place, dirs_exist_ok=True)
    return place / "a"
