from __future__ import annotations

from pathlib import Path

import pytest

from dsslic_search.cli.main import archive_last
from tests.cli.conftest import Run
from tests.cli.test_terminal import Stream


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--archive a query sky", "query --archive a sky"),
        ("--archive=a query -- -sky", "query --archive=a -- -sky"),
        ("--archive a tag add best 1", "tag add --archive a best 1"),
        ("--archive a tag", "tag --archive a"),
        ("--archive a nonsense", "--archive a nonsense"),
        ("--archive", "--archive"),
        ("--archive a", "--archive a"),
        ("query --archive a sky", "query --archive a sky"),
        ("", ""),
    ],
)
def test_an_archive_before_the_command_is_put_behind_it(typed: str, meant: str) -> None:
    assert archive_last(typed.split()) == meant.split()


def test_the_archive_may_stand_before_the_command(run: Run, archive: Path) -> None:
    after = run("query", "sky", "--archive", archive)
    assert run("--archive", archive, "query", "sky") == after
    assert after.code == 0
    assert run(f"--archive={archive}", "tag", "list").err == run("tag", "list", "--archive", archive).err
    assert "No such option: --archive" in run("--archive", archive, "encode", "a.jpg", "b.dsslic").message


def test_next_steps_are_told_once_and_to_a_person_alone(
    run: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, place = photos / "picos.jpg", tmp_path / "an archive"
    if not photo.exists():
        photo = photos / "more" / "picos.jpg"
    assert "next:" not in run("ingest", photo, "--archive", tmp_path / "other", "--keep", "coarse").err
    watched = Stream(tty=True)
    monkeypatch.setattr("sys.stderr", watched)
    run("ingest", photo, "--archive", place, "--keep", "coarse")
    said = watched.getvalue()
    assert f"next: dss-search query \"sky and no people\" --archive '{place}'" in said
    run("ingest", photo, "--archive", place, "--keep", "coarse")
    assert watched.getvalue().count("next:") == said.count("next:") == 3


def test_tables_fit_a_narrow_terminal(run: Run, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = run("stats", "--archive", archive).out
    assert max(map(len, wide.splitlines())) > 50
    monkeypatch.setenv("COLUMNS", "50")
    for command in ("stats", "classes"):
        narrow = Stream(tty=True)
        with monkeypatch.context() as patched:
            patched.setattr("sys.stdout", narrow)
            run(command, "--archive", archive)
        lines = [line for line in narrow.getvalue().splitlines() if "/" not in line]
        assert len(lines) > 10
        assert max(map(len, lines)) <= 50
