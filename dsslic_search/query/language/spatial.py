"""The relations between things and the zones of a photo, and the phrases that people use for them.

What each relation and zone means: `index.regions.relate`, and for people docs/query-language.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

RELATIONS: Mapping[str, str] = {
    "left of": "left side of, left hand side of",
    "right of": "right side of, right hand side of",
    "above": "over",
    "below": "under, beneath, underneath",
    "on": "upon, atop, on top of, riding, riding on, crossing the, crossing a",
    "in": "inside, inside of, within, into",
    "surrounded by": "amid, amidst, among, amongst, enclosed by, in the middle of, in middle of, in the "
    "centre of, in the center of",
    "around": "surrounding, encircling",
    "next to": "beside, by, near, near to, close to, adjacent to, alongside, along, leaning against, "
    "leant against, propped against, up against",
    "in front of": "before",
    "behind": "",
}
"""The phrases for each relation, besides its name."""

OF_THE_PHOTO: Mapping[str, str] = {
    "left of": "left",
    "left side of": "left",
    "left hand side of": "left",
    "right of": "right",
    "right side of": "right",
    "right hand side of": "right",
    "on top of": "top",
    "in the middle of": "centre",
    "in middle of": "centre",
    "in the centre of": "centre",
    "in the center of": "centre",
}
"""The zones that phrases of relations name when "the photo" follows them instead of a thing: "on the left of
the photo"."""

ACTIVITIES = (
    "standing, sitting, lying, sleeping, resting, parked, driving, walking, running, playing, jumping, "
    "floating, swimming, sailing, "
    "moored, growing, hanging, flying, grazing, going, coming, moving, passing, climbing, waiting, leaning, "
    "posing, working, fishing, surfing, skating, dancing, laughing, smiling, travelling, traveling"
)
"""What may stand before a relation or a position and says nothing more: "person sitting on chair"."""

_ROWS = {"top": ("top", "upper"), "bottom": ("bottom", "lower")}
_COLUMNS = {"left": ("left",), "right": ("right",)}
_HALF = ("half", "side", "hand side", "part")
_CORNER = ("", "corner", "hand corner", "quarter", "quadrant", "part")
_MIDDLE = ("centre", "center", "middle", "central part", "middle part")


def zones() -> Mapping[str, tuple[str, ...]]:
    """For each zone of a photo, by name, the phrases for it, its name among them."""
    found: dict[str, tuple[str, ...]] = {}
    for name, words in (_ROWS | _COLUMNS).items():
        found[name] = (name, *(f"{word} {part}" for word, part in product(words, _HALF)))
        found[f"{name} third"] = tuple(f"{word} third" for word in words)
    for row, column in product(_ROWS, _COLUMNS):
        corners = product(_ROWS[row], _COLUMNS[column], _CORNER)
        found[f"{row} {column}"] = tuple(f"{up} {side} {part}".strip() for up, side, part in corners)
    found["centre"] = _MIDDLE
    found["middle third"] = ("middle third", "centre third", "center third", "central third")
    return found


def relation_phrases() -> Iterator[tuple[str, str]]:
    """(relation, phrase) of all phrases for relations, their names among them."""
    for name, others in RELATIONS.items():
        yield name, name
        yield from ((name, phrase) for phrase in others.split(", ") if phrase)
