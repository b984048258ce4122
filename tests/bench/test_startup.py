"""What starting costs: processes measured by the system, builds side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from dsslic_search.bench import startup
from dsslic_search.core.errors import DSSError, UsageError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("images")
    with Image.open(ROOT / "samples" / "wine.jpg") as photo:
        photo.resize((96, 64)).save(place / "wine.png")
    return place


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Path, Sequence[str]]]]:
    """What is run, instead of running it; each process takes as many seconds as ran before it."""
    ran: list[tuple[Path, Sequence[str]]] = []

    def spent(source: Path, words: Sequence[str], place: Path) -> float:
        if words[0] == "ingest":
            stored = Path(words[-1]) / "objects" / "ab" / "abc.dsslic"
            stored.parent.mkdir(parents=True)
            stored.touch()
        ran.append((source, words))
        return float(len(ran))

    monkeypatch.setattr(startup, "spent", spent)
    return ran


@pytest.fixture
def other(tmp_path: Path) -> Path:
    package = tmp_path / "other" / "dsslic_search"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    return package.parent


def test_builds_take_turns_and_the_first_round_is_not_counted(images: Path, measured, other: Path) -> None:
    found = startup.run(images, other, rounds=3, commands=["query"])
    assert [source for source, _ in measured] == [other, *(ROOT, other, other, ROOT) * 2]
    assert measured[0][1][0] == "ingest"
    assert {words[:2] == ["query", "sky"] for _, words in measured[1:]} == {True}
    # this build: 5, 6 and 9 seconds; the other: 4, 7 and 8
    assert found["processor_seconds"] == {"query": {"this": 6, "other": 7, "ratio": 0.857}}
    assert (found["photos"], found["rounds"]) == (1, 3)
    assert list(startup.table(found))[1].split() == ["query", "6.00", "7.00", "0.86"]


def test_each_build_has_an_archive_made_by_the_older_one(images: Path, measured, other: Path) -> None:
    startup.run(images, other, rounds=1, commands=["query", "info"])
    made = measured[0][1][-1]
    archives = {source: {words[-1] for s, words in measured[1:] if s == source} for source in (ROOT, other)}
    assert made in archives[other]
    assert not archives[ROOT] & archives[other]


def test_alone_there_is_no_ratio(images: Path, measured) -> None:
    found = startup.run(images, rounds=2)
    assert list(found["processor_seconds"]) == list(startup.COMMANDS)
    assert all(set(row) == {"this"} for row in found["processor_seconds"].values())
    assert {source for source, _ in measured} == {ROOT}


def test_processes_are_measured_on_an_archive_that_answers(images: Path) -> None:
    found = startup.run(images, ROOT, rounds=1, commands=["info"])
    for row in found["processor_seconds"].values():
        assert 0 < row["this"] < 60
        assert 0 < row["other"] < 60
        assert row["ratio"] == pytest.approx(row["this"] / row["other"], rel=0.05)


def test_a_command_that_fails_is_named_with_what_it_said(tmp_path: Path) -> None:
    wanted = re.escape("dss-search show 1 --archive no of ")
    with pytest.raises(DSSError, match=f"{wanted}.* failed: dss-search: no: no archive there"):
        startup.spent(ROOT, ["show", "1", "--archive", "no"], tmp_path)


def test_a_folder_without_a_build_is_refused(images: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no dsslic_search"):
        startup.run(images, tmp_path)


def test_bytecode_is_kept_between_processes(
    other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    command = other / "dsslic_search" / "cli" / "main.py"
    command.parent.mkdir()
    command.touch()
    startup.spent(other, [], tmp_path)
    assert list((other / "dsslic_search" / "__pycache__").iterdir())
