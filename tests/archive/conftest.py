"""An encoder that needs no network: files that start with PHOTO are photos, their other bytes the label map's
seed."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.archive import notes, rating, schema
from dsslic_search.archive.bucket import Patience
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import MapFeatures, features_of
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest.encode import Prepared, Source
from dsslic_search.archive.ingest.report import IngestReport
from dsslic_search.archive.ingest.run import ingest
from dsslic_search.codec import container
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.decoder import Base
from dsslic_search.codec.header import Header
from dsslic_search.codec.layers import label_map, original
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.facts import ALONE, NO_FACTS
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import PhotoError
from dsslic_search.core.settings import Settings
from tests.archive import postgres
from tests.archive.bucket_server import Proxy, make_bucket, running

OPTIONS = EncodeOptions(quality=60, keep="layers")


def label_map_of(original: bytes) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(original).digest()[:4], "little")
    return np.random.default_rng(seed).integers(0, 5, (6, 8)).astype(np.uint8)


@lru_cache(maxsize=500)
def features_of_photo(original: bytes) -> MapFeatures:
    """What follows from the label map of a photo."""
    return features_of(label_map_of(original), vocabulary.default())


def dsslic_of(source: bytes, options: EncodeOptions = OPTIONS) -> bytes:
    """A sound file; in mode exact it holds the original."""
    header = Header(8, 6, False, options.keep, 1, 8, options.quality, 20, 30, "11" * 8, "22" * 8, "33" * 8)
    chunks = [Chunk(label_map.LAYER.kind, 1, label_map_of(source).tobytes())]
    if options.keep == "exact":
        chunks.append(Chunk(original.LAYER.kind, 0, source))
    if options.keep in ("exact", "reference"):
        chunks.append(Chunk(original.HASH.kind, 0, hashlib.sha256(source).digest()))
    return container.pack(header, sorted(chunks, key=lambda c: container.ORDER.index(c.kind)))


def prepare(source: Source, options: Any, settings: Settings, beside: Any = ALONE) -> Prepared:
    original, name = source.data, source.name
    if not original.startswith(b"PHOTO"):
        raise PhotoError(f"{name}: not an image")
    facts = NO_FACTS | {"taken_at": datetime(2023, 6, 1, 12), "camera": "Box Brownie", "latitude": 48.85}
    data = dsslic_of(original, options)
    map_bytes = container.read_contents(data).stage_bytes("map")
    features = features_of_photo(original)
    return Prepared(
        "JPEG", 8, 6, facts, data, map_bytes, options.quality, "11" * 8, "22" * 8, features, {"encode": 1.0}
    )


@dataclass
class World:
    """A folder of photos and an archive, and the ways to fill them."""

    photos: Path
    archive: ArchiveFolder
    prepare: Callable[..., Prepared] = prepare

    def photo(self, name: str, content: str | None = None) -> Path:
        path = self.photos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            b"PHOTO" + (content if content is not None else name).encode("utf-8", "surrogateescape")
        )
        return path

    def ingest(self, *chosen: Path, **more: Any) -> IngestReport:
        more.setdefault("prepare", self.prepare)
        asked = ("quality", "keep", "effort", "tune")
        shape = {name: more.pop(name, getattr(OPTIONS, name)) for name in asked}
        options = EncodeOptions(**shape)
        return ingest(self.archive, chosen or [self.photos], options, settings=Settings(), **more)

    def kept(self) -> list[tuple[str, int, str]]:
        """Keep mode and quality of each photo by id as the catalog tells them, and the keep mode in its
        file."""
        found = []
        with self.archive.open_catalog() as catalog, catalog.session() as session:
            for photo in session.query(schema.Photo).order_by(schema.Photo.id):
                data = self.archive.store.read(photo.content_hash)
                contents = container.read(data)
                assert (photo.stored_bytes, photo.map_bytes) == (len(data), contents.stage_bytes("map"))
                found.append((photo.keep, photo.quality, contents.header.keep))
        return found

    def assert_whole(self, count: int) -> None:
        """As many rows as files, the same ones, each row with its features; nothing half-done left."""
        with self.archive.open_catalog() as catalog, catalog.session() as session:
            rows = session.query(schema.Photo).all()
            hashes = sorted(p.content_hash for p in rows)
            assert len(rows) == count
            assert all(abs(sum(c.fraction for c in p.coverages) - 1) < 1e-9 for p in rows)
        assert hashes == list(self.archive.store.hashes())
        assert not list(self.archive.store.leftovers())


@pytest.fixture
def world(tmp_path: Path) -> World:
    photos = tmp_path / "photos"
    photos.mkdir()
    return World(photos, ArchiveFolder(tmp_path / "archive"))


@pytest.fixture
def three(world: World) -> World:
    for name in "a.jpg", "b.jpg", "c.jpg":
        world.photo(name)
    world.ingest()
    return world


@pytest.fixture
def tagged(three: World) -> World:
    """Three photos, with what people say of them: tags, a saved query, a rating."""
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["best"], np.array([1, 3]))
        notes.save_query(catalog, "mine", "tag:best")
        rating.rate(catalog, 4, np.array([2]))
    return three


@pytest.fixture
def readable_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets label maps of this encoder be read from its files."""

    def read(prefix: bytes) -> Base:
        chunk = container.read_chunk(prefix, container.read_contents(prefix), label_map.LAYER.kind)
        assert chunk is not None
        return Base(np.frombuffer(chunk.data, np.uint8).reshape(6, 8), {}, None)

    monkeypatch.setattr("dsslic_search.codec.decoder.read_base", read)


@pytest.fixture(scope="session")
def photo_row() -> Callable[..., schema.Photo]:
    """Makes a catalog row for a content hash of 64 times one hex digit."""

    def make(digit: str, **more: Any) -> schema.Photo:
        values: dict[str, Any] = {
            "path": f"/photos/{digit}.jpg",
            "file_size": 10,
            "modified_at": datetime(2020, 1, 1),
        }
        values |= {
            "added_at": datetime(2021, 1, 1),
            "format": "JPEG",
            "width": 8,
            "height": 6,
            "keep": "layers",
            "quality": 75,
        }
        values |= {"stored_bytes": 5, "map_bytes": 3, "vocabulary": "v", "segmenter": "s"}
        return schema.Photo(content_hash=digit * 64, **(values | more))

    return make


@pytest.fixture(scope="session")
def features() -> Callable[[int], MapFeatures]:
    """Features of a random label map by seed."""
    return lambda seed: features_of_photo(b"%d" % seed)


@pytest.fixture(scope="session")
def lying_nowhere(
    photo_row: Callable[..., schema.Photo], features: Callable[[int], MapFeatures]
) -> Callable[..., None]:
    """Makes some ids of a catalog photos of which no path is known, instead of what was there."""

    def make(catalog: Catalog, ids: Sequence[int]) -> None:
        catalog.remove(ids)
        for number in ids:
            row = photo_row(f"{number:x}", id=number, path="/nowhere.jpg")
            row.embedding = features(number).embedding
            with catalog.changing() as session:
                session.add(row)

    return make


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Proxy]:
    """One for all tests of a process that need it."""
    pytest.importorskip("moto", reason="the server of the tests of buckets is moto, an extra (dev)")
    with running() as proxy:
        yield proxy


@pytest.fixture
def s3(s3_server: Proxy, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    """The server, as it is found by the environment."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_server.url,
    }.items():
        monkeypatch.setenv(name, value)
    s3_server.forget()
    return s3_server


@pytest.fixture
def bucket(s3: Proxy, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a place in it, of a service that is asked again soon, and not often."""
    monkeypatch.setattr("dsslic_search.archive.bucket.PATIENCE", Patience(20, 3, 0.01, 0.05))
    name = f"photos-{uuid.uuid4().hex}"
    make_bucket(s3, name)
    return f"s3://{name}/of/mine"


@pytest.fixture(scope="session")
def empty_catalog(postgres_server: str) -> str:
    """The URL of a catalog without photos, to be copied."""
    url = postgres.new_database(postgres_server)
    Catalog.open(url, create=True).close()
    return url


@pytest.fixture
def new_catalog_url(postgres_server: str, empty_catalog: str) -> str:
    """The URL of a database that is a catalog without photos."""
    return postgres.new_database(postgres_server, empty_catalog)
