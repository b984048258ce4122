"""Running the server: where it listens, how it is called, and that it stops when it is asked to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.core.errors import DSSError, MissingExtraError, UsageError
from dsslic_search.core.text import printable
from dsslic_search.web.limits import Limits

if TYPE_CHECKING:
    from uvicorn import Server

    from dsslic_search.api import Archive
    from dsslic_search.web.site import Says, Site

PORT = 8765
HOST = "127.0.0.1"
SECONDS_TO_END = 5  # that open connections get
SECONDS_OF_REST = 1.0  # in which nobody asked anything
TOKEN_BYTES = 24  # nobody guesses
SHORTEST_TOKEN = 20
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST_TOKEN},}}")
HEADER_BYTES = 128 * 1024  # of a request: a query or a list of ids may be long


@dataclass(frozen=True)
class Settings:
    """``host``: the address to listen at; ``port``: 0 for any that is free; ``names``: other hosts by which
    the server is called. ``incoming``: where dropped files go, by default beside the archive; ``read_only``:
    nothing is changed; ``watch``: the archive follows its folders meanwhile, which needs the extra ``watch``;
    ``cache``: the folder of pictures, by default the user's. ``token_file``: holds the token that everybody
    is asked for, and is made where it is not there; None: a token for this start, where others are let in."""

    host: str = HOST
    port: int = PORT
    names: Sequence[str] = ()
    incoming: Path | None = None
    read_only: bool = False
    watch: bool = False
    cache: Path | None = None
    token_file: Path | None = None


def require() -> None:
    """MissingExtraError where the packages of the extra are missing."""
    try:
        import fastapi  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as e:
        raise MissingExtraError(
            f'serving needs packages of the extra "web" ({e.name} is missing); install them with: pip '
            'install "dsslic-search[web]"'
        ) from e


def serve(
    archive: Archive,
    settings: Settings,
    limits: Limits,
    *,
    worded: Callable[[str], str] = str,
    ready: Callable[[str], None] = lambda address: None,
    says: Says | None = None,
) -> None:
    """Serve an open archive until KeyboardInterrupt or SIGTERM. ``ready`` is told the address to open, with
    the token where one is needed, once connections are accepted; ``says`` what becomes of photos.

    Raises MissingExtraError, DSSError where the address cannot be listened at, and what the archive raises
    that cannot be asked."""
    prepared(archive, settings, limits, worded=worded, ready=ready, says=says).run()


@dataclass(frozen=True)
class Prepared:
    """A server that listens already. ``address``: to open; ``token``: asked for where it is not None."""

    server: Server
    listening: socket.socket
    address: str
    token: str | None

    def run(self) -> None:
        """Answer until `end`, KeyboardInterrupt or SIGTERM; once."""
        with self.listening:
            self.server.run(sockets=[self.listening])

    def end(self) -> None:
        """Let `run` end, from any thread."""
        self.server.should_exit = True


def prepared(
    archive: Archive,
    settings: Settings,
    limits: Limits,
    *,
    worded: Callable[[str], str] = str,
    ready: Callable[[str], None] = lambda address: None,
    says: Says | None = None,
) -> Prepared:
    """A server of an open archive; see `serve`."""
    require()
    if settings.watch and find_spec("watchfiles") is None:
        raise MissingExtraError(
            "following folders needs the package watchfiles; install it with: pip install "
            '"dsslic-search[watch]"'
        )
    if settings.watch and settings.read_only:
        raise UsageError("a server that changes nothing follows no folders; leave one of the two out")
    import uvicorn

    from dsslic_search.web.app import application
    from dsslic_search.web.arriving import protocol_of
    from dsslic_search.web.guard import is_loopback
    from dsslic_search.web.ingesting import watch
    from dsslic_search.web.pictures import Cache, cache_folder
    from dsslic_search.web.site import SaysNothing, Site
    from dsslic_search.web.wording import in_requests

    archive.classes()  # opens what every question needs, and tells what is wrong before anybody asks
    _ = archive.catalog
    listening = listen(settings.host, settings.port)
    # another name means that somebody else is let in, by a proxy for example
    alone = all(map(is_loopback, (settings.host, *settings.names)))
    if settings.token_file is not None:
        token: str | None = kept_token(settings.token_file)
    else:
        token = None if alone else secrets.token_urlsafe(TOKEN_BYTES)
    address = _address(settings.host, listening.getsockname()[1], token)
    site = Site(
        archive,
        limits,
        Cache(settings.cache or cache_folder(), limits.cache),
        lambda sentence: worded(in_requests(sentence)),
        settings.incoming or incoming_beside(archive.folder.root),
        settings.read_only,
        settings.watch,
        says or SaysNothing(),
    )
    names = (*settings.names, *_names_of(settings.host))
    config = uvicorn.Config(
        application(site, names=names, token=token),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=SECONDS_TO_END,
        h11_max_incomplete_event_size=HEADER_BYTES,
        http=protocol_of(limits.seconds),
    )
    logging.getLogger("uvicorn.error").addFilter(told_of_the_end)  # after uvicorn has set its loggers up

    class Told(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if settings.watch:
                threading.Thread(target=watch, args=(site,), name="watching", daemon=True).start()
            threading.Thread(target=unpack_ahead, args=(site,), name="unpacking", daemon=True).start()
            ready(address)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            site.end()
            await super().shutdown(sockets)

    return Prepared(Told(config), listening, address, token)


def told_of_the_end(record: logging.LogRecord) -> bool:
    """For uvicorn's log: one sentence about all that is cut off at the end, and no traceback of each."""
    if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
        return False
    if record.funcName == "shutdown" and record.levelno >= logging.ERROR:
        record.msg = f"what was not answered {SECONDS_TO_END} seconds after the end was asked for is cut off"
        record.args = None
    return True


def unpack_ahead(site: Site) -> None:
    """Unpack indexes once nobody asks for a moment, or whoever opened the page first would wait for it. What
    is wrong with the archive questions tell themselves."""
    left = SECONDS_OF_REST
    while left > 0:
        if site.ended.wait(left):
            return  # the archive, once closed, would be opened again
        left = SECONDS_OF_REST - site.asking.seconds_of_rest()
    with contextlib.suppress(DSSError):
        site.archive.unpack_ahead()


def _address(host: str, port: int, token: str | None) -> str:
    shown = socket.gethostname() if host in ("0.0.0.0", "::") else host
    name = f"[{shown}]" if ":" in shown else shown
    return f"http://{name}:{port}/" + ("" if token is None else f"?token={token}")


def _names_of(host: str) -> tuple[str, ...]:
    own = socket.gethostname()
    return (host, own, f"{own}.local")


def kept_token(path: Path) -> str:
    """The token in a file, which nobody else may read when it is made here. UsageError for one that is
    none, DSSError for a file that cannot be read or made."""
    try:
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as made:
                made.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
        token = path.read_bytes()[:1000].decode("ascii", "replace").strip()
    except OSError as e:
        raise DSSError(f"{printable(str(path))}: the token cannot be read or made ({e.strerror or e})") from e
    if not _TOKEN.fullmatch(token):
        raise UsageError(
            f"{printable(str(path))}: a token is {SHORTEST_TOKEN} letters, digits, - and _ at least, and "
            "nothing else; delete the file, and one is made"
        )
    return token


def incoming_beside(root: Path) -> Path:
    """The folder for dropped files of the archive at ``root``."""
    absolute = root.absolute()
    return absolute.with_name(f"{absolute.name}-incoming")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. UsageError for a port that cannot be, DSSError where it is taken."""
    if not 0 <= port < 65536:
        raise UsageError(f"port {port}: must be from 0 to 65535")
    try:
        [(family, _, _, _, where), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        # of sockets that do not say TCP, asyncio leaves small parts waiting for 40 ms (Nagle's algorithm)
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as e:
        raise UsageError(f"{host}: no address that can be listened at ({e.strerror or e})") from e
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(where)
        listening.listen(256)
    except OSError as e:
        listening.close()
        raise DSSError(
            f"{host}, port {port}: cannot be listened at ({e.strerror or e}); choose another port, or 0 for "
            "any that is free"
        ) from e
    return listening
