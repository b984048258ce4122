"""Fingers, keys, clipboard and full screen, in Chromium: what hands do to the page."""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from dsslic_search import Archive
from tests.web import served
from tests.web.chromium import Watched, total, wait_until

MANY = 95
SHOWN = re.compile("map|compact|coarse|full")  # any stage: the first coarse one loads a network
PHONE: dict[str, Any] = {"width": 390, "height": 844, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served.fill(tmp_path_factory.mktemp("hands"))


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[str]:
    with served.serving(archive) as address:
        yield address


class Finger:
    """Of a hand on the screen, as the browser gets it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.session = page.context.new_cdp_session(page)

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def press(self, x: float, y: float, *, shake: float = 0, ms: int = 700) -> None:
        """A long touch of a finger that is not quite still."""
        self._send("touchStart", (x, y))
        for step in (1, -1, 1):
            self.page.wait_for_timeout(ms / 4)
            self._send("touchMove", (x + step * shake, y))
        self.page.wait_for_timeout(ms / 4)
        self._send("touchEnd")

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self._send("touchStart", start)
        for part in (0.25, 0.5, 0.75, 1):
            self._send("touchMove", tuple(a + (b - a) * part for a, b in zip(start, end, strict=True)))  # type: ignore[arg-type]
        self._send("touchEnd")

    def pinch(self, x: float, y: float) -> None:
        """Two fingers that go apart."""
        self._send("touchStart", (x - 20, y), (x + 20, y))
        for apart in (50, 90, 130):
            self._send("touchMove", (x - apart, y), (x + apart, y))
        self._send("touchEnd")


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def chosen(page: Page) -> list[int]:
    return page.locator('.tile[aria-selected="true"]').evaluate_all("all => all.map((t) => +t.dataset.place)")


# Fingers


def test_a_long_touch_chooses_and_taps_choose_more(opened: Watched) -> None:
    page = opened(**PHONE)
    total(page, 11)
    finger = Finger(page)
    finger.press(*middle(page, '.tile[data-place="1"]'), shake=3)
    bar = page.get_by_role("toolbar", name="Selected photos")
    expect(bar).to_contain_text("1 photo")
    assert chosen(page) == [1]
    expect(page.locator("#detail")).to_be_hidden()
    page.locator('.tile[data-place="2"]').tap()
    expect(bar).to_contain_text("2 photos")
    page.locator('.tile[data-place="0"]').tap()
    expect(bar).to_contain_text("3 photos")
    page.locator('.tile[data-place="1"]').tap()
    expect(bar).to_contain_text("2 photos")
    assert chosen(page) == [0, 2]
    page.get_by_role("button", name="Select none").tap()
    expect(bar).to_be_hidden()
    page.locator('.tile[data-place="0"]').tap()  # and now a tap opens
    expect(page.locator("#detail")).to_be_visible()


def test_scrolling_with_a_finger_chooses_nothing(opened: Watched) -> None:
    page = opened(**PHONE)
    total(page, 11)
    x, y = middle(page, '.tile[data-place="2"]')
    finger = Finger(page)
    finger.press(x, y, shake=30)
    expect(page.locator("#selection")).to_be_hidden()
    finger.drag((x, y), (x, y - 120))
    expect(page.locator("#selection")).to_be_hidden()
    expect(page.locator("#detail")).to_be_hidden()


def test_a_swipe_goes_to_the_next_photo_and_back(opened: Watched) -> None:
    page = opened(**PHONE)
    total(page, 11)
    page.locator('.tile[data-place="0"]').tap()
    position = page.locator(".detail-position")
    expect(position).to_have_text("1 of 11")
    expect(page.locator(".stage-frame")).to_have_attribute("data-stage", SHOWN)
    x, y = middle(page, ".stage-frame")
    finger = Finger(page)
    finger.drag((x + 100, y), (x - 100, y))
    expect(position).to_have_text("2 of 11")
    finger.drag((x + 100, y), (x - 100, y + 10))
    expect(position).to_have_text("3 of 11")
    finger.drag((x - 100, y), (x + 100, y))
    expect(position).to_have_text("2 of 11")
    finger.drag((x + 20, y), (x - 10, y))  # too short
    finger.drag((x + 60, y + 150), (x - 20, y - 150))  # scrolls
    finger.pinch(x, y)
    page.wait_for_timeout(300)
    expect(position).to_have_text("2 of 11")


def test_what_a_part_is_is_told_under_a_finger(opened: Watched) -> None:
    page = opened(**PHONE)
    total(page, 11)
    page.locator('.tile[data-place="0"]').tap()
    expect(page.locator(".stage-frame")).to_have_attribute("data-stage", SHOWN)
    page.get_by_role("button", name="Show what each part is").tap()
    expect(page.locator(".stage-map")).to_be_visible()
    page.locator(".stage-frame").tap()
    expect(page.locator(".stage-tip")).to_be_visible()
    expect(page.locator(".stage-tip")).not_to_be_empty()


def test_a_layout_is_painted_with_a_finger(opened: Watched) -> None:
    page = opened(**PHONE)
    total(page, 11)
    page.get_by_role("button", name="Paint a layout").tap()
    page.get_by_role("radio", name="sky", exact=True).tap()
    x, y = middle(page, "canvas.painting")
    Finger(page).drag((x - 80, y), (x + 80, y))
    expect(page.locator(".paint-told")).to_contain_text("Photos are ordered")
    page.wait_for_url("**sketch=**")


# Keys


def of_the_real_one(route: Route, photo: int) -> None:
    """The picture of a photo that is made up is that of a photo that is there."""
    route.continue_(url=re.sub(r"/photos/\d+/", f"/photos/{photo}/", route.request.url))


def test_next_and_before_by_key_go_through_all_that_was_found(opened: Watched) -> None:
    """Answers are made up in the test, of one photo; the page is the real one."""
    with urllib.request.urlopen(f"{opened.site}/api/query?limit=1") as found:
        one = json.load(found)
    [photo] = one["objects"]

    def answer(route: Route) -> None:
        asked = dict(part.split("=") for part in route.request.url.partition("?")[2].split("&"))
        start, limit = int(asked.get("start", 0)), int(asked["limit"])
        photos = [
            {**photo, "id": 1000 + i, "name": f"{i}.jpg"} for i in range(start, min(start + limit, MANY))
        ]
        route.fulfill(json={**one, "total": MANY, "start": start, "objects": photos})

    def details(route: Route) -> None:
        asked = route.request.url.rpartition("/")[2]
        with urllib.request.urlopen(f"{opened.site}/api/photos/{photo['id']}") as real:
            route.fulfill(json={**json.load(real), "id": int(asked), "name": f"{int(asked) - 1000}.jpg"})

    def before(page: Page) -> None:
        page.route("**/api/query?*", answer)
        page.route("**/api/photos/*", details)
        page.route("**/api/photos/*/stages/**", lambda route: of_the_real_one(route, photo["id"]))

    page = opened(before=before)
    position = page.locator(".detail-position")
    total(page, MANY)
    page.locator('.tile[data-place="28"]').click()
    expect(position).to_have_text(f"29 of {MANY}")
    for place in (30, 31, 32):  # over the edge of what came in one answer
        page.keyboard.press("ArrowRight")
        expect(position).to_have_text(f"{place} of {MANY}")
        expect(page.locator(".detail-name")).to_have_text(f"{place - 1}.jpg")
    for place in (31, 30, 29):
        page.keyboard.press("ArrowLeft")
        expect(position).to_have_text(f"{place} of {MANY}")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(position).to_have_text(f"34 of {MANY}")
    page.reload()
    page.wait_for_selector("html.ready")
    expect(position).to_have_text(f"34 of {MANY}")  # its place is known again
    page.keyboard.press("ArrowRight")
    expect(position).to_have_text(f"35 of {MANY}")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator('.tile[data-place="34"]')).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator(f'.tile[data-place="{MANY - 1}"]')).to_be_focused()
    page.keyboard.press("Enter")
    expect(position).to_have_text(f"{MANY} of {MANY}")
    expect(page.get_by_role("button", name="Next photo")).to_be_disabled()
    page.keyboard.press("ArrowRight")
    expect(position).to_have_text(f"{MANY} of {MANY}")


def test_back_comes_to_where_one_was(opened: Watched) -> None:
    page = opened("/", width=420, height=420)
    total(page, 11)
    scrolled = "document.getElementById('scroller').scrollTop"
    page.locator("#scroller").hover(position={"x": 200, "y": 300})
    page.mouse.wheel(0, 700)
    first = """[...document.querySelectorAll(".tile")].filter((tile) => tile.getBoundingClientRect().bottom >
        document.getElementById("scroller").getBoundingClientRect().top + 16)
        .map((tile) => +tile.dataset.place).sort((a, b) => a - b)[0]"""
    wait_until(page, lambda: page.evaluate(first) > 0)
    page.wait_for_timeout(500)
    seen = page.evaluate(first)
    page.locator("#q").fill("sky")
    page.keyboard.press("Enter")
    expect(page.locator("#total")).to_contain_text("found")
    assert page.evaluate(scrolled) == 0
    page.go_back()
    total(page, 11)
    wait_until(page, lambda: page.evaluate(first) == seen)
    page.wait_for_timeout(500)  # where scrolling came to rest is kept in the address a moment later
    page.reload()
    page.wait_for_selector("html.ready")
    total(page, 11)
    wait_until(page, lambda: page.evaluate(first) == seen)


def test_full_screen_shows_the_photo_alone(opened: Watched) -> None:
    page = opened()
    total(page, 11)
    page.locator('.tile[data-place="0"]').click()
    expect(page.locator(".stage-frame")).to_have_attribute("data-stage", SHOWN)
    expect(page.locator(".facts")).to_be_visible()
    page.keyboard.press("f")
    expect(page.locator(".facts")).to_be_hidden()
    assert page.evaluate("document.fullscreenElement === document.documentElement")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".detail-position")).to_have_text("2 of 11")
    expect(page.locator(".stage-frame")).to_have_attribute("data-stage", SHOWN)
    stage, window = page.locator(".detail-stage").bounding_box(), page.evaluate("[innerWidth, innerHeight]")
    assert stage is not None and [stage["width"], stage["height"]] == window
    page.keyboard.press("f")
    expect(page.locator(".facts")).to_be_visible()
    assert page.evaluate("document.fullscreenElement") is None
    page.get_by_role("button", name="Full screen").click()
    expect(page.locator(".facts")).to_be_hidden()
    page.get_by_role("button", name="Back to the photos").click()
    expect(page.locator("#detail")).to_be_hidden()
    assert page.evaluate("document.fullscreenElement") is None


def test_shift_chooses_what_was_never_seen(opened: Watched, site: str) -> None:
    """As on a long page: only the first photos came, and those at the end."""
    with urllib.request.urlopen(f"{site}/api/query?limit=11") as answer:
        real = json.load(answer)

    def slow(route: Route) -> None:
        asked = dict(part.split("=") for part in route.request.url.partition("?")[2].split("&"))
        start, limit = int(asked.get("start", 0)), int(asked["limit"])
        photos = [{**real["objects"][i % 11], "id": 5000 + i} for i in range(start, min(start + limit, 500))]
        route.fulfill(json={**real, "total": 500, "start": start, "objects": photos})

    def before(page: Page) -> None:
        page.route("**/api/query?*", slow)
        page.route("**/api/photos/*/stages/**", lambda route: of_the_real_one(route, 1))

    page = opened(before=before)
    total(page, 500)
    page.keyboard.press("g")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+End")
    expect(page.get_by_role("toolbar", name="Selected photos")).to_contain_text("500 photos")


# The clipboard


def copied(page: Page, *, text: str = "", picture: bytes = b"") -> None:
    """Puts something into the clipboard, as another program would."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async ([text, picture]) => {
          if (!picture) return navigator.clipboard.writeText(text);
          const bytes = Uint8Array.from(atob(picture), (c) => c.charCodeAt(0));
          const parts = { "image/png": new Blob([bytes], { type: "image/png" }) };
          if (text) parts["text/plain"] = new Blob([text], { type: "text/plain" });
          await navigator.clipboard.write([new ClipboardItem(parts)]);
        }""",
        [text, base64.b64encode(picture).decode()],
    )


def test_a_picture_that_is_pasted_is_searched_by(opened: Watched, archive: Path, tmp_path: Path) -> None:
    with Image.open(archive.parent / "photos" / "stream.jpg") as photo:
        photo.save(tmp_path / "copied.png")
    with Archive(archive) as own:
        stream = own.query("path:stream").hits[0].id
    page = opened()
    total(page, 11)
    copied(page, picture=(tmp_path / "copied.png").read_bytes())
    page.keyboard.press("Control+v")
    expect(page.locator("#likeness")).to_contain_text("Like image.png")
    expect(page.locator('.tile[data-place="0"]')).to_have_attribute("data-id", str(stream))
    with Archive(archive) as own:
        assert len(own) == 11
    page.get_by_role("button", name="No longer by likeness").click()
    page.locator("#q").focus()
    page.keyboard.press("Control+v")  # a picture is no text: searched by from the field, too
    expect(page.locator("#likeness")).to_contain_text("Like image.png")


def test_text_that_is_pasted_is_searched_for(opened: Watched, archive: Path) -> None:
    with Archive(archive) as own:
        sky, both = own.query("sky").total, own.query("sky and mountain").total
    page = opened()
    total(page, 11)
    copied(page, text="  sky and\n mountain ")
    page.keyboard.press("g")
    page.keyboard.press("Control+v")
    expect(page.locator("#q")).to_have_value("sky and mountain")
    total(page, both)
    copied(page, text="sky")
    page.locator("#q").fill("")
    page.keyboard.press("Control+v")
    expect(page.locator("#q")).to_have_value("sky")
    total(page, sky)
    page.locator(".tile").first.click()
    field = page.locator(".tag-form input")
    field.click()
    page.keyboard.press("Control+v")  # where one types, text goes there
    expect(field).to_have_value("sky")
    expect(page.locator("#detail")).to_be_visible()


# Folders


def test_a_followed_folder_is_looked_through(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    Image.effect_noise((64, 48), 80).convert("RGB").save(folder / "one.jpg")
    with Archive(tmp_path / "archive") as own:
        own.ingest([folder], effort=1)
    with served.serving(tmp_path / "archive") as site:
        watched = Watched(browser, site)
        page = watched()
        total(page, 1)
        Image.effect_noise((80, 60), 80).convert("RGB").save(folder / "two.jpg")
        (folder / "broken.jpg").write_bytes(b"\xff\xd8 no photo")
        page.get_by_role("button", name="More", exact=True).click()
        page.get_by_role("menuitem", name="Look through album").click()
        panel = page.get_by_role("region", name="Putting photos in")
        expect(panel.get_by_role("status")).to_have_text("1 photo stored, 1 already there, 1 skipped.")
        expect(panel.locator("li").filter(has_text="broken.jpg")).to_contain_text("not a picture")
        total(page, 2)
        (folder / "one.jpg").unlink()
        page.get_by_role("button", name="More", exact=True).click()
        page.get_by_role("menuitem", name="Look through album").click()
        expect(panel.get_by_role("status")).to_contain_text("1 gone from the folder")
        page.context.close()
        assert watched.wrong == []


def test_what_a_watched_folder_brings_is_told(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "album"
    folder.mkdir()
    Image.effect_noise((64, 48), 80).convert("RGB").save(folder / "one.jpg")
    with Archive(tmp_path / "archive") as own:
        own.ingest([folder], effort=1)
    with served.serving(tmp_path / "archive", "--watch") as site:
        watched = Watched(browser, site)
        page = watched()
        total(page, 1)
        page.wait_for_timeout(1500)
        Image.effect_noise((80, 60), 80).convert("RGB").save(folder / "two.jpg")
        (folder / "broken.jpg").write_bytes(b"\xff\xd8 no photo")
        notice = page.locator("#notices").filter(has_text="From followed folders")
        expect(notice).to_be_visible()
        notice.get_by_role("button", name="Show").first.click()
        total(page, 2)
        page.context.close()
        assert watched.wrong == []
