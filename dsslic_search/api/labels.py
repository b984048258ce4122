"""Label maps of photos as files of other programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.api.arguments import check_flags, id_of, path_of, text_of
from dsslic_search.api.getting_out import GotOut, Progress, Written, each, file_names, outputs_for, photos_of
from dsslic_search.api.opened import OpenArchive
from dsslic_search.core.errors import DSSError, NotThereError, UsageError
from dsslic_search.core.output import Outputs
from dsslic_search.core.output_names import apart
from dsslic_search.core.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from dsslic_search.api.arguments import Ids
    from dsslic_search.archive.schema import Photo
    from dsslic_search.labels.pictures import Files

SIZES = ("map", "photo")
FORMAT = "png"
TIMES_A_PHOTO, LEAST_MOST_PIXELS = 4, 1 << 24
"""A label map may be of twice the sides of the largest photo, whose picture may have been stored smaller than
it was, and of 4096 × 4096 pixels in any archive."""


@dataclass
class Imported:
    """``photos``: ids of those whose label map is another now; ``unchanged``: of those that had it already;
    ``failed``: pictures, by their names, without a photo here, and why; ``unknown``: names of classes that
    mean nothing here, so that they became "other"."""

    photos: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    unknown: tuple[str, ...] = ()


def formats() -> tuple[str, ...]:
    """The formats that label maps go out and come in by."""
    from dsslic_search.labels.formats import FORMATS

    return FORMATS


class Labelling(OpenArchive):
    """The part of `Archive` that exchanges label maps."""

    def export_labels(
        self,
        ids: Ids,
        folder: Path | str,
        form: str = FORMAT,
        *,
        size: str = "map",
        replace: bool = False,
        progress: Progress = lambda _done, _total, _failed: None,
    ) -> GotOut:
        """Write the label maps of photos into ``folder``, which is made, in the archive's classes, one region
        for each connected part (8-connected) of a class but "other". ``form``: one of
        `labels.formats.FORMATS`; ``size``: "map", at which they are coded (longer side at most 256), or
        "photo", at which each label stands for several pixels. Photos without a label map are in the result's
        ``failed``; the files about all photos are written at the end, and where it is interrupted they tell
        of those that were written. In ``written`` a photo has the first of its own files, else of those about
        all. UsageError for another form or size and where nothing may be written, ArchiveError when there is
        no photo of an id."""
        from dsslic_search.labels.formats import writer
        from dsslic_search.labels.scene import LabelledImage, Legend

        check_flags(replace=replace)
        to = path_of(folder)
        size = check_size(size)
        made = writer(text_of(form, "form"), Legend.of(self.vocabulary))
        photos = photos_of(self._searcher, ids)
        outputs = outputs_for(photos, replace)
        out = outputs.folder(to)
        of_all = [file for file, _ in made.end()]
        for file in of_all:  # before any work is done
            (out / file).parent.mkdir(parents=True, exist_ok=True)
            outputs.check(out / file)
        names = apart([name.with_suffix("") for name in file_names(photos, flat=True)])

        def got(photo: Photo, target: Path) -> Written:
            labels = self._labels(photo, size)
            files = made.image(LabelledImage(target.name, photo.path, labels))
            written = _write(outputs, out, files)
            return Written(out / (files[0][0] if files else of_all[0]), written)

        report = each(photos, [out / name for name in names], got, progress)
        report.bytes += _write(outputs, out, made.end())
        return report

    def fiftyone_exporter(self, field: str = "label_map") -> Any:
        """What FiftyOne's ``dataset.export(dataset_exporter=…)`` takes, to give photos the label maps of
        samples that `fiftyone_importer` made, see `api.fiftyone_exchange.Exporter`; ``field``: of the
        samples. MissingExtraError without FiftyOne."""
        name = text_of(field, "field")
        from dsslic_search.api.fiftyone_exchange import Exporter

        return Exporter(
            self.import_labels, lambda photo_id: self._searcher.photo(photo_id).path, self.vocabulary, name
        )

    def label_map(self, photo_id: int, size: str = "map", *, by_people: bool = True) -> NDArray[np.uint8]:
        """The label map of a photo, uint8 [h, w] of the archive's class ids, by people where they labelled it
        (with ``by_people`` False the segmenter's there too); ``size``: see `export_labels`. StageError where
        it has none."""
        check_flags(by_people=by_people)
        size = check_size(size)
        return self._labels(self._searcher.photo(id_of(photo_id)), size, by_people)

    def _labels(self, photo: Photo, size: str, by_people: bool = True) -> NDArray[np.uint8]:
        from dsslic_search.api.showing import read_map, read_segmented
        from dsslic_search.codec.layers.label_map import enlarge

        labels, scale = (read_map if by_people else read_segmented)(self.folder.store, photo)
        return labels if size == "map" else enlarge(labels, scale, photo.height, photo.width)

    def import_labels(
        self, source: Path | str, form: str = FORMAT, *, progress: Progress = lambda _d, _t, _f: None
    ) -> Imported:
        """Give photos the label maps of a folder, or file, in one of `labels.formats.FORMATS`: they are
        shown, searched and exported instead of the segmenter's, which stay in the files for the networks, and
        outlast `reindex` and storing a photo anew. A picture is the photo at its path, else the one of its
        name, with folders where it has them. Classes are understood by name as those of segmenters are; what
        means nothing here becomes "other". Maps may be of the size at which they are coded, or of the photo's
        or any other, of which the label that most pixels have is taken; pixels that nobody knows (255) keep
        their label. Maps are read one at a time. Each photo is settled before the next. DSSError where files
        are no such files, or a map has more than `TIMES_A_PHOTO` the pixels of the largest photo here; then
        nothing is changed."""
        from dsslic_search.archive.labelled import relabel
        from dsslic_search.core.naming import class_named
        from dsslic_search.labels.formats import reader
        from dsslic_search.labels.pictures import check_there

        place = path_of(source)
        read = reader(text_of(form, "form"), max(LEAST_MOST_PIXELS, TIMES_A_PHOTO * self._largest_photo()))
        check_there(place)
        found = read(place)
        classes = [class_named(name, self.vocabulary) for name in found.names]
        used: set[int] = set()
        report = Imported()
        table = np.arange(256, dtype=np.uint8)
        table[: len(classes)] = [named.class_id for named in classes]

        def wanted() -> Iterator[tuple[int, NDArray[np.uint8]]]:
            for image in found.images:
                used.update(np.unique(image.labels).tolist())
                try:
                    photo = self._pictured(image.picture)
                    labels = self._at_its_size(photo, table[image.labels], image.labels == UNKNOWN)
                except DSSError as e:
                    report.failed.append((image.picture, str(e)))
                else:
                    yield photo.id, labels

        done = relabel(
            self.folder,
            wanted(),
            lambda settled, failed: progress(
                settled + len(report.failed), len(found.images), failed + len(report.failed)
            ),
        )
        report.unknown = tuple(
            name
            for number, (name, means) in enumerate(zip(found.names, classes, strict=True))
            if number in used and means.how == "unknown" and name != "other"
        )
        report.photos, report.unchanged = done.photos, done.unchanged
        report.failed += [(str(photo_id), reason) for photo_id, reason in done.failed]
        return report

    def reset_labels(self, ids: Ids) -> Imported:
        """Take people's label maps away from photos, so that the segmenter's are theirs again. ArchiveError,
        and nothing done, when there is no photo of an id."""
        from dsslic_search.archive.labelled import relabel

        wanted = [photo.id for photo in photos_of(self._searcher, ids)]
        done = relabel(self.folder, ((photo_id, None) for photo_id in wanted))
        return Imported(done.photos, done.unchanged, [(str(i), reason) for i, reason in done.failed])

    def labelled(self) -> list[int]:
        """The photos that have label maps by people, by id; looks at the first bytes of all files."""
        from sqlalchemy import select

        from dsslic_search.archive.labelled import labelled_photos
        from dsslic_search.archive.schema import Photo

        with self.catalog.session() as session:
            chosen = select(Photo.id, Photo.content_hash).where(Photo.map_bytes > 0).order_by(Photo.id)
            known = [(photo_id, content_hash) for photo_id, content_hash in session.execute(chosen)]
        return list(labelled_photos(self.folder.store, known))

    def _largest_photo(self) -> int:
        """Pixels; 0 where there is no photo."""
        from sqlalchemy import BigInteger, cast, func, select

        from dsslic_search.archive.schema import Photo

        with self.catalog.session() as session:
            return session.scalar(select(func.max(cast(Photo.width, BigInteger) * Photo.height))) or 0

    def _pictured(self, picture: str) -> Photo:
        known = self.catalog.at_path(picture) or self._searcher.photos_named(picture)
        if not known and "/" in picture:
            known = self._searcher.photos_named(picture.rpartition("/")[2])
        if len(known) != 1:
            some = ", ".join(f"#{photo.id}" for photo in known[:5])
            why = (
                f"{len(known)} photos here have that name ({some})"
                if known
                else "no photo here has that name"
            )
            raise NotThereError(why)
        return known[0]

    def _at_its_size(
        self, photo: Photo, labels: NDArray[np.uint8], unknown: NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        """At the scale of the photo's map, with the labels that it has where there are none."""
        from dsslic_search.api.showing import read_map
        from dsslic_search.codec.layers.label_map import enlarge, reduce

        now, scale = read_map(self.folder.store, photo)
        if labels.shape == now.shape:
            return np.where(unknown, now, labels)
        size = photo.height, photo.width
        if labels.shape != size:
            rows, columns = (
                (2 * np.arange(to) + 1) * of // (2 * to) for to, of in zip(size, labels.shape, strict=True)
            )
            labels, unknown = labels[rows[:, None], columns], unknown[rows[:, None], columns]
        return reduce(np.where(unknown, enlarge(now, scale, *size), labels), scale)


def check_size(size: str) -> str:
    """One of `SIZES`; UsageError for another."""
    if text_of(size, "size") not in SIZES:
        raise UsageError(f'size "{size}" is not one of: {", ".join(SIZES)}')
    return size


def _write(outputs: Outputs, folder: Path, files: Files) -> int:
    """The bytes of all."""
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        outputs.write(path, data)
    return sum(len(data) for _, data in files)
