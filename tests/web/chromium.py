"""Chromium for the tests of the page: found, started without a window, and stopped again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from dsslic_search.bench.page import browsing, chromium

PAGE = Path(__file__).parents[2] / "dsslic_search" / "web" / "page"
PATIENCE_MS = 120_000  # decoding may be slow where other tests and programs run beside it
OPTIONS = ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",)  # there is nobody else to ask
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".json": "application/json"}


@contextmanager
def started() -> Iterator[Browser]:
    """A browser without a window. Tests that need it are skipped, with a sentence, where there is none."""
    if chromium() is None:
        pytest.skip("no Chromium found: install it (apt-get install chromium) or name it in DSS_CHROMIUM")
    expect.set_options(timeout=PATIENCE_MS)
    with browsing(*OPTIONS) as browser:
        yield browser


def serve_modules(route: Route) -> None:
    """Answers requests to ``http://page.test/`` with the page's own files, and an empty page at its root."""
    path = route.request.url.removeprefix("http://page.test/").partition("?")[0]
    if not path:
        route.fulfill(body="<!doctype html><title>modules</title>", content_type="text/html")
        return
    file = PAGE / path
    if file.is_file():
        route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
    else:
        route.fulfill(status=404)


class Watched:
    """Opens pages, and tells of what no page should do."""

    def __init__(self, browser: Browser, site: str) -> None:
        self.browser, self.site = browser, site
        self.contexts: list[BrowserContext] = []
        self.wrong: list[str] = []

    def __call__(
        self,
        address: str = "/",
        *,
        width: int = 1280,
        height: int = 800,
        before: Callable[[Page], object] = lambda page: None,
        **options: Any,
    ) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        context.set_default_timeout(PATIENCE_MS)
        context.on("request", self._asked)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda message: self._said(message.type, message.text))
        before(page)
        page.goto(self.site + address)
        page.wait_for_selector("html.ready")
        return page

    def _asked(self, request: Request) -> None:
        """Only looked at: what stops each request, to let it go on, costs as much as the page itself."""
        if not request.url.startswith((self.site, "blob:", "data:")):
            self.wrong.append(f"a request to {request.url}")

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and "status of 400" not in text:
            self.wrong.append(text)


class Gate:
    """Holds the requests to an address (a glob) while it is shut. It is laid before a page opens: on a busy
    machine Chromium does not stop the first requests that follow a route laid later."""

    def __init__(self, address: str, *, shut: bool = False) -> None:
        self.address, self.is_shut = address, shut
        self.held: list[Route] = []

    def lay(self, page: Page) -> None:
        page.route(self.address, self._asked)

    def shut(self) -> None:
        self.is_shut = True

    def open(self) -> None:
        """Lets go what was held, and all that comes."""
        self.is_shut = False
        for route in self.held:
            route.continue_()

    def _asked(self, route: Route) -> None:
        self.held.append(route) if self.is_shut else route.continue_()


def wait_until(page: Page, is_so: Callable[[], object]) -> None:
    for _ in range(PATIENCE_MS // 50):
        if is_so():
            return
        page.wait_for_timeout(50)
    pytest.fail("what was waited for never came")


def total(page: Page, number: int) -> None:
    expect(page.locator("#total")).to_contain_text(f"{number} photo")
