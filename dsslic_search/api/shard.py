"""A process that has some of the segments of an archive open, for another that asks: its arguments are the
archive, how many such processes there are, and the number of its socket."""

from __future__ import annotations

import sys
from pathlib import Path

from dsslic_search.api.shards import answering
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.manifest import Manifest
from dsslic_search.core import vocabulary
from dsslic_search.core.settings import new_archive_urls


def main() -> None:
    """Answer until who asks closes the socket."""
    root, count, number = sys.argv[1:]
    folder = ArchiveFolder(Path(root), Manifest(*new_archive_urls()))
    folder.adopt_classes()
    lookup = folder.open_lookup(folder.open_catalog)
    elsewhere = folder.published(lookup.settings)
    answering(int(number), lookup, folder.index, vocabulary.default(), int(count), elsewhere)
    lookup.close()


if __name__ == "__main__":
    main()
