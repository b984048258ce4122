from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from dsslic_search.archive import paths
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import MapFeatures
from dsslic_search.archive.known_paths import Known, rows_of
from dsslic_search.archive.notes import add_tags, tags_of
from dsslic_search.archive.paths import FileThere
from dsslic_search.archive.schema import KnownPath, Photo, Tag

START = datetime(2021, 1, 1)
PHOTOS = (1, 2, 3)
PLACES = (("/a.jpg", ""), ("/b/a.jpg", ""), ("/clip.mp4", "#t=1.0"), ("/clip.mp4", "#t=2.0"))

Row = Callable[..., Photo]
Features = Callable[[int], MapFeatures]


@dataclass
class Model:
    """What must be known: of each photo where it lies, since when, and how it ended elsewhere, in order."""

    live: dict[int, dict[tuple[str, str], int]] = field(default_factory=dict)
    first: dict[tuple[int, tuple[str, str]], int] = field(default_factory=dict)
    ends: dict[int, dict[tuple[str, str], tuple[int, str, int | None]]] = field(default_factory=dict)

    def seen(self, photo: int, place: tuple[str, str], step: int) -> tuple[str, tuple[int, ...]]:
        live, ends = self.live.setdefault(photo, {}), self.ends.setdefault(photo, {})
        if not live and not ends:
            kind = "new"
        elif place in live:
            kind = "known"
        else:
            kind = "copy" if live and place not in ends else "back"
        self.first.setdefault((photo, place), step)
        ends.pop(place, None)
        live[place] = self.first[photo, place]
        displaced = [other for other, at in self.live.items() if other != photo and place in at]
        for other in displaced:
            del self.live[other][place]
            end = ("gone", None) if self.live[other] else ("replaced", photo)
            self.ends[other][place] = step, *end
        for at, (when, _, _) in ends.items():
            ends[at] = when, "gone", None
        return kind, tuple(displaced)

    def gone(self, photo: int, place: tuple[str, str], step: int) -> None:
        if place in self.live.get(photo, {}):
            del self.live[photo][place]
            self.ends[photo][place] = step, "gone", None

    def state(self, photo: int) -> str:
        if self.live[photo]:
            return "here"
        return "replaced" if any(end == "replaced" for _, end, _ in self.ends[photo].values()) else "missing"


steps = st.lists(
    st.tuples(st.sampled_from(("seen", "gone")), st.sampled_from(PHOTOS), st.sampled_from(PLACES)),
    max_size=14,
)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog.sqlite", create=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def one_catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    with Catalog.open(tmp_path_factory.mktemp("paths") / "catalog.sqlite", create=True) as opened:
        yield opened


def everything(catalog: Catalog) -> object:
    with catalog.session() as session:
        photos = session.execute(select(Photo.id, Photo.state, Photo.path).order_by(Photo.id)).all()
        rows = session.execute(select(*KnownPath.__table__.c).order_by(KnownPath.id)).all()
    return list(map(tuple, photos)), list(map(tuple, rows))


@settings(max_examples=60)
@given(steps=steps, order=st.permutations(PHOTOS))
def test_states_and_paths_follow_from_what_was_seen(
    one_catalog: Catalog, lying_nowhere: Callable[..., None], steps: list, order: list[int]
) -> None:
    catalog, model = one_catalog, Model()
    lying_nowhere(catalog, PHOTOS)
    for step, (what, photo, (path, part)) in enumerate(steps):
        now = START + timedelta(seconds=step)
        with catalog.changing() as session:
            if what == "seen":
                told = paths.seen(session, photo, FileThere(Path(path), 10, step, part), now)
                assert told == model.seen(photo, (path, part), step)
            else:
                chosen = select(KnownPath.id).where(
                    KnownPath.photo_id == photo, KnownPath.path == path, KnownPath.part == part
                )
                paths.gone(session, list(session.scalars(chosen)), now)
                model.gone(photo, (path, part), step)
    for photo in model.live:
        found = catalog.photo(photo)
        assert found is not None
        assert found.state == model.state(photo)
        assert {(row.path, row.part) for row in found.paths if row.ended is None} == set(model.live[photo])
        assert {
            (row.path, row.part): ((row.ended_at - START).seconds, row.ended, row.replaced_by)
            for row in found.paths
            if row.ended_at is not None
        } == model.ends[photo]
        if model.live[photo]:
            shown = min(model.live[photo], key=lambda at: model.live[photo][at])
        else:
            shown = max(model.ends[photo], key=lambda at: model.ends[photo][at][0])
        assert found.path == "".join(shown)
    lying = [place for at in model.live.values() for place in at]
    assert len(lying) == len(set(lying))
    # settled already, whatever is settled again and in which order
    before = everything(catalog)
    with catalog.changing() as session:
        for photo in order:
            paths.settle(session, [photo])
    assert everything(catalog) == before
    with catalog.changing() as session:
        session.execute(update(Photo).values(state="here", path="/wrong.jpg"))
        for photo in order:
            paths.settle(session, [photo])
    for photo in model.live:
        settled = catalog.photo(photo)
        assert settled is not None
        assert (settled.state, settled.path) == next(row[1:] for row in before[0] if row[0] == photo)


@pytest.mark.parametrize(
    ("removed", "lost", "state"), [(0, 0, "here"), (0, 1, "lost"), (1, 0, "removed"), (1, 1, "removed")]
)
def test_what_was_done_in_the_archive_goes_first(
    catalog: Catalog, photo_row: Row, features: Features, removed: int, lost: int, state: str
) -> None:
    photo = catalog.add(photo_row("a"), features(1))
    with catalog.changing() as session:
        values = {"removed_at": START if removed else None, "lost_at": START if lost else None}
        session.execute(update(Photo).values(**values))
        paths.settle(session, [photo])
    assert catalog.photo(photo).state == state


def test_a_photo_is_added_where_it_was_met(catalog: Catalog, photo_row: Row, features: Features) -> None:
    first = catalog.add(photo_row("a", file_size=7), features(1))
    second = catalog.add(
        photo_row("b", path="/elsewhere.jpg"), features(2), FileThere(Path("/c.mp4"), 9, 3, "#t=1.0")
    )
    rows = rows_of(catalog, [first, second, 99])
    assert rows == {
        first: [Known(1, first, "a" * 64, "/photos/a.jpg", "", 7, None, True, "here")],
        second: [Known(2, second, "b" * 64, "/c.mp4", "#t=1.0", 9, 3, True, "here")],
        99: [],
    }
    assert catalog.photo(second).path == "/c.mp4#t=1.0"


def test_tags_go_to_the_version_that_replaced_a_photo(
    catalog: Catalog, photo_row: Row, features: Features
) -> None:
    for digit in "abc":
        catalog.add(photo_row(digit), features(1))
    add_tags(catalog, ["best"], np.array([1]))
    add_tags(catalog, ["second"], np.array([2]))
    add_tags(catalog, ["best"], np.array([3]))
    with catalog.changing() as session:  # c over b, then b over a: 1 -> 2 -> 3
        paths.seen(session, 2, FileThere(Path("/photos/a.jpg"), 1, 1), START)
        paths.gone(
            session,
            [row.id for row in session.scalars(select(KnownPath)) if row.path == "/photos/b.jpg"],
            START,
        )
        paths.seen(session, 3, FileThere(Path("/photos/a.jpg"), 1, 2), START + timedelta(1))
    with catalog.noting() as session:
        assert paths.give_tags(session) == [(1, 2), (2, 3)]
    assert [tags_of(catalog, i) for i in (1, 2, 3)] == [["best"], ["best", "second"], ["best", "second"]]
    # once: what people take away later stays away
    with catalog.noting() as session:
        session.execute(Tag.__table__.delete().where(Tag.photo_id == 3))
        assert paths.give_tags(session) == []
    assert tags_of(catalog, 3) == []
    # an undo and the same edit again are another time
    generation = catalog.generation()
    with catalog.changing() as session:
        paths.seen(session, 2, FileThere(Path("/photos/a.jpg"), 1, 3), START + timedelta(2))
        paths.seen(session, 3, FileThere(Path("/photos/a.jpg"), 1, 4), START + timedelta(3))
    with catalog.noting() as session:
        assert paths.give_tags(session) == [(2, 3)]
    assert tags_of(catalog, 3) == ["best", "second"]
    assert catalog.generation() == generation + 1


def test_rows_go_with_their_photos(catalog: Catalog, photo_row: Row, features: Features) -> None:
    for digit in "ab":
        catalog.add(photo_row(digit, path="/same.jpg"), features(1))
    assert catalog.photo(1).state == "replaced"
    catalog.remove([2])
    with catalog.session() as session:
        (row,) = session.scalars(select(KnownPath))
    assert (row.photo_id, row.ended, row.replaced_by) == (1, "replaced", None)
    with catalog.noting() as session:
        assert paths.give_tags(session) == []
