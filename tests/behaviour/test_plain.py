"""What changes from run to run is left out of a record, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.behaviour.plain import attempt, lines, picture, plain, plain_text, undated


@dataclass
class Report:
    path: Path
    seconds: float
    shares: tuple[float, ...]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("58 photos from 16.1 kB in 2.5 s", "58 photos from 16.1 kB in <n> s"),
        ("map read in 12.5 ms", "map read in <n> ms"),
        ("added 2024-02-29 11:11 UTC, taken 2020-03-14 15:09", "added <now> UTC, taken 2020-03-14 15:09"),
        ("coarse      628  12.5%    3.4\nmap 1 2%", "coarse      628  12.5% <ms>\nmap 1 2%"),
        ("/tmp/behaviour-x1/behaviour-photos/home/a.jpg", "<photos>/home/a.jpg"),
        ("--page AVOI-Iz8OFM7AVOI-Iz8OFM7.5", "--page <cursor>.5"),
        ("2 people in 2023", "2 people in 2023"),
    ],
)
def test_times_and_folders_are_left_out_of_texts(text: str, told: str) -> None:
    assert plain_text(text) == told


def test_the_working_folder_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert lines(f"no file {tmp_path}/a.jpg\nat all") == ["no file <work>/a.jpg", "at all"]


def test_values_are_told_as_json_holds_them() -> None:
    report = Report(Path("a/b.jpg"), 0.25, (0.1, 2.0))
    assert plain(report) == {"path": "a/b.jpg", "seconds": "<seconds>", "shares": [0.1, 2.0]}
    assert plain({1: None, "cursor": None, "deep": [{"added_at": 5}]}) == {
        "1": None,
        "cursor": None,
        "deep": [{"added_at": "<added_at>"}],
    }
    assert plain(True) is True


def test_today_is_left_out_of_answers_about_it() -> None:
    answer = {
        "total": 2023,
        "explanation": ["read as: taken in november, 2026-11-01..2026-11-30"],
        "hits": [],
    }
    assert undated(answer)["explanation"] == ["read as: taken in <date>, <date>..<date>"]
    assert answer["total"] == 2023


def test_an_error_is_told_with_all_that_it_is() -> None:
    def refuse(text: str) -> None:
        bytes(text, "ascii")

    told = attempt(refuse, "é")
    assert told["error"] == ["UnicodeEncodeError", "UnicodeError", "ValueError"]
    assert told["says"] == [
        "'ascii' codec can't encode character '\\xe9' in position 0: ordinal not in range(128)"
    ]
    assert attempt(len, "abc") == 3


def test_pictures_differ_by_one_pixel_and_by_the_palette() -> None:
    image = Image.new("P", (3, 2))
    image.putpalette([0, 0, 0, 255, 0, 0])
    other = image.copy()
    other.putpalette([0, 0, 0, 255, 0, 1])
    assert picture(image).startswith("P 3×2 ")
    assert picture(image) != picture(other)
    changed = image.copy()
    changed.putpixel((2, 1), 1)
    assert len({picture(each.convert("RGB")) for each in (image, other, changed)}) == 2
