from __future__ import annotations

import os
import signal

import pytest

from dsslic_search.core.pools import pool


def test_threads_are_kept_by_name() -> None:
    assert pool("one") is pool("one")
    assert pool("one") is not pool("other")
    assert list(pool("one").map(abs, range(-3, 3))) == [3, 2, 1, 0, 1, 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_has_its_own() -> None:
    """Those of the process that it was made of do not run there: it would wait for them for ever."""
    assert pool("forked").submit(abs, -1).result() == 1
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        os._exit(0 if pool("forked").submit(abs, -2).result() == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert pool("forked").submit(abs, -3).result() == 3
