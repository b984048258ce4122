"""Requests to the server, as ASGI has them, through all that stands before its endpoints."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.attacks.codec import photo
from tests.attacks.mutate import changed_json, mutated
from tests.attacks.target import Attack, Target, keep_open
from tests.attacks.texts import JSON_WORDS, folder, sketches

HOST = b"127.0.0.1:8765"
END = b"\r\n\r\n"

LINES = (
    b"GET /api/archive", b"GET /api/query?q=sky&limit=5&start=0", b"GET /api/query?q=like+%231&mirrored=true",
    b"GET /api/read?q=more+sky+than+sea", b"GET /api/complete?q=sk&at=2", b"GET /api/facets?q=*",
    b"GET /api/tags", b"GET /api/photos/1", b"GET /api/photos/1/stages/map?size=64",
    b"GET /api/photos/1/file?v=1",
    b"GET /api/photos/2/original", b"GET /api/query?maps=true", b"GET /api/saved", b"GET /api/bin",
    b"GET /api/duplicates", b"GET /static/app.js", b"GET /", b"GET /api/openapi.json", b"HEAD /",
    b"GET /api/export?ids=1,2&format=csv", b"GET /api/export?q=sky&format=zip",
)  # fmt: skip
BODIES = (
    (b"POST /api/tags", b'{"ids": [1], "add": ["a"], "remove": []}'),
    (b"PUT /api/photos/1/rating", b'{"rating": 3}'),
    (b"POST /api/ratings", b'{"ids": [1, 2], "rating": 0.5}'),
    (b"PUT /api/saved/beach", b'{"query": "sea", "replace": true}'),
    (b"POST /api/bin", b'{"ids": [2]}'),
    (b"POST /api/bin/restore", b'{"ids": [2]}'),
    (b"POST /api/sketch", b'[{"class": "sky", "box": [0, 0, 1, 0.4]}]'),
)
WORDS = (
    b"%00", b"%ff", b"%ed%a0%80", b"../", b"%2e%2e%2f", b"?", b"&", b"=", b"q=", b"like+", b"tag:", b"\\",
    b"\xff", b"9" * 30, b"-1", b"content-length: 5\r\n", b"content-length: -1\r\n", b"origin: http://a\r\n",
    b"range: bytes=0-", b"content-type: text/html\r\n", b"cookie: a=\r\n", b"%F0%9F",
    b"content-type: multipart/form-data; boundary=\r\n",
)  # fmt: skip


def request(line: bytes, body: bytes = b"", kind: bytes = b"application/json", more: bytes = b"") -> bytes:
    headers = b"\r\nhost: " + HOST + b"\r\n" + more
    if body:
        headers += b"content-type: " + kind + b"\r\ncontent-length: %d\r\n" % len(body)
    return line + headers.rstrip(b"\r\n") + END + body


def requests() -> list[bytes]:
    paths = [request(line) for line in LINES]
    paths += [request(line, body) for line, body in BODIES]
    paths.append(request(b"POST /api/sketch", sketches()[0], b"image/png"))
    form = (
        b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n'
        + photo()
        + b"\r\n--x--"
    )
    paths.append(request(b"POST /api/similar", form, b"multipart/form-data; boundary=x"))
    paths.append(request(b"GET /api/photos/1/file", more=b"range: bytes=0-99\r\nif-none-match: *\r\n"))
    return paths


def made_request(random_: random.Random, sound: Sequence[bytes]) -> bytes:
    """Its bytes changed, or the JSON in it."""
    data = random_.choice(sound)
    head, _, body = data.partition(END)
    if body[:1] in (b"{", b"[") and random_.random() < 0.6:
        return request(head.partition(b"\r\n")[0], changed_json(body, random_))
    return mutated([data], (*WORDS, *JSON_WORDS), random_)


@cache
def archive_folder() -> Path:
    """An archive of two photos, with a tag and a saved query."""
    from dsslic_search import Archive

    photos = folder() / "served-photos"
    photos.mkdir()
    for grey in (False, True):
        (photos / f"{grey}.jpg").write_bytes(photo(grey))
    with Archive(folder() / "served") as archive:
        archive.ingest([photos], keep="exact", effort=1)
        archive.tag(["a"], [1])
    return folder() / "served"


def attack() -> Attack:
    from dsslic_search import Archive
    from dsslic_search.core.settings import Settings
    from dsslic_search.networks import runtime
    from dsslic_search.web.app import application
    from dsslic_search.web.limits import Limits
    from dsslic_search.web.pictures import Cache
    from dsslic_search.web.site import Site
    from tests import once

    if not once.KEPT:  # a request that leaves the photo in it alone asks the networks nothing new
        runtime.segment, runtime.image_words = map(once.remembered, (once.SEGMENT, once.IMAGE_WORDS))
    archive = Archive(archive_folder(), Settings(outside=False))
    limits = Limits(rate=10**9)
    site = Site(archive, limits, Cache(folder() / "pictures", 1 << 20), incoming=folder() / "incoming")
    app = application(site)
    loop = asyncio.new_event_loop()
    keep_open(archive.close, site.close, loop.close)

    def ask(data: bytes) -> bool:
        scope, body = scope_of(data)
        if scope is None:
            return False
        status, answered = loop.run_until_complete(asked(app, scope, body))
        assert status < 500, (status, answered[:300])
        if status >= 400 and scope["method"] != "HEAD":
            told = json.loads(answered)
            assert isinstance(told["error"]["sentence"], str) and told["error"]["sentence"]
            assert " object at 0x" not in told["error"]["sentence"]
        return status < 400

    return ask


def scope_of(data: bytes) -> tuple[dict[str, Any] | None, bytes]:
    """A request as a server of HTTP hands it on; None for what it would refuse by itself."""
    from urllib.parse import unquote

    head, _, body = data.partition(END)
    line, *told = head.split(b"\r\n")
    method, _, target = line.partition(b" ")
    if (
        not method.isalpha()
        or not target.startswith(b"/")
        or any(byte <= 32 or byte > 126 for byte in target)
    ):
        return None, b""
    headers = [
        (name.strip().lower(), value.strip()) for name, _, value in (each.partition(b":") for each in told)
    ]
    path, _, query = target.partition(b"?")
    if path.endswith(b"/events"):
        return None, b""  # goes on for as long as somebody listens
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method.decode().upper(),
        "scheme": "http",
        "path": unquote(path.decode("ascii")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8765),
    }, body


async def asked(app: Any, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
    """The status and the body of an answer; who asks stays until it is whole."""
    sent = [{"type": "http.request", "body": body, "more_body": False}]
    status, answered, is_whole = 0, bytearray(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        if sent:
            return sent.pop()
        await is_whole.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            for name, value in message["headers"]:
                assert isinstance(name, bytes) and isinstance(value, bytes)
                assert b"\r" not in value and b"\n" not in value
        elif message["type"] == "http.response.body":
            answered.extend(message.get("body", b""))
            if not message.get("more_body", False):
                is_whole.set()

    await app(scope, receive, send)
    return status, bytes(answered)


TARGETS = (
    Target("http", "requests to the server", attack, requests, made=made_request, seconds=2, short=120),
)
