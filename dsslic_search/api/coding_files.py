"""``encode`` and ``decode`` from file to file: one, or many files and folders into a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

from dsslic_search.api import coding
from dsslic_search.api.arguments import check_flags
from dsslic_search.core.errors import DSSError, UsageError, WeightsError
from dsslic_search.core.files import absolute, in_bucket, path_to_text, text_to_path
from dsslic_search.core.kinds import KeepMode, Stage
from dsslic_search.core.output import NEW_FILES, STANDARD, Outputs
from dsslic_search.core.output_names import apart
from dsslic_search.core.settings import Settings

if TYPE_CHECKING:
    from dsslic_search.archive.ingest.passed_over import PassedOver
    from dsslic_search.archive.ingest.wanted import Wanted
    from dsslic_search.codec.options import EncodeOptions

ENDING = ".dsslic"
_ENDINGS = {"JPEG": ".jpg", "JPEG2000": ".jp2", "JPEGXL": ".jxl", "TIFF": ".tif", "HEIF": ".heic"}
"""Of originals, whose names .dsslic files do not hold; other formats end in their names."""


def encode_file(source: Path, target: Path, options: EncodeOptions, *, replace: bool = False) -> int:
    """Encode a photo file as a .dsslic file; returns its bytes. Raises as `encode` does, UsageError where
    nothing may be written (see `core.output`; ``replace``: also over a file that is there), and DSSError when
    it cannot be."""
    check_flags(replace=replace)
    outputs = Outputs(replace, (source,))
    outputs.check(target)
    return _encode(source, target, options, outputs)


def decode_file(
    source: Path,
    target: Path,
    stage: str | None = None,
    strip: str = "nothing",
    *,
    form: str | None = None,
    replace: bool = False,
) -> int:
    """Write a stage of a .dsslic file, by default the best there is, as a picture in the format ``form``
    ("png", "jpg", "webp") or that the ending of ``target`` names, with the metadata kept in the file but
    those to be left out; "map" as a palette PNG of class ids. Returns the picture file's bytes. UsageError
    for another format, and as `encode_file` does."""
    check_flags(replace=replace)
    outputs = Outputs(replace, (source,))
    outputs.check(target)
    ending = _checked_form(form, stage)
    _check_ending(target, ending, stage)
    return _decode(source, target, stage, strip, ending, outputs)


def unpack_file(source: Path, target: Path, strip: str = "nothing", *, replace: bool = False) -> int:
    """Write the original that a .dsslic file in keep mode "exact" holds, bit for bit but for metadata to be
    left out; returns its bytes. UsageError where they cannot be, and as `encode_file` does."""
    check_flags(replace=replace)
    outputs = Outputs(replace, (source,))
    outputs.check(target)
    original = _unpacked(source, strip)
    outputs.write(target, original)
    return len(original)


class Written(NamedTuple):
    """A file that was written: what of, where, and its bytes."""

    source: Path
    target: Path
    bytes: int


@dataclass
class CodedFiles:
    """``passed_over``: what else lies in the folders. ``written``: in the order of the names given.
    ``failed``: files that could not be read or written, with the reason. ``interrupted``: by Ctrl-C; the file
    that was in flight is not there."""

    passed_over: PassedOver
    written: list[Written] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    interrupted: bool = False


Progress = Callable[[int, int, int], None]
"""Is told how many files are settled, of how many, and how many of them failed."""


def encode_files(
    sources: Sequence[Path],
    folder: Path,
    options: EncodeOptions,
    *,
    replace: bool = False,
    progress: Progress = lambda _done, _total, _failed: None,
) -> CodedFiles:
    """Encode photos, and those that an ingest finds in folders, as NAME.dsslic into ``folder``, which is
    made; folders inside those named stay folders, and names never collide. What cannot be read, and what is
    there already and is not to be replaced, is in ``failed``; UsageError when nothing is found, WeightsError
    for a segmenter that cannot be used."""
    from dsslic_search.archive.ingest.wanted import ALL

    check_flags(replace=replace)
    found = _found(sources, ALL, "photos")
    outputs = Outputs(replace, tuple(found.files))
    if found.files:
        outputs.folder(folder)

    def coded(source: Path, target: Path) -> tuple[Path, int]:
        outputs.check(target)
        return target, _encode(source, target, options, outputs)

    names = apart([inside.with_suffix(ENDING) for inside in found.files.values()])
    return _each(found, [folder / name for name in names], coded, progress)


def decode_files(
    sources: Sequence[Path],
    folder: Path,
    stage: str | None = None,
    strip: str = "nothing",
    *,
    form: str = "png",
    original: bool = False,
    replace: bool = False,
    progress: Progress = lambda _done, _total, _failed: None,
) -> CodedFiles:
    """Decode .dsslic files, and those in folders, into ``folder`` as pictures of the format ``form``, or with
    ``original`` the files that they hold; else as `encode_files`."""
    from dsslic_search.archive.ingest.wanted import Wanted

    check_flags(original=original, replace=replace)
    ending = _checked_form(form, stage)
    found = _found(sources, Wanted(endings=frozenset((ENDING,))), ".dsslic files")
    outputs = Outputs(replace, tuple(found.files))
    if found.files:
        outputs.folder(folder)

    def coded(source: Path, target: Path) -> tuple[Path, int]:
        if original:
            data = _unpacked(source, strip)
            target = target.with_name(target.name + _ending_of(data))
            outputs.write(target, data)
            return target, len(data)
        outputs.check(target)
        return target, _decode(source, target, stage, strip, ending, outputs)

    suffix = "" if original else ending or ".png"
    names = apart([inside.with_suffix(suffix) for inside in found.files.values()])
    return _each(found, [folder / name for name in names], coded, progress)


def _each(
    found: _Found,
    targets: Sequence[Path],
    coded: Callable[[Path, Path], tuple[Path, int]],
    progress: Progress,
) -> CodedFiles:
    """Do it with each file, and go on where one fails."""
    report = CodedFiles(found.passed_over, failed=found.failed)
    total, unfound = len(found.files), len(found.failed)
    progress(0, total, 0)
    try:
        for done, (source, target) in enumerate(zip(found.files, targets, strict=True), 1):
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                written, size = coded(source, target)
            except WeightsError:
                raise  # not this file's fault: the next would fail as well
            except (DSSError, OSError) as e:
                reason = f"{target.parent}: {e.strerror or e}" if isinstance(e, OSError) else str(e)
                report.failed.append((source, reason))
            else:
                report.written.append(Written(source, written, size))
            progress(done, total, len(report.failed) - unfound)
    except KeyboardInterrupt:
        report.interrupted = True
    return report


@dataclass
class _Found:
    """``files``: those to read, each with the path that it keeps in the folder of outputs. ``failed``: what
    could not be looked at."""

    files: dict[Path, PurePath]
    failed: list[tuple[Path, str]]
    passed_over: PassedOver


def _found(sources: Sequence[Path], wanted: Wanted, what: str) -> _Found:
    """The files named and those in folders named, each once, as an ingest finds them."""
    from dsslic_search.archive.ingest.passed_over import PassedOver
    from dsslic_search.archive.ingest.walk import walk

    found = _Found({}, [], PassedOver())
    met: set[Path] = set()  # absolute
    for source in sources:
        if source == STANDARD:
            raise UsageError("standard input has no name for a file in a folder; name the file to write")
        if in_bucket(source):
            raise UsageError(f"{path_to_text(source)}: in a bucket; copy it to a disk to work on it")
        walked, top = walk([source], wanted=wanted), absolute(source)
        for path in (each.path for each in walked.files if each.path not in met):
            inside = path.relative_to(top)
            found.files[source / inside] = inside if path != top else PurePath(path.name)
        met.update(each.path for each in walked.files)
        found.failed += [(text_to_path(path), reason) for path, reason in walked.failures]
        found.passed_over.files += walked.passed_over.files
    if not found.files and not found.failed:
        passed_over = found.passed_over.sentence()
        but = f" (passed over: {passed_over})" if passed_over else ""
        raise UsageError(f"no {what} found there{but}; name some, or folders that hold some")
    return found


def _encode(source: Path, target: Path, options: EncodeOptions, outputs: Outputs) -> int:
    data = coding.encode(coding.read_file(source) if source == STANDARD else source, options)
    outputs.write(target, data)
    return len(data)


def _decode(
    source: Path,
    target: Path,
    stage: str | None,
    strip: str,
    ending: str | None,
    outputs: Outputs = NEW_FILES,
) -> int:
    from dsslic_search.codec import container, decoder
    from dsslic_search.codec.picture import save
    from dsslic_search.codec.picture.raster import Embedded
    from dsslic_search.codec.picture.stripping import Strip, stripped

    data = coding.read_file(source)
    with coding.about(path_to_text(source)):
        if stage is None:
            coarse = container.read_contents(data).header.keep == KeepMode.COARSE
            stage = Stage.COARSE if coarse else Stage.FULL
        decoded = decoder.decode_stage(data, stage, max_pixels=Settings().max_pixels)
        beside = decoder.read_embedded(data) if stage == Stage.FULL else Embedded()
    if stage == Stage.MAP:
        return save.save_label_map(decoded.pixels, target, decoded.vocabulary, outputs=outputs)
    return save.save_picture(
        decoded.pixels,
        target,
        alpha=decoded.alpha,
        beside=stripped(beside, Strip.named(strip)),
        outputs=outputs,
        ending=ending,
    )


def _unpacked(source: Path, strip: str) -> bytes:
    """The original in a .dsslic file."""
    from dsslic_search.codec import decoder

    data = coding.read_file(source)
    with coding.about(path_to_text(source)):
        original = decoder.read_original(data)
    return coding.without(original, strip)


def _checked_form(form: str | None, stage: str | None) -> str | None:
    """The ending of a format by name; UsageError for one that pictures, or label maps, are not written in."""
    if form is None:
        return None
    forms = ("png",) if stage == Stage.MAP else ("png", "jpg", "webp")
    if form not in forms:
        raise UsageError(f'format "{form}" is not one of: {", ".join(forms)}')
    return f".{form}"


def _check_ending(target: Path, ending: str | None, stage: str | None) -> None:
    from dsslic_search.codec.picture import save

    if ending is None:
        save.check_name(target, *([".png"] if stage == Stage.MAP else []))


def _ending_of(original: bytes) -> str:
    from dsslic_search.codec.picture.formats.signature import kind_of

    kind = kind_of(original)
    return "" if kind is None else _ENDINGS.get(kind, f".{kind.lower()}")
