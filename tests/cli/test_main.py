import os
import signal
import subprocess
import sys

import pytest

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
        command = [sys.executable, "-m", "dsslic_search.cli.main", "classes"]
        ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE)
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (-signal.SIGPIPE, b"")
