"""The whole page in Chromium, over a real server of real photos. A request to anywhere else, an error in the
page, or a word of it on the console fails the test that caused it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from axe_core_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from dsslic_search import Archive
from dsslic_search.core.errors import DSSError, UsageError
from dsslic_search.web.wording import in_requests
from tests.thresholds import spelt
from tests.web import chromium, served
from tests.web.chromium import Gate, Watched, total

STAGES = ["map", "compact", "coarse", "full"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served.fill(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[str]:
    with served.serving(archive, "--read-only") as address:
        yield address


def matching(archive: Path, query: str) -> int:
    with Archive(archive) as opened:
        return opened.query(query).total


def query_of(page: Page) -> str:
    return page.evaluate("new URLSearchParams(location.search).get('q') ?? ''")


def serious(page: Page) -> list[str]:
    """What axe-core finds that keeps people from using the page."""
    found = Axe().run(page, options={"resultTypes": ["violations"]})["violations"]  # of others, no elements
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


# Searching


def test_search_is_in_the_address_and_back_and_forward_work(opened: Watched, archive: Path):
    page = opened()
    total(page, 11)
    page.get_by_role("combobox", name="Search").fill("sky")
    page.keyboard.press("Enter")
    total(page, matching(archive, "sky"))
    assert query_of(page) == "sky"
    page.get_by_role("combobox", name="Search").fill("sky, mountain")
    page.keyboard.press("Enter")
    total(page, matching(archive, "sky, mountain"))
    page.go_back()
    total(page, matching(archive, "sky"))
    expect(page.get_by_role("combobox", name="Search")).to_have_value("sky")
    page.go_forward()
    total(page, matching(archive, "sky, mountain"))
    page.reload()
    total(page, matching(archive, "sky, mountain"))


def test_what_is_typed_is_completed_and_read(opened: Watched):
    page = opened()
    field = page.get_by_role("combobox", name="Search")
    field.press_sequentially("mount")
    expect(page.get_by_role("option", name="mountain class")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value("mountain ")
    field.press_sequentially("without cars")
    expect(page.locator("#reading")).to_have_text(spelt("Read as mountain ≥ {mountain} and car < {car}"))


def test_a_mistake_is_marked_under_its_word_and_mended_by_a_suggestion(opened: Watched, archive: Path):
    page = opened("/?q=sky+abve+mountain")
    expect(page.locator("#q-mirror mark")).to_have_text("abve")
    expect(page.locator("#reading")).to_contain_text("did you mean")
    page.locator("#reading").get_by_role("button", name="above", exact=True).click()
    total(page, matching(archive, "sky above mountain"))
    expect(page.locator("#q-mirror mark")).to_have_count(0)
    page.locator("#q").fill("sky, mountain")
    expect(page.locator(".chip.part")).to_have_count(2)
    page.locator("#q").fill("abve the sky")
    expect(page.locator("#reading")).to_contain_text("did you mean")
    expect(page.locator(".chip.part")).to_have_count(0)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("sky, wallpaper", 'Unknown word "wallpaper": photos are not known to show it; leave it out'),
        (
            "tag:nothing",
            'No photo has the tag "nothing": there are no tags yet; choose photos to give them one',
        ),
    ],
)
def test_a_mistake_is_told_for_people_and_not_for_programs(opened: Watched, query: str, told: str):
    page = opened(f"/?q={query}")
    expect(page.locator("#q-error")).to_have_text(told)


def test_no_sentence_about_a_query_sends_people_to_an_address(opened: Watched, archive: Path, tmp_path: Path):
    copy = tmp_path / "archive"
    shutil.copytree(archive, copy)
    told = []
    with Archive(copy) as there:
        for refused in ("wallpaper", "flwer", "tag:nothing", "@nothing"):
            with pytest.raises(UsageError) as error:
                there.query(refused)
            told.append(in_requests(str(error.value)))
        there.tag("best", [1])
        with pytest.raises(UsageError) as error:
            there.query("tag:nothing")
        told.append(in_requests(str(error.value)))
        with pytest.raises(DSSError) as trouble:
            there.forget("nothing")
        told.append(in_requests(str(trouble.value)))
    assert sum("/api/" in each for each in told) == 4
    page = opened("/")
    script = "async (told) => told.map((await import('/static/words.js')).sentence)"
    shown = page.evaluate(script, told)
    assert [each for each in shown if "/api/" in each] == []


def test_refining_by_facets_chips_and_order(opened: Watched, archive: Path):
    page = opened("/?q=sky")
    page.locator("#facets").get_by_role("button", name="mountain").first.click()
    total(page, matching(archive, "sky and mountain"))
    page.get_by_role("button", name="Take away sky").click()
    expect(page.locator("#q")).to_have_value("mountain")
    total(page, matching(archive, "mountain"))
    page.get_by_role("combobox", name="Order").select_option("taken")
    expect(page.locator("#q")).to_have_value("mountain, sort:taken")
    first = page.locator(".tile").first
    with Archive(archive) as own:
        wanted = own.query("mountain, sort:taken").hits[0].id
    expect(first).to_have_attribute("data-id", str(wanted))


def test_what_is_counted_stands_in_a_table_to_click(opened: Watched, archive: Path):
    page = opened("/?q=how+many+photos+per+year")
    table = page.get_by_role("table", name="Photos per year")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(2)
    assert [row.split() for row in rows.all_inner_texts()] == [["2019", "1"], ["2021", "2"]]
    expect(page.locator("#tally")).to_contain_text("8 photos without a date")
    widths = [bar.bounding_box()["width"] for bar in table.locator(".tally-bar").all()]
    assert widths[0] == pytest.approx(widths[1] / 2, abs=1)
    assert serious(page) == []
    table.get_by_role("button", name="2021").click()
    total(page, matching(archive, "taken:2021"))
    expect(rows).to_have_count(1)
    page.locator("#q").fill("how many photos per month")
    page.keyboard.press("Enter")
    table = page.get_by_role("table", name="Photos per month")
    expect(table.get_by_role("row", name="December 2021")).to_contain_text("2")
    page.locator("#q").fill("sky")
    page.keyboard.press("Enter")
    total(page, matching(archive, "sky"))
    expect(page.locator("#tally")).to_be_hidden()


def test_of_many_counts_the_first_are_shown_until_all_are_asked_for(opened: Watched):
    values = [{"name": f"camera {n}", "count": 99 - n, "query": f"camera:{n}"} for n in range(30)]

    def answer(route: Route) -> None:
        if "camera" not in route.request.url:
            return route.continue_()
        facets = route.fetch().json()
        return route.fulfill(
            json=facets | {"tally": {"by": "camera", "values": values, "more": 30, "without": 0}}
        )

    page = opened(before=lambda page: page.route("**/api/facets?*", answer))
    page.locator("#q").fill("how many photos per camera")
    page.keyboard.press("Enter")
    rows = page.get_by_role("table", name="Photos per camera").locator("tbody tr")
    expect(rows).to_have_count(12)
    page.get_by_role("button", name="All 30", exact=True).click()
    expect(rows).to_have_count(30)
    expect(page.get_by_role("button", name="Fewer", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(12)


def test_the_order_says_what_comes_first(opened: Watched, archive: Path):
    page = opened()
    order = page.get_by_role("combobox", name="Order")
    with Archive(archive) as own:
        newest = own.query("everything").hits[0].id

    def says(words: str) -> None:
        expect(order.locator("option:checked")).to_have_text(words)

    says("Newest first")
    assert "Best first" not in order.locator("option").all_text_contents()
    expect(page.locator(".tile").first).to_have_attribute("data-id", str(newest))
    order.select_option("name")
    expect(page.locator("#q")).to_have_value("sort:name")
    says("By name")
    order.select_option("")
    expect(page.locator("#q")).to_have_value("")
    page.goto(f"{opened.site}/?q=sky")
    says("Best first")
    page.goto(f"{opened.site}/?similar={newest}")
    says("Best first")
    page.get_by_role("button", name="No longer by likeness").click()
    says("Newest first")


def test_coverage_is_set_by_a_slider(opened: Watched, archive: Path):
    reading = Gate("**/api/read?*")
    page = opened(before=reading.lay)
    page.get_by_role("button", name="How much sky").click()
    page.get_by_label("Least coverage of sky").fill("30")
    total(page, matching(archive, "at least 30% sky"))
    assert query_of(page) == "at least 30% sky"
    page.get_by_label("Greatest coverage of sky").fill("60")
    total(page, matching(archive, "between 30% and 60% sky"))
    page.get_by_label("Least coverage of sky").fill("0")
    page.get_by_label("Greatest coverage of sky").fill("100")
    total(page, 11)


def test_a_slider_stays_where_it_was_put_while_the_reading_is_on_its_way(opened: Watched, archive: Path):
    reading = Gate("**/api/read?*")
    page = opened(before=reading.lay)
    page.get_by_role("button", name="How much sky").click()
    page.get_by_label("Least coverage of sky").fill("30")
    page.get_by_label("Greatest coverage of sky").fill("60")
    total(page, matching(archive, "between 30% and 60% sky"))
    reading.shut()
    with page.expect_response("**/api/facets?*"):
        page.get_by_label("Least coverage of sky").fill("0")
    page.wait_for_timeout(200)  # they are drawn
    page.get_by_label("Greatest coverage of sky").fill("100")
    page.wait_for_timeout(400)
    expect(page.get_by_label("Least coverage of sky")).to_have_value("0")
    expect(page.get_by_label("Greatest coverage of sky")).to_have_value("100")
    reading.open()
    page.get_by_label("Greatest coverage of sky").fill("99")
    page.get_by_label("Greatest coverage of sky").fill("100")
    total(page, 11)


@pytest.mark.parametrize("width", [360, 1280, 3840])
def test_the_years_of_the_timeline_are_whole_and_apart(opened: Watched, width: int):
    page = opened(width=width)
    months = [{"month": text, "count": 1} for text in ("2015-03", "2018-06", "2022-01")]
    page.evaluate(
        """async (months) => {
            const { timeline } = await import(
                new URL("timeline.js", document.querySelector("script[type=module]").src)
            );
            timeline.show(months);
        }""",
        months,
    )
    ends = page.locator(".timeline-years").evaluate(
        """(row) => [row, ...row.children].map((each) => {
            const { left, right } = each.getBoundingClientRect();
            return [left, right];
        })"""
    )
    (_, edge), *years = ends
    assert len(years) > 1
    assert years[-1][1] <= edge
    assert all(right < left for (_, right), (left, _) in pairwise(years))


def test_months_and_places_are_asked_by_a_click(opened: Watched, archive: Path):
    page = opened()
    page.locator("#timeline").get_by_role("button", name="December 2021, 2 photos").click()
    total(page, matching(archive, "taken:2021-12"))
    page.go_back()
    total(page, 11)
    page.get_by_role("button", name="Map of places").click()
    expect(page.locator("#places .land")).to_have_attribute("d", re.compile("^M.*Z$"))
    dot = page.get_by_role("button", name="1 photo near 52.50°, 13.40°")
    dot.click()
    total(page, 1)
    expect(page.locator("#places .dots circle")).to_have_count(1)  # until then the map is that of before
    across = page.locator("svg.map").evaluate("(map) => map.viewBox.baseVal.width")
    assert across >= 12  # degrees, of one place alone, too: something of an outline is in sight
    assert query_of(page) == "within 52.50000,13.40000..52.50000,13.40000"
    page.get_by_role("button", name="Clear the search").click()
    total(page, 11)
    with urllib.request.urlopen(f"{opened.site}/api/facets") as answer:
        places = json.load(answer)["places"]
    assert len(places) > 1
    for _, _, photos, _, part in places:
        assert matching(archive, part) == photos


def test_nothing_found_mistakes_and_an_empty_archive_are_told(
    opened: Watched, browser: Browser, tmp_path: Path
):
    page = opened("/?q=boat,+aeroplane,+bed")
    total(page, 0)
    page.get_by_role("button", name="without “boat”").click()
    expect(page.locator("#q")).not_to_have_value("boat, aeroplane, bed")
    page.goto(opened.site + "/?q=abve")
    expect(page.get_by_role("heading", name="This cannot be read")).to_be_visible()
    for address, told in (
        ("/?sketch=nosuchtokenatall", "is not kept any more"),
        ("/?similar=1&by=nothing", "by: input should be"),
    ):
        page.goto(opened.site + address)
        expect(page.locator("#state")).to_contain_text(told, ignore_case=True)
        page.locator("#state").get_by_role("button", name="All photos").click()
        total(page, 11)
    for text in ("99999999999999999999", "0", "abc"):
        page.goto(f"{opened.site}/?photo={text}")
        expect(page.locator("#notices")).to_contain_text(f"There is no photo {text}")
        expect(page).to_have_url(opened.site + "/")
        total(page, 11)
    opened.wrong[:] = [each for each in opened.wrong if "status of 404" not in each]  # as it was asked
    with Archive(tmp_path / "archive") as empty:
        Image.new("RGB", (64, 48), "navy").save(tmp_path / "one.png")
        empty.ingest([tmp_path / "one.png"])
        empty.remove([1])
    with served.serving(tmp_path / "archive") as other:
        page = Watched(browser, other)()
        expect(page.get_by_role("heading", name="No photos yet")).to_be_visible()
        expect(page.get_by_role("button", name="Choose photos")).to_be_visible()
        page.context.close()


# Pictures


def test_tiles_show_their_label_map_first_and_then_stage_by_stage(opened: Watched):
    stages = Gate("**/stages/**", shut=True)
    page = opened(before=stages.lay)
    expect(page.locator('.tile[data-stage="map"]')).to_have_count(11)
    drawn = "images => images.every(({ complete, naturalWidth }) => complete && naturalWidth > 0)"
    assert page.locator(".tile img").evaluate_all(drawn)
    assert page.locator(".tile canvas").count() == 0  # each would be a layer, put together in every frame
    stages.open()
    expect(page.locator('.tile[data-stage="full"]')).to_have_count(11)
    told = page.locator(".tile").evaluate_all("tiles => tiles.map((tile) => tile.dataset.stages)")
    assert told == [" ".join(STAGES)] * 11


def test_maps_come_with_the_answer_and_a_page_is_light_enough_for_a_slow_line(opened: Watched):
    """At 256 kbit/s, 32 000 bytes a second: 30 photos show something within one, compact images within four.
    Bytes are counted, and 400 for the head of each answer."""
    asked: list[str] = []
    page = opened(before=lambda page: page.on("request", lambda request: asked.append(request.url)))
    expect(page.locator('.tile[data-stage="full"]')).to_have_count(11)
    first = {
        kind: next(number for number, url in enumerate(asked) if f"/{kind}" in url)
        for kind in ("api/query", "api/read", "stages/compact", "api/facets")
    }
    assert first["api/query"] < min(first["api/read"], first["stages/compact"], first["api/facets"])

    def size(path: str) -> int:
        request = urllib.request.Request(opened.site + path, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request) as answer:
            return len(answer.read()) + 400

    shown = page.locator(".tile").evaluate_all("tiles => tiles.map((tile) => tile.dataset.id)")
    something = size("/api/query?maps=true&limit=30")
    compact = sum(size(f"/api/photos/{photo}/stages/compact?format=webp") for photo in shown)
    assert something * 30 / 11 < 0.6 * 32_000
    assert (something + compact) * 30 / 11 < 4 * 32_000


def test_the_reading_and_the_rest_wait_for_the_answer(opened: Watched):
    """What stands beside the photos would take their room on a slow line."""
    answers = Gate("**/api/query*")
    page = opened(before=answers.lay)
    expect(page.locator('.tile[data-settled="yes"]')).to_have_count(11)
    expect(page.locator("#facets button").first).to_be_visible()
    happened: list[str] = []
    page.on("request", lambda request: happened.append(request.url))
    answers.shut()
    page.evaluate("document.getElementById('q').value = 'sky and mountain'")
    with page.expect_request("**/api/query*"):
        page.locator("#q").press("Enter")
    page.wait_for_timeout(300)
    assert all("/api/query" in url for url in happened)
    answers.open()
    expect(page.locator(".chip.part")).to_have_count(2)
    expect(page.locator("#facets")).not_to_have_class("of-before")


def test_a_photo_shows_its_stages_bytes_and_what_each_part_is(opened: Watched, archive: Path):
    with Archive(archive) as own:
        hit = own.query("path:picos").hits[0]
        info = own.info(hit.id)
        labels = own.preview(hit.id, "map").image
        names = [each.name for each in own.vocabulary.classes]
    page = opened(f"/?photo={hit.id}")
    frame = page.locator(".stage-frame")
    expect(frame).to_have_attribute("data-stages", " ".join(STAGES))
    expect(page.locator(".detail-name")).to_have_text("picos.jpg")
    slider = page.get_by_label("Stage")
    for number, stage in enumerate(STAGES):
        slider.fill(str(number))
        expect(frame).to_have_attribute("data-stage", stage)
        expect(page.locator(".stage-told")).to_contain_text("bits a pixel")
    for layer in info["layers"]:
        expect(page.locator(".layers")).to_contain_text(f"{layer['bpp']:.3f}")
    page.get_by_role("button", name="Show what each part is").click()
    box = frame.bounding_box()
    assert box is not None
    height, width = np.asarray(labels).shape[:2]
    for x, y in ((0.5, 0.08), (0.5, 0.9), (0.12, 0.45)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        wanted = names[int(np.asarray(labels)[int(y * height), int(x * width)])]
        expect(page.locator(".stage-tip")).to_have_text(wanted)
    for name, share in info["coverage"].items():
        if share >= 0.001:
            expect(page.locator(".bars").first).to_contain_text(name)


def test_a_hostile_name_is_shown_as_text(opened: Watched):
    page = opened("/?q=path:*hostile*")
    tile = page.locator(".tile").filter(has_text=served.HOSTILE)
    expect(tile).to_have_count(1)
    tile.click()
    expect(page.locator(".detail-name")).to_have_text(served.HOSTILE)
    expect(page.locator(".facts")).to_contain_text(served.HOSTILE)
    assert page.locator("img[src=x]").count() == 0
    assert page.title() != "hostile"


# Keyboard, sizes, colours, people


def test_everything_by_keyboard(opened: Watched):
    page = opened()
    expect(page.locator(".tile")).to_have_count(11)
    page.keyboard.press("g")
    expect(page.locator(".tile").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    second = page.locator('.tile[data-place="1"]')
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    name = page.locator(".detail-name").text_content()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".detail-name")).not_to_have_text(name or "")
    expect(page.locator(".detail-position")).to_have_text("3 of 11")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator('.tile[data-place="2"]')).to_be_focused()
    assert "photo=" not in page.url
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator('.tile[aria-selected="true"]')).to_have_count(2)
    expect(page.get_by_role("toolbar", name="Selected photos")).to_contain_text("2 photos")
    page.keyboard.press("Control+a")
    expect(page.get_by_role("toolbar", name="Selected photos")).to_contain_text("11 photos")
    page.keyboard.press("Escape")
    expect(page.locator("#selection")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)


def test_closing_a_photo_goes_back_in_the_history(opened: Watched):
    page = opened("/?q=sky")
    page.locator(".tile").nth(1).click()
    expect(page.locator("#detail")).to_be_visible()
    page.get_by_role("button", name="Next photo").click()
    page.get_by_role("button", name="Back to the photos").click()
    expect(page.locator("#detail")).to_be_hidden()
    assert query_of(page) == "sky"
    page.go_forward()
    expect(page.locator("#detail")).to_be_visible()
    page.go_back()
    expect(page.locator("#detail")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 768, 1280, 1920, 3840])
def test_nothing_is_wider_than_the_window(opened: Watched, width: int):
    page = opened("/?q=sky", width=width, height=900)
    expect(page.locator(".tile").first).to_be_visible()
    over = """[...document.querySelectorAll("body *")]
        .filter((each) => each.checkVisibility() && !each.closest("#facets, .unseen, svg, select"))
        .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
        .map((each) => each.outerHTML.slice(0, 120))"""
    assert page.evaluate(over) == []
    page.locator(".tile").first.click()
    expect(page.locator(".stage-frame")).to_be_visible()
    expect(page.locator(".facts .bars").first).to_be_attached()
    assert page.evaluate(over) == []
    frame, facts = page.evaluate(  # both at one time: pictures that come move them
        """['.detail-stage', '.facts']
            .map((each) => document.querySelector(each).getBoundingClientRect().toJSON())"""
    )
    if width < 960:
        ground = page.locator(".side.after").evaluate("(arrow) => getComputedStyle(arrow).backgroundColor")
        assert ground != "rgba(0, 0, 0, 0)"  # it lies on the photo
        assert facts["y"] >= frame["y"] + frame["height"] - 1
    else:
        assert facts["x"] >= frame["x"] + frame["width"] - 1


def test_a_narrow_screen_refines_in_a_sheet(opened: Watched, archive: Path):
    page = opened(width=360, height=740, has_touch=True)
    expect(page.locator("#rail")).to_be_hidden()
    page.get_by_role("button", name="Refine").tap()
    page.locator("#facets").get_by_role("button", name="sky").first.tap()
    page.get_by_role("button", name="Show the photos").tap()
    expect(page.locator("#rail")).to_be_hidden()
    total(page, matching(archive, "sky"))


def test_dark_and_light_follow_the_system_and_the_choice(opened: Watched):
    paper = "getComputedStyle(document.documentElement).backgroundColor"

    def brightness(page: Page) -> int:
        return sum(int(part) for part in page.evaluate(paper)[4:-1].split(","))

    assert brightness(opened()) > 600
    page = opened(color_scheme="dark")
    assert brightness(page) < 150
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Dark or light").click()
    assert brightness(page) > 600
    page.reload()
    page.wait_for_selector("html.ready")
    assert brightness(page) > 600


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_serious(opened: Watched, colours: str):
    page = opened("/?q=sky,+mountain", color_scheme=colours)
    expect(page.locator('.tile[data-stage="full"]').first).to_be_visible()
    assert serious(page) == []
    page.keyboard.press("p")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Paint a layout").click()
    page.get_by_role("button", name="Map of places").click()
    expect(page.locator("#places .land")).to_be_attached()
    assert serious(page) == []
    page.locator(".tile").first.click()
    expect(page.locator(".layers")).to_be_visible()
    assert serious(page) == []
    page.goto(page.url.partition("?")[0] + "?q=abve")
    expect(page.locator("#q-mirror mark")).to_be_attached()
    assert serious(page) == []


def test_axe_finds_nothing_serious_on_a_narrow_screen(opened: Watched):
    page = opened("/?q=sky,+mountain", width=390, height=844)
    expect(page.locator(".tile").first).to_be_visible()
    assert serious(page) == []
    page.get_by_role("button", name="Refine").click()
    assert serious(page) == []


# Many


def test_what_is_written_to_a_browser_that_went_away_does_not_end_the_server(archive: Path):
    """The kernel answers it with SIGPIPE, which ends programs that do not ignore it."""
    with served.started(archive) as (server, address):
        server.send_signal(signal.SIGPIPE)
        with urllib.request.urlopen(f"{address}/api/archive") as answer:
            assert json.load(answer)["photos"] == 11


def test_a_hundred_thousand_results_keep_the_page_small(opened: Watched):
    """Answers are made up in the test, of one photo; the page is the real one."""
    many = 100_000
    with urllib.request.urlopen(f"{opened.site}/api/query?limit=1") as found:
        one = json.load(found)

    def answer(route: Route) -> None:
        asked = dict(part.split("=") for part in route.request.url.partition("?")[2].split("&"))
        start, limit = int(asked.get("start", 0)), int(asked["limit"])
        ratios = [0.67, 1.5, 1.33, 1.78]
        photos = [
            {**one["objects"][0], "width": round(1000 * ratios[i % 4]), "height": 1000, "name": f"{i}.jpg"}
            for i in range(start, min(start + limit, many))
        ]
        route.fulfill(json={**one, "total": many, "start": start, "objects": photos})

    page = opened(before=lambda page: page.route("**/api/query?*", answer))
    expect(page.locator("#total")).to_have_text("100,000 photos")
    height = page.evaluate("document.getElementById('photos').clientHeight")
    assert height > 1_000_000
    page.keyboard.press("g")
    page.keyboard.press("End")
    last = page.locator(f'.tile[data-place="{many - 1}"]')
    expect(last).to_be_focused()
    expect(last).to_be_in_viewport()
    for share in (0.11, 0.5, 0.73):
        page.evaluate(f"(s => s.scrollTop = {share} * s.scrollHeight)(document.getElementById('scroller'))")
        seen_in_the_middle(page)
        assert page.locator(".tile").count() < 400
        place = int(page.locator(".tile").first.get_attribute("data-place") or 0)
        assert abs(place / many - share) < 0.05


def test_pictures_come_when_the_server_is_back(opened: Watched):
    page = opened(before=lambda page: page.route("**/stages/full?*", lambda route: route.abort()))
    tiles = page.locator(".tile")
    expect(page.locator(".tile[data-failed]")).to_have_count(tiles.count())
    page.unroute("**/stages/full?*")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.locator(".tile[data-settled]")).to_have_count(11)
    expect(page.locator(".tile[data-failed]")).to_have_count(0)
    assert all("ERR_FAILED" in each for each in opened.wrong)
    opened.wrong.clear()


def seen_in_the_middle(page: Page) -> None:
    """Waits until a photo is shown half way down the window."""
    middle = """[...document.querySelectorAll(".tile")].some((tile) => {
        const { top, bottom } = tile.getBoundingClientRect();
        return top <= innerHeight / 2 && bottom >= innerHeight / 2 - 8;
    })"""
    for _ in range(200):
        if page.evaluate(middle):
            return
        page.wait_for_timeout(50)
    pytest.fail("no photo is shown in the middle of the window")


def test_rows_are_as_wide_as_the_page_and_keep_the_sides(browser: Browser):
    page = browser.new_page()
    page.route("**/*", chromium.serve_modules)
    page.goto("http://page.test/")
    random = np.random.default_rng(1)
    cases = [
        [random.uniform(0.5, 2.6, random.integers(1, 61)).tolist(), int(random.integers(300, 3800)), 200, 4]
        for _ in range(120)
    ]
    laid = page.evaluate(
        """async (cases) => {
          const { justify } = await import("/justify.js");
          return cases.flatMap((each) => [justify(...each, false), justify(...each, true)]);
        }""",
        cases,
    )
    page.close()
    for i, found in enumerate(laid):
        ratios, width, wanted, gap = cases[i // 2]
        boxes, rows = found["boxes"], [*found["rows"], len(ratios)]
        assert rows[0] == 0 and rows == sorted(set(rows))
        assert len(boxes) == len(ratios)
        y = 0
        for row, (start, end) in enumerate(pairwise(rows)):
            inside = boxes[start:end]
            assert {box["y"] for box in inside} == {y}
            assert len({box["height"] for box in inside}) == 1
            for one, other in pairwise(inside):
                assert other["x"] == one["x"] + one["width"] + gap
            right = inside[-1]["x"] + inside[-1]["width"]
            is_last = i % 2 == 1 and row == len(rows) - 2
            assert right == width or (is_last and right < width and inside[0]["height"] == wanted)
            for box, ratio in zip(inside[:-1], ratios[start:end], strict=False):
                assert abs(box["width"] - ratio * box["height"]) <= 0.5 + 1e-6
            y += inside[0]["height"] + gap
        assert found["height"] == y


def test_a_request_to_anywhere_else_would_be_noticed(browser: Browser, site: str):
    watched = Watched(browser, site)
    elsewhere = "http://elsewhere.test/picture"
    watched(before=lambda page: page.evaluate(f"fetch('{elsewhere}').catch(() => null)"))
    watched.contexts[0].close()
    assert watched.wrong[0] == f"a request to {elsewhere}"
    assert "ERR_NAME_NOT_RESOLVED" in watched.wrong[1]
