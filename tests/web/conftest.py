"""A real server on a port of its own, of an archive of real photos, and a client that asks it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser

from dsslic_search import Archive
from dsslic_search.core.settings import Settings as Library
from dsslic_search.web.limits import Limits
from dsslic_search.web.server import Settings, prepared
from dsslic_search.web.site import Says
from tests import once
from tests.web import chromium
from tests.web.chromium import Watched

SAMPLES = Path(__file__).parents[2] / "samples"
HOSTILE = 'x"><img src=x onerror=alert(1)>\n\x1b[31m\udcff.jpg'
"""Of a file: markup, control characters, and a byte that is not UTF-8."""


@dataclass
class Served:
    """``client`` asks at the server's own address; ``root``: of the archive; ``incoming``: for dropped
    files."""

    client: httpx.Client
    address: str
    token: str | None
    root: Path
    incoming: Path

    @property
    def base(self) -> str:
        """The address without a token."""
        return self.address.partition("?")[0].rstrip("/")

    def get(self, path: str, status: int = 200, **named: Any) -> Any:
        """What a path gives as JSON."""
        answer = self.client.get(path, **named)
        assert answer.status_code == status, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: Any, status: int = 200) -> Any:
        """What a request with a JSON body gives as JSON; None for nothing."""
        answer = self.client.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@contextmanager
def serving(
    root: Path, limits: Limits | None = None, says: Says | None = None, **settings: Any
) -> Iterator[Served]:
    """A server of the archive at ``root`` in a thread; ended with the block."""
    started = threading.Event()
    kept = root.parent / f"{root.name}-cache"
    chosen = Settings(port=0, cache=kept, **{"incoming": root.parent / "incoming", **settings})
    with Archive(root, Library(outside=False)) as archive:
        server = prepared(
            archive, chosen, limits or Limits(), ready=lambda _address: started.set(), says=says
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            assert started.wait(60)
            base = server.address.partition("?")[0]
            with httpx.Client(base_url=base, timeout=60, trust_env=False) as client:
                assert chosen.incoming is not None
                yield Served(client, server.address, server.token, root, chosen.incoming)
        finally:
            server.end()
            thread.join(60)
            assert not thread.is_alive()


@pytest.fixture(scope="session")
def photos() -> Path:
    """Every sample photo, 240 pixels long, one of them under a hostile name."""

    def write(folder: Path) -> None:
        for i, path in enumerate(sorted(SAMPLES.glob("*.jpg"))):
            picture = Image.open(path)
            picture.thumbnail((240, 240))
            picture.save(folder / (HOSTILE if i == 0 else path.name), "JPEG", quality=92)

    return once.filled("photos", write)


@pytest.fixture(scope="session")
def archive(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kept exactly, so that originals are there."""

    def ingest(folder: Path) -> None:
        with Archive(folder / "archive") as opened:
            opened.ingest([photos], keep="exact")

    place = tmp_path_factory.mktemp("served")
    shutil.copytree(once.filled("kept exactly", ingest), place, dirs_exist_ok=True)
    return place / "archive"


@pytest.fixture(scope="module")
def served(archive: Path) -> Iterator[Served]:
    """A server of an archive that no test changes."""
    with serving(archive, read_only=True) as server:
        yield server


@pytest.fixture
def changed(archive: Path, tmp_path: Path) -> Iterator[Served]:
    """A server of an archive of the test's own."""
    own = tmp_path / "archive"
    shutil.copytree(archive, own)
    with serving(own) as server:
        yield server


@pytest.fixture
def serve(archive: Path, tmp_path: Path) -> Callable[..., Any]:
    """Serves a copy of the archive under some limits or settings, in a ``with``."""

    def made(limits: Limits | None = None, **settings: Any) -> Any:
        own = tmp_path / "archive"
        if not own.exists():
            shutil.copytree(archive, own)
        return serving(own, limits, **settings)

    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.started() as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser, site: str) -> Iterator[Watched]:
    """Opens pages at ``site``, the address of a module's own server; nothing may go wrong on them."""
    watched = Watched(browser, site)
    yield watched
    for context in watched.contexts:
        context.close()
    assert watched.wrong == []
