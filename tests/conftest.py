"""What all tests run under: one thread of arithmetic in each process, no clock for what Hypothesis draws,
what many of them need made once, and coverage where there is something new to see."""

import gc
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

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

from tests import measured  # noqa: E402  # no numpy or torch before the above

measured.watch_loading()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    with measured.unwatched():
        return (yield)


def pytest_collection_finish() -> None:
    """What was imported stays: the garbage collector need not look through it again and again, nor through
    what is new as often as where memory is short."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, Any, Any]:
    with measured.unwatched():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    with measured.watched_test(pyfuncitem.obj, pyfuncitem.nodeid.partition("[")[0]):
        return (yield)


_made: set[str] = set()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    name = f"{fixturedef.baseid}::{fixturedef.argname}::{getattr(request, 'param_index', 0)}"
    with nullcontext() if name in _made else measured.watched():
        _made.add(name)
        return (yield)


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
