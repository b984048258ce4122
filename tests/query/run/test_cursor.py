"""Pages: together they hold every photo once, whatever is added or removed between them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsslic_search.core.errors import UsageError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.run.cursor import Cursor, identity, read
from dsslic_search.query.run.execute import Answer, Indexes, answer
from tests.query.made import MadeArchive, MadePhoto

V = default()
NOW = datetime(2024, 3, 1, 15, 30, 1, 250)
SKY, ROAD, CAR = (V.id_of(n) for n in ("sky", "road", "car"))
TEXTS = [
    "sky",
    "no road",
    "sky or road",
    "sky > 30% or camera:canon",
    "car in the left",
    "no car on road",
    "everything",
    "sky sort:-relevance",
    "everything sort:taken",
    "everything sort:-taken",
    "everything sort:size",
    "no road sort:-size",
    "everything sort:sky",
    "everything sort:path",
    "everything sort:-name",
    "added:today or sky",
]


def made_photo(rng: np.random.Generator, photo_id: int) -> MadePhoto:
    """Few different maps, dates and names, so that there are many equals."""
    label_map = np.full((2, 5), ROAD, np.uint8)
    label_map[0, : int(rng.integers(4))] = SKY
    label_map[1, int(rng.integers(4))] = rng.choice([CAR, ROAD])
    return MadePhoto(
        photo_id,
        label_map,
        taken=NOW + timedelta(days=int(rng.integers(-3, 1))) if rng.random() < 0.7 else None,
        added=NOW + timedelta(days=int(rng.integers(-2, 1)), microseconds=int(rng.integers(2))),
        size=int(rng.integers(3)),
        camera=("Canon", None)[int(rng.integers(2))],
        path=f"/{'aA'[int(rng.integers(2))]}/{rng.integers(5)}.jpg",
    )


def ask(
    archive: MadeArchive,
    text: str,
    limit: int | None,
    after: str | None = None,
    now: datetime = NOW,
    indexes: Sequence[Indexes] | None = None,
) -> Answer:
    by_id = {photo.id: photo for photo in archive.photos}

    def embeddings_of(operand: str, mirrored: bool) -> np.ndarray:
        return np.frombuffer(by_id[int(operand[1:])].features.embedding, "<f4")[None]

    indexes = indexes or archive.indexes()
    return answer(
        text,
        indexes=indexes,
        vocabulary=V,
        presence=0.005,
        embeddings_of=embeddings_of,
        limit=limit,
        after=after,
        now=now,
    )


def pages(archive: MadeArchive, text: str, limit: int, between: Callable[[], None]) -> list[int]:
    """The ids of all pages; ``between`` happens after each."""
    found: list[int] = []
    after: str | None = None
    indexes, changes = archive.indexes(), archive.changes
    while True:
        if archive.changes != changes:
            indexes, changes = archive.indexes(), archive.changes
        page = ask(archive, text, limit, after, indexes=indexes)
        assert page.ids.size == limit or page.cursor is None
        found += page.ids.tolist()
        after = page.cursor
        if after is None:
            return found
        between()


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    text=st.sampled_from([*TEXTS, "like #1", "like #1 and sky"]),
    limit=st.integers(1, 7),
)
def test_pages_are_parts_of_one_answer(seed: int, text: str, limit: int) -> None:
    rng = np.random.default_rng(seed)
    archive = MadeArchive([made_photo(rng, i + 1) for i in range(int(rng.integers(1, 40)))])
    whole = ask(archive, text, None)
    assert whole.cursor is None
    assert pages(archive, text, limit, lambda: None) == whole.ids.tolist()


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), text=st.sampled_from(TEXTS), limit=st.integers(1, 6))
def test_no_photo_comes_twice_and_none_is_skipped_while_the_archive_changes(
    seed: int, text: str, limit: int
) -> None:
    rng = np.random.default_rng(seed)
    archive = MadeArchive([made_photo(rng, i) for i in (rng.permutation(60)[:30] + 100).tolist()])
    before = ask(archive, text, None).ids.tolist()
    removed: set[int] = set()
    new = iter(rng.permutation(300).tolist())

    def change() -> None:
        if len(archive.photos) > 80:
            return  # else new ones might come for ever
        archive.changes += 1
        gone = archive.photos.pop(int(rng.integers(len(archive.photos))))
        removed.add(gone.id)
        known = {photo.id for photo in archive.photos} | removed
        for photo_id in (i + 1 for i in [next(new) for _ in range(3)] if i + 1 not in known):
            archive.photos.append(made_photo(rng, photo_id))

    found = pages(archive, text, limit, change)
    assert len(found) == len(set(found))
    stayed = [i for i in before if i not in removed]
    assert [i for i in found if i in set(stayed)] == stayed


def test_a_million_photos_would_page_alike() -> None:
    """Of so many that only the best are ranked."""
    rng = np.random.default_rng(3)
    kinds = [made_photo(rng, 0) for _ in range(60)]
    archive = MadeArchive([_again(kinds[i % 60], i + 1) for i in range(9000)])
    indexes = archive.indexes()
    for text in (
        "sky",
        "no car",
        "sky or road",
        "everything sort:-size",
        "everything sort:taken",
        "car in the left",
        "sky sort:-relevance",
    ):
        whole = ask(archive, text, None, indexes=indexes).ids.tolist()
        found: list[int] = []
        after = None
        for limit in (50, 7, 120, 1):
            page = answer(
                text,
                indexes=indexes,
                vocabulary=V,
                presence=0.005,
                embeddings_of=_nowhere,
                limit=limit,
                after=after,
                now=NOW,
            )
            found += page.ids.tolist()
            after = page.cursor
        assert found == whole[:178]


def _again(photo: MadePhoto, photo_id: int) -> MadePhoto:
    return MadePhoto(
        photo_id,
        photo.label_map,
        photo.taken,
        photo.added,
        size=photo.size,
        camera=photo.camera,
        path=photo.path,
    )


def _nowhere(operand: str, mirrored: bool) -> np.ndarray:
    raise AssertionError(operand)


def test_today_stays_the_day_of_the_first_page() -> None:
    rng = np.random.default_rng(1)
    archive = MadeArchive([made_photo(rng, i + 1) for i in range(30)])
    whole = ask(archive, "added:today", None).ids.tolist()
    first = ask(archive, "added:today", 2)
    later = ask(archive, "added:today", None, first.cursor, now=NOW + timedelta(days=5))
    assert first.ids.tolist() + later.ids.tolist() == whole
    assert len(whole) > 2


def test_cursors_of_other_queries_settings_or_programs_are_refused() -> None:
    rng = np.random.default_rng(1)
    archive = MadeArchive([made_photo(rng, i + 1) for i in range(30)])
    cursor = ask(archive, "everything", 2).cursor
    assert cursor is not None
    assert ask(archive, "  everything ", 2, cursor).total == 30
    for text in ("sky", "everything sort:size", "like #1"):
        with pytest.raises(UsageError, match="another query"):
            ask(archive, text, 2, cursor)
    like = ask(archive, "like #1", 2).cursor
    other = next(p for p in archive.photos if not np.array_equal(p.label_map, archive.photos[0].label_map))
    with pytest.raises(UsageError, match="another query"):
        ask(archive, f"like #{other.id}", 2, like)
    with pytest.raises(UsageError, match="another query"):
        answer(
            "sky",
            indexes=archive.indexes(),
            vocabulary=V,
            presence=0.1,
            embeddings_of=_nowhere,
            limit=2,
            after=ask(archive, "sky", 2).cursor,
            now=NOW,
        )
    for wrong in (
        "",
        "x",
        "ü",
        cursor + "A",
        cursor[:-1],
        cursor[:-1] + ("A" if cursor[-1] != "A" else "B"),
        "A" * 100_000,
    ):
        with pytest.raises(UsageError, match="no cursor"):
            ask(archive, "everything", 2, wrong)


VALUES = (
    st.floats(allow_nan=False)
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=[]), max_size=60)
)
CURSORS = st.builds(
    Cursor,
    st.binary(min_size=8, max_size=8),
    VALUES,
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.datetimes(),
)


@given(CURSORS)
def test_a_cursor_is_read_as_it_was_written(cursor: Cursor) -> None:
    text = str(cursor)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    again = read(text)
    assert again == cursor
    assert type(again.value) is type(cursor.value)
    assert str(again.value) == str(cursor.value)  # minus zero is not zero


@given(CURSORS, st.data())
def test_a_changed_cursor_is_refused(cursor: Cursor, data: st.DataObject) -> None:
    text = str(cursor)
    written = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    written[data.draw(st.integers(0, len(written) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UsageError):
        read(base64.urlsafe_b64encode(written).rstrip(b"=").decode())


@given(st.text(max_size=200))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read(text)


def test_identities_tell_queries_apart() -> None:
    assert identity("a", 1) == identity("a", 1) != identity("a", 2)
    assert len(identity("\ud800")) == 8
