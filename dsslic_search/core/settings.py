"""Settings with names, each from an argument, else the environment, else a default."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from dsslic_search.core.errors import UsageError

DEFAULT_QUALITY = 75
LOSSLESS = 101  # above the qualities 1..100
DEFAULT_EFFORT = 6
DEFAULT_MAX_PIXELS = 200_000_000
LARGEST_MAX_PIXELS = 2**32
DEFAULT_PRESENCE = 0.005
LONGEST_WAIT_SECONDS = 1_000_000


def _number_or_none(name: str, low: float, high: float) -> float | None:
    return _number(name, low, low, high) if name in os.environ else None


def _number(name: str, default: float, low: float, high: float) -> float:
    text = os.environ.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise UsageError(f"{name}={text}: must be a number from {low} to {high}")
    return value


def _in_the_south() -> bool:
    text = os.environ.get("DSS_HEMISPHERE", "").strip().lower() or "north"
    if text not in ("north", "south"):
        raise UsageError(f"DSS_HEMISPHERE={text}: must be north or south")
    return text == "south"


@dataclass(frozen=True)
class Settings:
    """``max_pixels``: larger photos are refused (DSS_MAX_PIXELS). ``presence``: coverage from which every
    class counts as present, 0..1 (DSS_PRESENCE); None: each from its own (`core.vocabulary`). ``wait``:
    seconds to wait for another process that writes to the archive (DSS_WAIT). ``south``: seasons are those of
    the southern hemisphere (DSS_HEMISPHERE: north or south). ``outside``: whether "like" may name a file that
    is not in the archive; not where others than the user ask. ``shards``: processes that share the indexes
    and answer together, which is for large archives that are asked much; 1: this one alone."""

    max_pixels: int = field(
        default_factory=lambda: int(_number("DSS_MAX_PIXELS", DEFAULT_MAX_PIXELS, 1, LARGEST_MAX_PIXELS))
    )
    presence: float | None = field(default_factory=lambda: _number_or_none("DSS_PRESENCE", 0, 1))
    wait: float = field(default_factory=lambda: _number("DSS_WAIT", 0, 0, LONGEST_WAIT_SECONDS))
    south: bool = field(default_factory=_in_the_south)
    outside: bool = True
    shards: int = 1


def archive_path(chosen: Path | None) -> Path:
    """The archive directory: ``chosen``, else $DSS_ARCHIVE, else the platform's data directory for this
    user."""
    if chosen is not None:
        return chosen
    if named := os.environ.get("DSS_ARCHIVE"):
        return Path(named)
    from platformdirs import user_data_path

    return user_data_path("dsslic-search", appauthor=False) / "archive"


def new_archive_urls() -> tuple[str | None, str | None]:
    """Where an archive that is made keeps the photos' files ($DSS_OBJECTS) and its catalog ($DSS_CATALOG), if
    not in its folder."""
    return os.environ.get("DSS_OBJECTS") or None, os.environ.get("DSS_CATALOG") or None


def history_path() -> Path | None:
    """The file in which lines that were typed are remembered, in the user's state folder; None where there is
    no home for it."""
    from platformdirs import user_state_path

    try:
        home = Path.home().is_dir()
    except (RuntimeError, OSError):
        home = False
    if not home and not os.environ.get("XDG_STATE_HOME"):
        return None
    return user_state_path("dsslic-search", appauthor=False) / "history"


def classes_path() -> Path | None:
    """The class list of one's own that $DSS_CLASSES names, in which photos are described and asked for."""
    named = os.environ.get("DSS_CLASSES")
    return Path(named) if named else None


def classes_are_named() -> bool:
    """Whether $DSS_CLASSES says which class list is in use; empty, it says the package's."""
    return "DSS_CLASSES" in os.environ


def vocabularies_path() -> Path | None:
    """The folder of vocabulary files that $DSS_VOCABULARIES names, for label maps that speak in another class
    list."""
    named = os.environ.get("DSS_VOCABULARIES")
    return Path(named) if named else None
