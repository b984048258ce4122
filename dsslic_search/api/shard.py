"""A process that has some of the segments of an archive open, for another that asks: its arguments are the
archive, how many such processes there are, and the number of its socket."""

from __future__ import annotations

import sys
from pathlib import Path

from dsslic_search.api.opened import OpenArchive


def main() -> None:
    """Answer until who asks closes the socket."""
    root, count, number = sys.argv[1:]
    with OpenArchive(Path(root)) as archive:
        archive.answer_for(int(number), int(count))


if __name__ == "__main__":
    main()
