"""How often queries are answered as people's labels would answer them: the predicate protocol.

A fixed list of queries of every kind is asked of two archives of the validation photos: one described from
the label maps that people painted (the truth), one from the label maps that ingest makes of the photos alone.
Both go through everything that a query goes through. Pixels that people did not label count as ``other`` in
both, so only what they labelled is judged; for that the truth is reduced to the label map's scale, taking the
pixel in the middle of each block.

Presence and coverage are told class by class without absences: most photos lack most classes, so that absence
is answered well by whoever names every photo. What that scores ("everything") stands beside each kind. And
every figure is told again for photos of streets, rooms, nature and people, by what people labelled on them,
with the validation parts of the sets that came later.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.api import Archive
from dsslic_search.archive.features import features_of
from dsslic_search.archive.schema import Photo
from dsslic_search.bench import record
from dsslic_search.codec import encoder
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.training.dataset import LATER_SCENES, SCENES, Sample, scene_samples

Map = NDArray[np.uint8]

COUNTED = (
    "person",
    "car",
    "bird",
    "boat",
    "chair",
    "cow",
    "sheep",
    "flower",
    "aeroplane",
    "bicycle",
    "signboard",
    "pole",
)
RELATIONS = (
    "sky above building", "sky above tree", "sky above road", "sky above grass", "sky above water",
    "building above road",
    "tree above grass", "tree above road", "road below building", "water below sky", "car left of building",
    "building left of tree", "tree left of building", "sidewalk left of road", "sidewalk right of road",
    "car left of car",
    "car on road", "car on sidewalk", "person on sidewalk", "person on road", "cow on grass",
    "sheep on grass", "aeroplane on grass",
    "aeroplane on road", "chair on grass", "bicycle on road", "boat in water", "bird in water",
    "cow in grass", "sheep in grass",
    "flower in grass", "animal in grass", "vehicle on road", "tree next to building", "car next to building",
    "car next to car",
    "car in front of building", "person in front of building", "tree in front of building",
    "bicycle in front of building",
    "building behind car", "building behind tree", "animal surrounded by grass", "bird surrounded by water",
    "boat surrounded by water",
    "aeroplane surrounded by sky", "grass around cow", "water around boat", "tree between sky and grass",
    "car between buildings", "building between sky and road", "building between trees", "no car on road",
    "no tree next to building",
)  # fmt: skip
POSITIONS = tuple(
    f"{thing} in the {zone}"
    for thing, zones in {
        "car": ("left half", "right half", "bottom half", "bottom left", "bottom right"),
        "person": ("left half", "right half", "centre"),
        "sky": ("top third", "top half"),
        "tree": ("left half", "right half", "top half", "left third"),
        "building": ("left half", "right half", "centre", "top half"),
        "animal": ("centre", "left half", "bottom half"),
        "vehicle": ("centre", "left third", "right third"),
        "grass": ("bottom half", "bottom third"),
        "road": ("bottom half", "bottom third", "bottom right"),
        "water": ("bottom half", "bottom third"),
        "flower": ("centre",),
        "boat": ("centre",),
        "sidewalk": ("bottom left", "bottom right"),
    }.items()
    for zone in zones
)
COMBINATIONS = (
    "road and car and sky", "building and no cars", "grass and animal", "water and no boats",
    "tree, grass and no buildings",
    ">30% building and road", ">30% grass and cow or sheep", "sky and >20% tree and no road",
    "at least 2 cars and tree",
    "(boat or bird) and water", "person and no (road or building)", "mostly grass and animal",
    "little sky and building",
    ">10% sky and >10% road and >10% building", "vehicle on road and sky above building",
    "not (grass or tree) and building",
)  # fmt: skip


PHOTO_KINDS = ("street", "room", "nature", "people")
MIN_PEOPLE = 0.1  # of a photo's labelled pixels; such a photo is one of people, whatever else it shows
MIN_STREET, MIN_ROOM = (
    0.2,
    0.2,
)  # of them; else a photo is one of nature, since sky and trees are in streets too
_STREET = ("building", "house", "road", "sidewalk", "signboard", "pole", "fence")
_ROOM, _NATURE, _TRAFFIC = "indoor", ("nature", "animal"), "vehicle"  # groups of the vocabulary


def run(data: Path) -> dict[str, Any]:
    """Ask the fixed queries about the validation photos under ``data``.

    Per kind of query, per class (presence and coverage, each by itself) and per query: precision, recall and
    F1 (0..1) over all photos, and how many photos are right answers; "everything": F1 of answering each query
    of a kind with all photos. The same by kind of photo. A query that no archive answers with any photo tells
    nothing and is left out.
    """
    samples = scene_samples(data, validation=True, sets=(*SCENES, *LATER_SCENES))
    truths, guesses = zip(*map(_maps, samples), strict=True)
    first = frozenset(i for i, sample in enumerate(samples, 1) if sample.dataset in SCENES)
    return _judged(truths, guesses, first)


def run_archive(archive: Archive) -> dict[str, Any]:
    """The same about the photos of an archive that people labelled: the truth are their label maps, the
    guesses the segmenter's that the files hold beside them. UsageError where there are none, or where another
    class list is in use than that of the queries."""
    if archive.vocabulary.identity != vocabulary.built_in().identity:
        raise UsageError("the queries that are asked are of the package's classes: take no other class list")
    ids = archive.labelled()
    if not ids:
        raise UsageError(
            f"{archive.folder.root}: no photo here has a label map by people, so there is nothing to judge "
            "by; import some first"
        )
    truths = [archive.label_map(photo_id) for photo_id in ids]
    guesses = [archive.label_map(photo_id, by_people=False) for photo_id in ids]
    return _judged(truths, guesses, frozenset(range(1, len(ids) + 1)))


def _judged(truths: Sequence[Map], guesses: Sequence[Map], first: frozenset[int]) -> dict[str, Any]:
    """The scores of all that is asked, over the photos ``first``, and by kind over all."""
    with tempfile.TemporaryDirectory() as folder:
        truth, guess = (
            _answers(Path(folder) / name, maps) for name, maps in (("truth", truths), ("guess", guesses))
        )
    kinds = [photo_kind(each) for each in truths]
    by_photo = {
        kind: frozenset(i for i, found in enumerate(kinds, 1) if found == kind) for kind in PHOTO_KINDS
    }
    return {
        "photos": len(first),
        **_scores(truth, guess, first),
        "by_photo_kind": {
            kind: {"photos": len(among), **_summary(_scores(truth, guess, among))}
            for kind, among in by_photo.items()
            if among
        },
    }


def photo_kind(truth: Map) -> str | None:
    """Which of PHOTO_KINDS a photo is by what people labelled, 0 where they did not; None where that is
    nothing of the kind."""
    words = vocabulary.default()
    shares = np.bincount(truth.ravel(), minlength=len(words))[: len(words)].astype(float)
    labelled = max(shares[1:].sum(), 1)
    groups = {group.name: [i for i in group.members if i] for group in words.groups}
    street = {*(words.id_of(name) for name in _STREET), *groups[_TRAFFIC]}
    nature = {i for name in _NATURE for i in groups[name]}
    rules = (
        ("people", {words.id_of("person")}, MIN_PEOPLE),
        ("street", street, MIN_STREET),
        ("room", set(groups[_ROOM]), MIN_ROOM),
        ("nature", nature, 1 / labelled),
    )
    return next((kind for kind, ids, least in rules if shares[sorted(ids)].sum() >= least * labelled), None)


def _maps(sample: Sample) -> tuple[Map, Map]:
    """The truth and SegNet's guess at the label map's scale, both ``other`` where people said nothing."""
    assert sample.labels is not None
    picture = SourcePhoto(np.asarray(Image.open(sample.image).convert("RGB")))
    guess, scale = encoder.segment_photo(picture)
    painted = np.asarray(Image.open(sample.labels))
    rows, columns = (
        np.minimum(np.arange(n) * scale + scale // 2, size - 1)
        for n, size in zip(guess.shape, painted.shape, strict=True)
    )
    truth = painted[np.ix_(rows, columns)]
    unknown = truth >= len(vocabulary.default())
    return np.where(unknown, 0, truth).astype(np.uint8), np.where(unknown, 0, guess).astype(np.uint8)


def queries(present: Sequence[str]) -> Iterator[tuple[str, str, str | None]]:
    """(kind, query, class it is about if it is one) for the class names that occur in the truth."""
    for name in present:
        yield "presence", name, name
        yield "absence", f"no {name}", name
        for bound in (">10%", ">30%", ">50%", "between 5% and 25%"):
            yield "coverage", f"{bound} {name}", name
    for name in COUNTED:
        if name in present:
            for number in ("exactly 1", "at least 2", "at least 3"):
                yield "count", f"{number} {name}", None
    for kind, texts in {"relation": RELATIONS, "position": POSITIONS, "combination": COMBINATIONS}.items():
        for text in texts:
            yield kind, text, None


Answers = dict[str, dict[str, frozenset[int]]]  # by kind and query: the photos' numbers
Counts = tuple[int, int, int]  # photos right, answered and wanted


def _answers(root: Path, maps: Sequence[Map]) -> Answers:
    """What an archive of these label maps answers to every query that any of its classes may be asked
    about."""
    classes = vocabulary.default()
    with Archive(root) as archive:
        with archive.folder.writing(create=True) as catalog:
            for number, label_map in enumerate(maps, 1):
                catalog.add(_photo(number, label_map), features_of(label_map, classes))
        found: Answers = {}
        for kind, text, _class in queries([c.name for c in classes.classes[1:]]):
            found.setdefault(kind, {})[text] = frozenset(archive.matching(text))
    return found


def _photo(number: int, label_map: Map) -> Photo:
    """A row for a photo that is nothing but a label map."""
    day = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=number)
    height, width = label_map.shape
    return Photo(
        id=number, content_hash=f"{number:064x}", path=f"/{number}", file_size=0, modified_at=day,
        added_at=day, format="PNG",
        width=width, height=height, keep="layers", quality=1, stored_bytes=0, map_bytes=0,
        vocabulary=vocabulary.default().identity, segmenter="",
    )  # fmt: skip


def _scores(truth: Answers, guess: Answers, among: frozenset[int]) -> dict[str, Any]:
    """The scores over the photos of these numbers."""
    shown = [name for name in truth["presence"] if truth["presence"][name] & among]
    kinds: dict[str, list[Counts]] = {}
    classes: dict[str, dict[str, list[Counts]]] = {}
    each: dict[str, dict[str, Any]] = {}
    for kind, text, about in queries(shown):
        wanted, got = truth[kind][text] & among, guess[kind][text] & among
        if not wanted and not got:
            continue
        counts = len(wanted & got), len(got), len(wanted)
        kinds.setdefault(kind, []).append(counts)
        if about is not None and kind != "absence":
            classes.setdefault(about, {}).setdefault(kind, []).append(counts)
        each[text] = {"kind": kind, **_score([counts])}
    return {
        "by_kind": {
            name: {"queries": len(rows), **_score(rows), "everything": _everything(rows, len(among))}
            for name, rows in kinds.items()
        },
        "by_class": {
            name: {kind: _score(rows) for kind, rows in found.items()} for name, found in classes.items()
        },
        "by_query": each,
    }


def _summary(scores: dict[str, Any]) -> dict[str, Any]:
    return {name: scores[name] for name in ("by_kind", "by_class")}


def _everything(rows: Sequence[Counts], photos: int) -> float:
    """F1 of answering each of these queries with all photos."""
    return _score([(wanted, photos, wanted) for _right, _got, wanted in rows])["f1"]


def _score(rows: Sequence[tuple[int, int, int]]) -> dict[str, float]:
    """Of (right, answered, wanted) counts, taken together."""
    right, got, wanted = (sum(column) for column in zip(*rows, strict=True))
    return {
        "precision": round(right / got, 4) if got else 0.0,
        "recall": round(right / wanted, 4) if wanted else 0.0,
        "f1": round(2 * right / (got + wanted), 4),
        "wanted": wanted,
    }


def table(results: Mapping[str, Any]) -> list[str]:
    """The figures as lines of text: by kind of query, of each kind of photo too, then by class."""
    names = ("precision", "recall", "f1", "wanted")

    def cells(row: Mapping[str, Any]) -> list[str]:
        return [f"{row[n]:.3f}" if n != "wanted" else str(row[n]) for n in names]

    parts = {"all": results, **results["by_photo_kind"]}
    lines = [
        (f"{part}: {name}", *cells(row), f"{row['everything']:.3f}")
        for part, scores in parts.items()
        for name, row in scores["by_kind"].items()
    ]
    lines += [
        (f"{name}, {kind}", *cells(row), "")
        for name, found in results["by_class"].items()
        for kind, row in found.items()
    ]
    return record.table(("", *names, "everything"), lines)
