"""What programs give to the methods of `Archive`, taken as it is meant, or refused in a sentence.

A text alone is one name or one path, not its letters; an id is a number of any type, or as queries print it.
"""

from __future__ import annotations

import os
import re
import reprlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsslic_search.core.errors import NotThereError, UsageError
from dsslic_search.core.text import quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dsslic_search.archive.ingest.taking import Rules
    from dsslic_search.archive.ingest.walk import Scope
    from dsslic_search.archive.ingest.wanted import Wanted

    Ids = Sequence[int] | NDArray[np.int64] | int

_WRITTEN_ID = re.compile("#?[0-9]{1,18}")
_MAX_ID = 2**63 - 1  # that a catalog can hold


def text_of(value: Any, what: str = "a query") -> str:
    """A text; UsageError for what is none. ``what``: the argument, as the start of a sentence."""
    if isinstance(value, str):
        return str(value)
    hint = '; for all photos ask "everything"' if what == "a query" else ""
    raise UsageError(f"{what} is text, not {_shown(value)}{hint}")


def names_of(values: Any, what: str = "a tag") -> list[str]:
    """Texts, or one alone."""
    return [text_of(value, what) for value in _several(values, f"{what} is text, or several in a list")]


def path_of(value: Any, what: str = "a path") -> Path:
    """A path from text, bytes or a Path."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise UsageError(f"{what} is text or a Path, not {_shown(value)}")
    text = os.fsdecode(value)
    if not text or "\0" in text or not _has_bytes(text):
        raise UsageError(f"{what} of a file or a folder cannot be {_shown(text)}")
    return Path(text)


def _has_bytes(text: str) -> bool:
    """Whether a text can be a name at all: not with surrogates that stand for no byte."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def paths_of(values: Any, what: str = "a path") -> list[Path]:
    """Paths, or one alone."""
    if isinstance(values, os.PathLike):
        return [path_of(values, what)]
    several = _several(values, f"{what} is text or a Path, or several in a list")
    return [path_of(value, what) for value in several]


def id_of(value: Any) -> int:
    """The id of a photo, from a number of any type that is whole, "12" or "#12". UsageError for what is no
    id, ArchiveError for a number that no photo can have."""
    if isinstance(value, str) and _WRITTEN_ID.fullmatch(value):
        return int(value.removeprefix("#"))
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise UsageError(f"{_shown(value)} is no id of a photo; ids are the numbers that a query lists")
    number = int(value)
    if abs(number) > _MAX_ID:
        raise NotThereError(f"photo {_shown(number)}: no such id in the archive; a query lists ids")
    return number


def ids_of(values: Any) -> NDArray[np.int64]:
    """Ids of photos, int64[n] in their order, from an array, a list, or one alone."""
    import numpy as np

    if isinstance(values, Integral):
        values = [values]
    if isinstance(values, np.ndarray) and np.issubdtype(values.dtype, np.signedinteger):
        return values.astype(np.int64, copy=False).ravel()
    if isinstance(values, np.ndarray):
        values = values.ravel()
    several = _several(values, "ids are numbers, as a query lists them")
    return np.array([id_of(value) for value in several], np.int64)


def age_of(value: Any, what: str) -> timedelta:
    """A length of time; ``what``: the argument's name."""
    if not isinstance(value, timedelta):
        raise UsageError(f"{what} is a timedelta, not {_shown(value)}")
    return value


def count_of(value: Any, what: str, least: int = 0) -> int:
    """A whole number of at least ``least``; one beyond all counts as the greatest that a database holds.
    ``what``: the argument's name."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise UsageError(f"{what} is a whole number, not {_shown(value)}")
    if value < least:
        raise UsageError(f"{what} {value}: must be {least} or more")
    return min(int(value), _MAX_ID)


def number_of(value: Any, what: str, low: float, high: float) -> float:
    """A number from ``low`` to ``high``, both included."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise UsageError(f"{what} is a number, not {_shown(value)}")
    number = float(value)
    if not low <= number <= high:
        raise UsageError(f"{what} {number:g}: must be from {low:g} to {high:g}")
    return number


def check_flags(**flags: Any) -> None:
    """UsageError for what is neither true nor false, by its name: "no" would count as true."""
    import numpy as np

    for name, value in flags.items():
        if isinstance(value, np.bool_) or (isinstance(value, int) and value in (0, 1)):
            continue
        raise UsageError(f"{name} is True or False, not {_shown(value)}")


def _several(values: Any, sentence: str) -> Iterable[Any]:
    """One text as the only one of several; UsageError, which begins with ``sentence``, for one of anything
    else."""
    if isinstance(values, (str, bytes)):
        return [values]
    if isinstance(values, Iterable):
        return values
    raise UsageError(f"{sentence}, not {_shown(values)}")


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else reprlib.repr(value)


def rules_of(anew: bool, rehash: bool, even_empty: bool, even_removed: bool) -> Rules:
    """How an ingest treats what is known."""
    from dsslic_search.archive.ingest.taking import Rules

    check_flags(rehash=rehash, even_empty=even_empty, even_removed=even_removed)
    return Rules(anew, rehash, even_empty, even_removed)


def wanted_of(include: Sequence[str] | str, exclude: Sequence[str] | str) -> Wanted:
    """Which files an ingest tries."""
    from dsslic_search.archive.ingest.wanted import Wanted

    return Wanted(tuple(names_of(include, "include")), tuple(names_of(exclude, "exclude")))


def scopes_of(folders: Sequence[Path | str | Scope] | Path | str) -> list[Path | Scope]:
    """Paths, and scopes among them as they are."""
    from dsslic_search.archive.ingest.walk import Scope

    if isinstance(folders, Scope):
        return [folders]
    if not isinstance(folders, Sequence) or isinstance(folders, str):
        return [*paths_of(folders)]
    return [each if isinstance(each, Scope) else path_of(each) for each in folders]
