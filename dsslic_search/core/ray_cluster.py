"""The machines of a Ray cluster as a place where work is done (extra `ray`).

Each piece of work is a task of Ray, which finds a free core for it anywhere, and does it again where a
process or a machine was lost meanwhile. The processes that do it stay, so that networks are loaded once in
each. Nothing is written there: what is made comes back to who asked.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar
from uuid import uuid4

from dsslic_search import __version__
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, ClusterError, DSSError, MissingExtraError

log = logging.getLogger(__name__)

Made = TypeVar("Made")

TIMES_AGAIN = 3  # that a piece of work is begun once more where a process or a machine was lost
LOOK_SECONDS = 10.0  # for whoever is at an address
ASK_SECONDS = 10.0  # between looks whether anybody is there who could do it
MEMORY_STEP = 256 << 20  # bytes: Ray keeps what it knows of each size that was ever asked for
KEPT = 4  # functions with what they share, in each process

_SETTINGS = ("DSS_CLASSES", "DSS_VOCABULARIES")  # of the environment, on which what is made depends
_MAKERS = ("torch", "numpy", "av", "imagecodecs", "pillow")  # the versions of which count


class RayCluster:
    """A connection to a cluster; see `connected`. ``at_once``: pieces of work that are asked for at a
    time."""

    def __init__(self, ray: Any, address: str, workers: int | None) -> None:
        self._ray, self._address = ray, address
        self._machines = _machines(ray)
        cores = sum(machine.cores for machine in self._machines)
        if not cores:
            raise ClusterError(f"{address}: no machine of the Ray cluster has a core to give")
        # one more a machine, whose arguments are on their way while all cores are busy
        self.at_once = workers or cores + len(self._machines)
        self._task = ray.remote(num_cpus=1, max_retries=TIMES_AGAIN, retry_exceptions=False)(_do)
        self._identity = _identity()

    @property
    def largest(self) -> int:
        """Bytes of memory that the machine has to give which has most."""
        return max(machine.memory for machine in self._machines)

    def doing(
        self,
        function: Callable[..., Made],
        *shared: object,
        lost: Callable[[str], DSSError] = ArchiveError,
    ) -> Callable[..., Made]:
        """As `core.workplace.Workplace`; what it gives takes ``memory``, too: bytes that must be free for it
        where it is done, 0 for any. Raises what ``lost`` makes of a sentence where all who began it were
        lost, ClusterError where nobody is left who could."""
        key = uuid4().hex
        common = self._ray.put(_packed((function, shared)))

        def do(*arguments: object, memory: int = 0) -> Made:
            room = -(-memory // MEMORY_STEP) * MEMORY_STEP
            task = self._task.options(memory=room) if room else self._task
            # in a list, or Ray would fetch it for every piece
            made: Made = self._result(task.remote(key, [common], self._identity, _packed(arguments)), lost)
            return made

        return do

    def _result(self, made: Any, lost: Callable[[str], DSSError]) -> Any:
        errors = self._ray.exceptions
        try:
            while not self._ray.wait([made], timeout=ASK_SECONDS)[0]:
                if not any(machine.cores for machine in _machines(self._ray)):
                    raise ClusterError(
                        f"{self._address}: no machine of the Ray cluster is left to do the work"
                    )
            result = self._ray.get(made)
        except (
            errors.WorkerCrashedError,
            errors.NodeDiedError,
            errors.OutOfMemoryError,
            errors.ObjectLostError,
        ):
            times = f"{1 + TIMES_AGAIN} times"
            raise lost(
                f"the process on the Ray cluster that worked on it ended before its time, {times}"
            ) from None
        except errors.RayError as e:
            reason = (str(e).strip().splitlines() or [type(e).__name__])[-1]
            raise ClusterError(f"{self._address}: the Ray cluster could not do the work ({reason})") from e
        if isinstance(result, _Raised):
            raise pickle.loads(result.error)
        return pickle.loads(result)


@dataclass(frozen=True)
class _Machine:
    cores: int
    memory: int


def _machines(ray: Any) -> list[_Machine]:
    """Those that are there and may be given work."""
    found = (node["Resources"] for node in ray.nodes() if node["Alive"])
    return [_Machine(int(has["CPU"]), int(has.get("memory", 0))) for has in found if has.get("CPU", 0) >= 1]


@contextmanager
def connected(address: str, workers: int | None = None) -> Iterator[RayCluster]:
    """The cluster at an address as `ray.init` takes it: "HOST:PORT" or "auto" on a machine of the cluster,
    "ray://HOST:PORT" from elsewhere, "local" for one that is started here and ends with the block. Where this
    program is connected to one already, that. ``workers``: pieces of work at a time, else as many as cores,
    and some that are on their way.

    MissingExtraError without Ray, ClusterError where the cluster cannot be reached or has no cores.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers of clusters started here
    try:
        import ray
    except ImportError as e:
        raise MissingExtraError(
            "work on a Ray cluster needs an extra package: pip install 'dsslic-search[ray]'"
        ) from e
    if ray.is_initialized():
        yield RayCluster(ray, address, workers)
        return
    _look_for(address)
    _keep_off_stdout(ray)
    variables = {name: os.environ[name] for name in _SETTINGS if name in os.environ}
    with _own_signals():
        try:
            ray.init(
                address,
                runtime_env={"env_vars": variables} if variables else None,
                log_to_driver=False,
                logging_level="ERROR",
            )
        except Exception as e:  # of many kinds: of the network, of versions, of its own processes
            raise _no_way_in(address, (str(e).strip().splitlines() or [type(e).__name__])[0]) from e
    try:
        yield RayCluster(ray, address, workers)
    finally:
        ray.shutdown()


def _look_for(address: str) -> None:
    """ClusterError where nothing answers at an address with a port: Ray itself would try for many minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), LOOK_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as e:
        raise _no_way_in(address, getattr(e, "strerror", None) or str(e)) from e


def _no_way_in(address: str, reason: str) -> ClusterError:
    return ClusterError(
        f"{address}: the Ray cluster there cannot be joined ({reason.rstrip('.')}); make this machine one of "
        'it by Ray\'s own command, "ray start" with that address, or take the address ray://HOST:PORT'
    )


def _keep_off_stdout(ray: Any) -> None:
    """Ray tells of processes and machines that were lost on standard output, where answers stand, whatever is
    asked of `ray.init`: to the log with it."""
    with suppress(AttributeError):  # a name of its own, which other versions may not have
        ray._private.worker.print_to_stdstream = lambda data, **_how: log.info("%s", data)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray's answer to SIGTERM is not to take the place of ours."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# On the machines of the cluster


@dataclass(frozen=True)
class _Raised:
    """``error``: an exception, pickled."""

    error: bytes


_kept: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {}


def _do(key: str, common: list[Any], identity: str, arguments: bytes) -> bytes | _Raised:
    """One piece of work: what it makes, pickled."""
    import ray

    try:
        if (own := _identity()) != identity:
            raise ClusterError(
                f"a machine of the Ray cluster would make other files: it has {own}, and here is {identity}; "
                "install the same versions on all of them"
            )
        if key not in _kept:
            while len(_kept) >= KEPT:
                _kept.pop(next(iter(_kept)))
            _kept[key] = pickle.loads(ray.get(common[0]))
        function, shared = _kept[key]
        return _packed(function(*shared, *pickle.loads(arguments)))
    except Exception as e:
        return _Raised(_error(e))


def _error(error: Exception) -> bytes:
    """An exception as it travels: those that do not come back whole as one that says the same."""
    try:
        packed = _packed(error)
        pickle.loads(packed)
    except Exception:
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return packed


def _packed(thing: object) -> bytes:
    return pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)


def _identity() -> str:
    """Of what makes files here: versions, and the class list."""
    made_by = ", ".join(f"{name} {version(name)}" for name in _MAKERS)
    return f"dsslic-search {__version__}, {made_by}, class list {vocabulary.default().identity}"
