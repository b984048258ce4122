"""How closely SegNet looks at a photo: what effort chooses, without loading a network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Look:
    """At how many pixels (``area``; None: as many as it was trained for), whether at the mirrored photo too,
    and whether one of several networks is asked ``alone``."""

    area: int | None = None
    mirrored_too: bool = False
    alone: bool = False


PLAINLY = Look()
QUICKLY = Look(area=352 * 336, alone=True)
"""Three quarters of the pixels that it was trained for."""
THOROUGHLY = Look(mirrored_too=True)
