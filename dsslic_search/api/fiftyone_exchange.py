"""Photos of an archive in FiftyOne, and label maps that were corrected there back again.

FiftyOne (extra `fiftyone`) keeps its datasets in a MongoDB of its own; what is here gives it samples and
takes samples from it, and asks that database nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import DSSError, MissingExtraError, UsageError
from dsslic_search.core.vocabulary import UNKNOWN

try:
    import fiftyone
    from fiftyone.utils import data as exchange
except ImportError as e:
    raise MissingExtraError(
        'FiftyOne needs its package; install it with: pip install "dsslic-search[fiftyone]"'
    ) from e

if TYPE_CHECKING:
    from dsslic_search.api.answers import Hit
    from dsslic_search.api.showing import Preview
    from dsslic_search.core.vocabulary import Vocabulary

LABEL_MAP = "label_map"  # the field of it in samples
ID = "archive_id"


class Importer(exchange.GenericSampleDatasetImporter):  # type: ignore[misc]  # the package is taken as untyped
    """Gives each photo as a sample, for ``fiftyone.Dataset.from_importer``. Its file is the original where
    that lies still, else its best stage as a PNG in ``folder``.

    Fields: ``archive_id``, ``content_hash``; facts by name, those that are known, a place as ``location``;
    tags; ``label_map`` as a `Segmentation` of class ids, whose names are the dataset's default mask targets;
    ``regions`` as `Detections` with their area; ``words`` as `Classifications`; ``coverage`` by class. Photos
    that are not decoded have no label map."""

    def __init__(
        self,
        hits: Iterable[Hit],
        label_map: Callable[[int], NDArray[np.uint8]],
        preview: Callable[[int], Preview],
        classes: Vocabulary,
        folder: Path | None,
    ) -> None:
        super().__init__()
        self._hits, self._label_map, self._preview = list(hits), label_map, preview
        self._classes, self._folder = classes, folder
        self._left: Iterator[Hit] = iter(())

    def __len__(self) -> int:
        return len(self._hits)

    def __iter__(self) -> Importer:
        self._left = iter(self._hits)
        return self

    def __next__(self) -> Any:
        return self._sample(next(self._left))

    @property
    def has_sample_field_schema(self) -> bool:
        """No: fields are those of the samples."""
        return False

    @property
    def has_dataset_info(self) -> bool:
        """The names of the classes."""
        return True

    def get_dataset_info(self) -> dict[str, Any]:
        """The names of the classes, by the ids that label maps hold."""
        return {"default_mask_targets": {c.id: c.name for c in self._classes.classes}}

    def _sample(self, hit: Hit) -> Any:
        details = hit.details
        sample = fiftyone.Sample(filepath=str(self._file(hit)), tags=list(details.tags))
        sample[ID], sample["content_hash"] = hit.id, details.content_hash
        facts = {n: v for n, v in hit.facts.items() if v is not None and v != ()}
        latitude, longitude = facts.pop("latitude", None), facts.pop("longitude", None)
        if latitude is not None and longitude is not None:
            sample["location"] = fiftyone.GeoLocation(point=[longitude, latitude])
        for name, value in facts.items():
            sample[name] = list(value) if isinstance(value, tuple) else value
        sample["coverage"] = {name: share for name, share in hit.coverage.items() if share}
        sample["words"] = fiftyone.Classifications(
            classifications=[
                fiftyone.Classification(label=word, confidence=sure) for word, sure in hit.words.items()
            ]
        )
        sample["regions"] = fiftyone.Detections(
            detections=[_detection(region) for region in details.regions or ()]
        )
        try:
            sample[LABEL_MAP] = fiftyone.Segmentation(mask=self._label_map(hit.id))
        except DSSError:
            sample[LABEL_MAP] = None  # it was kept undecoded
        return sample

    def _file(self, hit: Hit) -> Path:
        """The picture that is shown of a photo."""
        original = Path(hit.path)
        if original.is_file():
            return original
        if self._folder is None:
            raise UsageError(
                f"{hit.path}: the original is not there any more; say into which folder pictures of such "
                "photos are to be written"
            )
        target = self._folder / f"{hit.id}.png"
        if not target.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._preview(hit.id).save(target)
        return target


def _detection(region: dict[str, Any]) -> Any:
    """A region, whose box FiftyOne has as left, top, width and height, in parts of the sides."""
    left, top = region["left"], region["top"]
    box = [left, top, region["right"] - left, region["bottom"] - top]
    return fiftyone.Detection(label=region["class"], bounding_box=box, area=region["area"])


class Exporter(exchange.GenericSampleDatasetExporter):  # type: ignore[misc]  # as above
    """Takes the label maps of samples back, for ``dataset.export(dataset_exporter=…)``, as what people say of
    the photos (`Archive.import_labels`): of those that an `Importer` made, by their ``archive_id``. Class
    ids are the archive's, 255 is unknown. At the end `report` tells what became of them."""

    def __init__(
        self, take: Callable[[Path], Any], path_of: Callable[[int], str], classes: Vocabulary, field: str
    ) -> None:
        super().__init__()
        self._take, self._path_of, self._classes, self._field = take, path_of, classes, field
        self._maps: list[tuple[int, NDArray[np.uint8]]] = []
        self.report: Any = None

    def export_sample(self, sample: Any) -> None:
        """Take one; UsageError for a sample of no archive, or with a label map that is none."""
        fields = sample.field_names
        if ID not in fields or sample[ID] is None:
            raise UsageError(f'{sample.filepath}: it has no "{ID}", so it is not known which photo it is')
        segmentation = sample[self._field] if self._field in fields else None
        if segmentation is None:
            return
        mask = segmentation.get_mask()
        if mask is None or mask.ndim != 2:
            raise UsageError(f'{sample.filepath}: its field "{self._field}" holds no label map')
        if np.any((mask >= len(self._classes)) & (mask != UNKNOWN)) or np.any(mask < 0):
            raise UsageError(
                f'{sample.filepath}: "{self._field}" holds {int(mask.max())}, which is the number of no class'
            )
        self._maps.append((int(sample[ID]), mask.astype(np.uint8)))

    def close(self, *_args: Any) -> None:
        """Give them to the archive; where something went wrong before, nothing."""
        from dsslic_search.labels.png_pairs import Writer
        from dsslic_search.labels.scene import LabelledImage, Legend

        if _args and _args[0] is not None:
            return
        made = Writer(Legend.of(self._classes))
        with tempfile.TemporaryDirectory() as folder:
            files = [
                file
                for photo_id, mask in self._maps
                for file in made.image(LabelledImage(str(photo_id), self._path_of(photo_id), mask))
            ]
            for name, data in [*files, *made.end()]:
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / name).write_bytes(data)
            self.report = self._take(Path(folder))
