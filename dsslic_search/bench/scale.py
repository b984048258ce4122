"""Very large archives: what one photo more costs, what twelve kinds of question take, and what indexes weigh;
beside another build, and beside DuckDB and SQLite with a wide table of the same photos.

The archive has a real catalog of photos made from the statistics of real label maps (`bench.synthetic`), and
no objects. Of more than MODELS photos the others are copies of their rows, under other ids, paths and hashes.
Each build answers in processes of its own, on its own copy of the catalog: one that makes all indexes, as
after an ingest of many photos, or where a build cannot, by a question of each kind; then, without these, a
question of each kind (which makes the indexes it needs), then each again, then a photo is added and each is
asked once more, in that process; and after one more, that another process adds, in a new one.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, text

from dsslic_search.archive.catalog import of_photo
from dsslic_search.archive.database import make_engine, stored_revision, url_of
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.schema import KnownPath, Photo
from dsslic_search.bench import record
from dsslic_search.bench.processes import OTHER, THIS, builds_beside
from dsslic_search.bench.scale_process import Question, asked_of
from dsslic_search.bench.speed import PAGE_PHOTOS, described
from dsslic_search.bench.synthetic import CAMERAS, FIRST_DAY, Synthetic
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import MissingExtraError

MODELS = 100_000
"""Photos that are made one by one."""
EARTH_RADIUS_KM = 6371.0088
STORED = {
    "modified_at": FIRST_DAY,
    "quality": 75,
    "stored_bytes": 60_000,
    "map_bytes": 700,
    "vocabulary": vocabulary.default().identity,
    "segmenter": "0" * 16,
}
"""What the catalog says of every file; its objects are not there."""


def run(
    maps: Sequence[Path], photos: int, against: Path | None = None, alone: bool = False
) -> dict[str, Any]:
    """``photos``: of more than MODELS as many as whole copies of these come to. ``maps``: folders of label
    maps, PNG files of class ids. ``against``: the folder of another build's source. ``alone``: without DuckDB
    and SQLite. DSSError when a build fails, UsageError where there are no maps or no build."""
    builds = builds_beside(against)
    made, times = Synthetic(described(maps), min(photos, MODELS)), max(photos // MODELS, 1)
    photos = made.model.size * times
    asked = questions(made)
    results: dict[str, Any] = {"photos": photos, "maps": len(made.features), "builds": {}}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        began = time.perf_counter()
        fill(place / THIS, made, times)
        results["seconds_to_fill_the_catalog"] = round(time.perf_counter() - began, 1)
        results["catalog_bytes_a_photo"] = round((place / THIS / "catalog.sqlite").stat().st_size / photos)
        for build, source in builds.items():
            root = place / build
            if build != THIS:
                shutil.copytree(place / THIS, root)
                take_back(root / "catalog.sqlite", source)
        for build, source in builds.items():
            made_all = asked_of(source, place / build, asked, "make")
            shutil.rmtree(place / build / "index", ignore_errors=True)
            first = asked_of(source, place / build, asked, "open")
            asked_of(source, place / build, asked, "add")
            new = asked_of(source, place / build, asked, "new")
            sizes = _sizes(place / build / "index", photos)
            results["builds"][build] = made_all | first | {"new process": new, "bytes_a_photo": sizes}
        results["others"] = {} if alone else _others(made, times, asked, place)
    results["ratios"] = _ratios(results["builds"]) if against else {}
    return results


def questions(made: Synthetic) -> list[Question]:
    """Twelve kinds, of the classes that the photos show most."""
    classes = vocabulary.default()
    shown = np.bincount([c for each in made.features for c, _ in each.coverages], minlength=len(classes))
    shown[classes.id_of("other")] = 0
    a, b, c, d = (classes.classes[i].name for i in np.argsort(-shown)[:4])
    there = {n: f"{_column(n)} >= {classes.presence((classes.id_of(n),))}" for n in (a, b, c, d)}
    absent = {n: f"NOT {test}" for n, test in there.items()}
    group = max(classes.groups, key=lambda each: shown[list(each.members)].sum()).name
    km = (
        f"2*{EARTH_RADIUS_KM}*asin(sqrt(power(sin(radians(latitude-45)/2),2)+cos(radians(45))"
        "*cos(radians(latitude))*power(sin(radians(longitude-5)/2),2)))"
    )
    least = f"least({_column(a)},{_column(b)},{_column(c)})"
    first, last = (f"{year}-01-01" for year in (2015, 2018))
    return [
        Question("presence", a, there[a], _column(a)),
        Question("three things", f"{a} and {b} and {c}", " AND ".join(there[n] for n in (a, b, c)), least),
        Question(
            "coverage", f">20% {a}, {b} <30%, {c}",
            f"{_column(a)} > 0.2 AND {_column(b)} < 0.3 AND {there[c]}", least,
        ),
        Question(
            "negation", f"{a}, no {c}, no {d}", " AND ".join([there[a], absent[c], absent[d]]), _column(a)
        ),
        Question(
            "group", f">40% {group} and {a}", f"{_column(group)} > 0.4 AND {there[a]}",
            f"least({_column(group)},{_column(a)})",
        ),
        Question(
            "dates", f"taken:2015..2017 and {a} and {b}",
            f"taken >= '{first}' AND taken < '{last}' AND {there[a]} AND {there[b]}",
            f"least({_column(a)},{_column(b)})",
        ),
        Question("camera", f"camera:canon and {a}", f"camera LIKE 'Canon%' AND {there[a]}", _column(a)),
        Question("place", f"near 45,5 90km and {a}", f"{km} <= 90 AND {there[a]}", _column(a)),
        Question("count", f"at least 3 {d}", f"{_column(d)}_count >= 3", f"{_column(d)}_count"),
        Question("relation", f"{a} above {b} and {c}"),
        Question("position", f"{d} in the bottom left and {a}"),
        Question("likeness", f"like #{made.model.size // 2} and {a}"),
    ]  # fmt: skip


def fill(root: Path, made: Synthetic, times: int = 1) -> None:
    """A new archive at ``root`` whose catalog has all of the photos so many ``times``."""
    paths = dict(pair for part in made.paths() for pair in part)
    with ArchiveFolder(root).writing(create=True) as catalog:
        for files, embedded in zip(made.known_files(), made.embeddings(), strict=True):
            features = {i: made.features_of(i, embedding or b"") for i, embedding in embedded.pairs()}
            photos = [
                file | STORED | of_photo(features[file["id"]])
                | {"path": paths[file["id"]], "content_hash": f"{file['id']:064x}"}
                for file in files
            ]  # fmt: skip
            lying = [
                {"photo_id": row["id"], "path": row["path"], "part": "", "file_size": row["file_size"],
                 "first_seen": row["added_at"], "last_seen": row["added_at"]}
                for row in photos
            ]  # fmt: skip
            with catalog.changing() as session:
                session.execute(insert(Photo), photos)
                session.execute(insert(KnownPath), lying)
        own = made.model.size
        for number in range(1, times):
            with catalog.changing() as session:
                copy_rows(lambda statement: session.execute(text(statement)), own, number * own)


def copy_rows(execute: Callable[[str], Iterable[Any]], photos: int, shift: int) -> None:
    """Add a copy of each of the first photos of a catalog of any revision, in SQLite, with an id that is
    greater by ``shift``. ``execute``: runs a statement, and gives its rows."""
    of_photo = {"photo_id": f"photo_id + {shift}"}
    path = {"path": f"'/copies {shift}' || path"}
    content = (
        f"CASE typeof(content_hash) WHEN 'blob' THEN CAST(printf('%032d', id + {shift}) AS BLOB) "
        f"ELSE printf('%064x', id + {shift}) END"
    )
    put = {
        "photo": {"id": f"id + {shift}", "content_hash": content} | path,
        "path": of_photo | path,
        "coverage": of_photo,
    }
    for name, values in put.items():
        columns = [row[1] for row in execute(f"PRAGMA table_info({name})")]
        own = "id" if name == "photo" else "photo_id"
        told = [column for column in columns if column != "id" or own == "id"]
        if told:
            chosen = ", ".join(values.get(column, column) for column in told)
            execute(
                f"INSERT INTO {name} ({', '.join(told)}) SELECT {chosen} FROM {name} WHERE {own} <= {photos}"
            )


def take_back(catalog: Path, source: Path) -> None:
    """Take a catalog back to the newest revision that another build knows."""
    from alembic import command

    from dsslic_search.archive.database import alembic_config

    known = sorted(path.name[:4] for path in (source / "migrations" / "versions").glob("[0-9]*.py"))
    engine = make_engine(url_of(catalog), foreign_keys=False)
    with engine.begin() as connection:
        if (stored_revision(connection) or "") > known[-1]:
            command.downgrade(alembic_config(connection), known[-1])
    engine.dispose()


def _sizes(index: Path, photos: int) -> dict[str, float]:
    sizes: dict[str, float] = {}
    for path in sorted(index.iterdir()):
        kind = path.suffix[1:] if len(path.stem) == 16 else path.name
        sizes[kind] = round(sizes.get(kind, 0) + path.stat().st_size / photos, 1)
    return sizes | {"all": round(sum(sizes.values()), 1)}


def _column(name: str) -> str:
    return name.replace(" ", "_").replace("-", "_") + "_"


def wide(made: Synthetic, times: int = 1) -> dict[str, NDArray[Any]]:
    """A column for each fact, for the coverage of each class and group, and for how many regions each class
    has; the photos so many ``times``, with ids that go on."""
    classes = vocabulary.default()
    facts = [row for part in made.known_files() for row in part]
    columns: dict[str, NDArray[Any]] = {
        "id": np.array([row["id"] for row in facts]),
        "moment": np.array([row["taken_at"] or row["added_at"] for row in facts], "datetime64[s]"),
        "taken": np.array([row["taken_at"] for row in facts], "datetime64[s]"),
        "width": np.array([row["width"] for row in facts]),
        "height": np.array([row["height"] for row in facts]),
        "camera": np.array([row["camera"] or "" for row in facts], f"U{max(len(c or '') for c in CAMERAS)}"),
        "latitude": np.array([row["latitude"] for row in facts], np.float64),
        "longitude": np.array([row["longitude"] for row in facts], np.float64),
    }
    places = np.argsort(columns["id"])
    for each in classes.classes:
        ids, fractions = made.covering(each.id)
        share = np.zeros(made.model.size)
        share[places[ids - 1]] = fractions
        columns[_column(each.name)] = share
        counts = np.array(
            [_regions_of(made, number, each.id) for number in range(len(made.features))], np.uint8
        )
        columns[f"{_column(each.name)}_count"] = counts[made.model[columns["id"] - 1]]
    for group in classes.groups:
        columns[_column(group.name)] = np.sum(
            [columns[_column(classes.classes[member].name)] for member in group.members], axis=0
        )
    copied = {name: np.tile(column, times) for name, column in columns.items()}
    copied["id"] += np.repeat(np.arange(times) * made.model.size, made.model.size)
    return copied


def _regions_of(made: Synthetic, model: int, class_id: int) -> int:
    from dsslic_search.features.scene import SceneRegions

    stored = made.features[model].regions
    return int(np.count_nonzero(SceneRegions.from_bytes(stored).regions["class_id"] == class_id))


def _others(made: Synthetic, times: int, asked: Sequence[Question], place: Path) -> dict[str, Any]:
    """Milliseconds of each question that SQL can say, with its total, in DuckDB and SQLite."""
    try:
        import duckdb
        import pyarrow
    except ImportError as e:
        raise MissingExtraError(
            f"{e.name} is not installed, which is measured beside; install it with: pip install "
            '"dsslic-search[dev]"'
        ) from e
    columns = wide(made, times)
    with (
        duckdb.connect(str(place / "duck.db")) as duck,
        closing(sqlite3.connect(place / "plain.sqlite")) as lite,
    ):
        duck.register("made", pyarrow.table(columns))
        duck.execute("SET threads = 1; CREATE TABLE photos AS SELECT * FROM made; CHECKPOINT")
        lite.create_function("least", -1, min, deterministic=True)
        lite.execute(f"CREATE TABLE photos ({', '.join(columns)})")
        for start in range(0, made.model.size * times, MODELS):
            rows = [array[start : start + MODELS] for array in columns.values()]
            values = [
                array.astype(str).tolist() if array.dtype.kind == "M" else array.tolist() for array in rows
            ]
            lite.executemany(
                f"INSERT INTO photos VALUES ({', '.join('?' * len(columns))})", zip(*values, strict=True)
            )
        lite.commit()
        engines: dict[str, Callable[[str], list[Any]]] = {
            "duckdb": lambda statement: duck.execute(statement).fetchall(),
            "sqlite": lambda statement: lite.execute(statement).fetchall(),
        }
        told: dict[str, Any] = {"versions": {"duckdb": duckdb.__version__, "sqlite": sqlite3.sqlite_version}}
        for name, engine in engines.items():
            told[name] = {each.kind: _asked(engine, each) for each in asked if each.where}
    told["bytes_a_photo"] = {
        name: round((place / file).stat().st_size / (made.model.size * times), 1)
        for name, file in (("duckdb", "duck.db"), ("sqlite", "plain.sqlite"))
        if (place / file).exists()
    }
    return told


def _asked(engine: Callable[[str], list[Any]], each: Question) -> dict[str, float]:
    counted = f"SELECT count(*) FROM photos WHERE {each.where}"
    best = (
        f"SELECT id FROM photos WHERE {each.where} ORDER BY {each.rank} DESC, moment DESC, id "
        f"LIMIT {PAGE_PHOTOS}"
    )
    times, total = [], 0
    for _ in range(5):
        began = time.perf_counter()
        total = engine(counted)[0][0]
        engine(best)
        times.append((time.perf_counter() - began) * 1000)
    return {"p50": round(float(np.median(times)), 2), "total": total}


def _ratios(builds: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    this, other = builds[THIS], builds[OTHER]
    names = (
        "seconds to make all indexes",
        "first answers, seconds in all",
        "after one photo more, seconds in all",
    )
    found = {name: round(this[name] / other[name], 4) for name in names}
    new = "first answers, seconds in all"
    found["in a new process"] = round(this["new process"][new] / other["new process"][new], 4)
    found["bytes_a_photo"] = round(this["bytes_a_photo"]["all"] / other["bytes_a_photo"]["all"], 3)
    return found


def table(results: Mapping[str, Any]) -> list[str]:
    """Milliseconds by question, for people: each build open, and after a photo was added; the others."""
    builds, others = results["builds"], results["others"]
    kinds = list(next(iter(builds.values()))["first"])
    head = ["milliseconds"]
    for build in builds:
        head += [f"{build}: first", "p50", "p95", "one more", "new process"]
    rows = []
    for kind in kinds:
        row = [kind]
        for told in builds.values():
            row += [
                f"{value:.1f}"
                for value in (
                    told["first"][kind], told["open"][kind]["p50"], told["open"][kind]["p95"],
                    told["after one photo more"][kind], told["new process"]["first"][kind],
                )
            ]  # fmt: skip
        row += [str(others.get(name, {}).get(kind, {}).get("p50", "")) for name in ("duckdb", "sqlite")]
        rows.append(tuple(row))
    return record.table((*head, "duckdb", "sqlite"), rows)
