"""What lies at a path now, told apart from what merely cannot be seen."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from dsslic_search.archive import outside
from dsslic_search.core.files import in_bucket


class Here(NamedTuple):
    """A regular file; as in `archive.ingest.walk.Found`."""

    size: int
    modified_ns: int
    file: tuple[int, int]


class Absent(NamedTuple):
    """No file. ``topmost``: of the path and the folders above it the highest that is not there;
    ``parent_empty``: nothing at all lies in the folder above that, as where a disk is not mounted."""

    topmost: str
    parent_empty: bool


class Unknown(NamedTuple):
    """It cannot be told, for a ``reason``."""

    reason: str


Look = Here | Absent | Unknown


class Looker:
    """Looks at paths, as the system has them; what is not there is looked for once."""

    def __init__(self) -> None:
        self._absent: dict[str, Absent | Unknown] = {}

    def __call__(self, path: str) -> Look:
        folder = os.path.dirname(path)  # noqa: PTH120 (a str, and many of them)
        if folder in self._absent:
            return self._absent[folder]
        try:
            found = outside.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return self._not_there(path)
        except OSError as e:
            return Unknown(e.strerror or str(e))
        except ValueError:
            return Absent(path, False)
        if not stat.S_ISREG(found.st_mode):
            return Absent(path, False)
        return Here(found.st_size, found.st_mtime_ns, (found.st_dev, found.st_ino))

    def _not_there(self, path: str) -> Absent | Unknown:
        above, topmost = path, path
        missing: list[str] = []
        try:
            while True:
                if not in_bucket(above) and os.path.islink(above):  # noqa: PTH114 (a str, too)
                    answer: Absent | Unknown = Unknown("a link that leads nowhere")
                    break
                topmost, above = above, os.path.dirname(above)  # noqa: PTH120 (a str, too)
                try:
                    mode = outside.stat(above).st_mode
                except (FileNotFoundError, NotADirectoryError):
                    missing.append(above)
                    continue
                answer = Absent(topmost, stat.S_ISDIR(mode) and _is_empty(above))
                break
        except OSError as e:
            answer = Unknown(e.strerror or str(e))
        self._absent.update(dict.fromkeys(missing, answer))
        return answer


def _is_empty(folder: str) -> bool:
    if in_bucket(folder):
        return not outside.names(folder)
    with os.scandir(folder) as entries:
        return next(entries, None) is None
