"""What can be asked of a photo's path: globs and parts of it, decided for whole folders where that is
possible.

``*`` and ``?`` stand for any characters and any one character but a slash, ``**`` for any characters at all.
A path matches a pattern that has one of them when the pattern, begun at the start or after any slash, matches
the path to its end; any other pattern when it is a part of the path. A name is what comes after the last
slash. Capitals do not matter, nor whether an accent is a character of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from dsslic_search.core.text import folded_name


@dataclass(frozen=True)
class PathTest:
    """``path``: whether a whole path, `core.text.folded_name`, matches. ``folder``: whether all paths do
    that have this folder, which ends with a slash, and any name; None if it depends on the name.
    ``letters``: small letters and digits of ASCII that stand side by side in every path that matches, by
    which a database leaves out most that do not; "" where there are none."""

    path: Callable[[str], bool]
    folder: Callable[[str], bool | None]
    letters: str = ""


def split(path: str) -> tuple[str, str]:
    """The folder, with its slash, and the name."""
    end = path.rfind("/") + 1
    return path[:end], path[end:]


def text_test(pattern: str) -> Callable[[str], bool]:
    """The test of a text that is no path: it contains the pattern, or is as a glob says, in which "*" stands
    for any characters and "?" for any one."""
    pattern = folded_name(pattern)
    if not _is_glob(pattern):
        return lambda text: pattern in folded_name(text)
    *most, ending = re.split(r"\*+", pattern)
    found = f"{_earliest(most, '.')}{'.*' if most else ''}{_literal(ending, '.')}\\Z"
    glob = re.compile(found, re.DOTALL)
    return lambda text: glob.match(folded_name(text)) is not None


def word_test(pattern: str) -> Callable[[str], bool]:
    """The test of a keyword or a name: it is the pattern, or has it among its words, or all of it is as a
    glob says."""
    if _is_glob(folded_name(pattern)):
        return text_test(pattern)
    wanted = f" {' '.join(folded_name(pattern).split())} "
    return lambda text: wanted in f" {' '.join(folded_name(text).split())} "


def name_test(pattern: str) -> PathTest:
    """The test of the name alone."""
    pattern = folded_name(pattern)
    if not _is_glob(pattern):
        return PathTest(lambda path: pattern in split(path)[1], lambda folder: None, _letters(pattern))
    glob = re.compile(_glob(pattern), re.DOTALL)
    return PathTest(lambda path: glob.match(split(path)[1]) is not None, lambda folder: None)


def path_test(pattern: str) -> PathTest:
    """The test of the whole path."""
    pattern = folded_name(pattern)
    head, last = split(pattern)
    if not _is_glob(pattern):
        # what goes on into the name has its last slash where the folder has it
        return PathTest(
            lambda path: pattern in path,
            lambda folder: True if pattern in folder else None if folder.endswith(head) else False,
            _letters(pattern),
        )
    whole, begun, ended = (_from_boundary(part) for part in (pattern, head + "**", head))

    def by_folder(folder: str) -> bool | None:
        if not head or ("**" in last and last.strip("*")):
            return None
        if "**" in last:
            return begun.search(folder) is not None
        return None if ended.search(folder) else False  # what has no slash can only be the name

    return PathTest(lambda path: whole.search(path) is not None, by_folder)


def _letters(pattern: str) -> str:
    """The most letters and digits of ASCII that stand side by side in a folded pattern that is no glob."""
    return max(re.findall("[a-z0-9]+", pattern), key=len, default="")


def _is_glob(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def _from_boundary(pattern: str) -> re.Pattern[str]:
    return re.compile("(?:^|/)" + _glob(pattern), re.DOTALL)


def _glob(pattern: str) -> str:
    """A regular expression for the pattern and the end of the text after it.

    After a wildcard the first place that fits what follows, up to the next wildcard of the kind, will do: a
    later one leaves no more to choose from. So atomic groups lose nothing, and spare the backtracking that
    patterns of many wildcards would cause."""
    *firsts, last = re.split(r"\*\*+", pattern)
    found = "".join(
        f"(?>{'.*?' if number else ''}{_earliest(part.split('*'))})" for number, part in enumerate(firsts)
    )
    *most, ending = last.split("*")
    return f"{found}{'.*?' if firsts else ''}{_earliest(most)}{'[^/]*' if most else ''}{_literal(ending)}\\Z"


_NO_SLASH = "[^/]"


def _earliest(pieces: list[str], one: str = _NO_SLASH) -> str:
    """The pieces in their order, with what "*" stands for between them, each as early as possible; ``one``:
    any of the characters that wildcards stand for."""
    return "".join(
        f"(?>{one}*?{_literal(piece, one)})" if number else _literal(piece, one)
        for number, piece in enumerate(pieces)
    )


def _literal(piece: str, one: str = _NO_SLASH) -> str:
    return one.join(map(re.escape, piece.split("?")))
