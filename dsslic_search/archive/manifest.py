"""What `archive.json` says of an archive: that it is one, where it keeps what is not in its folder, and the
class list in which its photos are described, where that is not the package's.

An archive whose photos' files are in a bucket, whose catalog is a database elsewhere, or which has a class
list of its own, is of version 2, so that a version of this program that knows of none of these leaves it
alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsslic_search.archive.disk import write_whole
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, Remedy
from dsslic_search.core.output import ARCHIVE_FORMAT, ARCHIVE_MANIFEST
from dsslic_search.core.plain_json import parsed
from dsslic_search.core.vocabulary import Vocabulary

VERSION = 2
_EARLIER = 1  # the version of an archive that has everything in its folder


@dataclass(frozen=True)
class Manifest:
    """``objects``: the URL of the bucket that holds the photos' files; ``catalog``: the catalog's database
    URL, without a password; None of what is in the archive's folder. ``classes``: its own class list."""

    objects: str | None = None
    catalog: str | None = None
    classes: Vocabulary | None = None

    def text(self) -> str:
        """As it is kept."""
        elsewhere = {"objects": self.objects, "catalog": self.catalog}
        said: dict[str, Any] = {name: url for name, url in elsewhere.items() if url is not None}
        if self.classes is not None:
            said["classes"] = vocabulary.plain(self.classes)
        version = VERSION if said else _EARLIER
        return json.dumps({"format": ARCHIVE_FORMAT, "version": version, **said}) + "\n"

    def write(self, root: Path) -> None:
        """Make the folder at ``root`` an archive. Raises ArchiveError."""
        write_whole(root / ARCHIVE_MANIFEST, self.text().encode())


ALL_HERE = Manifest()


def read_manifest(root: Path) -> Manifest:
    """That of an archive. Raises ArchiveError where it cannot be read, is damaged, or of a newer version."""
    path = root / ARCHIVE_MANIFEST
    try:
        content = parsed(path.read_bytes())
        name, version = content["format"], content["version"]
        objects, catalog = (_text_or_none(content.get(key)) for key in ("objects", "catalog"))
        own = content.get("classes")
        classes = None if own is None else vocabulary.own_of_plain(own)
    except OSError as e:
        raise ArchiveError(f"{path}: cannot be read ({e.strerror}); check its permissions") from e
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise ArchiveError(
            f"{path}: damaged; restore it from a backup or write {Manifest().text()!r} into it"
        ) from e
    if name != ARCHIVE_FORMAT or not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ArchiveError(
            f"{path}: not the description of a {ARCHIVE_FORMAT}; choose another directory with "
            f"{Remedy.OTHER_ARCHIVE}"
        )
    if version > VERSION:
        raise ArchiveError(
            f"{root}: made by a newer dsslic-search (archive version {version}, this one reads up "
            f"to {VERSION}); "
            "update dsslic-search; nothing was changed"
        )
    return Manifest(objects, catalog, classes)


def _text_or_none(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError
    return value
