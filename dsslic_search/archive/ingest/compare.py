"""What the files of a walk mean, given what is known of the paths at which photos lie. Nothing here touches
the disk or the catalog."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING

from dsslic_search.archive.ingest.look import Absent, Here, Look, Unknown
from dsslic_search.core.files import path_to_text, text_to_path
from dsslic_search.core.text import folded_name

if TYPE_CHECKING:
    from dsslic_search.archive.ingest.walk import Found
    from dsslic_search.archive.known_paths import Known

NOT_THERE, EMPTY = "not there", "empty"
"""Why nothing is said of photos under a folder, where it is not an error of the system's."""


def compare(files: Sequence[Found], known: Mapping[str, Sequence[Known]]) -> Comparison:
    """Sort out what need not be read. ``known``: rows by path, as text.

    A file of the size and time of the live rows at its path is unchanged; where none is live, one that an
    ended row knows so is back.
    """
    listed = {path_to_text(found.path): found for found in files}
    result = Comparison()
    for text, found in listed.items():
        if alike := _alike(found, known.get(text, ())):
            result.unchanged[found.path] = alike
    for text, rows in known.items():
        if text not in listed:
            result.unlisted.extend(row for row in rows if row.live)
    return result


@dataclass
class Comparison:
    """``unchanged``: rows by path of files that are as they were when they were read; the others are to be
    read. ``unlisted``: live rows of files that the walk did not list."""

    unchanged: dict[PurePath, list[Known]] = field(default_factory=dict)
    unlisted: list[Known] = field(default_factory=list)


def _alike(found: Found, rows: Sequence[Known]) -> list[Known]:
    """The rows that say what photos a file is made into, if it is as they say; else none."""
    live = [row for row in rows if row.live]
    if live:
        same = all((row.size, row.modified_ns) == (found.size, found.modified_ns) for row in live)
        return live if same else []
    ended = [row for row in rows if (row.size, row.modified_ns) == (found.size, found.modified_ns)]
    parts = [row.part for row in ended]
    return ended if len(parts) == len(set(parts)) else []  # else more than one photo was like this


@dataclass
class Endings:
    """``gone``: rows whose file is not there any more, or has another spelling now. ``unseen``: ids of photos
    of which nothing can be told, by the folder and the reason."""

    gone: list[Known] = field(default_factory=list)
    unseen: dict[tuple[str, str], set[int]] = field(default_factory=lambda: defaultdict(set))


def endings(
    unlisted: Iterable[Known],
    roots: Sequence[str],
    files: Sequence[Found],
    look: Callable[[str], Look],
    elsewhere: Callable[[int], bool],
    even_empty: bool,
) -> Endings:
    """What became of files that a walk of the folders ``roots`` did not list.

    A file that is there stays: it is excluded, or has another ending. One is gone when its folder is there
    and holds something else. Where the folder is empty or ``roots`` itself is not there, a disk may not be
    mounted: then a photo is gone from it only if it lies ``elsewhere`` too, or ``even_empty`` says so.
    """
    result = Endings()
    spelt: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    for found in files:
        spelt[str(found.path.parent), folded_name(found.path.name)].add(found.file)
    for row in unlisted:
        path = text_to_path(row.path)
        match look(str(path)):
            case Here(file=file):
                if file in spelt[str(path.parent), folded_name(path.name)]:
                    result.gone.append(row)
            case Unknown(reason):
                result.unseen[str(path.parent), reason].add(row.photo_id)
            case Absent(topmost, parent_empty):
                doubtful = _doubtful(str(path), topmost, parent_empty, roots)
                if doubtful is None or even_empty or elsewhere(row.photo_id):
                    result.gone.append(row)
                else:
                    result.unseen[doubtful].add(row.photo_id)
    return result


def _doubtful(path: str, topmost: str, parent_empty: bool, roots: Sequence[str]) -> tuple[str, str] | None:
    """The folder and the reason why it cannot be told whether a file that is absent is gone."""
    for root in roots:
        if root != path and PurePath(root).is_relative_to(topmost) and PurePath(path).is_relative_to(root):
            return root, NOT_THERE
    return (str(PurePath(topmost).parent), EMPTY) if parent_empty else None
