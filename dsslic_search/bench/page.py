"""The page in a browser: how long its frames take while 100 000 photos are scrolled through, how soon photos
are there after a jump, and how soon a page of results shows something over a slow line.

The archive is that of `bench.serve`, the browser a Chromium without a window, and what moves the page are
the browser's own gestures. Frames are the times between two animation frames; a frame is long from 50 ms
on, where people begin to see it. Server, browser and drawing share the processors of one computer, and no
graphics processor draws: what is measured while nothing moves says how much of it is the computer's own,
and the share of its time that the page's thread computes says what of it is the page's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np

from dsslic_search.api import Archive
from dsslic_search.bench.scale import MODELS
from dsslic_search.bench.serve import filled, serving
from dsslic_search.core.errors import DSSError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

COMMANDS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
WINDOW = (1280, 800)
LONG_MS = 50.0
SPEEDS = {"reading": 600, "looking for something": 2500, "flinging": 8000}
"""Pixels a second."""
SECONDS = 8
"""Of each way to scroll."""
JUMPS = 20
LINE_BITS = 256_000
"""A second, of the slow line."""
SHOWN = 30
"""Photos of a page of results, whose pictures are waited for."""
PATIENCE_MS = 60_000
PAUSE_MS = 2000
"""Until what went before has settled."""

_RECORD = """() => {
  const frames = [], long = [];
  let last = null, isOn = true;
  const step = (now) => {
    if (last !== null) frames.push(now - last);
    last = now;
    if (isOn) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) long.push(duration);
  });
  observer.observe({ type: "longtask" });
  window.dssRecorded = () => {
    isOn = false;
    observer.disconnect();
    return { frames, long };
  };
}"""
_IN_SIGHT = """(stage) => {
  const room = document.getElementById("scroller").getBoundingClientRect();
  const tiles = [...document.querySelectorAll(".tile")].filter((tile) => {
    const { top, bottom } = tile.getBoundingClientRect();
    return bottom > room.top && top < room.bottom;
  });
  const height = tiles.reduce((sum, tile) => Math.max(sum, tile.getBoundingClientRect().bottom), 0);
  const shows = ({ dataset }) => !stage || (dataset.stages ?? "").includes(stage);
  return height >= room.bottom - 8 && tiles.every(shows);
}"""
_JUMP = f"""async (share) => {{
  const inSight = {_IN_SIGHT};
  const scroller = document.getElementById("scroller");
  const began = performance.now();
  scroller.scrollTop = share * (scroller.scrollHeight - scroller.clientHeight);
  const until = async (stage) => {{
    do await new Promise(requestAnimationFrame);
    while (!inSight(stage) && performance.now() - began < {PATIENCE_MS});
    return performance.now() - began;
  }};
  await new Promise(requestAnimationFrame); // the page sees that it was scrolled
  return [await until(""), await until("map"), await until("compact")];
}}"""
_SHOWN = f"""async (text) => {{
  const old = new Set(text === null ? [] : document.querySelectorAll(".tile"));
  const began = text === null ? 0 : performance.now(); // 0: when the page itself was asked for
  if (text !== null) {{
    const field = document.getElementById("q");
    field.value = text;
    field.form.requestSubmit();
  }}
  const first = () => [...document.querySelectorAll(".tile")]
    .filter((tile) => !old.has(tile) && Number(tile.dataset.place) < {SHOWN});
  const until = async (isThere) => {{
    for (;;) {{
      const tiles = first();
      if (tiles.length === {SHOWN} && tiles.every(isThere)) return (performance.now() - began) / 1000;
      if (performance.now() - began > {PATIENCE_MS}) return null;
      await new Promise(requestAnimationFrame);
    }}
  }};
  const something = await until((tile) => tile.dataset.stage !== "none");
  return [something, await until((tile) => (tile.dataset.stages ?? "").includes("compact"))];
}}"""


def chromium() -> str | None:
    """The command of a Chromium on this computer: ``DSS_CHROMIUM``, or one of the usual names."""
    return os.environ.get("DSS_CHROMIUM") or next(
        (found for name in COMMANDS if (found := shutil.which(name))), None
    )


@contextmanager
def browsing(*options: str) -> Iterator[Browser]:
    """A Chromium without a window, with some options of its command. MissingExtraError where Playwright is
    missing, DSSError where no Chromium is found."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as e:
        raise MissingExtraError(
            "measuring the page needs the package playwright, of the extra dev; install it with: pip install "
            "playwright"
        ) from e
    path = chromium()
    if path is None:
        raise DSSError("no Chromium found: install it (apt-get install chromium) or name it in DSS_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *options])
        try:
            yield browser
        finally:
            browser.close()


def run(
    maps: Sequence[Path], images: Path, photos: int, seconds: float = SECONDS, rounds: int = 2
) -> dict[str, Any]:
    """``photos`` of an archive made from ``maps``, folders of label maps; ``images``: real photos. Each way
    to scroll is gone for ``seconds``, and four queries are asked over the slow line ``rounds`` times.
    UsageError where there are no maps or photos, or too few photos to scroll."""
    if photos < 4 * SHOWN:
        raise UsageError(f"{photos} photos are too few to scroll; take {4 * SHOWN} or more")
    with browsing() as browser, tempfile.TemporaryDirectory() as name:
        root = Path(name) / "archive"
        asked = filled(root, maps, images, photos)
        with Archive(root) as archive:
            texts = [text for text in asked if archive.find(text, limit=1).total >= 2 * SHOWN]
        with serving(root) as (_, address):
            scrolled = _scrolled(browser, address, seconds)
            slow = [_over_a_slow_line(browser, address, texts[number::4][:4]) for number in range(rounds)]
            visits = [
                _visited(browser, address, (texts[number], texts[-1 - number])) for number in range(rounds)
            ]
    there = [each for one in slow for each in one]
    return {
        "photos": min(photos, MODELS),
        "window_pixels": list(WINDOW),
        **scrolled,
        "slow_line": {
            "bits_a_second": LINE_BITS,
            "photos": SHOWN,
            "queries": len(there),
            **_times(there),
            "first_visit": _times([first for first, _ in visits]),
            "next_visit": _times([later for _, later in visits]),
        },
    }


def _scrolled(browser: Browser, address: str, seconds: float) -> dict[str, Any]:
    context = browser.new_context(viewport={"width": WINDOW[0], "height": WINDOW[1]})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(address)
    page.locator('.tile[data-settled="yes"]').first.wait_for()
    page.wait_for_timeout(PAUSE_MS)
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    frames = {
        "nothing moves": _frames(page, session, lambda: page.wait_for_timeout(1000 * seconds)),
    }
    most = 0
    for way, speed in SPEEDS.items():
        frames[way] = _frames(page, session, partial(_scroll, session, speed, seconds))
        most = max(most, page.locator(".tile").count())
        page.wait_for_timeout(PAUSE_MS / 2)
    random = np.random.default_rng(1)
    jumps = [page.evaluate(_JUMP, float(share)) for share in random.random(JUMPS)]
    context.close()
    waits = np.array(jumps)
    return {
        "seconds": seconds,
        "frames": {way: {"pixels_a_second": SPEEDS.get(way, 0), **told} for way, told in frames.items()},
        "tiles_at_most": most,
        "milliseconds_after_a_jump": {
            what: {"median": round(float(np.median(row))), "p95": round(float(np.percentile(row, 95)))}
            for what, row in zip(("photos laid out", "label maps", "compact images"), waits.T, strict=True)
        },
    }


def _frames(page: Page, session: CDPSession, do: Callable[[], object]) -> dict[str, float]:
    """Milliseconds between the page's frames while something is done."""
    page.evaluate(_RECORD)
    before, began = _computed(session), time.perf_counter()
    do()
    share = (_computed(session) - before) / (time.perf_counter() - began)
    told = page.evaluate("window.dssRecorded()")
    frames = np.array(told["frames"] or [0.0])
    return {
        "frames": len(frames),
        "median": round(float(np.median(frames)), 1),
        "p95": round(float(np.percentile(frames, 95)), 1),
        "most": round(float(frames.max()), 1),
        "long_frames": int((frames >= LONG_MS).sum()),
        "long_tasks": len(told["long"]),
        "longest_task": round(max(told["long"], default=0.0), 1),
        "thread_computes": round(share, 3),
    }


def _computed(session: CDPSession) -> float:
    """Seconds of processor time of the page's thread."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


def _scroll(session: CDPSession, speed: int, seconds: float) -> None:
    """The browser's own gesture, as of a wheel."""
    session.send(
        "Input.synthesizeScrollGesture",
        {
            "x": WINDOW[0] // 2 + 100,
            "y": WINDOW[1] // 2,
            "yDistance": -round(speed * seconds),
            "speed": speed,
            "gestureSourceType": "mouse",
        },
    )


def _over_a_slow_line(browser: Browser, address: str, texts: Sequence[str]) -> list[list[float | None]]:
    """Seconds until each photo of a page of results shows something, and until all compact images are there,
    for each query; the page itself was loaded before."""
    context = browser.new_context(viewport={"width": WINDOW[0], "height": WINDOW[1]})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{address}?q=%23999999999")
    page.locator("html.ready").wait_for(state="attached")
    page.wait_for_timeout(PAUSE_MS)
    _slow_down(context, page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    found = []
    for text in texts:
        found.append(page.evaluate(_SHOWN, text))
        page.wait_for_timeout(PAUSE_MS)
    context.close()
    return found


def _slow_down(context: BrowserContext, page: Page) -> CDPSession:
    """Give a page the slow line, and the session that does."""
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    rate = LINE_BITS / 8
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": rate, "uploadThroughput": rate},
    )
    return session


def _visited(browser: Browser, address: str, texts: Sequence[str]) -> list[list[float | None]]:
    """The same, from when the page's address with a query is opened: by a browser that was never there, and
    then with the next query, when it has the page's files."""
    context = browser.new_context(viewport={"width": WINDOW[0], "height": WINDOW[1]})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    _slow_down(context, page)
    found = []
    for text in texts:
        page.goto(f"{address}?{urlencode({'q': text})}", wait_until="commit")
        found.append(page.evaluate(_SHOWN, None))
        page.wait_for_timeout(PAUSE_MS)
    context.close()
    return found


def _times(there: Sequence[list[float | None]]) -> dict[str, dict[str, float | None]]:
    return {
        "seconds_until_each_shows_something": _seconds([something for something, _ in there]),
        "seconds_until_compact_images": _seconds([compact for _, compact in there]),
    }


def _seconds(waited: Sequence[float | None]) -> dict[str, float | None]:
    """The median and the most; None for the most where something never came."""
    there = [each for each in waited if each is not None]
    return {
        "median": round(float(np.median(there)), 2) if there else None,
        "most": round(max(there), 2) if len(there) == len(waited) else None,
    }


def table(results: dict[str, Any]) -> Iterator[str]:
    """Lines for people."""
    yield f"{results['photos']} photos, a window of {' × '.join(map(str, results['window_pixels']))} pixels"
    heads = f"{'median':>8}{'p95':>8}{'most':>8}{'long':>6}{'of':>6}{'computes':>10}"
    yield f"{'frames, ms':24}{'px/s':>7}{heads}"
    for way, row in results["frames"].items():
        times = f"{row['median']:>8.1f}{row['p95']:>8.1f}{row['most']:>8.1f}"
        counts = f"{row['long_frames']:>6}{row['frames']:>6}{row['thread_computes']:>10.0%}"
        yield f"{way:24}{row['pixels_a_second']:>7}{times}{counts}"
    yield f"tiles at most {results['tiles_at_most']}"
    for what, row in results["milliseconds_after_a_jump"].items():
        yield f"after a jump, {what:20}{row['median']:>8} ms{row['p95']:>8} ms (p95)"
    slow = results["slow_line"]
    kilobits = slow["bits_a_second"] // 1000
    for visit in ("", "first_visit", "next_visit"):
        for what in ("seconds_until_each_shows_something", "seconds_until_compact_images"):
            row = (slow[visit] if visit else slow)[what]
            told = " ".join(f"{visit} {what}".split()).replace("_", " ")
            yield f"at {kilobits} kbit/s, {told}: {row['median']}, most {row['most']}"
