"""The machines of a Ray cluster as a place where work is done (extra `ray`).

Each piece of work is a task of Ray, which finds a free core for it anywhere, and does it again where a
process or a machine was lost meanwhile. The processes that do it stay, so that networks are loaded once in
each. Nothing is written there: what is made comes back to who asked.
"""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import re
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from textwrap import shorten
from typing import Any, TypeVar
from uuid import uuid4

from dsslic_search import __version__
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, ClusterError, DSSError, MissingExtraError
from dsslic_search.core.text import size_text

log = logging.getLogger(__name__)

Made = TypeVar("Made")

TIMES_AGAIN = 3  # that a piece of work is begun once more where a process or a machine was lost
LOOK_SECONDS = 10.0  # for whoever is at an address
ASK_SECONDS = 5.0  # between looks whether anybody is there who could do it
KNOCK_SECONDS = 1.0  # between looks whether the cluster is there
SILENT_SECONDS = 30.0  # after which what does not answer is gone
LEAVE_SECONDS = 10.0  # for leaving a cluster that is gone
PATIENT_SECONDS = 600  # until Ray itself would end this program, without a word, once its head is gone
MEMORY_STEP = 256 << 20  # bytes: Ray keeps what it knows of each size that was ever asked for
SILENT = "the Ray cluster does not answer any more; see to it"
OWN_PART_ENDED = 'Ray has ended on this machine; begin it anew there by Ray\'s own command, "ray start"'
REASON_LETTERS = 300  # of what Ray says, at most
KEPT = 4  # functions with what they share, in each process

_SETTINGS = ("DSS_CLASSES", "DSS_VOCABULARIES")  # of the environment, on which what is made depends
_JOIN = (
    'make this machine one of it by Ray\'s own command, "ray start" with that address, or take the address '
    "ray://HOST:PORT"
)
_TOKEN = "set RAY_AUTH_MODE=token, and have that token in ~/.ray/auth_token or RAY_AUTH_TOKEN"
_SAME_VERSIONS = "install the same versions of Ray and Python on all machines"
_MAKERS = ("torch", "numpy", "av", "imagecodecs", "pillow")  # the versions of which count


class RayCluster:
    """A connection to a cluster; see `connected`. ``at_once``: pieces of work that are asked for at a
    time."""

    def __init__(self, ray: Any, address: str, workers: int | None, watch: _Watch) -> None:
        self._ray, self._address, self._watch = ray, address, watch
        cores = sum(machine.cores for machine in watch.machines)
        if not cores:
            raise ClusterError(f"{address}: no machine of the Ray cluster has a core to give")
        # one more a machine, whose arguments are on their way while all cores are busy
        self.at_once = workers or cores + len(watch.machines)
        self._task = ray.remote(num_cpus=1, max_retries=TIMES_AGAIN, retry_exceptions=False)(_do)
        self._identity = _identity()

    @property
    def largest(self) -> int:
        """Bytes of memory that a piece of work may ask for: of the machine that has most to give."""
        most = max((machine.memory for machine in self._watch.machines), default=0)
        return most // MEMORY_STEP * MEMORY_STEP

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
        packed = _packed((function, shared))
        self._require_there()
        with self._said():
            common = self._ray.put(packed)

        def do(*arguments: object, memory: int = 0) -> Made:
            room = -(-memory // MEMORY_STEP) * MEMORY_STEP
            task = self._task.options(memory=room) if room else self._task
            sent = _packed(arguments)
            self._require_there()
            with self._said(lost):
                # in a list, or Ray would fetch it for every piece
                result = self._awaited(task.remote(key, [common], self._identity, sent), room, lost)
            if isinstance(result, _Raised):
                raise pickle.loads(result.error)
            made: Made = pickle.loads(result)
            return made

        return do

    def _awaited(self, made: Any, room: int, lost: Callable[[str], DSSError]) -> Any:
        while True:
            if self._ray.wait([made], timeout=KNOCK_SECONDS)[0]:
                return self._ray.get(made)
            self._require_there()
            if not self._watch.machines:
                raise ClusterError(f"{self._address}: no machine of the Ray cluster is left to do the work")
            if room > self.largest:
                raise lost(
                    f"no machine of the Ray cluster is left that has {size_text(room)} of memory for it"
                )

    def _require_there(self) -> None:
        """ClusterError where the cluster is gone."""
        gone = self._watch.gone
        if not gone and not self._ray.is_initialized():  # where Ray's next call would begin a cluster here
            gone = SILENT
        if gone:
            raise ClusterError(f"{self._address}: {gone}, and run this again")

    @contextmanager
    def _said(self, lost: Callable[[str], DSSError] = ArchiveError) -> Iterator[None]:
        """Ray's errors as ours."""
        errors = self._ray.exceptions
        try:
            yield
        except DSSError:
            raise
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
        except Exception as e:  # of many kinds, not only its own: of the network, of threads it has no more
            # of an error that was raised there, this is what its traceback ends with
            reason = (str(e).strip().splitlines() or [type(e).__name__])[-1].strip()
            raise ClusterError(f"{self._address}: the Ray cluster could not do the work ({reason})") from e


@dataclass(frozen=True)
class _Machine:
    cores: int
    memory: int


def _machines(ray: Any) -> list[_Machine]:
    """Those that are there and may be given work."""
    found = (node["Resources"] for node in ray.nodes() if node["Alive"])
    return [_Machine(int(has["CPU"]), int(has.get("memory", 0))) for has in found if has.get("CPU", 0) >= 1]


class _Watch:
    """Whether a cluster is there, looked at from time to time by threads of its own, as Ray's own calls wait
    where its head is gone. ``machines``: those that may be given work. ``gone``: what has become of the
    cluster, and what to do, as the middle of a sentence; empty while it is there."""

    def __init__(self, ray: Any, doors: _Doors) -> None:
        self._ray, self._doors = ray, doors
        self._ended = threading.Event()
        self.gone = ""
        self.machines = _machines(ray)

    @contextmanager
    def going(self) -> Iterator[None]:
        knocking, counting = (
            threading.Thread(target=look, name="dss-cluster", daemon=True)
            for look in (self._knock, self._count)
        )
        knocking.start()
        counting.start()
        try:
            yield
        finally:
            self._ended.set()
            if self.gone != SILENT:
                counting.join(LEAVE_SECONDS)  # it is not to ask Ray while that leaves

    def _knock(self) -> None:
        heard = time.monotonic()
        while not self.gone and not self._ended.wait(KNOCK_SECONDS):
            if self._doors.own and isinstance(_trouble(self._doors.own), ConnectionRefusedError):
                self.gone = OWN_PART_ENDED
            elif self._doors.head is None or not _trouble(self._doors.head):
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENT_SECONDS:
                self.gone = SILENT

    def _count(self) -> None:
        while not self._ended.wait(ASK_SECONDS):
            with suppress(Exception):  # which is for who waits for work to say
                self.machines = _machines(self._ray)


_Door = tuple[str, int]  # host and port


@dataclass(frozen=True)
class _Doors:
    """Where a cluster accepts connections: its ``head``, or whoever lets in those from outside, and this
    machine's ``own`` process of Ray; None where there is none to knock at."""

    head: _Door | None
    own: _Door | None = None


def _trouble(door: _Door) -> OSError | None:
    """Why nobody answers."""
    try:
        socket.create_connection(door, LOOK_SECONDS).close()
    except OSError as e:
        return e
    return None


def _doors(ray: Any, address: str) -> _Doors:
    """Those of the cluster at an address that this program is connected to."""
    if ray.util.client.ray.is_connected():
        return _Doors(_door(address) if address.startswith("ray://") else None)
    here = ray.get_runtime_context()
    own = [node for node in ray.nodes() if node["NodeID"] == here.get_node_id()]
    doors = [(node["NodeManagerAddress"], node["NodeManagerPort"]) for node in own]
    return _Doors(_door(here.gcs_address), doors[0] if doors else None)


def _door(address: str) -> _Door:
    """ValueError where there is no port."""
    host, _, port = address.removeprefix("ray://").rstrip("/").rpartition(":")
    return host.strip("[]"), int(port)


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
        watch = _Watch(ray, _doors(ray, address))
        with watch.going():
            yield RayCluster(ray, address, workers, watch)
        return
    _look_for(address)
    _keep_off_stdout(ray)
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", str(PATIENT_SECONDS))
    variables = {name: os.environ[name] for name in _SETTINGS if name in os.environ}
    with _own_signals():
        try:
            ray.init(
                address,
                runtime_env={"env_vars": variables} if variables else None,
                log_to_driver=False,
                logging_level="ERROR",
            )
            watch = _Watch(ray, _doors(ray, address))
        except Exception as e:  # of many kinds: of the network, of versions, of its own processes
            ray.shutdown()
            raise _no_way_in(address, *_refusal(e)) from e
    try:
        with watch.going():
            yield RayCluster(ray, address, workers, watch)
    finally:
        _leave(ray, watch.gone)


def _leave(ray: Any, gone: str) -> None:
    """Of a cluster that is gone Ray takes its leave for as long as it likes, also at the end of a program."""
    if not gone:
        ray.shutdown()
        return
    leaving = threading.Thread(target=ray.shutdown, name="dss-cluster", daemon=True)
    leaving.start()
    leaving.join(LEAVE_SECONDS)
    atexit.unregister(ray.shutdown)


def _refusal(error: Exception) -> tuple[str, str]:
    """Why a cluster cannot be joined, and what to do about it."""
    whole = "".join(traceback.format_exception(error))
    if "AuthenticationError" in whole:  # which the last of several errors may leave out
        return "it lets in only who has its token", _TOKEN
    reason = shorten(re.split(r"\n\s*\n|Traceback", str(error))[0] or type(error).__name__, REASON_LETTERS)
    return reason, _SAME_VERSIONS if "Version mismatch" in whole else _JOIN


def _look_for(address: str) -> None:
    """ClusterError where nothing answers at an address with a port: Ray itself would try for many minutes."""
    try:
        door = _door(address)
    except ValueError:
        return
    try:
        if door[0]:
            socket.create_connection(door, LOOK_SECONDS).close()
    except (OSError, OverflowError, UnicodeError) as e:
        raise _no_way_in(address, getattr(e, "strerror", None) or str(e)) from e


def _no_way_in(address: str, reason: str, advice: str = _JOIN) -> ClusterError:
    return ClusterError(f"{address}: the Ray cluster there cannot be joined ({reason.rstrip('.')}); {advice}")


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
