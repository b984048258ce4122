"""An archive of photos in several profiles, on the page: those whose label map is a FLIF file look like all
others."""

from __future__ import annotations

import base64
import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from dsslic_search import Archive
from dsslic_search.codec import container, plain_map
from dsslic_search.codec.decoder import read_label_map
from dsslic_search.core.errors import FormatError
from tests import once
from tests.web import served
from tests.web.chromium import Gate, Watched, total

PROFILES = ("paper", "default", "paper-444")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def ingest(folder: Path) -> None:
        served.write_photos(folder / "photos")
        with Archive(folder / "archive") as archive:
            for number, path in enumerate(sorted((folder / "photos").iterdir())):
                archive.ingest([path], effort=1, profile=PROFILES[number % len(PROFILES)])

    root = tmp_path_factory.mktemp("mixed")
    shutil.copytree(once.filled("mixed", ingest), root, dirs_exist_ok=True)
    return root / "archive"


@pytest.fixture(scope="module")
def site(archive: Path) -> Iterator[str]:
    with served.serving(archive, "--read-only") as address:
        yield address


def maps(site: str) -> dict[int, bytes]:
    with urllib.request.urlopen(f"{site}/api/query?maps=true") as answer:
        return {each["id"]: base64.b64decode(each["map"]) for each in json.load(answer)["objects"]}


def codecs(data: bytes) -> list[tuple[str, int]]:
    return [(entry.kind, entry.codec) for entry in container.read_contents(data).entries]


def test_maps_come_in_our_own_coding_whatever_the_file_holds(site: str, archive: Path) -> None:
    with Archive(archive) as own:
        ids = [photo.id for photo in own]
        for _ in range(2):  # made, and then kept
            found = maps(site)
            for photo_id in ids:
                stored = own.stored_path(photo_id).read_bytes()
                contents = container.read_contents(stored)
                if plain_map.is_plain(container.read_contents(stored)):
                    assert stored.startswith(found[photo_id])
                    continue
                assert codecs(found[photo_id]) == [("SMAP", 1)]
                assert container.read_contents(found[photo_id]).header == contents.header
                assert np.array_equal(read_label_map(found[photo_id]), read_label_map(stored))
        kinds = {plain_map.is_plain(own.contents(photo_id)) for photo_id in ids}
    assert kinds == {False, True}


def test_a_damaged_map_is_found_by_who_reads_it(archive: Path) -> None:
    with Archive(archive) as own:
        cards = own.cards([photo.id for photo in own], maps=True).values()
    prefix = next(card.map_prefix for card in cards if not card.has_plain_map)
    assert plain_map.is_plain(container.read_contents(plain_map.plain(prefix)))
    with pytest.raises(FormatError):
        plain_map.plain(prefix[:-1] + bytes([prefix[-1] ^ 1]))
    with pytest.raises(FormatError):
        plain_map.plain(prefix[:-1])
    with pytest.raises(FormatError):
        container.read_contents(prefix[:40])


def test_every_tile_shows_its_map_before_any_picture(opened: Watched) -> None:
    stages = Gate("**/stages/**", shut=True)
    page = opened(before=stages.lay)
    total(page, 11)
    expect(page.locator('.tile[data-stage="map"]')).to_have_count(11)
    stages.open()
    expect(page.locator('.tile[data-stage="full"]')).to_have_count(11)
    told = page.locator(".tile").evaluate_all("tiles => tiles.map((tile) => tile.dataset.stages)")
    assert told == ["map compact coarse full"] * 11


def test_what_each_part_is_is_told_of_all_profiles(opened: Watched, archive: Path) -> None:
    with Archive(archive) as own:
        names = [each.name for each in own.vocabulary.classes]
        photos = [(photo.id, np.asarray(own.preview(photo.id, "map").image)) for photo in own][:4]
    for photo_id, labels in photos:
        page = opened(f"/?photo={photo_id}")
        frame = page.locator(".stage-frame")
        expect(frame).to_have_attribute("data-stages", "map compact coarse full")
        page.get_by_role("button", name="Show what each part is").click()
        expect(page.locator(".stage-map")).to_be_visible()
        box = frame.bounding_box()
        assert box is not None
        height, width = labels.shape
        for x, y in ((0.5, 0.08), (0.5, 0.9), (0.3, 0.5)):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            wanted = names[int(labels[int(y * height), int(x * width)])]
            expect(page.locator(".stage-tip")).to_have_text(wanted)
