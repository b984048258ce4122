"""What an archive keeps beside its photos: its journals, and the manifest of its indexes."""

from __future__ import annotations

import json
import random
import sqlite3
import zlib
from functools import cache

import numpy as np

from dsslic_search.core.errors import ArchiveError
from tests.attacks.codec import refuses
from tests.attacks.mutate import changed_json
from tests.attacks.target import Attack, Target, keep_open
from tests.attacks.texts import folder, resummed


def journal_attack() -> Attack:
    """A journal, read as when a lost catalog is made anew: beside a sound one of another name, of its own
    name, or alone. Taken: nothing of it is unread."""
    from dsslic_search.archive import replaying
    from dsslic_search.archive.catalog import Catalog
    from dsslic_search.archive.database import make_engine, url_of
    from dsslic_search.archive.journals import Journals

    root = folder() / "archive"
    (root / "objects").mkdir(parents=True)
    Catalog.open(root / "catalog.sqlite", create=True).close()
    catalog = Catalog(make_engine(url_of(root / "catalog.sqlite"), foreign_keys=False))
    journals = Journals.of(root / "journal.jsonl")
    beside = sqlite3.connect(root / "catalog.sqlite", isolation_level=None)

    def read(data: bytes) -> None:
        for path in root.rglob("journal*.jsonl"):
            path.unlink()
        journals.first.path.write_bytes(data)
        if len(data) % 2:
            journals.second.path.write_bytes(sound_journals()[0])
        journals.join()
        beside.execute("DELETE FROM setting WHERE name = ?", (replaying.REBUILD_SETTING,))
        replayed = replaying.replay(catalog, journals.first, None)
        if replayed.place is None:
            raise ArchiveError("lines are damaged or missing")
        journals.first.stand(replayed.place)

    keep_open(catalog.close, beside.close)
    return refuses(read, ArchiveError)


@cache
def sound_journals() -> list[bytes]:
    digest = "ab" * 32
    row = {
        "id": 1, "path": "/p/a.jpg", "file_size": 10, "modified_at": "2024-01-01T00:00:00", "keep": "layers",
        "added_at": "2024-01-01T00:00:00", "format": "JPEG", "width": 8, "height": 6, "quality": 60,
        "stored_bytes": 100, "map_bytes": 50, "vocabulary": "11" * 8, "segmenter": "22" * 8, "rating": 4,
        "state": "here",
    }  # fmt: skip
    lines: list[dict[str, object]] = [
        {"format": "dsslic-search journal", "version": 1, "journal": "5d0c8a6e21f7b349"},
        {"set": [["setting", "folders", '["/p"]'], ["photo", digest, row]]},
        {"whole": True},
        {
            "set": [
                ["tags", digest, ["best", "zoo"]],
                ["saved", "mine", "sky > 0.2"],
                ["seen", "1-3,5", "2024-01-02T00:00:00"],
            ]
        },
        {"set": [["purged", "cd" * 32, "2024-01-01T00:00:00"], ["tags", digest, []]]},
    ]
    head, known, whole, *others = lines
    wholes = [lines, [head, known, whole], *([head, whole, line] for line in others)]
    return [b"".join(summed({"n": n, **line}) for n, line in enumerate(chosen)) for chosen in wholes]


def summed(content: object) -> bytes:
    text = json.dumps(content, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def lines_changed(data: bytes) -> bytes:
    """A journal of which lines say something else, under checksums that are right."""
    random_ = random.Random(data)
    lines = random_.choice(sound_journals()).splitlines()
    for number in random_.sample(range(len(lines)), random_.randint(1, min(3, len(lines)))):
        text = changed_json(lines[number][9:], random_)
        lines[number] = b"%08x %s" % (zlib.crc32(text), text)
    return b"".join(line + b"\n" for line in lines)


def segments_attack() -> Attack:
    """The manifest of segments: one that cannot be is as none."""
    from dsslic_search.core.vocabulary import default
    from dsslic_search.index import cache as index
    from dsslic_search.index import segments
    from dsslic_search.index.blocks import DAMAGED
    from dsslic_search.index.segment import FORMAT, ROWS
    from dsslic_search.index.source import Stale, State

    place, vocabulary = folder() / "segments", default()
    place.mkdir()
    ids = np.arange(5)
    index.save(
        place / f"{SEGMENT}.{ROWS}",
        ROWS,
        FORMAT,
        {"ids": ids, "moments": ids, "by_id": ids.astype(np.uint32)},
        State(3, "abc"),
    )

    def read(data: bytes) -> None:
        (place / segments.MANIFEST).write_bytes(data)
        DAMAGED.clear()
        if segments._read(None, place, vocabulary) is None:  # type: ignore[arg-type]  # it is not asked
            raise Stale("not there")

    return refuses(read, Stale)


SEGMENT = "0123456789abcdef"


@cache
def manifests() -> list[bytes]:
    from dsslic_search.index import cache as index
    from dsslic_search.index import segments
    from dsslic_search.index.segment import FORMAT
    from dsslic_search.index.source import State

    path = folder() / "sound.manifest"
    listed = np.frombuffer(json.dumps([[SEGMENT, [[3, "abc"]]]]).encode(), np.uint8)
    arrays = {"listed": listed, "gone 0": np.array([1, 3], np.uint32)}
    index.save(path, segments.KIND, FORMAT, arrays, State(3, "abc"))
    return [path.read_bytes()]


def manifest_resummed(data: bytes) -> bytes:
    return resummed(data, manifests()[0])


TARGETS = (
    Target("journal", "journals", journal_attack, sound_journals, mend=lines_changed),
    Target("manifest", "the list of segments", segments_attack, manifests, mend=manifest_resummed),
)
