"""Work on a real Ray cluster of three nodes, one of which is killed meanwhile, beside the same work done
here."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.api.workplaces import encoders, workplace
from dsslic_search.archive import there as there_module
from dsslic_search.archive.features import read_features
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import ObjectRecord
from dsslic_search.codec import container
from dsslic_search.core import ray_cluster
from dsslic_search.core.errors import ArchiveError, ClusterError, MissingExtraError, PhotoError, UsageError
from dsslic_search.core.ray_cluster import RayCluster, connected
from tests.ray_nodes import Noting, nodes_of_one_core, there

SAMPLES = Path(__file__).parents[2] / "samples"
NAMES = ("bridge", "dandelions", "dogs", "fig", "nuthatch", "picos", "stream", "sunset")

PHOTOS = len(NAMES) + 1

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
    with nodes_of_one_core(3) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine photos, two of them of the same picture and one twice, and a file that is none."""
    folder = tmp_path_factory.mktemp("photos")
    for name in NAMES:
        picture = Image.open(SAMPLES / f"{name}.jpg")
        picture.thumbnail((200, 200))
        picture.save(folder / f"{name}.jpg")
    Image.open(folder / "dogs.jpg").resize((150, 100)).save(folder / "smaller.jpg")
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
        assert len(begun) == PHOTOS
        assert all(times == (2 if photo in lost else 1) for photo, times in begun.items())
        assert (report.found, report.added, report.present, report.interrupted) == (11, PHOTOS, 1, False)

        plain = home.ingest(folder, segmenter=noting, effort=1)
        assert contents(away) == contents(home)
        assert rows(away) == rows(home)
        assert [(f.path, f.reason) for f in report.failed] == [(f.path, f.reason) for f in plain.failed]
        assert len(report.failed) == 1

        again = away.ingest(folder, segmenter=noting, effort=1, ray=nodes.address)
        assert (again.added, again.updated, again.present) == (0, 0, PHOTOS + 1)
        assert away.check(read_data=True) == []


@pytest.fixture(scope="module")
def earlier(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the photos, whose files have no words."""
    with Archive(tmp_path_factory.mktemp("archives") / "earlier") as archive:
        archive.ingest(folder, effort=1)
        for photo_id in archive.ids(1000):
            photo = archive.photo(photo_id)
            data = archive.folder.store.read(photo.content_hash)
            whole = container.read(data)
            chunks = [container.read_chunk(data, whole, e.kind) for e in whole.entries if e.kind != "word"]
            data = container.pack(whole.header, [chunk for chunk in chunks if chunk is not None])
            archive.folder.store.write(photo.content_hash, data)
            record = ObjectRecord.of_header(container.read(data))
            features, _ = read_features(archive.folder.store, photo.content_hash, record.map_bytes)
            archive.catalog.update(photo.id, asdict(record), features)
        return archive.folder.root


@there
def test_archives_are_looked_after_there_as_here(nodes: Any, earlier: Path, tmp_path: Path) -> None:
    with (
        Archive(shutil.copytree(earlier, tmp_path / "there")) as away,
        Archive(shutil.copytree(earlier, tmp_path / "here")) as home,
    ):
        assert away.describe(ray=nodes.address).photos == home.describe().photos == PHOTOS
        assert contents(away) == contents(home) != {}
        described = rows(away)
        assert described == rows(home)
        lost, damaged = (away.photo(i).content_hash for i in (1, 2))
        for archive in (away, home):
            archive.folder.store.path_of(lost).unlink()
            path = archive.folder.store.path_of(damaged)
            path.write_bytes(path.read_bytes()[:-1] + b"?")
        found, expected = away.duplicates(ray=nodes.address), home.duplicates()
        assert [{Path(copy.path).name for copy in group} for group in found.groups] == [
            {"dogs.jpg", "smaller.jpg"}
        ]
        assert (found.groups, found.photos) == (expected.groups, expected.photos)
        assert [i for i, _ in found.failed] == [i for i, _ in expected.failed] == [1]
        wrong, same = away.check(read_data=True, ray=nodes.address), home.check(read_data=True)
        assert [(f.what, f.content_hash) for f in wrong] == [(f.what, f.content_hash) for f in same]
        assert len(wrong) == 2
        report = away.reindex(ray=nodes.address)
        assert [report.photos, [i for i, _ in report.failed]] == [PHOTOS - 1, [1]]
        assert rows(away) == described


def test_files_that_another_machine_does_not_see_are_no_lost_photos(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("ab" * 32, b"photo")
    seen = there_module._Seen.of(store)
    assert there_module._with_store(lambda store, n: (store.root, n), seen, 3) == (tmp_path, 3)
    there_module._checked.cache_clear()
    store.remove("ab" * 32)
    with pytest.raises(ClusterError, match=r"not there for a machine .* see at the same path"):
        there_module._with_store(lambda _store: None, seen)


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
        with pytest.raises(PhotoError, match=r"is left that has 1 TB of memory for it"):
            do("photo", memory=10**12)
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


ENDS_MEANWHILE = """
import os, signal, sys, threading, time
from dsslic_search.core import ray_cluster
from dsslic_search.core.errors import ClusterError

ray_cluster.SILENT_SECONDS = 1.0
try:
    with ray_cluster.connected(sys.argv[1]) as cluster:
        print(cluster.doing(divmod, 7)(2))
        threading.Timer(1, os.kill, (int(sys.argv[2]), signal.SIGKILL)).start()
        cluster.doing(time.sleep)(1_000_000)
except ClusterError as e:
    print(e)
    sys.exit(7)
"""


@there
@pytest.mark.parametrize(
    ("process", "said"), [("gcs_server", ray_cluster.SILENT), ("raylet", ray_cluster.OWN_PART_ENDED)]
)
def test_a_head_that_dies_ends_the_work_in_a_sentence(process: str, said: str) -> None:
    """In a process of its own, as Ray ends those whose head or whose machine's part is gone."""
    with nodes_of_one_core(1) as cluster:
        (killed,) = cluster.head_node.all_processes[process]
        address = cluster.address
        command = [sys.executable, "-c", ENDS_MEANWHILE, address, str(killed.process.pid)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout.splitlines() == ["(3, 1)", f"{address}: {said}, and run this again"]
    assert ended.returncode == 7
