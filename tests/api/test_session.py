"""A conversation: questions, refinements, numbers of results, the way back; and what completes a query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from dsslic_search import Archive
from dsslic_search.api import searching
from dsslic_search.api.completion import Completer
from dsslic_search.api.searching import Searcher
from dsslic_search.api.session import Session, refinement_of
from dsslic_search.archive.features import features_of
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.schema import Photo
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, QueryError, UsageError
from dsslic_search.features.embedding import DIMENSION

CLASSES = vocabulary.default()
SKY, TREE, CAR = (CLASSES.id_of(name) for name in ("sky", "tree", "car"))
PHOTOS = 12


def label_map(number: int) -> np.ndarray:
    """The first ``number`` of 16 rows are sky, the rest is tree, and the lowest row of every third is car."""
    labels = np.full((16, 8), TREE, np.uint8)
    labels[:number] = SKY
    if number % 3 == 0:
        labels[-1] = CAR
    return labels


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Photo n has n / 16 of sky."""
    folder = ArchiveFolder(tmp_path_factory.mktemp("session") / "a")
    with folder.writing(create=True) as catalog:
        for number in range(1, PHOTOS + 1):
            photo = Photo(
                content_hash=f"{number:064x}", path=f"/photos/{number}.jpg", file_size=100,
                modified_at=datetime(2020, 1, 1), added_at=datetime(2021, 1, 1), format="PNG", width=10,
                height=10, taken_at=datetime(2023, 1, number), camera="Leica M6" if number % 2 else "Canon",
                keep="layers", quality=75, stored_bytes=10 + number, map_bytes=number, vocabulary="v",
                segmenter="s",
            )  # fmt: skip
            assert catalog.add(photo, features_of(label_map(number), CLASSES)) == number
    with Archive(folder.root) as opened:
        opened.tag("best", [2, 3])
        opened.save("wide", "sky > 30%")
        yield opened


@pytest.fixture
def session(archive: Archive) -> Session:
    return Session(archive, page=3)


def ids(session: Session) -> list[int]:
    assert session.question is not None
    return [hit.id for hit in session.question.hits]


def test_questions_refine_one_another_and_lead_back(session: Session, archive: Archive) -> None:
    assert session.question is None
    assert session.say("sky sort:taken").total == PHOTOS
    assert ids(session) == [1, 2, 3]
    assert session.say("without cars").total == 8
    assert ids(session) == [1, 2, 4]  # the order that was asked for stays
    session.say("and newest first")
    assert ids(session) == [11, 10, 8]
    session.say("+ sky > 60%")
    assert ids(session) == [11, 10]
    assert session.question is not None
    assert session.question.text == "sky sort:taken; without cars; newest first; sky > 60%"
    assert session.statistics().photos == 2
    assert "2 of 12 photos match" in session.explain()
    assert [hit.id for hit in session.back().hits] == [11, 10, 8]
    session.ask("cars sort:taken")
    assert ids(session) == [3, 6, 9]
    assert session.back().texts == ("sky sort:taken", "without cars", "newest first")
    assert session.back().total == 8
    assert session.back().total == PHOTOS
    with pytest.raises(UsageError, match="no question before"):
        session.back()
    assert ids(session) == [1, 2, 3]


def test_pages_have_one_numbering(session: Session) -> None:
    session.ask("cars or sky < 10% sort:taken")
    assert [session.id_of(number) for number in (1, 2, 3)] == [1, 3, 6]
    with pytest.raises(UsageError, match="4: the numbers shown are 1 to 3"):
        session.id_of(4)
    page = session.more()
    assert page is not None
    assert [hit.rank for hit in page] == [4, 5]
    assert (session.id_of(4), session.id_of(1)) == (9, 1)
    assert session.more() is None
    assert ids(session) == [1, 3, 6, 9, 12]


def test_numbers_after_like_are_those_of_results(session: Session) -> None:
    session.ask("sky sort:-taken")  # 12, 11, 10
    assert session.in_ids("like 1 and 3, no cars") == "like #12 and #10, no cars"
    assert session.in_ids("not like 2 or #4") == "not like #11 or #4"
    assert session.in_ids("like 2 and 2 cars") == "like #11 and 2 cars"
    assert session.in_ids("like 2, 30% sky") == "like #11, 30% sky"
    assert session.in_ids("like 2.jpg") == "like 2.jpg"
    assert session.in_ids("dislike 2, like #2") == "dislike 2, like #2"
    session.say("like 3 without cars")
    assert ids(session)[0] == 10
    with pytest.raises(UsageError, match="9: the numbers shown"):
        session.say("like 9")


def test_an_error_changes_nothing_and_points_at_its_word(session: Session) -> None:
    with pytest.raises(UsageError, match="nothing was asked yet"):
        session.say("and cars")
    assert session.say("without cars").total == 8  # nothing to refine: a question of its own
    with pytest.raises(QueryError) as caught:
        session.say("and flwer")
    assert (caught.value.text, caught.value.position) == ("flwer", 0)
    with pytest.raises(QueryError):
        session.ask("sky and")
    assert session.question is not None
    assert session.question.texts == ("without cars",)
    session.ask("sky < 1%")
    with pytest.raises(UsageError, match="the last answer has no photo"):
        session.id_of(1)


@pytest.mark.parametrize(
    ("line", "asks"),
    [
        ("and snow", "snow"), ("And, snow", "snow"), ("but no cars", "no cars"), ("+snow", "snow"),
        (" + snow", "snow"), ("& snow", "snow"), (", snow", "snow"), ("-cars", "-cars"),
        ("without cars", "without cars"), ("except cars", "except cars"),
        ("and without cars", "without cars"),
        ("android", None), ("no cars", None), ("butter", None), ("withouts", None), ("sky and cars", None),
    ],
)  # fmt: skip
def test_how_a_refinement_begins(line: str, asks: str | None) -> None:
    assert refinement_of(line) == asks


def test_numbers_stay_what_they_were_when_the_archive_changes(tmp_path: Path, archive: Archive) -> None:
    session = Session(archive, page=2)
    session.ask("sky sort:taken")
    archive.tag("seen", [session.id_of(1)])
    assert session.more() is not None
    assert ids(session) == [1, 2, 3, 4]
    with pytest.raises(ArchiveError):
        Session(Archive(tmp_path / "none")).ask("sky")


@pytest.mark.parametrize(
    ("before", "first", "start"),
    [
        ("sk", "sky", 0),
        ("no cars, t", "tree", 9),  # of all classes that begin so most photos show it
        ("body o", "body of water", 0),
        ("sky next", "next to", 4),
        ("cam", "camera:", 0),
        ("sky camera:L", '"Leica M6"', 11),
        ('camera:"lei', '"Leica M6"', 7),
        ("camera:ca", "Canon", 7),
        ("tag:", "best", 4),
        ("-tag:b", "best", 5),
        ("sky sort:-ta", "-taken", 9),
        ("is:mi", "missing", 3),
        ("format:", "PNG", 7),
        ("sky, @w", "wide", 6),
    ],
)
def test_what_may_come_next(archive: Archive, before: str, first: str, start: int) -> None:
    found = Completer(archive).completions(before)[0]
    assert (found.text, found.start) == (first, start)


def test_names_of_the_archive_are_offered_so_that_they_mean_nothing_else(archive: Archive) -> None:
    def offered(before: str) -> list[str]:
        return [each.text for each in Completer(archive).completions(before)]

    assert "tag:best" in offered("sky be")
    assert "@wide" in offered("wi")


@pytest.mark.parametrize(
    "before",
    [
        "",
        "sky ",
        "qqq",
        "nofield:",
        "width:",
        "month:",
        "limit:",
        "count:",
        "@nothing",
        "(",
        "like #",
        "like 1",
    ],
)
def test_nothing_may_come_next(
    archive: Archive, before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert Completer(archive).completions(before) == []


def test_files_to_compare_with(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("beach.jpg", "my beach.jpg", ".hidden.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "bay").mkdir()
    (tmp_path / "bay" / "a.jpg").touch()
    completer = Completer(archive)
    assert [c.text for c in completer.completions("sky, like b")] == ["bay/", "beach.jpg"]
    assert [c.text for c in completer.completions("like bay/")] == ["bay/a.jpg"]
    assert [c.text for c in completer.completions("like my")] == ['"my beach.jpg"']
    assert [c.text for c in completer.completions('like "my b')] == ['"my beach.jpg"']
    assert [c.text for c in completer.completions("like .h")] == [".hidden.jpg"]


def test_a_file_to_compare_with_is_looked_at_once(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []

    def looked_at(_searcher: Searcher, path: Path) -> searching.Compared:
        looked.append(path.name)
        return searching.Compared(np.eye(1, DIMENSION, dtype=np.float32)[0], None)

    monkeypatch.setattr(Searcher, "_looked_at", looked_at)
    file = tmp_path / "beach.jpg"
    file.write_bytes(b"one")
    session = Session(archive)
    session.ask(f"like {file}")
    session.say("without cars")
    assert looked == ["beach.jpg"]
    file.write_bytes(b"another")
    session.ask(f"like {file}")
    assert looked == ["beach.jpg"] * 2
