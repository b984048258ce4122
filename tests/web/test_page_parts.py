"""Answers of many parts, as the page takes them: each when it is there, wherever the line cuts them, and what
the line's speed is taken for."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.web.chromium import serve_modules

PARTS = [(7, b""), (8, b"a"), (4_294_967_295, bytes(range(200)) * 9), (9, b"bc")]
TAKE = """async (pieces) => {
    const { isLineSlow, parts } = await import("/parts.js");
    let now = 0;
    performance.now = () => now;
    const body = new ReadableStream({
        async pull(controller) {
            if (!pieces.length) return controller.close();
            const [bytes, milliseconds] = pieces.shift();
            now += milliseconds;
            controller.enqueue(Uint8Array.from(bytes));
        },
    }, { highWaterMark: 0 });
    const taken = [];
    for await (const { id, bytes } of parts(body))
        taken.push([id, [...new Uint8Array(bytes)], pieces.length]);
    return [taken, isLineSlow()];
}"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.route("http://page.test/**", serve_modules)
    page.goto("http://page.test/")
    yield page
    page.close()


def answer() -> bytes:
    return b"".join(struct.pack("<II", photo, len(data)) + data for photo, data in PARTS)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 500, 10_000])
def test_parts_are_whole_wherever_the_line_cuts_them(page: Page, size: int) -> None:
    data = answer()
    pieces = [[list(data[at : at + size]), 1] for at in range(0, len(data), size)]
    taken, _ = page.evaluate(TAKE, pieces)
    assert [(photo, bytes(part)) for photo, part, _ in taken] == PARTS
    ends = [len(b"".join(struct.pack("<II", 0, 0) + part for _, part in PARTS[: n + 1])) for n in range(4)]
    # each is given before later pieces are read, but for the one that is read ahead of being asked for
    assert all(
        left >= len(pieces) - -(-end // size) - 1 for (_, _, left), end in zip(taken, ends, strict=True)
    )
    cut, _ = page.evaluate(TAKE, [[list(data[:-1]), 1]])
    assert [(photo, bytes(part)) for photo, part, _ in cut] == PARTS[:-1]


def test_a_line_is_slow_by_what_comes_after_the_first_piece(page: Page) -> None:
    def slow(*pieces: tuple[int, int]) -> bool:
        return bool(page.evaluate(TAKE, [[[0] * size, ms] for size, ms in pieces])[1])

    assert not slow((400, 0))
    assert slow((1000, 500), (1500, 50), (1500, 50))  # 30 bytes a millisecond
    assert slow((400, 0), (400, 0))  # too few to tell otherwise
    assert not slow((1000, 500), (1500, 1), (1500, 1))
    assert slow((1000, 0), (1500, 50))
    assert not slow((9000, 500))  # in one piece
