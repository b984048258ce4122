"""What is said of a Ray cluster that does not answer, lets nobody in or has too little: with a stand-in for
Ray, whose calls wait in vain. Real clusters: `tests.api.test_workplaces`."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from dsslic_search.core import ray_cluster
from dsslic_search.core.errors import ClusterError, PhotoError
from dsslic_search.core.ray_cluster import MEMORY_STEP, RayCluster, _Doors, _refusal, _Watch

NO_DOORS = _Doors(None)


class Task:
    def options(self, memory: int) -> Task:
        assert memory % MEMORY_STEP == 0
        return self

    def remote(self, *_arguments: object) -> object:
        return self


class Deaf:
    """Ray as it is where what was asked for does not come, or what comes is ``answer``. ``machines``: cores
    and bytes of each; ``asked`` is called when somebody looks for them."""

    exceptions = SimpleNamespace(
        WorkerCrashedError=OSError, NodeDiedError=OSError, OutOfMemoryError=OSError, ObjectLostError=OSError
    )

    def __init__(self, *machines: tuple[int, int]) -> None:
        self.machines = machines
        self.asked: Callable[[], None] = lambda: None
        self.answer: object = None
        self.connected = True

    def is_initialized(self) -> bool:
        return self.connected

    def nodes(self) -> list[dict[str, Any]]:
        self.asked()
        return [{"Alive": True, "Resources": {"CPU": c, "memory": m}} for c, m in self.machines]

    def remote(self, **_how: object) -> Callable[[object], Task]:
        return lambda _function: Task()

    def put(self, _thing: object) -> None:
        pass

    def wait(self, made: list[object], timeout: float) -> tuple[list[object], list[object]]:
        return ([], made) if self.answer is None else (made, [])

    def get(self, _made: object) -> object:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def watched(ray: Deaf, doors: _Doors = NO_DOORS) -> tuple[RayCluster, _Watch]:
    watch = _Watch(ray, doors)
    return RayCluster(ray, "there:1", None, watch), watch


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in ("ASK", 0.0), ("KNOCK", 0.01), ("SILENT", 0.02):
        monkeypatch.setattr(ray_cluster, f"{name}_SECONDS", seconds)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("of_head", "said"),
    [
        (True, "the Ray cluster does not answer any more; see to it, and run this again"),
        (False, 'Ray has ended on this machine; begin it anew there by .*"ray start", and run this again'),
    ],
)
def test_a_cluster_that_does_not_answer_is_waited_for_no_longer(of_head: bool, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed, socket.create_server(("127.0.0.1", 0)) as open_:
        doors = [each.getsockname()[:2] for each in (closed, open_)]
        assert not any(map(ray_cluster._trouble, doors))
        closed.close()
        cluster, watch = watched(Deaf((2, 0)), _Doors(*(doors if of_head else doors[::-1])))
        watch._knock()  # until it is gone
    with pytest.raises(ClusterError, match=f"^there:1: {said}$"):
        cluster.doing(divmod)(7, 2)


@pytest.mark.usefixtures("soon")
def test_no_machine_that_is_left_or_has_room() -> None:
    ray = Deaf((1, MEMORY_STEP * 5 + 7), (2, MEMORY_STEP))
    cluster, watch = watched(ray)
    assert (cluster.at_once, cluster.largest) == (5, MEMORY_STEP * 5)  # what is asked for is rounded up
    ray.machines = ((2, MEMORY_STEP),)
    ray.asked = watch._ended.set
    watch._count()
    assert cluster.largest == MEMORY_STEP
    do = cluster.doing(divmod, lost=PhotoError)
    with pytest.raises(PhotoError, match=r"^no machine of the Ray cluster is left that has 537 MB of memory"):
        do(7, 2, memory=MEMORY_STEP + 1)
    watch.machines = []
    with pytest.raises(ClusterError, match="no machine of the Ray cluster is left to do the work"):
        do(7, 2)


def test_what_ray_raises_is_a_sentence() -> None:
    ray = Deaf((1, 0))
    do = watched(ray)[0].doing(divmod)
    ray.answer = RuntimeError("ray::_do()\n  File x\nModuleNotFoundError: No module named 'av'\n")
    with pytest.raises(ClusterError, match=r"could not do the work \(ModuleNotFoundError: No module"):
        do(7, 2)
    ray.answer = pickle.dumps((3, 1))
    assert do(7, 2) == (3, 1)
    ray.connected = False  # a call of Ray would begin a cluster on this machine
    with pytest.raises(ClusterError, match="does not answer any more"):
        do(7, 2)


def test_why_a_cluster_lets_nobody_in() -> None:
    assert _refusal(RuntimeError()) == ("RuntimeError", ray_cluster._JOIN)
    assert _refusal(RuntimeError("No.\n\nTraceback"))[0] == "No."
    assert len(_refusal(RuntimeError("word " * 1000))[0]) <= ray_cluster.REASON_LETTERS
    reason, advice = _refusal(
        RuntimeError(
            "Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n    Python: 3.9.1\nThis"
        )
    )
    assert reason == "Version mismatch: The cluster was started with: Ray: 2.9.0 Python: 3.9.1 This"
    assert advice == "install the same versions of Ray and Python on all machines"
    error = ConnectionError("Failed to connect to Ray cluster at there:1")
    error.__cause__ = RuntimeError("ray.exceptions.AuthenticationError: RPC error: InvalidAuthToken")
    reason, advice = _refusal(error)
    assert (reason, "RAY_AUTH_MODE=token" in advice) == ("it lets in only who has its token", True)
