"""doctor: what an installation lacks, and how archives are, without changing them."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from dsslic_search.api import diagnose, doctor
from tests.cli.conftest import Run

PYPROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def bounds(requirements: list[str]) -> dict[str, str]:
    """Lowest versions by package."""
    found = (re.fullmatch(r"([\w.-]+)(?:\[\w+\])?>=([\d.]+)", each) for each in requirements)
    return {match[1].replace("_", "-"): match[2] for match in found if match}


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def test_what_is_needed_is_what_the_package_asks_for() -> None:
    assert bounds(PYPROJECT["dependencies"]) == doctor.NEEDED


def test_every_extra_for_users_is_told_of() -> None:
    extras = PYPROJECT["optional-dependencies"]
    assert set(extras) - set(doctor.OPTIONAL) == {"bench", "demo", "dev", "docs"}
    for name, (_purpose, packages) in doctor.OPTIONAL.items():
        assert tuple(sorted(bounds(extras[name]))) == tuple(sorted(packages))


def test_a_sound_archive(run: Run, archive: Path) -> None:
    ran = run("doctor", "--archive", archive)
    assert ran.code == 0
    assert ran.message == "nothing is wrong"
    told = ran.out.partition("\n\n")[2].splitlines()
    assert len(told) <= 10
    assert told[0] == f"archive {archive}"
    assert "  a quick check found no problems" in told
    plain = run("doctor", "--archive", archive, "--json").json
    assert plain["troubles"] == []
    assert plain["archive"]["problems"] == {}
    assert plain["archive"]["revision"] == plain["formats"]["catalog"]
    assert plain["archive"]["photos"] == {"here": 11}
    assert len(plain["weights"]["segnet"]) == 16
    assert plain["processor"]["cores"] >= 1


def test_without_an_archive(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSS_ARCHIVE", str(tmp_path / "none"))
    assert run("doctor").code == 0
    named = run("doctor", "--archive", tmp_path / "none")
    assert named.code == 1
    assert "no archive there" in named.err
    assert not (tmp_path / "none").exists()


def test_damage_is_a_trouble(run: Run, archive: Path, tmp_path: Path) -> None:
    own = tmp_path / "a"
    shutil.copytree(archive, own)
    next((own / "objects").rglob("*.dsslic")).unlink()
    ran = run("doctor", "--archive", own)
    assert ran.code == 1
    assert "1 problem; see dss-search check" in ran.err
    (own / "archive.json").write_text("[" * 5000)
    ran = run("doctor", "--archive", own)
    assert ran.code == 1
    assert "damaged" in ran.err


def test_an_older_archive_stays_as_it_is(run: Run, archive: Path, tmp_path: Path) -> None:
    own = tmp_path / "a"
    shutil.copytree(archive, own)
    with closing(sqlite3.connect(own / "catalog.sqlite")) as catalog:
        catalog.execute("PRAGMA journal_mode = DELETE")
        catalog.execute("UPDATE alembic_version SET version_num = '0009'")
        catalog.commit()
    before = content(own)
    ran = run("doctor", "--archive", own)
    assert ran.code == 0
    assert "catalog revision 0009 (the newest is" in ran.out
    assert "brought to the newest revision when it is next opened" in ran.out
    assert content(own) == before


def test_a_newer_archive_is_a_trouble(run: Run, archive: Path, tmp_path: Path) -> None:
    own = tmp_path / "a"
    shutil.copytree(archive, own)
    with closing(sqlite3.connect(own / "catalog.sqlite")) as catalog:
        catalog.execute("UPDATE alembic_version SET version_num = '9999'")
        catalog.commit()
    ran = run("doctor", "--archive", own)
    assert ran.code == 1
    assert "made by a newer dsslic-search (catalog revision 9999" in ran.err


def test_what_is_missing_or_too_old_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DSS_ARCHIVE", str(tmp_path / "none"))
    versions = {"numpy": "1.26.4", "av": None, "rawpy": None}
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: versions.get(name, real(name)))
    found = diagnose()
    assert [trouble for trouble in found.troubles if "numpy" in trouble or trouble.startswith("av ")] == [
        "av is not installed; install it with: pip install 'av>=18'",
        "numpy 1.26.4 is too old; install a newer one with: pip install 'numpy>=2.0.2'",
    ]
    raw = next(part for part in found.parts if part.name == "raw")
    assert (raw.missing, raw.get) == (("rawpy",), "pip install 'dsslic-search[raw]'")


@pytest.mark.parametrize(
    ("lower", "higher"), [("2.0", "2.0.1"), ("2.9", "2.10"), ("1.13.0", "1.14"), ("2025.3", "2026.1")]
)
def test_versions_are_compared_by_their_numbers(lower: str, higher: str) -> None:
    assert doctor._numbers(lower) < doctor._numbers(higher)
    assert doctor._numbers("2.11.0+cpu") == doctor._numbers("2.11")
    assert doctor._numbers("13") == doctor._numbers("13.0.0")
