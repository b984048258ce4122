"""The class list: ids, names, words people use for them, groups and palette.

The list is data (``vocabulary.json``); its identity, a hash of the ordered class names, is stored in every
.dsslic file and every catalog row, so that a label map always says what its numbers mean.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from dsslic_search.core.cached import cached_property
from dsslic_search.core.errors import UsageError
from dsslic_search.core.plain_json import parsed
from dsslic_search.core.settings import DEFAULT_PRESENCE, classes_are_named, classes_path
from dsslic_search.core.text import plural_of

OTHER = 0
"""The class of what is none of the others, or of what the segmenter is not sure."""
MAX_WORD_CHARACTERS = 100  # of a name
UNKNOWN = 255  # label files only: "nobody knows"; never in a coded label map


@dataclass(frozen=True)
class ClassInfo:
    """One class: ``colour`` is (r, g, b), 0..255; ``synonyms`` are other words for it, lower case;
    ``presence`` is the coverage, 0..1, from which it counts as present."""

    id: int
    name: str
    plural: str
    colour: tuple[int, int, int]
    synonyms: tuple[str, ...]
    presence: float = DEFAULT_PRESENCE


@dataclass(frozen=True)
class Group:
    """A word that stands for several classes, such as "vehicle"."""

    name: str
    members: tuple[int, ...]
    synonyms: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Classes by id (0..len-1), and the groups over them."""

    name: str
    classes: tuple[ClassInfo, ...]
    groups: tuple[Group, ...]

    def __len__(self) -> int:
        return len(self.classes)

    def __hash__(self) -> int:
        """Of as little as tells lists apart: what is kept for one is looked for with every query."""
        return hash((self.name, len(self.classes), len(self.groups)))

    @cached_property
    def identity(self) -> str:
        """16 hex digits: SHA-256 of the class names in order of their ids (8 bytes of it)."""
        names = "\n".join(c.name for c in self.classes)
        return hashlib.sha256(names.encode()).hexdigest()[:16]

    def id_of(self, name: str) -> int:
        """Class id of an exact class name; KeyError if there is none."""
        for c in self.classes:
            if c.name == name:
                return c.id
        raise KeyError(name)

    @property
    def classes_of_groups(self) -> Mapping[int, tuple[int, ...]]:
        """The classes of each group, by a number of its own; these follow on the ids of the classes."""
        return {number: group.members for number, group in enumerate(self.groups, len(self.classes))}

    def presence(self, classes: Iterable[int]) -> float:
        """The coverage, 0..1, from which some classes together count as present: the least of theirs, so that
        a group is present where one of its classes is."""
        return min(self.classes[class_id].presence for class_id in classes)

    def palette(self) -> bytes:
        """768 bytes, r g b for each of 256 ids, as palette images want it; ids without a class are white."""
        table = bytearray(b"\xff" * 768)
        for c in self.classes:
            table[3 * c.id : 3 * c.id + 3] = bytes(c.colour)
        return bytes(table)


def _colour(text: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def _word(value: Any) -> str:
    """A name or synonym; ValueError for what is none."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_WORD_CHARACTERS or not value.isprintable():
        raise ValueError("a name is not printable text of 1 to 100 characters")
    return value


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError("synonyms are no list")
    return tuple(map(_word, value))


def _members(names: Any, ids: Mapping[str, int]) -> tuple[int, ...]:
    """The ids of a group's classes, in their order; ValueError where one is none of the list's."""
    for name in names:
        if _word(name) not in ids:
            raise ValueError(f"a group names the class {name!r}, which the list has not")
    return tuple(sorted(ids[name] for name in names))


def _presence(value: Any) -> float:
    share = float(value) if not isinstance(value, int) else value  # an int may be too large for a float
    if not 0 <= share <= 1:
        raise ValueError("a presence is not from 0 to 1")
    return float(share)


def parse(text: str) -> Vocabulary:
    """Read a vocabulary file's text. Raises ValueError, KeyError, TypeError or AttributeError for what is
    none: when ids are not 0..n-1 in order, names repeat or are no names."""
    return of_plain(parsed(text))


def of_plain(raw: Any) -> Vocabulary:
    """The same of what the text holds, as values of JSON."""
    classes = tuple(
        ClassInfo(
            id=c["id"],
            name=_word(c["name"]),
            plural=_word(c.get("plural", plural_of(c["name"]))),
            colour=_colour(c["colour"]),
            synonyms=_words(c.get("synonyms", ())),
            presence=_presence(c.get("presence", DEFAULT_PRESENCE)),
        )
        for c in raw["classes"]
    )
    if [(int, c.id) for c in classes] != [(type(c.id), i) for i, c in enumerate(classes)] or len(
        classes
    ) > UNKNOWN:
        raise ValueError("class ids must be 0, 1, 2 … in order, at most 255 of them")
    ids = {c.name: c.id for c in classes}
    if len(ids) != len(classes):
        raise ValueError("class names must differ")
    groups = tuple(
        Group(_word(g["name"]), _members(g["classes"], ids), _words(g.get("synonyms", ())))
        for g in raw.get("groups", ())
    )
    return Vocabulary(_word(raw["name"]), classes, groups)


def written(vocabulary: Vocabulary) -> str:
    """The text of a vocabulary file, of which :func:`parse` makes the same again."""
    return json.dumps(plain(vocabulary), ensure_ascii=False)


def plain(vocabulary: Vocabulary) -> dict[str, Any]:
    """What :func:`of_plain` makes the same of again."""
    named = {c.id: c.name for c in vocabulary.classes}
    classes = [
        {
            "id": c.id,
            "name": c.name,
            "plural": c.plural,
            "colour": hex_colour(c.colour),
            "synonyms": c.synonyms,
            "presence": c.presence,
        }
        for c in vocabulary.classes
    ]
    groups = [
        {"name": g.name, "classes": [named[i] for i in g.members], "synonyms": g.synonyms}
        for g in vocabulary.groups
    ]
    return {"name": vocabulary.name, "classes": classes, "groups": groups}


def read_own(path: Path) -> Vocabulary:
    """A class list of one's own, whose class 0 is "other". UsageError that says what is wrong with it."""
    try:
        return own_of_plain(parsed(path.read_text("utf-8")))
    except OSError as e:
        raise UsageError(f"{path}: cannot be read ({e.strerror}); check the path") from e
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as e:
        raise UsageError(f"{path}: not a class list ({e}); write it as docs/segmenters.md tells") from e


def own_of_plain(raw: Any) -> Vocabulary:
    """:func:`of_plain` for a class list of one's own: ValueError too where class 0 is not "other"."""
    read = of_plain(raw)
    if not read.classes or read.classes[OTHER].name != "other":
        called = f'is called "{read.classes[OTHER].name}"' if read.classes else "is missing"
        raise ValueError(f'class 0 {called}, and has to be "other"')
    return read


@cache
def default() -> Vocabulary:
    """The class list in which photos are described and asked for, of the whole process: that which
    $DSS_CLASSES names, or that of the archive which was opened first, or that of the package. UsageError
    where $DSS_CLASSES names none."""
    own = classes_path()
    return (_OPENED[0] if _OPENED else built_in()) if own is None else read_own(own)


_OPENED: list[Vocabulary] = []


def adopt(own: Vocabulary) -> None:
    """Put an archive's own class list in use, unless $DSS_CLASSES says which is, or one has been in use
    already: what was described and asked in that would mean something else."""
    if not classes_are_named() and not default.cache_info().currsize:
        _OPENED[:] = [own]
        default()


def own_in_use() -> Vocabulary | None:
    """The list in use, where it is not the package's."""
    return None if default().identity == built_in().identity else default()


@cache
def built_in() -> Vocabulary:
    """The vocabulary that ships with the package, and whose numbers its networks take: 46 scene and object
    classes and 5 more that people labelled. From which coverage on each counts as present is in a file of its
    own, which `train presence` writes."""
    folder = files("dsslic_search.core")
    plain = parse((folder / "vocabulary.json").read_text())
    chosen = json.loads((folder / "presence.json").read_text())["presence"]
    own = tuple(replace(c, presence=float(chosen.get(c.name, c.presence))) for c in plain.classes)
    return replace(plain, classes=own)


def hex_colour(colour: tuple[int, ...]) -> str:
    """A colour as people write it, such as "#5ab4f0"."""
    return "#" + bytes(colour).hex()
