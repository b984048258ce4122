"""docs/photos.md says what the program does."""

from __future__ import annotations

import builtins
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.archive.ingest.file_names import PHOTO_EXTENSIONS
from dsslic_search.cli.wording import in_commands
from dsslic_search.codec import jpeg_segments, jpeg_xl
from dsslic_search.codec.layers import provenance
from dsslic_search.codec.picture.formats import raw
from dsslic_search.codec.picture.open import FORMATS, open_photo
from dsslic_search.core.errors import PhotoError
from dsslic_search.core.kinds import KeepMode
from tests.codec.picture.formats.test_companions import CLIP, GAIN_MAPS, multi_picture
from tests.codec.picture.formats.test_heif import RGB, chart, gbr, unreadable
from tests.codec.picture.test_open import png_header
from tests.codec.picture.test_turns import NEVER_TURNED, dng
from tests.heif import Heif, box, nclx

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "photos.md").read_text()
PICTURES = ROOT / "tests" / "data" / "pictures"


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line[:2] == "| "
    ]


TABLE = {cells[0]: cells for cells in rows(PAGE.split("\n## ")[0])[1:]}


def test_every_format_that_is_read_has_a_row() -> None:
    assert set(TABLE) == set(FORMATS)


def test_every_ending_that_is_looked_for_is_told_once() -> None:
    told = [ending for cells in TABLE.values() for ending in re.findall(r"`(\.\w+)`", cells[1])]
    assert sorted(told) == sorted(PHOTO_EXTENSIONS)


def test_formats_without_orientations_are_those_that_are_never_turned() -> None:
    assert {name for name, cells in TABLE.items() if cells[3] == "–"} == NEVER_TURNED


def said_by(data: bytes) -> tuple[str, ...]:
    return open_photo(data, "x", 10_000_000).remarks


def progressive() -> bytes:
    file = io.BytesIO()
    Image.fromarray(chart()).save(file, "JPEG", progressive=True)
    return file.getvalue()


def ended_early() -> bytes:
    data = progressive()
    first = next(s for s in jpeg_segments.segments(data) if s.marker == jpeg_segments.START_OF_SCAN)
    return data[: first.end] + b"\xff\xd9"


def test_what_is_said_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    named = ("rgb16.png", "p3.avif", "pq.avif", "no_end.jpg", "thumbnail_first.tif")
    found = {remark for name in named for remark in said_by((PICTURES / name).read_bytes())}
    for data in (
        ended_early(),
        next(iter(GAIN_MAPS.values())),
        dng(1),
        multi_picture(*[(0x020002, b"")] * 2),
    ):
        found |= set(said_by(data))
    describe = jpeg_xl.describe
    monkeypatch.setattr(jpeg_xl, "describe", lambda start: replace(describe(start), has_profile=True))
    found |= set(said_by((PICTURES / "rgb8.jxl").read_bytes()))
    for mode in set(KeepMode) - {KeepMode.UNDECODED}:
        (remark,) = provenance.clip_remark(len(CLIP), mode)
        assert f"{remark.split('4.02 kB ')[1]}`" in section("Which picture")
    quoted = set(re.findall(r"^- `([^`]+)`", section("What is said"), re.MULTILINE))
    assert quoted <= found
    for remark in found:
        of_three = re.sub(r"^picture (\d) of \d", r"picture \1 of 3", remark)
        assert f"`{re.sub(r'^[0-9]+ bits', '16 bits', of_three)}`" in PAGE


def refused(data: bytes, limit: int = 1_000_000) -> str:
    with pytest.raises(PhotoError) as raised:
        open_photo(data, "x", limit)
    return in_commands(raised.value).removeprefix("x: ")


def hierarchical() -> bytes:
    return (PICTURES / "arithmetic.jpg").read_bytes().replace(b"\xff\xc9", b"\xff\xc5", 1)


def of_matrix_14() -> bytes:
    made = Heif()
    return made.file(made.picture(gbr(chart()), nclx(14, True)))


REFUSED = {
    "is no picture": b"hello, world",
    "is of another kind": b"8BPS\0\1" + bytes(40),
    "has more pixels": png_header(60000, 50000),
    "is cut short": progressive()[:-100],
    "hierarchical": hierarchical(),
    "is a HEIF sequence": box(b"ftyp", b"hevc" + bytes(4)),
    "an overlay": unreadable(b"iovl"),
    "ICtCp": of_matrix_14(),
    "is empty": b"",
}


@pytest.mark.parametrize("which", REFUSED)
def test_sentences_of_refusal_are_those(which: str) -> None:
    (cells,) = [cells for cells in rows(section("What is refused")) if which in cells[0]]
    quoted = re.findall(r"`([^`]+)`", cells[1])[0]
    begin, *ends = quoted.split("…")
    said = refused(REFUSED[which])
    assert said.startswith(begin) and all(said.endswith(end) for end in ends)


def test_a_raw_file_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "rawpy":
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(builtins, "__import__", without)
    assert f"`{refused(dng(1))}`" in section("What is refused")


def test_numbers_are_the_programs() -> None:
    assert f"at least {raw.LEAST_SHARE} of the sensor's width" in section("Which picture")
    made = Heif()
    assert np.array_equal(open_photo(made.file(made.picture(gbr(chart()), RGB)), "x", 10_000).pixels, chart())
