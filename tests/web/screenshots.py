"""The pictures of docs/page.md, taken of the page over the demo's photos.

python -m tests.web.screenshots docs/page
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, Route

from dsslic_search import Archive
from samples.collect import collect
from tests.web import chromium, served

QUALITY = 76
SKY, GROUND = (0.05, 0.15, 0.25, 0.35), (0.6, 0.72, 0.84, 0.96)


def settled(page: Page) -> None:
    """Waits until all tiles that are seen are sharp."""
    unsharp = """[...document.querySelectorAll(".tile")].filter(
        (tile) => tile.getBoundingClientRect().top < innerHeight && !tile.dataset.settled).length"""
    while page.evaluate(unsharp):
        page.wait_for_timeout(200)


def photo_with_overlay(page: Page) -> None:
    """The first photo, with what each part is."""
    page.locator(".tile").first.click()
    page.wait_for_selector('.stage-frame[data-stage="full"]')
    page.wait_for_selector(".layers")
    page.keyboard.press("o")
    box = page.locator(".stage-frame").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.42 * box["width"], box["y"] + 0.5 * box["height"])


def whole_photo(page: Page) -> None:
    """The first photo."""
    page.locator(".tile").first.click()
    page.wait_for_selector('.stage-frame[data-stage="full"]')
    page.wait_for_selector(".layers")


def painting(page: Page) -> None:
    """Sky above, mountains below."""
    page.get_by_role("button", name="Paint a layout").click()
    box = page.locator("canvas.painting").bounding_box()
    assert box is not None
    for name, heights in (("sky", SKY), ("mountain", GROUND)):
        page.get_by_role("radio", name=name, exact=True).click()
        for share in heights:
            page.mouse.move(box["x"] + 4, box["y"] + share * box["height"])
            page.mouse.down()
            page.mouse.move(box["x"] + box["width"] - 4, box["y"] + share * box["height"], steps=8)
            page.mouse.up()
    page.wait_for_timeout(1500)
    settled(page)


def half_way(page: Page) -> None:
    """The page while pictures come: the first photos are sharp, the last are label maps still."""
    last = int(page.locator(".tile").first.get_attribute("data-id") or 0)
    come = {"full": 3, "coarse": 5, "compact": 7}

    def answer(route: Route) -> None:
        number, _, stage = route.request.url.partition("/photos/")[2].partition("/stages/")
        route.continue_() if last - int(number) < come[stage.partition("?")[0]] else route.abort()

    page.route("**/stages/**", answer)
    page.reload()
    page.wait_for_selector('.tile[data-place="2"][data-stage="full"]')
    page.wait_for_selector('.tile[data-place="4"][data-stage="coarse"]')
    page.wait_for_timeout(1500)


SHOTS: tuple[tuple[str, str, int, int, str, Callable[[Page], None]], ...] = (
    ("gallery", "/", 1280, 800, "light", settled),
    ("search", "/?q=sky%2C+no+people", 1280, 800, "dark", settled),
    ("stages", "/", 1280, 800, "light", half_way),
    ("photo", "/?q=sky+and+mountain", 1280, 800, "dark", photo_with_overlay),
    ("painting", "/", 1280, 800, "light", painting),
    ("narrow-1", "/?q=sky", 390, 800, "light", settled),
    ("narrow-2", "/?q=sky", 390, 800, "dark", whole_photo),
)


def take(browser: Browser, site: str, target: Path) -> None:
    """All pictures, those of a narrow screen side by side."""
    narrow = []
    for name, path, width, height, colours, prepare in SHOTS:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=colours, reduced_motion="reduce"
        )
        page = context.new_page()
        page.goto(site + path)
        page.wait_for_selector(".tile")
        prepare(page)
        with Image.open(io.BytesIO(page.screenshot())) as taken:
            shot = taken.convert("RGB")
        context.close()
        if name.startswith("narrow"):
            narrow.append(shot)
        else:
            shot.save(target / f"{name}.webp", quality=QUALITY, method=6)
    beside = Image.new("RGB", (2 * 390 + 40, 800), "#8a8881")
    for number, shot in enumerate(narrow):
        beside.paste(shot, (number * 430, 0))
    beside.save(target / "narrow.webp", quality=QUALITY, method=6)


def main(target: Path) -> None:
    """Fill an archive with the demo's photos, serve it, take the pictures."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        collect(root / "photos")
        with Archive(root / "photos.archive") as archive:
            archive.ingest([root / "photos"])
        with served.serving(root / "photos.archive") as site, chromium.started() as browser:
            take(browser, site, target)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
