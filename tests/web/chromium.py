"""Chromium for the tests of the page: found, started without a window, and stopped again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, sync_playwright

PAGE = Path(__file__).parents[2] / "dsslic_search" / "web" / "page"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".json": "application/json"}


def find() -> str | None:
    """The command of a Chromium on this machine: ``DSS_CHROMIUM``, or one of the usual names."""
    return os.environ.get("DSS_CHROMIUM") or next(
        (found for name in NAMES if (found := shutil.which(name))), None
    )


@contextmanager
def started() -> Iterator[Browser]:
    """A browser without a window. Tests that need it are skipped, with a sentence, where there is none."""
    path = find()
    if path is None:
        pytest.skip("no Chromium found: install it (apt-get install chromium) or name it in DSS_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


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
