"""The server under many users at once on loopback: how long queries, readings and tiles from the cache
take, what memory the server takes, and how long it is from its start to the first page.

The archive has a real catalog of photos made from the statistics of real label maps (`bench.scale`); the
object files of all are a few real ones under many names, with label maps that are moved aside a little. Each
user takes turns: a query with the label maps of its photos, how it is read, then tiles of the first photos,
and a pause, so that a turn takes as long as is told. Tiles are asked for from the cache: each was made once
before anything is measured.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np

from dsslic_search.api import Archive, encode
from dsslic_search.bench.photos import photos_in
from dsslic_search.bench.processes import THIS, builds_beside, environment
from dsslic_search.bench.scale import MODELS, fill, questions
from dsslic_search.bench.speed import described
from dsslic_search.bench.synthetic import Synthetic
from dsslic_search.codec import container
from dsslic_search.codec.decoder import read_label_map
from dsslic_search.codec.layers import label_map
from dsslic_search.core.errors import DSSError, UsageError

TILES = 12
"""That a user looks at in a turn."""
SHOWN = 60
"""Photos on a page of an answer."""
TILE = {"format": "webp", "size": 320}
OBJECTS = 24
"""Real files, at most, that stand for all."""
MOVED = 24
"""Label maps that are made of each of theirs: compression finds one that stands twice in an answer."""
SECONDS_TO_START = 300


def run(
    maps: Sequence[Path], images: Path, photos: int, users: int, seconds: float, turn: float
) -> dict[str, Any]:
    """``photos`` of an archive made from ``maps``, folders of label maps; ``images``: real photos. ``users``
    take turns of ``turn`` seconds for ``seconds``. UsageError where there are no maps or photos."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "archive"
        asked = filled(root, maps, images, photos)
        cold = _first_page(root)
        with serving(root) as (process, address):
            loaded = asyncio.run(_load(address, asked, users, seconds, turn))
            memory = _memory(process.pid)
    return {
        "photos": min(photos, MODELS),
        "users": users,
        "seconds": seconds,
        "turn_seconds": turn,
        "seconds_from_start_to_first_page": round(cold, 2),
        "peak_memory_bytes": memory,
        "milliseconds": loaded,
    }


def filled(root: Path, maps: Sequence[Path], images: Path, photos: int) -> list[str]:
    """Make an archive of ``photos``, with its indexes; the queries that are asked of it. UsageError where
    there are no maps or photos."""
    files = photos_in(images.absolute())[:OBJECTS]
    if not files:
        raise UsageError(f"{images}: no photos there")
    made = Synthetic(described(maps), min(photos, MODELS))
    fill(root, made)
    real = [encode(path) for path in files]
    link_objects(root, [_moved(data, by) for by in range(MOVED) for data in real], made.model.size)
    asked = [each.text for each in questions(made) if "like" not in each.text]
    with Archive(root) as archive:
        for text in asked:  # makes the indexes
            archive.find(text, limit=1)
            archive.facets(text)
    return asked


def _moved(data: bytes, by: int) -> bytes:
    """A photo's file with its label map moved to the left by so many labels."""
    labels = read_label_map(data)
    moved = np.pad(labels, ((0, 0), (0, by)), mode="edge")[:, by:]
    return container.with_chunk(data, label_map.encode(np.ascontiguousarray(moved)))


def link_objects(root: Path, objects: Sequence[bytes], photos: int) -> None:
    """Give each photo of an archive one of some files."""
    kept = root / "objects-of-all"
    kept.mkdir()
    own = []
    for number, data in enumerate(objects):
        own.append(kept / str(number))
        own[-1].write_bytes(data)
    for photo_id in range(1, photos + 1):
        content_hash = f"{photo_id:064x}"
        place = root / "objects" / content_hash[:2] / f"{content_hash}.dsslic"
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = own[photo_id % len(own)]
        place.hardlink_to(copy)
        if copy.stat().st_nlink > 30_000:  # file systems bound the names of a file
            own[photo_id % len(own)] = copy.with_name(f"{copy.name}-{photo_id}")
            own[photo_id % len(own)].write_bytes(copy.read_bytes())


@contextmanager
def serving(root: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server of its own process, and its address."""
    words = ["serve", "--archive", str(root), "--port", "0", "--no-browser", "--cache", str(root / "cache")]
    told = {**environment(builds_beside(None)[THIS]), "DSS_SERVE_RATE": "1000000"}
    process = subprocess.Popen(
        [sys.executable, "-m", "dsslic_search.cli.program", *words],
        env=told,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().decode().strip()
        if not address:
            raise DSSError(f"the server ended with {process.wait(SECONDS_TO_START)} before it answered")
        yield process, address
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout is not None:
            process.stdout.close()


def _first_page(root: Path) -> float:
    """Seconds from the start of a server until page, archive and first photos are there."""
    began = time.perf_counter()
    with serving(root) as (_, address):

        async def page() -> None:
            async with Client(address) as client:
                for path in ("/", "/api/archive", f"/api/query?limit={SHOWN}"):
                    await client.get(path)

        asyncio.run(page())
        return time.perf_counter() - began


def _memory(pid: int) -> int | None:
    """The most bytes of memory that a process had, where the system tells it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), None)


class Client:
    """One connection that asks one thing after the other, with as little of its own as can be."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "", parts.port or 80

    async def __aenter__(self) -> Client:
        self._in, self._out = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._out.close()

    async def get(self, path: str) -> tuple[bytes, float]:
        """The body of a path's answer, and the milliseconds until it was there. DSSError for any status but
        200."""
        began = time.perf_counter()
        self._out.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n\r\n".encode())
        head = await self._in.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-len")
        )
        body = await self._in.readexactly(length)
        spent = (time.perf_counter() - began) * 1000
        if not head.startswith(b"HTTP/1.1 200"):
            raise DSSError(f"{path}: {head[9:12].decode()} {body[:200].decode(errors='replace')}")
        return body, spent


async def _load(
    address: str, asked: Sequence[str], users: int, seconds: float, turn: float
) -> dict[str, dict[str, float]]:
    """Milliseconds of each kind of request: median, p95, most, and how many there were."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    tiles: dict[str, list[str]] = {}
    async with Client(address) as first:
        for text in asked:  # each tile is made once, and each question opens what it needs
            await first.get(_query(text))
            tiles[text] = await _tiles(first, text)
            for tile in tiles[text]:
                await first.get(tile)
    ends = time.perf_counter() + seconds

    async def user(number: int) -> None:
        rng = np.random.default_rng(number)
        await asyncio.sleep(float(rng.random()) * turn)
        async with Client(address) as client:
            while (began := time.perf_counter()) < ends:
                text = asked[int(rng.integers(len(asked)))]
                taken["query"].append((await client.get(_query(text)))[1])
                taken["reading"].append((await client.get(f"/api/read?{urlencode({'q': text})}"))[1])
                for tile in tiles[text]:
                    taken["tile from the cache"].append((await client.get(tile))[1])
                await asyncio.sleep(max(0.0, began + turn - time.perf_counter()))

    await asyncio.gather(*map(user, range(users)))
    return {
        kind: {
            "median": round(float(np.median(spent)), 2),
            "p95": round(float(np.percentile(spent, 95)), 2),
            "most": round(max(spent), 2),
            "requests": len(spent),
        }
        for kind, spent in taken.items()
    }


def _query(text: str) -> str:
    return f"/api/query?{urlencode({'q': text, 'maps': 'true', 'limit': SHOWN})}"


async def _tiles(client: Client, text: str) -> list[str]:
    """The addresses of the tiles of a query's first photos."""
    objects = json.loads((await client.get(_query(text)))[0])["objects"][:TILES]
    return [
        f"/api/photos/{each['id']}/stages/compact?{urlencode({**TILE, 'v': each['version']})}"
        for each in objects
    ]


def table(results: dict[str, Any]) -> Iterator[str]:
    """Lines for people."""
    yield (
        f"{results['photos']} photos, {results['users']} users; first page "
        f"{results['seconds_from_start_to_first_page']:.2f} s after the start"
    )
    if results["peak_memory_bytes"] is not None:
        yield f"memory at most {results['peak_memory_bytes'] / 1e6:.0f} MB"
    yield f"{'ms':24}{'median':>10}{'p95':>10}{'most':>10}{'requests':>10}"
    for kind, row in results["milliseconds"].items():
        figures = f"{row['median']:>10.1f}{row['p95']:>10.1f}{row['most']:>10.1f}{row['requests']:>10}"
        yield f"{kind:24}{figures}"
