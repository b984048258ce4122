"""The page's decoder of label maps, written from docs/label-map.md, gives what ours was given, to the label;
what ours refuses it refuses."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

from dsslic_search.codec import container, plain_map
from dsslic_search.codec.layers import label_map
from dsslic_search.codec.layers.label_map import coder
from dsslic_search.core.errors import FormatError
from tests.web import chromium

DATA = Path(__file__).parents[1] / "data"
DECODE_ALL = """async (coded) => {
  const { decodeLabelMap } = await import("/labelmap/decode.js");
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return coded.map((text) => {
    try {
      const { height, width, labels } = decodeLabelMap(bytes(text));
      let shown = "";
      for (const label of labels) shown += String.fromCharCode(label);
      return [height, width, btoa(shown)];
    } catch (error) {
      if (error instanceof RangeError) return error.message;
      throw error;
    }
  });
}"""
READ_FILES = """async (files) => {
  const { readHeader, chunkBytes } = await import("/labelmap/file.js");
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return files.map((text) => {
    try {
      const data = bytes(text);
      const header = readHeader(data);
      const map = chunkBytes(data, header, "SMAP");
      return [header.width, header.height, header.mapScale, map && btoa(String.fromCharCode(...map))];
    } catch (error) {
      if (error instanceof RangeError) return error.message;
      throw error;
    }
  });
}"""

DRAW_ALL = """async ([maps, classes]) => {
  const { bitmapOf } = await import("/bitmap.js");
  const drawn = maps.map(async ([width, height, text]) => {
    const labels = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const picture = await createImageBitmap(bitmapOf({ width, height, labels }, classes));
    const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    canvas.drawImage(picture, 0, 0);
    const { data } = canvas.getImageData(0, 0, picture.width, picture.height);
    return [picture.width, picture.height, btoa(String.fromCharCode(...data))];
  });
  return Promise.all(drawn);
}"""


DECODE_BY_TWO_WORKERS = """async (file) => {
  const bytes = Uint8Array.from(atob(file), (c) => c.charCodeAt(0));
  const told = (worker, message) => new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage(message);
  });
  const found = [];
  let state = null;
  for (const hands of [true, false]) {
    const worker = new Worker("/labelmap/worker.js", { type: "module" });
    const { isReady, start } = await told(worker, { start: state });
    if (!isReady || Boolean(start) !== hands) throw new Error("what a map starts from is learnt once");
    state = start;
    const { map } = await told(worker, { key: "a map", bytes });
    found.push(btoa(String.fromCharCode(...map.labels)));
    worker.terminate();
  }
  return found;
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with chromium.started() as browser:
        page = browser.new_page()
        page.route("**/*", chromium.serve_modules)
        page.goto("http://page.test/")
        yield page


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decoded(page: Page, coded: list[bytes]) -> list[NDArray[np.uint8] | str]:
    """What the page makes of coded maps: labels, or the sentence that it refuses them with."""
    answers = page.evaluate(DECODE_ALL, [text(data) for data in coded])
    return [
        answer
        if isinstance(answer, str)
        else np.frombuffer(base64.b64decode(answer[2]), np.uint8).reshape(answer[:2])
        for answer in answers
    ]


def regions(height: int, width: int, classes: int, seed: int) -> NDArray[np.uint8]:
    """Nearest of some points, jagged by a pixel or two: outlines like those of a segmenter."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] + random.integers(0, 1 + seed % 3, (2, height, width))
    points = random.integers(0, (height, width), (2 + seed % 17, 2))
    nearest = ((y[..., None] - points[:, 0]) ** 2 + (x[..., None] - points[:, 1]) ** 2).argmin(-1)
    return random.integers(0, classes, len(points)).astype(np.uint8)[nearest]


def agree(page: Page, maps: list[NDArray[np.uint8]]) -> None:
    coded = [coder.encode(labels) for labels in maps]
    for labels, found in zip(maps, decoded(page, coded), strict=True):
        assert not isinstance(found, str), found
        assert found.shape == labels.shape
        assert np.array_equal(found, labels)


@pytest.mark.parametrize("classes", [1, 2, 8, 51, 256])
def test_maps_of_any_size_and_vocabulary(page: Page, classes: int):
    sides = np.random.default_rng(classes).integers(1, 257, (40, 2)).tolist()
    agree(page, [regions(height, width, classes, seed) for seed, (height, width) in enumerate(sides)])


@pytest.mark.parametrize("classes", [2, 5, 60, 256])
def test_noise(page: Page, classes: int):
    random = np.random.default_rng(classes)
    agree(page, [random.integers(0, classes, random.integers(1, 70, 2), np.uint8) for _ in range(30)])


def test_lines_single_labels_boards_and_every_label(page: Page):
    board = (np.add.outer(np.arange(63), np.arange(65)) % 2 * 255).astype(np.uint8)
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    shapes = [(1, 1), (1, 2), (2, 1), (1, 4096), (4096, 1), (3, 2048), (255, 256), (256, 192)]
    agree(
        page,
        [board, every, np.repeat(np.repeat(every, 9, 0), 7, 1)]
        + [np.full(shape, label, np.uint8) for shape in shapes for label in (0, 37, 255)]
        + [regions(*shape, 51, seed) for seed, shape in enumerate(shapes)],
    )


def test_golden_maps(page: Page):
    files = sorted((DATA / "label_map").glob("*.slm"))
    coded = [file.read_bytes() for file in files]
    assert {data[0] & 15 for data in coded} == {coder.ROWS, coder.COLUMNS, coder.STORED}
    for file, found in zip(files, decoded(page, coded), strict=True):
        assert np.array_equal(found, np.array(Image.open(file.with_suffix(".png"))))


def test_maps_of_whole_files_from_their_first_bytes(page: Page):
    files = sorted([*(DATA / "golden").glob("*/*.dsslic"), *(DATA / "dsslic").glob("*.dsslic")])
    whole = [data for file in files if plain_map.is_plain(container.read_contents(data := file.read_bytes()))]
    assert len(whole) > 5
    assert {container.read(data).version for data in whole} == set(
        range(container.FULL, container.VERSION + 1)
    )
    read = [container.read(data) for data in whole]
    starts = [data[: contents.stage_bytes("map")] for data, contents in zip(whole, read, strict=True)]
    answers = page.evaluate(READ_FILES, [text(data) for data in starts])
    maps = decoded(page, [base64.b64decode(answer[3]) for answer in answers])
    for data, contents, answer, found in zip(whole, read, answers, maps, strict=True):
        header, chunk = contents.header, container.read_chunk(data, contents, "SMAP")
        assert answer[:3] == [header.width, header.height, header.map_scale]
        assert chunk is not None
        assert np.array_equal(found, label_map.decode(chunk, header.map_size))


def test_a_worker_that_is_given_what_another_has_learnt_decodes_the_same(page: Page):
    data = next((DATA / "golden" / "short").glob("*.dsslic")).read_bytes()
    contents = container.read(data)
    chunk = container.read_chunk(data, contents, "SMAP")
    assert chunk is not None
    labels = label_map.decode(chunk, contents.header.map_size)
    assert page.evaluate(DECODE_BY_TWO_WORKERS, text(data)) == [text(labels.tobytes())] * 2


def test_damaged_maps_are_refused_as_ours_refuses_them(page: Page):
    """Not all damage can be seen; what ours takes for a map, the page takes for the same one."""
    random = np.random.default_rng(0)
    damaged = []
    for seed in range(60):
        data = bytearray(coder.encode(regions(40, 50, 51, seed)))
        if seed % 3 == 0:
            data = data[: random.integers(len(data))]
        elif seed % 3 == 1:
            data[random.integers(3, len(data))] ^= 1 << random.integers(8)
        else:
            data += bytes(random.integers(0, 256, 1 + seed % 9, np.uint8))
        damaged.append(bytes(data))
    refused = 0
    for data, found in zip(damaged, decoded(page, damaged), strict=True):
        try:
            wanted = coder.decode(data)
        except FormatError:
            assert isinstance(found, str)
            refused += 1
        else:
            assert np.array_equal(found, wanted)
    assert refused > 20


def test_what_is_no_beginning_of_a_file_is_refused_in_a_sentence(page: Page):
    whole = next((DATA / "golden").glob("*/*.dsslic")).read_bytes()
    flipped = bytearray(whole)
    flipped[30] ^= 1
    inside = bytearray(whole)
    inside[container.header_length(whole) + 3] ^= 1
    short = next((DATA / "golden" / "short").glob("*.dsslic")).read_bytes()
    header = short[4]
    wrong = [b"", whole[:50], whole[:60], b"\x89PNG" + whole[4:], bytes(flipped), bytes(inside)]
    wrong += [short[:20], short[:12] + b"?" + short[13:], short[: header + 5] + b"???" + short[header + 8 :]]
    answers = page.evaluate(READ_FILES, [text(data) for data in wrong])
    for answer, said in zip(
        answers,
        ["beginning", "cut off", "cut off", "beginning", *["damaged"] * 2, "cut off", *["damaged"] * 2],
        strict=True,
    ):
        assert said in answer


def test_a_map_is_drawn_to_the_pixel_in_muted_colours_of_its_classes(page: Page):
    classes = [
        {"id": 3, "colour": "#00ff80"},
        {"id": 0, "colour": "#ff0000"},
        {"id": 200, "colour": "#777777"},
    ]
    muted = np.full((256, 4), 255, np.uint8)
    muted[[3, 0, 200]] = [(38, 242, 141, 255), (215, 11, 11, 255), (119, 119, 119, 255)]
    random = np.random.default_rng(7)
    maps = [
        random.choice([0, 3, 7, 200], size).astype(np.uint8)
        for size in [(1, 1), (3, 2), (5, 7), (2, 8), (9, 5)]
    ]
    sent = [[labels.shape[1], labels.shape[0], text(labels.tobytes())] for labels in maps]
    for labels, (width, height, drawn) in zip(maps, page.evaluate(DRAW_ALL, [sent, classes]), strict=True):
        assert (height, width) == labels.shape
        found = np.frombuffer(base64.b64decode(drawn), np.uint8).reshape(height, width, 4)
        assert np.array_equal(found, muted[labels])
