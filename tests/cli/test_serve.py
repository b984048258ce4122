"""The command that serves: what it says, and how it ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from dsslic_search.api import Event
from dsslic_search.core.errors import Remedy
from dsslic_search.web import server
from dsslic_search.web.site import Says
from tests.cli.conftest import Run


def test_it_tells_its_address_answers_and_ends_when_it_is_asked_to(archive: Path, tmp_path: Path) -> None:
    words = ["serve", "--archive", archive, "--port", "0", "--no-browser", "--cache", tmp_path / "cache"]
    process = subprocess.Popen(
        [sys.executable, "-m", "dsslic_search.cli.main", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        page = httpx.get(address, trust_env=False)
        assert page.headers["content-type"].startswith("text/html")
        found = httpx.get(f"{address}api/query", params={"q": "sky"}, trust_env=False).json()
        assert found["total"] == len(found["objects"]) > 0
        help_of = httpx.get(f"{address}api/query", params={"q": "xyzzyq"}, trust_env=False).json()
        assert "/api/archive" in help_of["error"]["sentence"]  # in the words of the command line
        tile = httpx.get(f"{address}api/photos/1/stages/compact", trust_env=False)
        assert tile.status_code == 200
        assert len(list((tmp_path / "cache").glob("*/*"))) == 1
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode in (0, 130)
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--port", "70000"], 2, "port 70000"),
        (["--host", "no.such.host.invalid"], 2, "no address that can be listened at"),
        (["--archive", "nowhere"], 1, "nowhere"),
        (["--watch", "--read-only"], 2, "follows no folders"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    run: Run, archive: Path, words: list[str], code: int, sentence: str
) -> None:
    ran = run("serve", "--no-browser", "--archive", archive, *words)
    assert ran.code == code
    assert sentence in ran.message


def test_what_becomes_of_photos_is_told_on_standard_error(
    run: Run, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def serving(_archive: object, _settings: object, _limits: object, *, says: Says, **_more: object) -> None:
        says.step(Event("failed", "/photos/x.jpg", 1, 1, f"no photo; see with: {Remedy.CHECK}"))

    monkeypatch.setattr(server, "serve", serving)
    ran = run("serve", "--no-browser", "--archive", archive)
    assert ran.err.splitlines() == [
        f"skipped: /photos/x.jpg: no photo; see with: dss-search check --archive {archive}"
    ]


def test_limits_that_cannot_be(run: Run, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSS_SERVE_ROWS", "many")
    ran = run("serve", "--no-browser", "--archive", archive)
    assert (ran.code, "DSS_SERVE_ROWS" in ran.message) == (2, True)


def test_without_its_packages_it_says_what_to_install(
    run: Run, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    ran = run("serve", "--no-browser", "--archive", archive)
    assert ran.code == 1
    assert 'pip install "dsslic-search[web]"' in ran.message
