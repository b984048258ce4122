"""Work on a real Ray cluster of three nodes, one of which is killed meanwhile, beside the same work done
here."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.api.workplaces import encoders, workplace
from dsslic_search.core.errors import ArchiveError, ClusterError, MissingExtraError, PhotoError, UsageError
from dsslic_search.core.ray_cluster import RayCluster, connected
from tests.ray_nodes import Noting, there, three_nodes

SAMPLES = Path(__file__).parents[2] / "samples"
NAMES = ("bridge", "dandelions", "dogs", "fig", "nuthatch", "picos", "stream", "sunset")

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own


def test_without_ray_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"dsslic-search\[ray\]"), workplace("auto", None):
        pass
    with pytest.raises(MissingExtraError, match=r"dsslic-search\[ray\]"), encoders("auto", 2):
        pass


def test_without_an_address_this_process_does_it() -> None:
    with workplace(None, 3) as place:
        assert (place.at_once, place.doing(divmod, 7)(2)) == (3, (3, 1))
    with encoders(None, 3) as how:
        assert how == {"workers": 3}
    with pytest.raises(UsageError, match="workers"), encoders(None, 0):
        pass


@there
def test_where_nothing_answers_it_is_said_at_once() -> None:
    with (
        pytest.raises(
            ClusterError, match=r"^127\.0\.0\.1:1: .*cannot be joined \(Connection refused\); make"
        ),
        connected("127.0.0.1:1"),
    ):
        pass


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    with three_nodes() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight photos, one of them twice, and a file that is none."""
    folder = tmp_path_factory.mktemp("photos")
    for name in NAMES:
        picture = Image.open(SAMPLES / f"{name}.jpg")
        picture.thumbnail((200, 200))
        picture.save(folder / f"{name}.jpg")
    (folder / "twin.jpg").write_bytes((folder / "dogs.jpg").read_bytes())
    (folder / "broken.jpg").write_bytes((folder / "dogs.jpg").read_bytes()[:300])
    return folder


def contents(archive: Archive) -> dict[str, bytes]:
    files = (archive.folder.root / "objects").rglob("*.dsslic")
    return {path.name: path.read_bytes() for path in files}


def rows(archive: Archive) -> dict[str, dict[str, Any]]:
    """What the catalog says of each photo, by content, but its number and when it came."""
    photos = [archive.photo(i) for i in archive.ids(1000)]
    return {
        photo.content_hash: {
            column.name: getattr(photo, column.key)
            for column in photo.__table__.columns
            if column.name not in ("id", "added_at")
        }
        for photo in photos
    }


@there
def test_a_node_that_dies_loses_and_doubles_no_photo(nodes: Any, folder: Path, tmp_path: Path) -> None:
    noting = Noting(tmp_path)
    victim = nodes.list_all_nodes()[-1]
    noting.hold(victim.node_id)

    def kill() -> None:
        while not noting.begun(victim.node_id):
            time.sleep(0.05)
        nodes.remove_node(victim, allow_graceful=False)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    with Archive(tmp_path / "there") as away, Archive(tmp_path / "here") as home:
        report = away.ingest(folder, segmenter=noting, effort=1, ray=nodes.address)
        killer.join()
        begun = Counter(noting.begun())
        lost = set(noting.begun(victim.node_id))
        assert len(lost) == 1
        assert len(begun) == len(NAMES)
        assert all(times == (2 if photo in lost else 1) for photo, times in begun.items())
        assert (report.found, report.added, report.present, report.interrupted) == (10, 8, 1, False)

        plain = home.ingest(folder, segmenter=noting, effort=1)
        assert contents(away) == contents(home)
        assert rows(away) == rows(home)
        assert [(f.path, f.reason) for f in report.failed] == [(f.path, f.reason) for f in plain.failed]
        assert len(report.failed) == 1

        again = away.ingest(folder, segmenter=noting, effort=1, ray=nodes.address)
        assert (again.added, again.updated, again.present) == (0, 0, 9)
        assert away.check(read_data=True) == []


def grief(kind: str) -> str:
    """Something that goes wrong where it is done."""
    if kind == "photo":
        raise PhotoError("a.jpg: no photo")
    if kind == "busy":
        from dsslic_search.core.errors import BusyError

        raise BusyError("a", "b")  # which cannot be unpickled
    os.kill(os.getpid(), signal.SIGKILL)
    return kind


@there
def test_what_goes_wrong_there_is_said_here(nodes: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with connected(nodes.address) as cluster:
        do = cluster.doing(grief, lost=PhotoError)
        with pytest.raises(PhotoError, match=r"^a\.jpg: no photo$"):
            do("photo")
        with pytest.raises(RuntimeError, match="BusyError: a; b"):
            do("busy")
        with pytest.raises(PhotoError, match="ended before its time, 4 times"):
            do("killed")
        with pytest.raises(ArchiveError, match="ended before its time"):
            cluster.doing(grief)("killed")
        cluster._identity = "dsslic-search 0.1"
        with pytest.raises(ClusterError, match=r"it has dsslic-search .*here is dsslic-search 0\.1; install"):
            cluster.doing(divmod, 7)(2)
    assert capsys.readouterr().out == ""


@there
def test_a_photo_that_no_machine_has_room_for_is_refused(
    nodes: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RayCluster, "largest", 500_000_000)
    with Archive(tmp_path / "a") as archive:
        report = archive.ingest(folder / "dogs.jpg", ray=nodes.address)
    (failed,) = report.failed
    assert re.match(
        "takes about 55. MB to encode, and no machine of the Ray cluster has more than 500 MB to",
        failed.reason,
    )
