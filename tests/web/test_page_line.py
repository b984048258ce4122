"""What the line's speed is taken for, by the answers that bring photos."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.web.chromium import serve_modules

TAKE = """async ([size, milliseconds]) => {
    const { isLineSlow, timed } = await import("/line.js");
    let now = 0;
    performance.now = () => now;
    const text = JSON.stringify("x".repeat(size - 2));
    const body = new ReadableStream({
        pull(controller) {
            now += milliseconds;
            controller.enqueue(new TextEncoder().encode(text));
            controller.close();
        },
    }, { highWaterMark: 0 });
    const told = await timed(new Response(body, { headers: { "Content-Length": String(size) } }));
    return [told.length, isLineSlow()];
}"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.route("http://page.test/**", serve_modules)
    page.goto("http://page.test/")
    yield page
    page.close()


def test_a_line_is_slow_by_the_time_of_answers_that_are_large_enough_to_tell(page: Page) -> None:
    def slow(size: int, milliseconds: int) -> bool:
        length, is_slow = page.evaluate(TAKE, [size, milliseconds])
        assert length == size - 2
        return bool(is_slow)

    assert not slow(9000, 0)
    assert not slow(300, 500)  # too few bytes to tell otherwise
    assert slow(9000, 280)  # 32 bytes a millisecond
    assert slow(300, 0)
    assert not slow(9000, 5)
