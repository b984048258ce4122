"""What is done on the page: painting, finding by a photo, tagging, rating, the bin, exports, duplicates and
intake; in Chromium, over a real server of a real archive, which is asked afterwards what became of it."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from dsslic_search import Archive
from dsslic_search.labels.formats import writer
from dsslic_search.labels.scene import LabelledImage, Legend
from tests.web import served
from tests.web.chromium import PATIENCE_MS, Gate, Watched, total, wait_until


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served.fill(tmp_path_factory.mktemp("changes"))


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[str]:
    with served.serving(archive) as address:
        yield address


def parameter(page: Page, name: str) -> str:
    return page.evaluate("(name) => new URLSearchParams(location.search).get(name) ?? ''", name)


def wait_for(page: Page, name: str, *, other_than: str = "") -> str:
    """A parameter of the address, once it is there and another one."""
    for _ in range(PATIENCE_MS // 50):
        if (value := parameter(page, name)) != other_than:
            return value
        page.wait_for_timeout(50)
    pytest.fail(f"the address has no other {name}: {page.url}")


def shown(page: Page) -> list[int]:
    tiles = page.locator(".tile")
    expect(tiles.first).to_be_visible()
    found = tiles.evaluate_all("tiles => tiles.map((tile) => [+tile.dataset.place, +tile.dataset.id])")
    return [photo for _, photo in sorted(found)]


def answered(site: str, query: str) -> list[int]:
    with urllib.request.urlopen(f"{site}/api/query?{query}") as answer:
        return [each["id"] for each in json.load(answer)["objects"]]


def menu(page: Page, name: str) -> None:
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name=name).click()


def stroke(page: Page, *heights: float) -> None:
    """Strokes across the canvas, each at a share of its height."""
    box = page.locator("canvas.painting").bounding_box()
    assert box is not None
    for share in heights:
        y = box["y"] + share * box["height"]
        page.mouse.move(box["x"] + 4, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] - 4, y, steps=6)
        page.mouse.up()


# Likeness


def test_photos_follow_what_is_painted(opened: Watched, site: str, archive: Path):
    page = opened()
    total(page, 11)
    page.get_by_role("button", name="Paint a layout").click()
    page.get_by_role("radio", name="sky", exact=True).click()
    stroke(page, 0.06, 0.18, 0.3)
    first = wait_for(page, "sketch")
    page.get_by_role("radio", name="mountain", exact=True).click()
    stroke(page, 0.5, 0.65, 0.8, 0.95)
    second = wait_for(page, "sketch", other_than=first)
    page.wait_for_timeout(600)  # the last stroke may make one more
    wait_until(page, lambda: shown(page) == answered(site, f"sketch={parameter(page, 'sketch')}&limit=11"))
    second = parameter(page, "sketch")
    names = {"picos.jpg", "aitzgorri.jpg", "sunset.jpg", "bridge.jpg"}
    assert set(page.locator(".tile-name").all_text_contents()[:2]) <= names
    page.get_by_role("button", name="Paint both sides alike").click()
    assert wait_for(page, "mirrored") == "1"
    page.reload()
    page.wait_for_selector("html.ready")
    picture = page.locator("canvas.painting").screenshot()
    with Image.open(io.BytesIO(picture)) as painted:
        rgb = painted.convert("RGB")
        colours = [rgb.getpixel((rgb.width // 2, int(share * rgb.height))) for share in (0.1, 0.9)]
    with Archive(archive) as own:
        palette = {each.name: each.colour for each in own.vocabulary.classes}
    assert colours == [palette["sky"], palette["mountain"]]
    page.get_by_role("button", name="Clear: anything everywhere").click()
    assert wait_for(page, "sketch", other_than=second) == ""


def test_a_painting_comes_with_its_address_and_back_takes_it_away(opened: Watched, site: str, archive: Path):
    with Archive(archive) as own:
        sky = next(each for each in own.vocabulary.classes if each.name == "sky")
    rows = [[sky.id] * 64] * 20 + [[None] * 64] * 28
    body = json.dumps({"width": 64, "height": 48, "classes": rows}).encode()
    request = urllib.request.Request(f"{site}/api/sketch", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        token = json.load(answer)["token"]
    page = opened()
    total(page, 11)
    page.goto(f"{site}/?sketch={token}")
    canvas = page.locator("canvas.painting")
    expect(canvas).to_be_visible()

    def painted(x: int, y: int) -> tuple[int, ...]:
        data = canvas.evaluate("(canvas) => canvas.toDataURL().split(',')[1]")
        with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
            return picture.convert("RGBA").getpixel((x, y))

    expect(page.locator(".paint-told")).to_contain_text("Photos are ordered")
    assert painted(30, 5) == (*sky.colour, 255)
    assert painted(30, 40)[3] == 0
    page.locator(".tile").first.wait_for()
    assert shown(page) == answered(site, f"sketch={token}&limit=11")
    page.get_by_role("radio", name="mountain", exact=True).click()
    stroke(page, 0.9)
    second = wait_for(page, "sketch", other_than=token)
    assert parameter(page, "sketch") == second
    page.get_by_role("button", name="Close the canvas").click()
    assert wait_for(page, "sketch", other_than=second) == ""
    page.go_back()
    expect(canvas).to_be_visible()
    assert wait_for(page, "sketch") == second
    assert painted(30, 43)[3] == 255
    page.get_by_role("button", name="Close the canvas").click()
    assert wait_for(page, "sketch", other_than=second) == ""
    page.get_by_role("button", name="Paint a layout").click()
    assert wait_for(page, "sketch") == second  # it waited


def test_painting_by_keyboard(opened: Watched, site: str):
    page = opened()
    page.keyboard.press("p")
    canvas = page.locator("canvas.painting")
    expect(canvas).to_be_focused()
    page.keyboard.press("Space")
    first = wait_for(page, "sketch")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert wait_for(page, "sketch", other_than=first)
    page.keyboard.press("Control+z")
    page.keyboard.press("Escape")
    expect(page.locator("#paint")).to_be_hidden()
    assert parameter(page, "sketch") == ""


def test_more_like_a_photo_and_like_one_that_is_sent(
    opened: Watched, site: str, archive: Path, tmp_path: Path
):
    with Archive(archive) as own:
        picos = own.query("path:picos").hits[0].id
    page = opened(f"/?photo={picos}")
    for name, by in (("Both", ""), ("Layout", "layout"), ("Look", "look")):
        page.goto(f"{site}/?photo={picos}")
        page.locator(".facts").get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#likeness")).to_contain_text(f"Like photo #{picos}")
        expect(page.locator('.tile[data-place="0"]')).to_have_attribute("data-id", str(picos))
        assert shown(page) == answered(site, f"similar={picos}&limit=11" + (f"&by={by}" if by else ""))
    page.get_by_role("button", name="No longer by likeness").click()
    expect(page.locator("#likeness")).to_be_hidden()
    with page.expect_file_chooser() as chooser:
        menu(page, "Search by a photo")
    chooser.value.set_files(served.SAMPLES / "picos.jpg")
    expect(page.locator("#likeness")).to_contain_text("Like picos.jpg")
    expect(page.locator('.tile[data-place="0"]')).to_have_attribute("data-id", str(picos))
    total(page, 11)


def test_a_file_dropped_on_the_page_is_searched_by_or_stored(opened: Watched, archive: Path):
    page = opened()
    total(page, 11)
    data = base64.b64encode((archive.parent / "photos" / "stream.jpg").read_bytes()).decode()
    files = page.evaluate_handle(
        """(text) => {
          const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const files = new DataTransfer();
          files.items.add(new File([bytes], "stream.jpg", { type: "image/jpeg" }));
          return files;
        }""",
        data,
    )
    page.dispatch_event("#page", "dragenter", {"dataTransfer": files})
    expect(page.locator("#drop")).to_be_visible()
    page.dispatch_event('[data-drop="search"]', "drop", {"dataTransfer": files})
    expect(page.locator("#drop")).to_be_hidden()
    expect(page.locator("#likeness")).to_contain_text("Like stream.jpg")
    with Archive(archive) as own:
        assert own.overview().photos == 11
        stream = own.query("path:stream").hits[0].id
    expect(page.locator('.tile[data-place="0"]')).to_have_attribute("data-id", str(stream))
    page.dispatch_event("#page", "dragenter", {"dataTransfer": files})
    page.dispatch_event('[data-drop="ingest"]', "drop", {"dataTransfer": files})
    panel = page.get_by_role("region", name="Putting photos in")
    expect(panel).to_contain_text(f"it is photo {stream} already")
    expect(panel.get_by_role("status")).to_have_text("0 photos stored, 1 skipped.")


# What people say of photos


def test_tags_and_rating_of_one_photo(opened: Watched, archive: Path):
    with Archive(archive) as own:
        dogs = own.query("path:dogs").hits[0].id
    page = opened(f"/?photo={dogs}")
    field = page.get_by_role("textbox", name="Add a tag")
    field.fill("good boys, best")
    field.press("Enter")
    expect(page.locator(".fact-edit .chip")).to_have_count(2)
    expect(page.get_by_role("button", name="Take away the tag good-boys")).to_be_visible()
    page.get_by_role("button", name="Take away the tag best").click()
    expect(page.locator(".fact-edit .chip")).to_have_count(1)
    page.locator(".detail-name").focus()
    page.keyboard.press("4")
    expect(page.locator(".star.on")).to_have_count(4)
    page.get_by_role("button", name="5 stars").click()
    expect(page.locator(".star.on")).to_have_count(5)
    expect(page.get_by_role("button", name="5 stars")).to_be_focused()  # though it was drawn anew
    with Archive(archive) as own:
        assert own.info(dogs)["tags"] == ["good-boys"]
        assert own.info(dogs)["rating"] == 5
    page.keyboard.press("Escape")
    expect(page.locator(f'.tile[data-id="{dogs}"]')).to_contain_text("★★★★★")
    page.locator("#facets").get_by_role("button", name="good-boys").click()
    total(page, 1)


def test_more_tags_than_are_listed_are_counted(opened: Watched, archive: Path):
    names = [f"many-{number:03}" for number in range(130)]
    with Archive(archive) as own:
        kept = len(own.tags())
        own.tag(names, [1])
    try:
        page = opened()
        group = page.locator(".facet").filter(has_text="Tags")
        expect(group.locator(".facet-number")).to_have_text(str(kept + 130))
        more = group.get_by_role("button", name=f"100 of {kept + 130}")
        more.click()
        expect(group.locator(".facet-value")).to_have_count(100)
    finally:
        with Archive(archive) as own:
            own.untag(names, [1])


def test_no_key_rates_the_photo_before_while_the_next_is_loading(opened: Watched):
    photos = Gate("**/api/photos/*")
    page = opened(before=photos.lay)
    page.locator(".tile").first.click()
    page.wait_for_selector(".layers")
    photos.shut()
    rated: list[str] = []
    page.on("request", lambda request: rated.append(request.url) if "rating" in request.url else None)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".detail-position")).to_contain_text("2 of")
    page.keyboard.press("4")
    wait_until(page, lambda: photos.held)
    page.wait_for_timeout(300)
    assert rated == []
    photos.open()
    page.wait_for_selector(".layers")


def test_several_are_chosen_tagged_and_rated(opened: Watched, archive: Path):
    page = opened("/?q=sky")
    page.locator('.tile[data-place="0"]').hover()
    page.locator('.tile[data-place="0"] .tile-check').click()
    page.locator('.tile[data-place="2"]').click(modifiers=["Shift"])
    bar = page.get_by_role("toolbar", name="Selected photos")
    expect(bar).to_contain_text("3 photos")
    page.locator('.tile[data-place="1"]').click(modifiers=["Control"])
    expect(bar).to_contain_text("2 photos")
    chosen = [shown(page)[0], shown(page)[2]]
    bar.get_by_role("button", name="Tag").click()
    page.get_by_role("textbox", name="Tags, by commas").fill("trip")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("2 photos tagged")
    bar.get_by_role("button", name="Rate").click()
    page.get_by_role("menuitem", name="★★★", exact=True).click()
    expect(page.locator(f'.tile[data-id="{chosen[0]}"]')).to_contain_text("★★★")
    with Archive(archive) as own:
        assert sorted(own.matching("tag:trip and rating:3")) == sorted(chosen)


def test_the_bin_and_back(opened: Watched, archive: Path):
    page = opened("/?q=path:wine")
    total(page, 1)
    page.keyboard.press("g")
    page.keyboard.press("Delete")
    total(page, 0)
    expect(page.locator("#notices")).to_contain_text("1 photo went to the bin")
    menu(page, "The bin")
    total(page, 1)
    with Archive(archive) as own:
        assert len(own.bin()) == 1
    page.keyboard.press("g")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Bring back").last.click()
    total(page, 0)
    with Archive(archive) as own:
        assert len(own.bin()) == 0
    page.get_by_role("button", name="All photos").click()
    total(page, 11)


def test_focus_stays_where_photos_were_with_the_keyboard_alone(opened: Watched, archive: Path):
    page = opened()
    total(page, 11)
    gone = shown(page)[1]
    page.keyboard.press("g")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Delete")
    total(page, 10)
    expect(page.locator('.tile[data-place="1"]')).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_role("toolbar", name="Selected photos").get_by_role("button", name="Rate").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="No rating").press("Enter")
    expect(page.get_by_role("button", name="Rate")).to_be_focused()
    with Archive(archive) as own:
        own.restore([gone])


def test_changes_by_a_command_are_told_when_the_window_is_used_again(opened: Watched, archive: Path):
    page = opened()
    total(page, 11)
    gone = shown(page)[0]
    with Archive(archive) as own:
        own.remove([gone])
    try:
        page.evaluate("dispatchEvent(new Event('focus'))")  # a terminal beside it had it meanwhile
        notice = page.locator("#notices").filter(has_text="The archive has changed meanwhile")
        notice.get_by_role("button", name="Show").click()
        total(page, 10)
    finally:
        with Archive(archive) as own:
            own.restore([gone])


def test_a_photo_that_lies_in_the_bin_says_so_and_is_brought_back_where_it_is_open(
    opened: Watched, archive: Path
):
    with Archive(archive) as own:
        gone = next(iter(own)).id
        own.remove([gone])
    try:
        page = opened(f"/?photo={gone}")
        facts = page.locator(".in-bin")
        expect(facts).to_contain_text("In the bin")
        facts.get_by_role("button", name="Bring back").click()
        expect(facts).to_have_count(0)
        total(page, 11)
        with Archive(archive) as own:
            assert len(own.bin()) == 0
        expect(page.locator("#detail")).to_contain_text(re.compile(r"\d+ of 11"))  # among the others again
    finally:
        with Archive(archive) as own:
            own.restore([gone])


@pytest.mark.parametrize("looks", ["while the photo is on its way", "just before"])
def test_a_move_to_the_bin_is_not_told_to_who_comes_back_meanwhile(
    opened: Watched, archive: Path, looks: str
):
    asks = Gate("**/api/bin" if looks.startswith("while") else "**/api/archive")
    page = opened(before=asks.lay)
    total(page, 11)
    gone = shown(page)[0]
    asks.shut()
    come_back = "dispatchEvent(new Event('focus'))"
    page.keyboard.press("g")
    try:
        if looks.startswith("while"):
            page.keyboard.press("Delete")
            wait_until(page, lambda: len(asks.held) == 1)
            moved = asks.held[0].fetch()  # it lies in the bin, and the page does not know yet
            page.evaluate(come_back)
            for _ in range(2):
                page.evaluate("fetch('/api/archive').then(() => new Promise(requestAnimationFrame)).then()")
            asks.held[0].fulfill(response=moved)
        else:
            page.evaluate(come_back)
            wait_until(page, lambda: len(asks.held) == 1)
            page.keyboard.press("Delete")
            wait_until(page, lambda: len(asks.held) == 2)
            for route in asks.held:
                route.fulfill(response=route.fetch())
        total(page, 10)
        expect(page.locator(".notice")).to_have_text([re.compile("1 photo went to the bin")])
    finally:
        with Archive(archive) as own:
            own.restore([gone])


@pytest.mark.parametrize("change", ["tag", "rating"])
def test_changes_by_a_command_are_told_after_one_by_the_page(opened: Watched, archive: Path, change: str):
    page = opened()
    total(page, 11)
    gone, tagged = shown(page)[:2]
    with Archive(archive) as own:
        own.remove([gone])
    try:
        page.locator('.tile[data-place="1"]').click(modifiers=["Control"])
        bar = page.get_by_role("toolbar", name="Selected photos")
        if change == "tag":
            bar.get_by_role("button", name="Tag").click()
            page.get_by_role("textbox", name="Tags, by commas").fill("seen")
            page.keyboard.press("Enter")
        else:
            bar.get_by_role("button", name="Rate").click()
            page.get_by_role("menuitem", name="★★", exact=True).click()
        notice = page.locator(".notice").filter(has_text="The archive has changed meanwhile")
        notice.get_by_role("button", name="Show").click()
        total(page, 10)
    finally:
        with Archive(archive) as own:
            own.restore([gone])
            if change == "tag":
                own.untag(["seen"], [tagged])
            else:
                own.rate(0, [tagged])


def test_the_page_does_not_tell_of_its_own_changes(opened: Watched, archive: Path):
    page = opened()
    total(page, 11)
    tagged = shown(page)[0]
    asked: list[str] = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    page.keyboard.press("g")
    page.keyboard.press("Space")
    page.keyboard.press("t")
    page.get_by_role("textbox", name="Tags, by commas").fill("seen")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("1 photo tagged")
    wait_until(page, lambda: any(url.endswith("/api/archive") for url in asked))
    page.wait_for_timeout(100)
    expect(page.locator(".notice")).to_have_count(1)
    with Archive(archive) as own:
        own.untag(["seen"], [tagged])


def test_maps_that_nobody_waits_for_are_not_decoded(opened: Watched):
    """Of many that are given up only those that workers hold already are; asked for again, each comes."""
    page = opened()
    with urllib.request.urlopen(f"{opened.site}/api/query?maps=true&limit=1") as answer:
        file = base64.b64decode(json.load(answer)["objects"][0]["map"])
    coded = [
        base64.b64encode(file + bytes([i])).decode() for i in range(40)
    ]  # what is behind a map is not read
    given_up, again, other = page.evaluate(
        """async (coded) => {
            const { mapOf } = await import("/static/maps.js");
            const over = new AbortController();
            const first = coded.map((map) => mapOf({ map }, over.signal));
            const kept = mapOf({ map: coded.at(-1) }, new AbortController().signal);
            over.abort();
            const isThere = async (maps) => (await Promise.all(maps)).map((map) => map !== null);
            const none = await isThere(first);
            const signal = new AbortController().signal;
            return [none, await isThere(coded.map((map) => mapOf({ map }, signal))), (await kept).width];
        }""",
        coded,
    )
    assert given_up[-2:] == [False, True]
    assert given_up.count(True) <= 1 + 2 * 4
    assert again == [True] * 40
    assert other > 0


def test_a_photo_that_was_labelled_anew_shows_its_new_map(opened: Watched):
    page = opened()
    with urllib.request.urlopen(f"{opened.site}/api/query?maps=true") as answer:
        coded = [each["map"] for each in json.load(answer)["objects"]]
    sums = page.evaluate(
        """async (coded) => {
            const { mapOf } = await import("/static/maps.js");
            const signal = new AbortController().signal;
            const sum = (map) => map.labels.reduce((a, b) => (31 * a + b) % 1e9, 0);
            const of = async (i) => sum(await mapOf({ id: 900001, map: coded[i] }, signal));
            return [await of(0), await of(1), await of(0)];
        }""",
        coded,
    )
    assert sums[0] != sums[1] != sums[2] == sums[0]


def test_maps_are_decoded_while_their_answer_comes(opened: Watched):
    """Each once, as soon as all of it is there, wherever the answer is cut; a name that looks like one is
    none."""
    page = opened()
    with urllib.request.urlopen(f"{opened.site}/api/query?maps=true&limit=3") as answer:
        objects = json.load(answer)["objects"]
    objects[1]["name"] = '","map":"bm90aGluZw=="'
    text = json.dumps({"objects": objects}, separators=(",", ":"))
    begun, places, same = page.evaluate(
        """async (text) => {
            const { beginMaps, mapOf } = await import("/static/maps.js");
            const { signal } = new AbortController();
            const places = [0];
            for (let end = 0; end <= text.length; end += 97) {
                places.push(beginMaps(text.slice(0, end), places.at(-1), signal));
            }
            places.push(beginMaps(text, places.at(-1), signal));
            const maps = JSON.parse(text).objects.map((each) => mapOf(each, signal));
            const again = JSON.parse(text).objects.map((each) => mapOf(each, signal));
            const isThere = (await Promise.all(maps)).map((map) => map !== null);
            return [isThere, [...new Set(places)], maps.every((map, i) => map === again[i])];
        }""",
        text,
    )
    assert begun == [True] * 3
    assert places == [0, *(text.index(each["map"]) + len(each["map"]) + 1 for each in objects)]
    assert same


def test_saved_queries(opened: Watched, archive: Path):
    page = opened("/?q=sky+and+mountain")
    menu(page, "Save this query")
    page.get_by_role("textbox", name="Name").fill("high places")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("@high-places")
    with Archive(archive) as own:
        assert own.saved_queries() == {"high-places": "sky and mountain"}
        wanted = own.query("@high-places").total
    page.goto(opened.site + "/?q=sky")
    menu(page, "Save this query")
    page.get_by_role("textbox", name="Name").fill("high places")
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_contain_text("There is a saved query “high-places” already.")
    opened.wrong[:] = [each for each in opened.wrong if "status of 409" not in each]
    page.goto(opened.site)
    menu(page, "Saved queries")
    page.get_by_role("button", name="high-places sky and mountain").click()
    total(page, wanted)
    assert parameter(page, "q") == "@high-places"
    menu(page, "Saved queries")
    page.get_by_role("button", name="Forget high-places").click()
    expect(page.get_by_role("dialog")).to_contain_text("None yet")
    with Archive(archive) as own:
        assert own.saved_queries() == {}


def test_names_that_are_none_are_refused_in_a_sentence(opened: Watched, archive: Path):
    page = opened("/?q=sky")
    for name in (".", ".."):
        menu(page, "Save this query")
        page.get_by_role("textbox", name="Name").fill(name)
        page.keyboard.press("Enter")
        notice = page.locator(".notice.mistake").filter(has_text="begins with a letter")
        notice.get_by_role("button", name="Close this message").click()
    opened.wrong[:] = [each for each in opened.wrong if "status of 400" not in each]
    with Archive(archive) as own:
        assert own.saved_queries() == {}


def test_a_label_map_by_people_is_said_to_be_one(opened: Watched, archive: Path, tmp_path: Path):
    page = opened("/?photo=1")
    page.wait_for_selector(".layers")
    said = page.locator(".facts").get_by_text("By people's label map")
    expect(said).to_have_count(0)
    with Archive(archive) as own:
        labels = np.full((60, 80), own.vocabulary.id_of("horse"), np.uint8)
        to, photo = writer("png", Legend.of(own.vocabulary)), own.info(1)["path"]
        for name, data in [*to.image(LabelledImage("one", photo, labels)), *to.end()]:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(data)
        assert own.import_labels(tmp_path).photos == [1]
    try:
        page.reload()
        expect(said).to_be_visible()
    finally:
        with Archive(archive) as own:
            own.reset_labels([1])


def test_chosen_photos_are_exported(opened: Watched, archive: Path, tmp_path: Path):
    page = opened()
    total(page, 11)
    page.keyboard.press("g")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    chosen = shown(page)[:2]
    bar = page.get_by_role("toolbar", name="Selected photos")
    bar.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="CSV").click()
    download.value.save_as(tmp_path / "chosen.csv")
    with (tmp_path / "chosen.csv").open(newline="") as lines:
        assert sorted(int(row["id"]) for row in csv.DictReader(lines)) == sorted(chosen)


# Coming and going


def test_files_are_put_in_and_duplicates_sorted_out(opened: Watched, archive: Path, tmp_path: Path):
    with Image.open(served.SAMPLES / "picos.jpg") as photo:
        photo.resize((480, 360)).save(tmp_path / "<i>again.jpg", quality=60)
    (tmp_path / "broken.jpg").write_bytes(b"this is no photo")
    page = opened()
    with page.expect_file_chooser() as chooser:
        menu(page, "Put photos in")
    chooser.value.set_files([tmp_path / "<i>again.jpg", tmp_path / "broken.jpg"])
    panel = page.get_by_role("region", name="Putting photos in")
    expect(panel).to_contain_text("1 photo stored, 1 skipped")
    expect(panel).to_contain_text("broken.jpg")
    expect(panel).to_contain_text("not a picture")
    assert panel.locator("i").count() == 0
    total(page, 12)
    panel.get_by_role("button", name="Close").click()
    menu(page, "Duplicates")
    dialog = page.get_by_role("dialog", name="Duplicates")
    expect(dialog).to_contain_text("1 group, 1 photo beside")
    kept = dialog.locator(".copy.kept strong").text_content()
    assert dialog.locator(".why").evaluate(
        "(why) => why.getBoundingClientRect().right <= why.closest('.copy').getBoundingClientRect().right + 1"
    )
    dialog.locator(".copy.kept").get_by_role("button", name="Keep this one").click()
    expect(page.locator("#notices")).to_contain_text("1 photo went to the bin")
    page.keyboard.press("Escape")
    total(page, 11)
    with Archive(archive) as own:
        assert [each.path for each in own.bin()] != []
        assert kept not in {Path(each.path).name for each in own.bin()}


def test_a_second_user_without_the_token_sees_nothing(browser: Browser, archive: Path):
    with served.serving(archive, "--host", "0.0.0.0") as address:
        port = address.rpartition(":")[2].partition("/")[0]
        token = address.partition("?token=")[2]
        assert token
        own, other = browser.new_context(), browser.new_context()
        page = own.new_page()
        page.goto(f"http://127.0.0.1:{port}/?token={token}")
        expect(page.locator("#total")).to_contain_text("photo")
        assert "token" not in page.url
        assert page.evaluate("document.cookie") == ""  # no script can read it
        stranger = other.new_page()
        for path in ("/", "/api/query", "/static/app.js", "/?token=guess"):
            answer = stranger.goto(f"http://127.0.0.1:{port}{path}")
            assert answer is not None and answer.status == 401
        own.close()
        other.close()
