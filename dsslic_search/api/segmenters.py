"""Segmenters, which make label maps: opening one, what its labels mean, and a photo's label map alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.api.coding import read_file
from dsslic_search.core import vocabulary
from dsslic_search.core.settings import Settings
from dsslic_search.networks.segmenter import open_segmenter

if TYPE_CHECKING:
    from dsslic_search.networks.segmenter import Segmenter

__all__ = ["LabelMeaning", "SegmenterInfo", "open_segmenter", "segment_file", "segmenter_info"]


@dataclass(frozen=True)
class LabelMeaning:
    """One label of a segmenter: its number and name, the class that it counts as, and by which rule of
    `core.naming`: "unknown" for none."""

    id: int
    label: str
    class_name: str
    by: str


@dataclass(frozen=True)
class SegmenterInfo:
    """``identity``: 16 hex digits; ``labels`` by number."""

    identity: str
    labels: tuple[LabelMeaning, ...]


def segmenter_info(name: str, classes: Path | None = None) -> SegmenterInfo:
    """What the labels of the segmenter of that name count as; see `open_segmenter`, also for what is
    raised."""
    from dsslic_search.networks.transformer import TransformersSegmenter

    opened = open_segmenter(name, classes=classes)
    names = [c.name for c in vocabulary.default().classes]
    if isinstance(opened, TransformersSegmenter):
        meanings = [LabelMeaning(x.id, x.name, names[x.class_id], x.how) for x in opened.labels]
    else:
        meanings = [LabelMeaning(i, name, name, "name") for i, name in enumerate(names)]
    return SegmenterInfo(opened.identity, tuple(meanings))


def segment_file(
    source: Path, target: Path, segmenter: Segmenter | None = None, *, replace: bool = False
) -> None:
    """Write the label map of a photo file, at the photo's size, as a palette PNG of class ids. Raises
    PhotoError when it cannot be read, UsageError unless ``target`` ends in .png and may be written (see
    `core.output`; ``replace``: also over a file that is there), DSSError when it cannot be written."""
    from dsslic_search.codec import encoder
    from dsslic_search.codec.layers import label_map
    from dsslic_search.codec.picture.open import open_photo
    from dsslic_search.codec.picture.save import save_label_map
    from dsslic_search.core.output import Outputs

    outputs = Outputs(replace, (source,))
    outputs.check(target)
    photo = open_photo(read_file(source), str(source), Settings().max_pixels)
    labels, scale = encoder.segment_photo(photo, segmenter=segmenter)
    spoken = None if segmenter is None else segmenter.dialect.vocabulary
    save_label_map(
        label_map.enlarge(labels, scale, photo.height, photo.width), target, spoken, outputs=outputs
    )
