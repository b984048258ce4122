import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dsslic_search.api import Archive
from dsslic_search.cli.streams import UNREAD
from tests.cli.conftest import Run


@pytest.mark.parametrize("arguments", [("--version",), ("no-such-command",), ("classes",)])
def test_what_a_signal_does_is_put_back(run: Run, arguments: tuple[str, ...]) -> None:
    """A server in the same process would end with the first client that goes away amid an answer."""
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        run(*arguments)
        assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGPIPE, before)


def test_a_command_ends_quietly_when_its_reader_has_enough() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "dsslic_search.cli.program", "classes"]
        ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (UNREAD, b"")


def test_a_full_disk_under_what_it_tells_is_told(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "dsslic_search", "classes"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("dss-search: ") and ended.stderr.count("\n") == 1


def test_a_connection_that_breaks_amid_a_command_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended the process without a word, by a signal or by what typer makes of a broken pipe."""
    one, other = socket.socketpair()
    other.close()
    with one:
        monkeypatch.setattr(Archive, "tags", lambda *_: one.send(b"anything"))
        ran = run("tag", "list", "--archive", tmp_path)
    assert ran.code == 1
    assert "see that it runs" in ran.message
