"""The parts of the server by themselves: the folder of pictures, rates, limits, threads."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message

from dsslic_search.api import Archive, Canvas, Resembled
from dsslic_search.core.errors import UsageError
from dsslic_search.features.embedding import DIMENSION
from dsslic_search.features.image_words import ImageWords
from dsslic_search.web.guard import (
    BURST_SECONDS,
    CLIENTS_REMEMBERED,
    SLOWEST,
    Bounded,
    Rate,
    is_loopback,
)
from dsslic_search.web.limits import Limits, limits_of
from dsslic_search.web.photos import range_of
from dsslic_search.web.pictures import Cache
from dsslic_search.web.refusals import Refusal
from dsslic_search.web.server import listen, unpack_ahead
from dsslic_search.web.site import Site
from dsslic_search.web.tokens import TOKENS_KEPT, Likenesses, Tokens
from dsslic_search.web.work import Pool, while_awaited


def test_pictures_are_kept_within_the_limit(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "made", 10_000)
    for number in range(100):
        cache.put(f"{number:03d}-x.png", bytes([number]) * 400)
        assert sum(path.stat().st_size for path in (tmp_path / "made").glob("*/*")) <= 10_000
    assert cache.get("099-x.png") == bytes([99]) * 400
    assert cache.get("000-x.png") is None
    cache.put("large.png", bytes(10_001))
    assert cache.get("large.png") is None
    again = Cache(tmp_path / "made", 10_000)
    assert again.get("099-x.png") is not None


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "folder", 1000)
    cache.put("a-b.png", b"x")
    assert cache.get("a-b.png") is None
    for name in ("../a", "a/b", "", ".hidden", "x" * 300):
        with pytest.raises(ValueError):
            cache.get(name)


def test_a_client_has_its_rate_and_no_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("dsslic_search.web.guard.time.monotonic", lambda: now[0])
    rate = Rate(2)
    assert [rate.wait("a") for _ in range(2 * BURST_SECONDS)] == [0] * 2 * BURST_SECONDS
    assert 0 < rate.wait("a") <= 0.5
    assert rate.wait("b") == 0
    now[0] += 0.5
    assert rate.wait("a") == 0
    assert rate.wait("a") > 0
    for number in range(2 * CLIENTS_REMEMBERED):
        rate.wait(str(number))
    assert len(rate._left) == CLIENTS_REMEMBERED


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSS_SERVE_ROWS", "7")
    assert limits_of() == Limits(rows=7)
    assert limits_of(rows=8, body=9) == Limits(rows=8, body=9)
    for wrong in ("", "x", "-1", "0", "1.5", "٣"):
        monkeypatch.setenv("DSS_SERVE_ROWS", wrong)
        with pytest.raises(UsageError):
            limits_of()


def test_a_large_body_has_the_time_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        now = [0.0]
        parts = [bytes(SLOWEST * 10)] * 3

        async def receive() -> Message:
            now[0] += 9  # slower than ten seconds for all, faster than the slowest
            return {"type": "http.request", "body": parts.pop(), "more_body": bool(parts)}

        bounded = Bounded(receive, SLOWEST * 100, 10)
        with monkeypatch.context() as patched:  # the loop has the same clock
            patched.setattr("dsslic_search.web.guard.time.monotonic", lambda: now[0])
            read = [len((await bounded())["body"]) for _ in range(3)]
        assert sum(read) == SLOWEST * 30
        assert not parts

        async def never() -> Message:
            await asyncio.sleep(30)
            raise AssertionError

        with pytest.raises(HTTPException) as late:
            await Bounded(never, 10, 0.01)()
        assert late.value.status_code == 408
        small = Bounded(receive, 5, 10)
        parts.append(b"123456")
        with pytest.raises(HTTPException) as large:
            await small()
        assert large.value.status_code == 413

    asyncio.run(play())


def test_loopback_is_told_from_other_addresses() -> None:
    for own in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST."):
        assert is_loopback(own)
    for other in ("0.0.0.0", "::", "192.168.1.2", "example.org", "127.0.0.1.example.org", "localhost.evil"):
        assert not is_loopback(other)


def test_few_work_at_once_and_few_wait() -> None:
    async def play() -> None:
        pool, go = Pool("test", 1, 1, 30), threading.Event()
        first = asyncio.create_task(pool.run(go.wait, 30))
        second = asyncio.create_task(pool.run(lambda: 2))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="too much to do") as refused:
            await pool.run(lambda: 3)
        assert refused.value.status == 503
        go.set()
        assert (await first, await second) == (True, 2)
        assert await pool.run(lambda: 3) == 3
        with pytest.raises(KeyError):
            await pool.run(lambda: {}["no"])
        pool.close()
        hurried = Pool("test", 1, 1, 0.01)
        stop = threading.Event()
        with pytest.raises(Refusal, match="took longer"):
            await hurried.run(stop.wait, 30)
        stop.set()
        hurried.close()

    asyncio.run(play())


def test_what_nobody_waits_for_is_not_begun() -> None:
    async def play() -> None:
        pool, go, begun = Pool("test", 1, 5, 30), threading.Event(), threading.Event()
        leaves = asyncio.Event()

        async def receive() -> Message:
            await leaves.wait()
            return {"type": "http.disconnect"}

        running = asyncio.create_task(pool.run(go.wait, 30))
        left = asyncio.create_task(while_awaited(receive, pool.run(begun.set)))
        waiting = asyncio.create_task(pool.run(lambda: 3))
        await asyncio.sleep(0)
        leaves.set()
        with pytest.raises(Refusal, match="nobody waits"):
            await left
        go.set()
        assert (await running, await waiting) == (True, 3)
        assert not begun.is_set()
        leaves.clear()
        assert await while_awaited(receive, pool.run(lambda: 4)) == 4
        with pytest.raises(KeyError):
            await while_awaited(receive, pool.run(lambda: {}["no"]))
        pool.close()

    asyncio.run(play())


def test_the_tokens_used_last_are_kept() -> None:
    tokens: Tokens[int] = Tokens("the sketch")
    first = tokens.give(0)
    for number in range(TOKENS_KEPT - 1):
        tokens.give(number)
    assert tokens.of(first) == 0
    tokens.give(5)
    assert tokens.of(first) == 0
    for number in range(TOKENS_KEPT):
        tokens.give(number)
    with pytest.raises(Refusal, match="not kept any more"):
        tokens.of(first)


def test_what_tokens_stand_for_outlives_the_server(tmp_path: Path) -> None:
    def likenesses(vocabulary: str = "ours") -> Likenesses:
        return Likenesses(Cache(tmp_path / "kept", 1_000_000), vocabulary)

    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    canvas = Canvas(labels, labels > 5)
    words = ImageWords("0123456789abcdef", (1, -2, 3) * 16, ((5, 90), (2, 4)))
    layouts = np.random.default_rng(1).random((1, DIMENSION), np.float32)
    before = likenesses()
    sketch, photo = before.sketches.give(canvas, "0" * 36), before.photos.give(Resembled(layouts, words))
    bare = before.photos.give(Resembled(layouts))
    again = likenesses()
    found = again.sketches.of(sketch)
    assert np.array_equal(found.label_map, labels) and np.array_equal(found.known, labels > 5)
    assert again.sketches.of(sketch) is found
    assert again.photos.of(photo).image == words
    assert np.array_equal(again.photos.of(photo).embeddings, layouts)
    assert again.photos.of(bare).image is None
    for asked in (lambda: again.photos.of(sketch), lambda: likenesses("another").sketches.of(sketch)):
        with pytest.raises(Refusal, match="not kept any more"):
            asked()
    for strange in ("", "../" * 6 + "x", "." * 20, "x" * 65, "a/b" * 8, "\0" * 20):
        with pytest.raises(Refusal, match="not kept any more"):
            again.sketches.of(strange)
    for path in (tmp_path / "kept").glob("*/*"):
        path.write_bytes(path.read_bytes()[:-30])
    for token in (photo, bare):
        with pytest.raises(Refusal, match="not kept any more"):
            likenesses().photos.of(token)
    large = Canvas(np.zeros((1025, 1024), np.uint8), np.ones((1025, 1024), bool))
    only = before.sketches.give(large)
    assert before.sketches.of(only) is large
    with pytest.raises(Refusal):
        likenesses().sketches.of(only)


def test_a_port_that_is_taken_or_cannot_be() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Exception, match="cannot be listened at"):
            listen("127.0.0.1", port)
    for wrong in (-1, 65536):
        with pytest.raises(UsageError):
            listen("127.0.0.1", wrong)
    with pytest.raises(UsageError):
        listen("no.such.host.invalid", 0)


def test_small_answers_are_sent_at_once() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP  # else asyncio does not switch Nagle's algorithm off


def test_nothing_is_unpacked_once_the_server_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[Archive] = []
    monkeypatch.setattr(Archive, "unpack_ahead", lambda own: unpacked.append(own))
    monkeypatch.setattr("dsslic_search.web.server.SECONDS_OF_REST", 0.01)
    with Archive(tmp_path / "archive") as archive:
        site = Site(archive, Limits(), Cache(tmp_path / "made", 1000))
        unpack_ahead(site)
        assert unpacked == [archive]
        site.end()
        unpack_ahead(site)
        assert unpacked == [archive]
        site.close()


def test_a_pool_that_is_closed_refuses() -> None:
    pool = Pool("closed", 1, 0, 60)
    pool.close()
    with pytest.raises(Refusal) as refused:
        asyncio.run(pool.run(int))
    assert refused.value.status == 503


def test_a_range_of_another_file_or_of_nonsense_is_passed_over() -> None:
    for text, expected in (
        ("bytes=0-9", (0, 10)),
        ("bytes=90-", (90, 100)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-7", (93, 100)),
        ("bytes=-700", (0, 100)),
        ("bytes=5-2", None),
        ("bytes=1-2,4-5", None),
        ("lines=1-2", None),
    ):
        assert range_of({"range": text}, 100, '"tag"') == expected
        assert range_of({"range": text, "if-range": '"tag"'}, 100, '"tag"') == expected
        assert range_of({"range": text, "if-range": '"older"'}, 100, '"tag"') is None
    assert range_of({}, 100, '"tag"') is None
    for text in "bytes=100-", "bytes=-0":
        with pytest.raises(Refusal) as refused:
            range_of({"range": text}, 100, '"tag"')
        assert refused.value.status == 416
