"""Many photos out of an archive in one start: their originals, or pictures of a stage."""

from __future__ import annotations

import hashlib
import os
import time
from calendar import timegm
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

from dsslic_search.api import coding
from dsslic_search.api.arguments import check_flags, ids_of, path_of, text_of
from dsslic_search.api.opened import OpenArchive
from dsslic_search.archive.originals import left_outside
from dsslic_search.core.errors import DSSError, FormatError, Remedy, UsageError, WeightsError
from dsslic_search.core.files import in_bucket, path_to_text, text_to_path
from dsslic_search.core.kinds import Stage
from dsslic_search.core.output import Outputs
from dsslic_search.core.output_names import apart

if TYPE_CHECKING:
    from dsslic_search.api.arguments import Ids
    from dsslic_search.api.searching import Searcher
    from dsslic_search.archive.schema import KnownPath, Photo

FORMS = ("png", "jpg", "webp")
NOT_IN_IT = "not-included.txt"
_FIRST_OF_ZIP, _LAST_OF_ZIP = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)


@dataclass
class GotOut:
    """``written``: photos by id, with their new files; ``bytes`` of these. ``present``: photos whose very
    bytes are at the place already. ``failed``: photos without, and why. ``interrupted``: by Ctrl-C; the same
    again goes on."""

    written: list[tuple[int, Path]] = field(default_factory=list)
    present: list[tuple[int, Path]] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    bytes: int = 0
    interrupted: bool = False


class Written(NamedTuple):
    """The file of a photo, and the bytes of all that were written for it."""

    path: Path
    bytes: int


Progress = Callable[[int, int, int], None]
"""Is told how many photos are settled, of how many, and how many of them failed."""


class GettingOut(OpenArchive):
    """The part of `Archive` that writes many photos into a folder."""

    def originals(
        self,
        ids: Ids,
        folder: Path | str,
        *,
        flat: bool = False,
        strip: str = "nothing",
        replace: bool = False,
        progress: Progress = lambda _done, _total, _failed: None,
    ) -> GotOut:
        """Write the originals of photos into ``folder``, which is made, bit for bit and with their times:
        each is checked against the hash of what was put in.

        Names are those of the paths shown below the folder that these photos have in common, or with ``flat``
        the file names alone; where two would be one, a number is added. ``strip``: metadata to leave out, as
        `decode` does. Photos whose original is not kept, or not there, are in the result's ``failed``.
        ArchiveError when there is no photo of an id, UsageError where nothing may be written.
        """
        from dsslic_search.api.showing import original_of
        from dsslic_search.codec.picture.stripping import Strip

        check_flags(flat=flat, replace=replace)
        to, left_out = path_of(folder), Strip.named(text_of(strip, "strip"))
        photos = photos_of(self._searcher, ids)
        outputs = outputs_for(photos, replace)
        out = Outputs().folder(to)
        targets = [out / name for name in apart(file_names(photos, flat))]

        def got(photo: Photo, target: Path) -> Written | None:
            original = original_of(self.folder.store, photo)
            if hashlib.sha256(original).hexdigest() != photo.content_hash:
                raise FormatError(
                    f"photo {photo.id}: the original kept is not what was put in; see what is wrong with: "
                    f"{Remedy.READ_DATA}"
                )
            original = coding.without(original, left_out)
            if not target.is_symlink() and target.is_file() and target.read_bytes() == original:
                return None
            outputs.write(target, original)
            changed = _changed_ns(photo)
            os.utime(target, ns=(changed, changed))
            return Written(target, len(original))

        return each(photos, targets, got, progress)

    def previews(
        self,
        ids: Ids,
        folder: Path | str,
        *,
        stage: str | None = None,
        form: str = "png",
        flat: bool = False,
        replace: bool = False,
        progress: Progress = lambda _done, _total, _failed: None,
    ) -> GotOut:
        """Write a stage of photos, by default the best that each has, into ``folder`` as pictures of the
        format ``form``: "png", "jpg" or "webp"; "map" as palette PNGs of class ids. Names as `originals` has
        them, with the picture's ending."""
        from dsslic_search.api.showing import best_of, stages_of

        check_flags(flat=flat, replace=replace)
        wanted = None if stage is None else Stage.named(text_of(stage, "stage"))
        forms = FORMS[:1] if wanted == Stage.MAP else FORMS
        form = text_of(form, "form")
        if form not in forms:
            raise UsageError(f'format "{form}" is not one of: {", ".join(forms)}')
        to = path_of(folder)
        photos = photos_of(self._searcher, ids)
        names = [_as_picture(name, form) for name in file_names(photos, flat)]
        out = Outputs().folder(to)
        targets = [out / name for name in apart(names)]
        outputs = outputs_for(photos, replace)

        def got(photo: Photo, target: Path) -> Written:
            outputs.check(target)
            stages = (best_of(photo) if wanted is None else wanted,)
            shown = next(stages_of(self.folder.store, photo, stages, self.settings.max_pixels))
            shown.save(target, replace=replace)
            return Written(target, target.stat().st_size)

        return each(photos, targets, got, progress)

    def zip_originals(
        self, ids: Ids, path: Path | str, *, flat: bool = False, replace: bool = False
    ) -> GotOut:
        """Write the originals of photos into one zip file, bit for bit and under the names that `originals`
        gives them; what is not kept, or not there, is in the result's ``failed``, and in the text file
        `NOT_IN_IT` of the zip file. Nothing is packed any further. Raises as `originals` does."""
        from zipfile import ZIP_STORED, ZipFile, ZipInfo

        from dsslic_search.api.showing import original_of

        check_flags(flat=flat, replace=replace)
        out = path_of(path)
        photos = photos_of(self._searcher, ids)
        report = GotOut()
        _, *names = apart([PurePath(NOT_IN_IT), *file_names(photos, flat)])
        with outputs_for(photos, replace).stream(out) as raw, ZipFile(raw, "w", ZIP_STORED) as packed:
            for photo, name in zip(photos, names, strict=True):
                try:
                    original = original_of(self.folder.store, photo)
                except DSSError as e:
                    report.failed.append((photo.id, str(e)))
                    continue
                year, month, day, hour, minute, second, *_ = time.gmtime(_changed_ns(photo) // 10**9)
                changed = year, month, day, hour, minute, second
                entry = ZipInfo(path_to_text(str(name)), min(max(_FIRST_OF_ZIP, changed), _LAST_OF_ZIP))
                packed.writestr(entry, original)
                report.written.append((photo.id, Path(name)))
                report.bytes += len(original)
            if report.failed:
                reasons = "".join(f"photo {photo_id}: {reason}\n" for photo_id, reason in report.failed)
                packed.writestr(NOT_IN_IT, reasons)
        return report


def photos_of(searcher: Searcher, ids: Ids) -> list[Photo]:
    """The photos of these ids, each once, in their order. ArchiveError when there is none of an id."""
    return [searcher.photo(photo_id) for photo_id in dict.fromkeys(ids_of(ids).tolist())]


def outputs_for(photos: Sequence[Photo], replace: bool) -> Outputs:
    """How files of photos are written: never over their originals."""
    return Outputs(replace, tuple(place for photo in photos for place in left_outside(photo)))


def file_names(photos: Sequence[Photo], flat: bool) -> list[PurePath]:
    """Relative paths to write photos at, some perhaps alike."""
    paths = [PurePath("/", text_to_path(photo.path)) for photo in photos]  # also of those in buckets
    if flat or not paths:
        return [PurePath(path.name) for path in paths]
    common = os.path.commonpath([path.parent for path in paths])
    return [path.relative_to(common) for path in paths]


def _as_picture(name: PurePath, form: str) -> PurePath:
    """The name of a picture of a photo; of a video's frame, "clip.mp4#t=12.0.png"."""
    stem = name.name if "#" in name.suffix or "#t=" in name.name else name.stem
    return name.with_name(f"{stem}.{form}")


def _changed_ns(photo: Photo) -> int:
    """When a photo's original was changed last, in nanoseconds since 1970."""
    known = next((k.modified_ns for k in photo.paths if _tells_when(k)), None)
    return known if known is not None else timegm(photo.modified_at.timetuple()) * 10**9


def _tells_when(known: KnownPath) -> bool:
    """In a bucket parts of a second stand for something else (`archive.bucket_files.Status`)."""
    return known.modified_ns is not None and not in_bucket(known.path)


def each(
    photos: Sequence[Photo],
    targets: Sequence[Path],
    got: Callable[[Photo, Path], Written | None],
    progress: Progress,
) -> GotOut:
    """Do it with each photo, whose file goes to its target or about there, and go on where one fails. ``got``
    gives None where the very file is there already."""
    report = GotOut()
    progress(0, len(photos), 0)
    try:
        for done, (photo, target) in enumerate(zip(photos, targets, strict=True), 1):
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                written = got(photo, target)
            except WeightsError:
                raise  # not this photo's fault: the next would fail as well
            except DSSError as e:
                report.failed.append((photo.id, str(e)))
            except OSError as e:
                report.failed.append((photo.id, f"{target}: cannot be written ({e.strerror or e})"))
            else:
                if written is None:
                    report.present.append((photo.id, target))
                else:
                    report.written.append((photo.id, written.path))
                    report.bytes += written.bytes
            progress(done, len(photos), len(report.failed))
    except KeyboardInterrupt:
        report.interrupted = True
    return report
