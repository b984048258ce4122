"""SQLite connections that nobody closes are told, as Python 3.13 and later do, by earlier ones too; and where
they were opened."""

import sqlite3
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import Any

PLACES = 8
OTHERS = str(Path(sqlite3.__file__).parents[1]), "site-packages"  # of Python itself, and of packages


class Told(sqlite3.Connection):
    """A connection that warns when it goes while it is open."""

    def __init__(self, *given: Any, **how: Any) -> None:
        super().__init__(*given, **how)
        self._opened: list[str] = []
        frame = sys._getframe(1)
        while frame is not None and len(self._opened) < PLACES:
            name = frame.f_code.co_filename
            if not any(other in name for other in OTHERS):
                self._opened.append(f"{name}:{frame.f_lineno}")
            frame = frame.f_back

    def __del__(self) -> None:
        try:
            _ = self.total_changes  # which every thread may ask for
        except sqlite3.ProgrammingError:  # closed, or never opened
            return
        places = "\n".join(self._opened)
        warnings.warn(f"unclosed database, opened at\n{places}", ResourceWarning, stacklevel=1, source=self)


def told() -> None:
    """From now on, in this process; a warning is an error in tests."""
    if sys.version_info < (3, 13):
        for module in sqlite3, sqlite3.dbapi2:
            module.connect = partial(module.connect, factory=Told)  # type: ignore[attr-defined]
