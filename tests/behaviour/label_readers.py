"""Label maps that we export, read by other programs' own readers: `python -m tests.behaviour.label_readers`.

Run by hand, with these packages installed beside ours (none of them is needed otherwise): pycocotools,
supervision, datumaro and label-studio-sdk. Prints a line a reader, and exits with 1 where one of them sees
other pixels. YOLO's polygons are not compared: OpenCV, which readers fill them with, counts the pixels on an
outline as inside."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.core.vocabulary import default
from dsslic_search.labels.formats import writer
from dsslic_search.labels.scene import LabelledImage, Legend

Painted = Iterator[tuple[str, NDArray[Any]]]
"""A class by name, and a mask, bool[h, w]."""


def sample() -> NDArray[np.uint8]:
    """Many regions, a hole, and parts that meet at corners alone."""
    rng = np.random.default_rng(1)
    labels = np.kron(rng.integers(0, 5, (12, 16)), np.ones((5, 5), int)).astype(np.uint8)
    labels[20:30, 10:40] = 7
    labels[23:26, 15:20] = 0
    labels[0:3, 0:3] = labels[3:6, 3:6] = 1
    return labels


def by_pycocotools(folder: Path) -> Painted:
    from pycocotools.coco import COCO

    read = COCO(str(folder / "instances.json"))
    for a in read.loadAnns(read.getAnnIds()):
        yield read.loadCats(a["category_id"])[0]["name"], read.annToMask(a)


def by_supervision(folder: Path) -> Painted:
    from supervision import DetectionDataset

    read = DetectionDataset.from_coco(str(folder), str(folder / "instances.json"), force_masks=True)
    for _path, _image, found in read:
        for mask, number in zip(found.mask, found.class_id, strict=True):
            yield read.classes[number], mask


def by_label_studio(folder: Path) -> Painted:
    from label_studio_sdk.converter.brush import decode_rle

    [task] = json.loads((folder / "tasks.json").read_text())
    for region in task["annotations"][0]["result"]:
        size = region["original_height"], region["original_width"], 4
        yield region["value"]["brushlabels"][0], np.reshape(decode_rle(region["value"]["rle"]), size)[..., 3]


def by_datumaro(form: str, moved: dict[str, str]) -> Callable[[Path], Painted]:
    def read(folder: Path) -> Painted:
        from datumaro import AnnotationType, Dataset

        place = folder / "datumaro"
        for old, new in moved.items():
            (place / new).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (folder / old).is_dir() else shutil.copy)(folder / old, place / new)
        found = Dataset.import_from(str(place), form)
        names = found.categories()[AnnotationType.label]
        for item in found:
            for annotation in item.annotations:
                if annotation.type == AnnotationType.mask:
                    yield names[annotation.label].name, np.asarray(annotation.image)

    return read


_COCO = {"instances.json": "annotations/instances_train.json", "a.png": "images/train/a.png"}
_PANOPTIC = {"panoptic.json": "annotations/panoptic_train.json", "panoptic": "annotations/panoptic_train"}
_VOC = {name: name for name in ("SegmentationClass", "SegmentationObject", "ImageSets", "labelmap.txt")}
READERS: tuple[tuple[str, str, Callable[[Path], Painted]], ...] = (
    ("pycocotools", "coco", by_pycocotools),
    ("supervision", "coco", by_supervision),
    ("label-studio-sdk", "label-studio", by_label_studio),
    ("datumaro", "coco", by_datumaro("coco_instances", _COCO)),
    ("datumaro", "coco-panoptic", by_datumaro("coco_panoptic", {**_PANOPTIC, "a.png": "images/train/a.png"})),
    ("datumaro", "voc", by_datumaro("voc_segmentation", {**_VOC, "a.png": "JPEGImages/a.png"})),
    (
        "datumaro",
        "cvat",
        by_datumaro("cvat", {"annotations.xml": "annotations.xml", "a.png": "images/a.png"}),
    ),
)


def main() -> int:
    labels, numbers = sample(), {c.name: c.id for c in default().classes}
    differ = 0
    for package, form, read in READERS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            Image.fromarray(np.zeros((*labels.shape, 3), np.uint8)).save(folder / "a.png")
            made = writer(form, Legend.of(default()))
            for file, data in made.image(LabelledImage("a", "a.png", labels)) + made.end():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(data)
            seen = np.zeros_like(labels)
            for class_name, mask in read(folder):
                seen[np.asarray(mask) != 0] = numbers.get(class_name, 0)
            same = bool((seen == labels).all())
            differ += not same
            print(f"{package} {version(package)}, {form}: {'the same pixels' if same else 'OTHER PIXELS'}")  # noqa: T201
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
