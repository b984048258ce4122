"""Names for many files in one folder, none like another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from dsslic_search.core.text import folded_name


def apart(wanted: Sequence[PurePath]) -> list[PurePath]:
    """Relative paths made different: the first of a name keeps it, others become "x (2).jpg", "x (3).jpg".

    Names are compared as disks do that tell neither case nor normal forms apart. What is the folder of one
    is no file of another.
    """
    folders = {folded_name(str(parent)) for path in wanted for parent in path.parents}
    asked_for = {folded_name(str(path)) for path in wanted} | folders  # no number may make one of these
    taken: set[str] = set()
    found = []
    for path in wanted:
        key = folded_name(str(path))
        candidate, number = path, 1
        if key in taken or key in folders:
            while key in taken or key in asked_for:
                number += 1
                candidate = path.with_name(f"{path.stem} ({number}){path.suffix}")
                key = folded_name(str(candidate))
        taken.add(key)
        found.append(candidate)
    return found
