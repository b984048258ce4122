"""Label maps go out in each format and come back as they were."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dsslic_search.core.components import components
from dsslic_search.core.errors import DSSError, FormatError
from dsslic_search.core.vocabulary import default
from dsslic_search.labels.formats import FORMATS, reader, writer
from dsslic_search.labels.scene import LabelledImage, Legend
from dsslic_search.labels.shapes import fill, from_run_lengths, one_ring, rings, run_lengths

LEGEND = Legend.of(default())

MAPS = st.integers(1, 9).flatmap(
    lambda h: st.integers(1, 9).flatmap(
        lambda w: arrays(np.uint8, (h, w), elements=st.sampled_from([0, 1, 2, 50]))
    )
)


def written(folder: Path, form: str, images: list[LabelledImage]) -> Path:
    to = writer(form, LEGEND)
    for name, data in [f for image in images for f in to.image(image)] + to.end():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def in_own_numbers(labels: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    numbers = {c.name: c.id for c in default().classes}
    return np.array([numbers.get(name, 0) for name in names] + [0] * (256 - len(names)), np.uint8)[labels]


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(maps=st.lists(MAPS, min_size=1, max_size=3))
def test_each_format_gives_label_maps_back(
    form: str, maps: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> None:
    images = [
        LabelledImage(f"photo {i}", f"/fotos/é & <{i}> \"'.jpg", labels) for i, labels in enumerate(maps)
    ]
    folder = written(tmp_path_factory.mktemp(form), form, images)
    back = reader(form)(folder)
    found = {image.picture: in_own_numbers(image.labels, back.names) for image in back.images}
    wanted = {image.picture: image.labels for image in images if form != "label-studio" or image.labels.any()}
    assert found.keys() == wanted.keys()
    for picture, labels in wanted.items():
        np.testing.assert_array_equal(found[picture], labels)


@given(MAPS)
def test_regions_are_the_connected_parts(labels: np.ndarray) -> None:
    image = LabelledImage("a", "a", labels)
    runs = components(labels)
    parts = runs.part[runs.of_pixel]
    seen = np.zeros(labels.shape, int)
    for region in image.regions:
        pixels = image.numbers == region.number
        assert len({int(p) for p in parts[pixels]}) == 1
        assert set(labels[pixels].tolist()) == {region.class_id}
        own = pixels[region.top : region.top + region.height, region.left : region.left + region.width]
        np.testing.assert_array_equal(own, region.mask)
        assert region.area == pixels.sum() == own.sum()
        seen += pixels
    np.testing.assert_array_equal(seen, labels != 0)


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_outlines_and_runs_hold_every_pixel(mask: np.ndarray) -> None:
    height, width = mask.shape
    flat = from_run_lengths(run_lengths(mask.ravel()), mask.size, "here")
    np.testing.assert_array_equal(flat.reshape(mask.shape), mask)
    if mask.any():
        found = rings(mask)
        np.testing.assert_array_equal(fill(found, width, height), mask)
        np.testing.assert_array_equal(fill([one_ring(found)], width, height), mask)


def test_polygons_take_the_pixels_whose_centres_they_hold() -> None:
    triangle = [(-3.0, -1.0), (9.0, 0.2), (2.2, 7.9)]
    shown = fill([triangle], 8, 7)

    def inside(x: float, y: float) -> bool:
        odd = False
        for (x0, y0), (x1, y1) in zip(triangle, triangle[1:] + triangle[:1], strict=True):
            if (y0 > y) != (y1 > y) and x > x0 + (y - y0) * (x1 - x0) / (y1 - y0):
                odd = not odd
        return odd

    for y in range(7):
        for x in range(8):
            assert shown[y, x] == inside(x + 0.5, y + 0.5)


@pytest.mark.parametrize("form", FORMATS)
def test_damaged_files_end_in_a_sentence(form: str, tmp_path: Path) -> None:
    labels = np.zeros((8, 9), np.uint8)
    labels[2:5, 3:7] = 3
    folder = written(tmp_path / "good", form, [LabelledImage("a", "a.jpg", labels)])
    rng = np.random.default_rng(5)
    files = [file for file in folder.rglob("*") if file.is_file()]
    for file in files:
        whole = file.read_bytes()
        for _ in range(60):
            data = bytearray(whole)
            for at in rng.integers(0, len(data), 3):
                data[at] = rng.integers(0, 256)
            file.write_bytes(bytes(data[: int(rng.integers(len(data) // 2, len(data) + 1))]))
            try:
                reader(form)(folder)
            except DSSError as e:
                assert "\n" not in str(e)
        file.write_bytes(whole)
    with pytest.raises(DSSError):
        reader(form)(tmp_path / "none.json")


def test_coco_of_other_programs_is_read(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 7, "file_name": "x/a.jpg", "width": 6, "height": 4}],
        "categories": [{"id": 3, "name": "cat"}, {"id": 9, "name": "sofa"}],
        "annotations": [
            {"image_id": 7, "category_id": 3, "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]]},
            {"image_id": 7, "category_id": 9, "segmentation": [[0, 0, 6, 0, 6, 4, 0, 4]]},
        ],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    found = reader("coco")(tmp_path)
    labels = np.full((4, 6), 2, np.uint8)
    labels[1:3, 1:3] = 1
    assert found.names == ("other", "cat", "sofa")
    np.testing.assert_array_equal(next(iter(found.images)).labels, labels)


@pytest.mark.parametrize("form", FORMATS)
def test_larger_maps_than_are_wanted_are_refused(form: str, tmp_path: Path) -> None:
    folder = written(tmp_path, form, [LabelledImage("a", "a.jpg", np.ones((8, 9), np.uint8))])
    assert len(reader(form, 72)(folder).images) == 1
    with pytest.raises(FormatError, match=r"9 × 8.* pixels is not taken; it may have 1 to 71"):
        reader(form, 71)(folder)


def test_neither_maps_nor_masks_stay_in_memory(tmp_path: Path) -> None:
    many, height, width = 10, 500, 1000
    content = {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": width, "height": height} for i in range(many)],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [
            {
                "image_id": i,
                "category_id": 3,
                "segmentation": {"size": [height, width], "counts": [0, height * width]},
            }
            for i in range(many)
            for _ in range(many)
        ],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))
    reader("coco")(tmp_path)  # what is imported and compiled by the first is no part of it
    tracemalloc.start()
    try:
        found = reader("coco")(tmp_path)
        assert sum(int(image.labels.min()) for image in found.images) == many
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < many * height * width * 0.7
