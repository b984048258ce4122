"""Label maps of photos as files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsslic_search.api.arguments import check_flags, ids_of, path_of, text_of
from dsslic_search.api.getting_out import GotOut, Progress, file_names
from dsslic_search.api.opened import OpenArchive
from dsslic_search.core.errors import DSSError, UsageError
from dsslic_search.core.output import Outputs
from dsslic_search.core.output_names import apart

if TYPE_CHECKING:
    from dsslic_search.api.arguments import Ids
    from dsslic_search.archive.schema import Photo
    from dsslic_search.labels.pictures import Files

SIZES = ("map", "photo")
FORMAT = "png"


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
        "photo", at which each pixel is that of the map in which its centre lies. Photos without a label map
        are in the result's ``failed``; the files about all photos are written at the end, and where it is
        interrupted they tell of those that were written. UsageError for another form or size and where
        nothing may be written, ArchiveError when there is no photo of an id."""
        from dsslic_search.labels.formats import writer
        from dsslic_search.labels.scene import LabelledImage, Legend

        check_flags(replace=replace)
        to = path_of(folder)
        if text_of(size, "size") not in SIZES:
            raise UsageError(f'size "{size}" is not one of: {", ".join(SIZES)}')
        made = writer(text_of(form, "form"), Legend.of(self.vocabulary))
        photos = [self._searcher.photo(photo_id) for photo_id in dict.fromkeys(ids_of(ids).tolist())]
        outputs = Outputs(replace)
        out = outputs.folder(to)
        for file, _ in made.end():  # before any work is done
            (out / file).parent.mkdir(parents=True, exist_ok=True)
            outputs.check(out / file)
        report = GotOut()
        names = apart([name.with_suffix("") for name in file_names(photos, flat=True)])
        progress(0, len(photos), 0)
        try:
            for done, (photo, name) in enumerate(zip(photos, names, strict=True), 1):
                try:
                    labels = self._labels(photo, size)
                except DSSError as e:
                    report.failed.append((photo.id, str(e)))
                else:
                    files = made.image(LabelledImage(str(name), photo.path, labels))
                    written = _write(outputs, out, files, report)
                    report.written.append((photo.id, written[0] if written else out))
                progress(done, len(photos), len(report.failed))
        except KeyboardInterrupt:
            report.interrupted = True
        _write(outputs, out, made.end(), report)
        return report

    def _labels(self, photo: Photo, size: str) -> NDArray[np.uint8]:
        from dsslic_search.api.showing import read_dialect, stages_of

        shown = next(stages_of(self.folder.store, photo, ("map",), self.settings.max_pixels))
        labels = read_dialect(self.folder.store, photo).meant(np.asarray(shown.image))
        return labels if size == "map" else spread(labels, photo.width, photo.height)


def _write(outputs: Outputs, folder: Path, files: Files, report: GotOut) -> list[Path]:
    written = []
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        outputs.write(path, data)
        report.bytes += len(data)
        written.append(path)
    return written


def spread(labels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A label map at another size, uint8[height, width]: each pixel is that in which its centre lies."""
    sides = zip((height, width), labels.shape, strict=True)
    rows, columns = ((2 * np.arange(to) + 1) * of // (2 * to) for to, of in sides)
    larger: NDArray[np.uint8] = labels[rows[:, None], columns]
    return larger
