"""What all tests run under: one thread of arithmetic in each process, no clock for what Hypothesis draws,
what many of them need made once, and probes that tell which lines of the package they run."""

import gc
import os
import sys
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.archive import postgres

# Before anything imports numpy or torch: their idle threads spin, which costs several times the work itself,
# and every core has a process of the tests already. Commands that tests start inherit it.
for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"

# Bytecode is kept, of the tests that pytest rewrites and for the commands that tests start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile("clockless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("clockless"), max_examples=150, stateful_step_count=50)
settings.load_profile("clockless")

from tests import measured, unclosed  # noqa: E402  # no numpy or torch before the above

measured.start()
if os.environ.get("DSS_TEST_UNCLOSED"):
    unclosed.told()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """What is imported while tests are collected stays: the garbage collector need not look through it,
    neither meanwhile nor later, nor through what is new as often as where memory is short."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        gc.enable()


def pytest_runtest_logfinish() -> None:
    measured.take_out_probes()


def pytest_sessionfinish() -> None:
    measured.write(os.environ.get("PYTEST_XDIST_WORKER", "main"))


@pytest.fixture(scope="session", autouse=True)
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All processes of a run share a folder; see `tests/once.py`."""
    from tests import once  # imports numpy, which has to come after the above

    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "once"
    folder.mkdir(exist_ok=True)
    with once.kept_in(folder):
        yield


@pytest.fixture(scope="module")
def each_time() -> Iterator[None]:
    """For modules that test the very things that are kept otherwise."""
    from tests import once

    with once.at_home():
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """One for all tests of a process that need it; the folder of its socket."""
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is an extra (dev)")
    if postgres.programs() is None:
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    with postgres.running() as socket:
        yield socket


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The URL of an empty database."""
    return postgres.new_database(postgres_server)
