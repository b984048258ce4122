"""What people and other programs write: queries, sketches, class lists, models, metadata, files beside
photos, and the archive's own small files."""

from __future__ import annotations

import atexit
import json
import os
import random
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dsslic_search.core.errors import (
    ArchiveError,
    FormatError,
    PhotoError,
    QueryError,
    UsageError,
    WeightsError,
)
from tests.attacks.codec import picture, refuses, samples
from tests.attacks.mutate import changed_json, json_or_bytes, mutated
from tests.attacks.target import Attack, Target

JSON_WORDS = (
    b'"', b"null", b"true", b"[]", b"{}", b"[[]]", b"-1", b"1e999", b"-0.0", b"NaN", b"Infinity", b"9" * 400,
    b"[" * 3000, b'{"a":' * 3000, b"\\ud800", b"\\u0000", b"\xff", b"\xef\xbb\xbf", b'"shapes":', b"1.5",
)  # fmt: skip
IN_MEMORY = "/dev/shm"
XML_WORDS = (
    b"<", b">", b"/>", b"<rdf:li>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&#x0;", b"&amp;", b"&b;",
    b"<![CDATA[", b"]]>", b"<!--", b"xmlns:x=''", b"<a>" * 400, b"\xff\xfe", b"\x00", b"9" * 100, b"exif:",
    b"='1/0'",
)  # fmt: skip


@cache
def folder() -> Path:
    """A folder of this process's own, in memory where that can be: what is attacked there writes a file for
    each input, and the disk's part in that is no target."""
    made = tempfile.mkdtemp(prefix="attacks-", dir=IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None)
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


def put(name: str, data: bytes) -> Path:
    path = folder() / name
    path.write_bytes(data)
    return path


# Queries


def query_attack() -> Attack:
    from datetime import datetime

    from dsslic_search.core.vocabulary import default
    from dsslic_search.query.ast import whole
    from dsslic_search.query.language.parse import parse
    from dsslic_search.query.plan import plan

    saved = {"beach": "sea and sand", "all": "*", "wrong": "flwer"}
    now = datetime(2024, 5, 15, 12)

    def ask(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape" if len(data) % 2 else "replace")
        try:
            found = parse(text, default(), saved=saved.__getitem__, now=now)
        except QueryError as error:
            assert 0 <= error.position <= len(text)
            raise
        whole(found).encode("utf-8", "surrogatepass")
        plan(found.tree, 100)

    return refuses(ask, QueryError)


@cache
def query_texts() -> list[bytes]:
    """Queries of the corpus that are understood."""
    from dsslic_search.core.vocabulary import default
    from dsslic_search.query.language.parse import parse

    corpus = Path(__file__).parents[1] / "query" / "corpus"
    lines = [
        line.strip()
        for path in sorted(corpus.iterdir())
        if path.is_file()
        for line in path.read_text().splitlines()
    ]
    asked = [line.partition(" => ")[0] for line in lines if line and not line.startswith("#")]
    found = []
    for text in asked:
        with suppress(QueryError):
            parse(text, default())
            found.append(text.encode())
    return found


def made_query(random_: random.Random, sound: Sequence[bytes]) -> bytes:
    """Words of queries joined anew, and strange characters between them; or bytes of one changed."""
    if random_.random() < 0.4:
        return mutated(sound, QUERY_WORDS, random_)[:600]
    words = [random_.choice(sound).split(b" ") for _ in range(3)]
    pieces = [
        random_.choice(QUERY_WORDS) if random_.random() < 0.3 else random_.choice(random_.choice(words))
        for _ in range(random_.randrange(1, 9))
    ]
    return (b" " if random_.random() < 0.8 else b"").join(pieces)


QUERY_WORDS = (
    b"(", b")", b"and", b"or", b"not", b"-", b">", b"30%", b"1e999%", b"taken:", b"near 48.85,2.35 5km",
    b"like #1", b"tag:", b"@beach", b"@wrong", b"\xed\xa0\x80", b"\x00", b"\xe2\x80\xae", b'"', b"*",
    b"9" * 50, b"id:1..2", b"sort:-taken", b"between", b"it", b"each other", b"2020-13-45", b"0000",
    b"99999-01", b"tag:\xed\xb3\xbf", b"like \xed\xb3\xbf", b"path:[", b"near 91,181 5km", b"month:",
    b"limit:", b"count:", b"\xf0\x9f\x90\x95",
)  # fmt: skip


# Sketches, class lists and models


def canvas_attack() -> Attack:
    from dsslic_search.core.vocabulary import default
    from dsslic_search.features.canvas import read_canvas
    from dsslic_search.features.embedding import query

    def paint(data: bytes) -> None:
        canvas = read_canvas(data, "sketch", default())
        assert canvas.known.any()
        assert int(canvas.label_map.max()) < len(default())
        query(canvas.label_map, canvas.known, default())

    return refuses(paint, UsageError)


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 8
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def as_png(chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Chunks under checksums that are right."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def made_png(random_: random.Random, sound: Sequence[bytes]) -> bytes:
    """Chunks changed, left out or doubled, the pixels changed before they are deflated."""
    chunks = png_chunks(random_.choice(sound))
    for _ in range(random_.randrange(1, 3)):
        at = random_.randrange(len(chunks))
        kind, data = chunks[at]
        way = random_.randrange(5)
        if way == 0:
            chunks[at] = kind, mutated([data], (), random_)
        elif way == 1 and kind == b"IDAT":
            with suppress(zlib.error):  # changed before
                chunks[at] = kind, zlib.compress(mutated([zlib.decompress(data)], (), random_), 1)
        elif way == 2 and len(chunks) > 1:
            del chunks[at]
        elif way == 3:
            chunks.insert(
                random_.randrange(len(chunks) + 1), random_.choice(png_chunks(random_.choice(sound)))
            )
        elif chunks and chunks[0][0] == b"IHDR":
            chunks[0] = b"IHDR", mutated([chunks[0][1]], (), random_)[:13].ljust(13, b"\0")
    made = as_png(chunks)
    return mutated([made], (), random_) if random_.random() < 0.1 else made


def sketches() -> list[bytes]:
    import io

    from dsslic_search.core.vocabulary import default

    colours = np.array([c.colour for c in default().classes], np.uint8)
    rows = np.repeat(colours[[1, 3, 17]], 8, 0)
    drawn = np.repeat(rows[:, None], 16, 1)
    palette = Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4) % 5, "P")
    palette.putpalette(default().palette())
    alpha = np.dstack([drawn, np.full(drawn.shape[:2], 255, np.uint8)])
    alpha[:4, :, 3] = 0
    found = []
    for each in (Image.fromarray(drawn), palette, Image.fromarray(alpha)):
        written = io.BytesIO()
        each.save(written, "PNG")
        found.append(written.getvalue())
    return found


SHAPES = (
    b'[{"class": "sky", "box": [0, 0, 1, 0.4]}, {"class": "boat", "ellipse": [0.5, 0.6, 0.2, 0.1]}]',
    b'{"canvas": [4, 3], "background": "sea", "shapes": [{"class": "sky",'
    b' "polygon": [[0, 0], [1, 0], [0, 1]]}]}',
    b'{"shapes": [{"class": "person", "circle": [0.5, 0.5, 0.1]}]}',
)


def vocabulary_attack() -> Attack:
    """The folder of class lists that DSS_VOCABULARIES names, with one file."""
    from dsslic_search.core import dialect, vocabulary

    place = folder() / "vocabularies"
    place.mkdir(exist_ok=True)

    def read(data: bytes) -> None:
        (place / "own.json").write_bytes(data)
        dialect._registered.cache_clear()
        for found in dialect._registered(place).values():
            assert len(found) <= vocabulary.UNKNOWN
            dialect.by_words(found)
            found.palette()
        dialect.by_words.cache_clear()

    return refuses(read, UsageError)


VOCABULARIES = (
    json.dumps(
        {
            "name": "own",
            "classes": [
                {"id": 0, "name": "other", "colour": "#000000"},
                {"id": 1, "name": "strand", "plural": "strands", "colour": "#ff0102", "synonyms": ["beach"]},
                {"id": 2, "name": "hund", "colour": "#00ff00", "presence": 0.01},
            ],
            "groups": [{"name": "things", "classes": ["strand", "hund"], "synonyms": ["stuff"]}],
        }
    ).encode(),
)


def model_attack() -> Attack:
    """A segmenter's folder: its description, or its weights, or a file that says what its labels mean."""
    from dsslic_search.networks.transformer import TransformersSegmenter

    place = folder() / "model"
    place.mkdir(exist_ok=True)

    def look(data: bytes) -> None:
        which, data = data[:1], data[1:]
        (place / "config.json").write_bytes(data if which == b"c" else MODEL)
        (place / "model.safetensors").write_bytes(data if which == b"w" else model_weights())
        classes = put("classes.json", data) if which == b"m" else None
        segmenter = TransformersSegmenter(place, "model", classes=classes, own_classes=which == b"o")
        assert len(segmenter.identity) == 16
        segmenter.dialect.vocabulary.palette()

    return refuses(look, WeightsError, UsageError)


MODEL = json.dumps(
    {"model_type": "segformer", "num_labels": 3, "id2label": {"0": "wall", "1": "sky", "2": "kangaroo"}}
).encode()


def model_weights() -> bytes:
    return safetensors({"decode_head.classifier.weight": (3, 4, 1, 1)})


def safetensors(shapes: dict[str, tuple[int, ...]], metadata: dict[str, str] | None = None) -> bytes:
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    at = 0
    for name, shape in shapes.items():
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(at)


def made_model(random_: random.Random, sound: Sequence[bytes]) -> bytes:
    data = json_or_bytes(JSON_WORDS)(random_, [random_.choice([each for each in sound if each[:1] != b"w"])])
    return data if random_.random() < 0.6 else b"w" + made_weights(random_, [each[1:] for each in sound[2:3]])


def made_weights(random_: random.Random, sound: Sequence[bytes]) -> bytes:
    """Their header changed as JSON, its length told rightly; or any of their bytes."""
    data = random_.choice(sound)
    if random_.random() < 0.2:
        return mutated([data], JSON_WORDS, random_)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    told = header.get("__metadata__", {})
    if "network" in told and random_.random() < 0.5:
        told["network"] = changed_json(told["network"].encode(), random_).decode()
        text = json.dumps(header).encode()
    else:
        text = changed_json(data[8 : 8 + length], random_)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def weights_attack() -> Attack:
    from dsslic_search.networks import runtime

    def load(data: bytes) -> None:
        runtime.load("restorer", put("restorer.safetensors", data))

    return refuses(load, WeightsError)


@cache
def small_weights() -> list[bytes]:
    """Weights of the smallest network of ours, its layers narrow."""
    import torch

    from dsslic_search.networks import weights
    from dsslic_search.networks.restorer import Restorer, RestorerConfig

    config = RestorerConfig(classes=3, width=4, deep=4, blocks=1)
    path = folder() / "small.safetensors"
    with torch.random.fork_rng():  # the same weights in every process
        torch.manual_seed(5)
        weights.save(path, Restorer(config), "restorer", config)
    return [path.read_bytes()]


# Metadata


def metadata_attack() -> Attack:
    """What metadata mean, what is kept of them, and what is left when they are left out: never an error."""
    from dsslic_search.codec.picture import exif, iptc, xmp
    from dsslic_search.codec.picture.facts import facts_of, kept
    from dsslic_search.codec.picture.raster import Embedded
    from dsslic_search.codec.picture.stripping import Strip, stripped

    def read(data: bytes) -> None:
        which, data = data[:1], data[1:]
        embedded = Embedded(
            **{{b"e": "exif", b"x": "xmp", b"i": "iptc"}.get(which, "exif"): data},
        )
        for told in (facts_of(embedded), facts_of(embedded, "IMG_20200102.jpg", strip=Strip.LOCATION)):
            for value in told.values():
                if isinstance(value, str):
                    value.encode()
        stays = kept(embedded, 24, 16)
        assert len(stays.exif) <= 65_533 and len(stays.xmp) <= 65_400 and len(stays.iptc) <= 65_505
        again = kept(stays, 24, 16)
        assert again == kept(again, 24, 16)
        stripped(stays, Strip.LOCATION)
        exif.keywords(exif.read(data))
        iptc.in_photoshop(data)
        xmp.keywords(data)

    return refuses(read, PhotoError)


@cache
def metadata_samples() -> list[bytes]:
    from dsslic_search.codec.picture.open import read_header

    found = []
    for data in samples("metadata", ".jpg", below=1 << 16):
        embedded = read_header(data, "x.jpg", 1 << 24).embedded()
        parts = ((b"e", embedded.exif), (b"x", embedded.xmp), (b"i", embedded.iptc))
        found += [which + part for which, part in parts if part]
    found.append(
        b"x"
        + b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
        xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
        xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
        exif:GPSLatitude="60,23.5N" exif:GPSLongitude="5,20E"><dc:title><rdf:Alt><rdf:li>Feast</rdf:li
        ></rdf:Alt></dc:title><dc:subject><rdf:Bag><rdf:li>sea</rdf:li></rdf:Bag></dc:subject></rdf:Description
        ></rdf:RDF></x:xmpmeta>"""
    )
    found.append(b"i\x1c\x02\x19\x00\x05coast\x1c\x02\x5a\x00\x06Bergen\x1c\x02\x37\x00\x0820200102")
    return found


def beside_attack() -> Attack:
    """Files beside a photo, which are left out with a note where they are damaged."""
    from dsslic_search.archive.ingest.sidecars import Sidecars
    from dsslic_search.codec.picture.facts import facts_of
    from dsslic_search.codec.picture.raster import Embedded

    place = folder() / "photos"
    place.mkdir(exist_ok=True)
    names = {b"j": "IMG.jpg.json", b"x": "IMG.jpg.xmp"}

    def read(data: bytes) -> None:
        name = names.get(data[:1], "IMG.jpg.json")
        for other in names.values():
            (place / other).unlink(missing_ok=True)
        (place / name).write_bytes(data[1:])
        found = Sidecars().of(place / "IMG.jpg")
        for value in facts_of(Embedded(), "IMG.jpg", found.beside).values():
            if isinstance(value, str):
                value.encode()
        if found.notes:
            raise PhotoError(found.notes[0])

    return refuses(read, PhotoError)


SIDECARS = (
    b'j{"title": "IMG.jpg", "description": "a day", "photoTakenTime": {"timestamp": "1591367415"}, '
    b'"geoData": {"latitude": 60.1, "longitude": 5.2}, "people": [{"name": "Ada"}]}',
)

# The archive's own small files


def manifest_attack() -> Attack:
    from dsslic_search.archive.folder import ArchiveFolder

    place = folder() / "archive"
    place.mkdir(exist_ok=True)

    def read(data: bytes) -> None:
        (place / "archive.json").write_bytes(data)
        ArchiveFolder(place).verify()

    return refuses(read, ArchiveError)


def index_attack() -> Attack:
    """A file of an index: what is not as it was written counts as not there."""
    from dsslic_search.index import cache as index
    from dsslic_search.index.blocks import DAMAGED
    from dsslic_search.index.source import Stale

    def read(data: bytes) -> None:
        path = put("rows.index", data)
        DAMAGED.clear()
        index.is_damaged(path)
        found = index.load(path, "rows", "1")
        if found is None:
            raise Stale("not there")
        for name in found:
            found[name].sum()

    return refuses(read, Stale)


@cache
def index_files() -> list[bytes]:
    from dsslic_search.index import cache as index
    from dsslic_search.index.source import State

    path = folder() / "sound.index"
    arrays = {"ids": np.arange(300), "few": np.arange(70_000) % 5, "grid": np.ones((3, 7), np.float32)}
    index.save(path, "rows", "1", arrays, State(3, "abc"))
    return [path.read_bytes()]


def resummed(data: bytes, of: bytes = b"") -> bytes:
    """An index whose header or whose arrays were changed, under checksums that are right."""
    from dsslic_search.index.cache import BLOCK

    random_ = random.Random(data)
    sound = of or index_files()[0]
    start = 16 + int.from_bytes(sound[8:12], "little")
    header, body = sound[16:start], sound[start:]
    if random_.random() < 0.5:
        header = changed_json(header.rstrip(), random_)
    else:
        content = mutated([body[: -4 * -(-len(body) // (BLOCK + 4))]], (), random_)
        sums = b"".join(
            struct.pack("<I", zlib.crc32(content[at : at + BLOCK])) for at in range(0, len(content), BLOCK)
        )
        header = json.dumps(json.loads(header) | {"sums": zlib.crc32(sums)}).encode()
        body = content + sums
    header = header.ljust(start - 16)
    return sound[:8] + struct.pack("<II", len(header), zlib.crc32(header)) + header + body


def scene_attack() -> Attack:
    """The regions of a photo, as a catalog holds them."""
    from dsslic_search.features.scene import read_scenes

    return refuses(lambda data: read_scenes([data, data]), FormatError)


@cache
def scenes() -> list[bytes]:
    from dsslic_search.features.regions import regions
    from dsslic_search.features.scene import packed
    from tests.attacks.codec import labels

    found = regions(np.kron(labels(), np.ones((8, 8), np.uint8)))
    return [found.plain(), *packed([found.plain()])]


def photo_attack() -> Attack:
    """Photos in the formats of others, with their metadata."""
    from dsslic_search.codec.picture.facts import facts_of
    from dsslic_search.codec.picture.open import open_photo

    def see(data: bytes) -> None:
        photo = open_photo(data, "a photo", 1 << 16)
        assert photo.pixels.dtype == np.uint8
        facts_of(photo.embedded)

    return refuses(see, PhotoError)


def photos() -> list[bytes]:
    return [
        data for data in samples("pictures", "", below=5000) if not data.startswith((b"#", b"{", b"Small"))
    ]


def stripping_attack() -> Attack:
    from dsslic_search.codec.picture.stripping import Strip, file_without

    def strip(data: bytes) -> None:
        for way in (Strip.METADATA, Strip.LOCATION):
            file_without(data, way)

    return refuses(strip, PhotoError, UsageError)


def file_samples() -> list[bytes]:
    import io

    found = samples("metadata", ".jpg", below=1 << 16)
    for kind in ("PNG", "WEBP"):
        written = io.BytesIO()
        Image.fromarray(picture()).save(written, kind, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
        found.append(written.getvalue())
    return found


def text_target(name: str, what: str, opened: Callable[[], Attack], sound: Any, **more: Any) -> Target:
    return Target(name, what, opened, sound if callable(sound) else lambda: sound, **more)


TARGETS = (
    text_target("query", "queries", query_attack, query_texts, made=made_query, short=200),
    text_target("sketch-png", "sketches as PNG", canvas_attack, sketches, made=made_png, seconds=4,
                megabytes=512),
    text_target("sketch-json", "sketches as JSON", canvas_attack, SHAPES, made=json_or_bytes(JSON_WORDS)),
    text_target("vocabulary", "class lists", vocabulary_attack, VOCABULARIES,
                made=json_or_bytes(JSON_WORDS)),
    text_target("segmenter", "folders of segmenters", model_attack,
                lambda: [b"c" + MODEL, b"o" + MODEL, b"w" + model_weights(), b'm{"kangaroo": "horse"}'],
                made=made_model, short=150),
    text_target("weights", "weights of our networks", weights_attack, small_weights, made=made_weights,
                short=100),
    text_target("metadata", "EXIF, XMP and IPTC", metadata_attack, metadata_samples, words=XML_WORDS,
                short=200),
    text_target("sidecar", "files beside photos", beside_attack,
                lambda: [*SIDECARS, *(data for data in metadata_samples() if data[:1] == b"x")],
                made=json_or_bytes((*JSON_WORDS, *XML_WORDS))),
    text_target("archive-json", "what says that a folder is an archive", manifest_attack,
                (b'{"format": "dsslic-search archive", "version": 1}\n',), made=json_or_bytes(JSON_WORDS)),
    text_target("index", "files of indexes", index_attack, index_files, mend=resummed),
    text_target("scene", "regions in a catalog", scene_attack, scenes),
    text_target("photo", "photos in others' formats", photo_attack, photos, seconds=4,
                megabytes=256, short=150),
    text_target("stripping", "files that metadata are left out of", stripping_attack, file_samples,
                words=XML_WORDS),
)  # fmt: skip
