"""Files beside a photo that tell of it: XMP of other programs, and the JSON of Google's exports (Takeout)."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.archive import outside
from dsslic_search.archive.ingest.live_photos import CLIP_EXTENSIONS
from dsslic_search.core.files import path_to_text

if TYPE_CHECKING:
    from dsslic_search.codec.picture.facts import Beside

MAX_BYTES = 1 << 20  # of a file that is read

_XMP, _JSON = ".xmp", ".json"

# How Google names a JSON file: after the photo's file, with "supplemental-metadata" since 2024, cut where it
# is long. A number that tells files of one name apart moves to the end: "IMG(1).jpg", "IMG.jpg(1).json".
_SUPPLEMENT = ".supplemental-metadata"
NAME_CHARACTERS = 46
"""Of a JSON file's name before its number and ".json"; a photo's name is cut one character later."""
_NUMBER = re.compile(r"(.+?)(\(\d{1,5}\))?")

_STILLS = (".heic", ".jpg", ".jpeg", ".png", ".webp")
"""Endings of photos that Google's editor, which writes JPEG, and phones' clips have as originals."""

_EDITED = (
    "-edited",
    "-bearbeitet",
    "-modifié",
    "-modifie",
    "-editado",
    "-ha editado",
    "-editada",
    "-modificato",
    "-bewerkt",
    "-redigerad",
    "-redigert",
    "-redigeret",
    "-muokattu",
    "-edytowane",
    "-upraveno",
    "-upravené",
    "-szerkesztett",
    "-editat",
    "-düzenlendi",
    "-изменено",
    "-відредаговано",
    "-編集済み",
    "-편집됨",
    "-已修改",
    "-已编辑",
    "-effects",
)
"""What Google puts at the end of the name of a copy that somebody edited, which has no JSON of its own."""


@dataclass(frozen=True)
class SidecarsRead:
    """``beside``: what they tell. ``paths``: those that were read; ``notes``: what is wrong with some."""

    beside: Beside
    paths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Folder:
    """Names of sidecars in a folder, by the names of photos, without regard to capitals."""

    def __init__(self, names: Iterable[str]) -> None:
        self._packets: dict[str, str] = {}
        self._exports: dict[tuple[str, str], str] = {}
        for name in sorted(names):
            folded = _folded(name)
            stem, ending = folded[: -len(_JSON)], folded[-len(_JSON) :]
            if ending == _JSON and (found := _NUMBER.fullmatch(stem)):
                self._exports.setdefault((found[1], found[2] or ""), name)
            elif ending.endswith(_XMP):
                self._packets.setdefault(folded[: -len(_XMP)], name)

    def packets(self, name: str) -> tuple[str, ...]:
        """The XMP files of a photo's file, the one with its whole name first."""
        folded = _folded(name)
        found = (self._packets.get(each) for each in (folded, os.path.splitext(folded)[0]))  # noqa: PTH122 (a name)
        return tuple(filter(None, found))

    def export(self, name: str) -> str | None:
        """The JSON file of a photo's file; of an edited copy that of the original, and of the clip of a Live
        Photo that of the still, which may have other endings."""
        stem, ending = os.path.splitext(_folded(name))  # noqa: PTH122 (a name)
        is_clip = ending in CLIP_EXTENSIONS
        return next(
            (
                self._exports[asked]
                for each, number in _numbered(stem)
                for original in _originals(each)
                for its_ending in ((ending, *_STILLS) if original != each or is_clip else (ending,))
                for before, inner in ([(original, number)] if number else _numbered(original))
                for asked in _asked(before, its_ending, inner)
                if asked in self._exports
            ),
            None,
        )


def _folded(name: str) -> str:
    """A name without regard to capitals, and to how a file system writes accents."""
    return unicodedata.normalize("NFC", name).casefold()


def _numbered(stem: str) -> Iterator[tuple[str, str]]:
    """A name as it is, and with its number apart."""
    yield stem, ""
    found = _NUMBER.fullmatch(stem)
    if found is not None and found[2]:
        yield found[1], found[2]


def _originals(stem: str) -> Iterator[str]:
    """A name, and if it is one of an edited copy, the original's. Where the name is cut, so may be the word
    for that."""
    yield stem
    for word in _EDITED:
        for length in range(len(word), 1, -1):
            if stem.endswith(word[:length]):
                yield stem[:-length]
            if len(stem) != NAME_CHARACTERS + 1:
                break


def _asked(stem: str, ending: str, number: str) -> Iterator[tuple[str, str]]:
    """What a photo's JSON file may be called, the likeliest first."""
    whole = stem + ending + _SUPPLEMENT
    lengths = [len(stem + ending), *range(len(whole), len(stem + ending), -1)]
    cut = range(NAME_CHARACTERS, NAME_CHARACTERS - len(number) - 1, -1)
    for length in (*lengths, *cut):
        yield whole[:length], number
    yield stem, number  # of a photo that was put in without an ending


class Sidecars:
    """Finds and reads the sidecars of photos; remembers the names in the folder that it looked into last."""

    def __init__(self) -> None:
        self._last: tuple[Path, Folder] | None = None

    def of(self, path: Path) -> SidecarsRead:
        """Those of the photo at a path. Files that cannot be read, or are no sidecars, are left out."""
        from dsslic_search.codec.picture import takeout, xmp
        from dsslic_search.codec.picture.facts import Beside

        folder = self._folder(path.parent)
        packets, exports = [], []
        read: list[str] = []
        notes: list[str] = []
        for name in folder.packets(path.name):
            data = _read(path.with_name(name), notes)
            packet = None if data is None else xmp.read(data)
            if packet is None or not _is_for(packet.texts.get("photoshop:SidecarForExtension", ()), path):
                continue
            if not packet.sound:
                notes.append(_note(path.with_name(name), "is damaged; what stands before the damage is used"))
            packets.append(packet)
            read.append(name)
        if (name_of_export := folder.export(path.name)) is not None:
            data = _read(path.with_name(name_of_export), notes)
            try:
                told = None if data is None else takeout.read(data)
            except ValueError:
                notes.append(_note(path.with_name(name_of_export), "is damaged and left out"))
                told = None
            if told is not None:  # others have JSON files, too
                exports.append(told)
                read.append(name_of_export)
        paths = tuple(path_to_text(path.with_name(name)) for name in read)
        return SidecarsRead(Beside(tuple(packets), tuple(exports)), paths, tuple(notes))

    def _folder(self, path: Path) -> Folder:
        if self._last is None or self._last[0] != path:
            try:
                names = outside.names(path)
            except OSError:
                names = []
            self._last = path, Folder(names)
        return self._last[1]


def _is_for(extensions: Iterable[str], path: Path) -> bool:
    """Whether an XMP file that may say for which of the files of one name it is, is for this."""
    said = [extension.casefold() for extension in extensions]
    return not said or path.suffix[1:].casefold() in said


def _read(path: Path, notes: list[str]) -> bytes | None:
    """A sidecar's bytes; None, with a note, where it cannot be read."""
    try:
        with outside.opened(path) as f:
            if not outside.is_regular(f):
                notes.append(_note(path, "is no regular file and is left out"))
                return None
            data = f.read(MAX_BYTES + 1)
    except OSError as e:
        notes.append(_note(path, f"cannot be read ({e.strerror or e})"))
        return None
    if len(data) > MAX_BYTES:
        notes.append(_note(path, f"has more than {MAX_BYTES} bytes and is left out"))
        return None
    return data


def _note(path: Path, wrong: str) -> str:
    return f"{path_to_text(path)}: {wrong}"
