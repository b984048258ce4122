"""What a tree means, photo by photo, from label maps and plain facts; regions by the brute-force oracle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from dsslic_search.core.colour_terms import COLOURS
from dsslic_search.query.ast import (
    Amid,
    And,
    Anywhere,
    Balance,
    Coloured,
    Compare,
    Near,
    Node,
    Not,
    Number,
    Or,
    Orientation,
    Period,
    Presence,
    Recurring,
    Regional,
    Relation,
    Shows,
    Text,
    Thing,
    Unknown,
    Zone,
)
from tests import oracle
from tests.query.made import MadePhoto

TICKS = 10**12


def holds(node: Node, photo: MadePhoto, presence: Fraction) -> bool:
    """Whether a photo is as a tree says."""
    match node:
        case Not(part):
            return not holds(part, photo, presence)
        case And(parts):
            return all(holds(part, photo, presence) for part in parts)
        case Or(parts):
            return any(holds(part, photo, presence) for part in parts)
        case Presence(thing, below):
            share = covered(photo, thing.classes)
            return 0 < share >= presence and (below is None or share < Fraction(below, TICKS))
        case Compare(thing, low, high, _):
            # open bounds are one tick off the written one, much less than any two coverages differ
            half = Fraction(1, 2 * TICKS)
            return (
                Fraction(low, TICKS) - half <= covered(photo, thing.classes) <= Fraction(high, TICKS) + half
            )
        case Balance(terms, bound, above):
            if (bound < 0 or (bound == 0 and not above)) and not covered(photo, terms[0][0].classes):
                return False
            # a bound may be one tick off the coverage of a photo, much less than any two coverages differ
            weighed = sum(times * covered(photo, thing.classes) for thing, times in terms)
            near = Fraction(bound, TICKS) + (1 if above else -1) * Fraction(20, TICKS)
            return weighed > near
        case Coloured(thing, colour):
            bit = 1 << COLOURS.index(colour)
            shown = any(photo.class_colours.get(c, 0) & bit for c in thing.classes if photo.pixels[c])
            return shown and holds(Presence(thing), photo, presence)
        case Regional(_, _, low, high, _):
            return low <= len(passing(node, photo)) <= (math.inf if high is None else high)
        case _:
            return fact_holds(node, photo)


def degree(node: Node, photo: MadePhoto, presence: Fraction, negated: bool = False) -> float:
    """How well a photo that matches a tree satisfies it; 0 for one that does not match."""
    match node:
        case Not(part):
            return degree(part, photo, presence, not negated)
        case And(parts) | Or(parts):
            fold = max if isinstance(node, Or) != negated else min
            return fold(degree(part, photo, presence, negated) for part in parts)
    if holds(node, photo, presence) == negated:
        return 0
    match node:
        case Presence(thing, below):
            bounds = (max(float(presence), 1 / TICKS), 1.0 if below is None else below / TICKS)
            return best_range(photo, thing.classes, bounds, negated)
        case Compare(thing, low, high, _):
            return best_range(photo, thing.classes, (low / TICKS, high / TICKS), negated)
        case Balance():
            return weighed_degree(photo, node, negated)
        case Coloured(thing, colour):
            if not negated:
                return degree(Presence(thing), photo, presence)
            bit = 1 << COLOURS.index(colour)
            if not any(photo.class_colours.get(c, 0) & bit for c in thing.classes if photo.pixels[c]):
                return 1
            return degree(Presence(thing), photo, presence, negated)
        case Regional(_, _, low, high, _):
            degrees = passing(node, photo)
            parts = [(low, high)] if not negated else [(0, low - 1)] if low else []
            parts += [(high + 1, None)] if negated and high is not None else []
            (part,) = [(a, b) for a, b in parts if a <= len(degrees) <= (math.inf if b is None else b)]
            return max(degrees) * min(certainty(photo, t) for t in things_of(node)) if part[0] else 1
        case Shows(_, leaves):
            return abs(int(negated) - shown(photo, leaves) / 255)
    return 1


def shown(photo: MadePhoto, leaves: tuple[int, ...]) -> int:
    """The probability in 1/255 that it shows any of some leaves."""
    return min(sum(parts for leaf, parts in photo.words or () if leaf in leaves), 255)


def certainty(photo: MadePhoto, classes: tuple[int, ...]) -> float:
    """The mean over the labels of the classes, as the byte that stands for it."""
    labels = sum(photo.pixels[c] for c in set(classes))
    if not labels:
        return 0
    return round(sum(photo.pixels[c] * photo.certainty(c) for c in set(classes)) / labels) / 255


def things_of(node: Regional) -> list[tuple[int, ...]]:
    match node.where:
        case Relation(_, thing):
            return [node.thing.classes, thing.classes]
        case Amid(first, second):
            return [node.thing.classes, first.classes, second.classes]
    return [node.thing.classes]


def best_range(
    photo: MadePhoto, classes: tuple[int, ...], bounds: tuple[float, float], negated: bool
) -> float:
    low, high = bounds
    share, sure = float(covered(photo, classes)), certainty(photo, classes)
    if not negated:
        return in_range(share, low, high) * (sure if low > 0 else 1)
    tick = 1 / TICKS
    parts = ([(0.0, low - tick)] if low > 0 else []) + ([(high + tick, 1.0)] if high < 1 else [])
    return max(in_range(share, *part) * (sure if part[0] > 0 else 1) for part in parts)


def weighed_degree(photo: MadePhoto, node: Balance, negated: bool) -> float:
    """What is asked for is that a sum is large enough and, where it may be 0, that the first thing is there;
    denied is either."""
    first, alone = node.terms[0][0].classes, node.bound > 0 or (node.bound == 0 and node.above)
    present = best_range(photo, first, (1 / TICKS, 1.0), negated)
    if not negated:
        clear = sum_degree(photo, node.terms, node.bound, must=alone)
        return clear if alone else min(clear, present)
    less = [(thing, -times) for thing, times in node.terms]
    clear = sum_degree(photo, less, -node.bound, must=not alone)
    return clear if alone or covered(photo, first) else max(clear, present)


def sum_degree(photo: MadePhoto, terms: Sequence[tuple[Thing, int]], bound: int, *, must: bool) -> float:
    """``must``: one of the things added has to be there."""
    margin = float(sum(times * covered(photo, thing.classes) for thing, times in terms)) - bound / TICKS
    room = max(0, *(times for _, times in terms)) - bound / TICKS
    clear = min(max(margin / room, 0), 1) if room > 1e-12 else 1.0
    if not must:
        return clear
    return clear * max((certainty(photo, thing.classes) for thing, times in terms if times > 0), default=0)


def in_range(share: float, low: float, high: float) -> float:
    if low <= 0 and high >= 1:
        return 1
    if low > 0 and high < 1:
        room, distance = (high - low) / 2, min(share - low, high - share)
    elif low > 0:
        room, distance = 1 - low, share - low
    else:
        room, distance = high, high - share
    if room <= 1e-12:
        return float(abs(distance) < 1e-6)
    return min(max(distance / room, 0), 1)


@lru_cache(maxsize=10_000)
def covered(photo: MadePhoto, classes: tuple[int, ...]) -> Fraction:
    return Fraction(sum(photo.pixels[c] for c in set(classes)), photo.label_map.size)


@lru_cache(maxsize=10_000)
def passing(node: Regional, photo: MadePhoto) -> list[float]:
    """The degrees of the regions that pass: whether a photo is as a tree says, and how well, are one question
    to them."""
    classes, regions = node.thing.classes, photo.found
    match node.where:
        case Anywhere():
            return oracle.anywhere(regions, classes)
        case Zone(name):
            return oracle.in_zone(regions, classes, name)
        case Relation("around", thing):
            return oracle.related(regions, thing.classes, "surrounded by", classes)
        case Relation(name, thing):
            return oracle.related(regions, classes, name, thing.classes)
        case Amid(first, second):
            return oracle.between(regions, classes, first.classes, second.classes)


def fact_holds(node: Node, photo: MadePhoto) -> bool:
    match node:
        case Period(column, start, end):
            date = photo.taken if column == "taken" else photo.added
            return date is not None and (start is None or start <= date) and (end is None or date < end)
        case Recurring(name, low, high):
            taken = photo.taken
            if taken is None:
                return False
            number = {
                "month": taken.month,
                "weekday": taken.isoweekday(),
                "hour": taken.hour,
                "day": 100 * taken.month + taken.day,
            }[name]
            return low <= number <= high if low <= high else number >= low or number <= high
        case Text("camera" | "lens" | "title" as fact, pattern):
            text = getattr(photo, fact)
            return text is not None and text_glob(pattern, text.lower())
        case Text("colour", "colourful"):
            hues = "red", "orange", "yellow", "green", "blue", "purple", "pink"
            return sum((photo.colours or 0) >> COLOURS.index(hue) & 1 for hue in hues) >= 2
        case Text("colour", pattern):
            return bool((photo.colours or 0) >> COLOURS.index(pattern) & 1)
        case Text("keyword" | "people" as fact, pattern):
            return any(word_matches(pattern, word.lower()) for word in words_of(photo, fact))
        case Text("text", pattern):
            texts = [photo.title, photo.description, photo.path.rpartition("/")[2]]
            texts += words_of(photo, "keyword") + words_of(photo, "people")
            return any(text_glob(pattern, text.lower()) for text in texts if text is not None)
        case Text("format", pattern):
            return photo.format.lower() == pattern
        case Text("keep", pattern):
            return photo.keep.lower() == pattern
        case Text("is", pattern):
            return pattern in ("any", photo.state)
        case Text("tag", pattern):
            return pattern in photo.tags
        case Text("name", pattern):
            return glob(pattern, photo.path.lower().rpartition("/")[2])
        case Text("path", pattern):
            path = photo.path.lower()
            starts = [0] + [i + 1 for i, character in enumerate(path) if character == "/"]
            return any(glob(pattern, path[start:]) for start in starts)
        case Number(column, low, high):
            figures: dict[str, float | None] = {
                "width": photo.width,
                "height": photo.height,
                "size": photo.size,
                "id": photo.id,
            }
            figures |= {"iso": photo.iso, "exposure": photo.exposure, "rating": photo.rating}
            figures["brightness"] = photo.brightness
            figure = photo.width * photo.height / 1e6 if column == "megapixels" else figures[column]
            if figure is None:
                return False
            return (low is None or figure >= low) and (high is None or figure <= high)
        case Orientation(name):
            w, h = photo.width, photo.height
            return {
                "portrait": h > w,
                "landscape": w > h,
                "square": w == h,
                "panorama": max(w, h) >= 2 * min(w, h),
            }[name]
        case Near(latitude, longitude, metres):
            return photo.place is not None and distance(photo.place, (latitude, longitude)) <= metres
        case Shows(_, leaves, least):
            return shown(photo, leaves) >= least
        case Unknown("word"):
            return photo.words is None
        case Unknown("keyword" | "people" as fact):
            return not words_of(photo, fact)
        case Unknown("colour"):
            return photo.colours is None
        case Unknown("tag"):
            return not photo.tags
        case Unknown(fact):
            return getattr(photo, fact) is None
    raise AssertionError(node)


def words_of(photo: MadePhoto, fact: str) -> list[str]:
    said = photo.keywords if fact == "keyword" else photo.people
    return said.split("\n") if said else []


def word_matches(pattern: str, word: str) -> bool:
    """Some run of its words, or with wildcards all of it."""
    if set("*?") & set(pattern):
        return text_glob(pattern, word)
    parts, wanted = word.split(), pattern.split()
    return any(parts[i : i + len(wanted)] == wanted for i in range(len(parts)))


def glob(pattern: str, text: str) -> bool:
    """Whether a pattern (all of a text with wildcards, else a part of it) matches."""
    if not set("*?") & set(pattern):
        return pattern in text
    return _glob(pattern, text)


def text_glob(pattern: str, text: str) -> bool:
    """The same where no slash stops a wildcard."""
    return glob(pattern.replace("*", "**").replace("/", "|"), text.replace("/", "|"))


def _glob(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern.startswith("**"):
        return _glob(pattern[2:], text) or (text != "" and _glob(pattern, text[1:]))
    if pattern[0] == "*":
        return _glob(pattern[1:], text) or (text != "" and text[0] != "/" and _glob(pattern, text[1:]))
    return (
        text != ""
        and (text[0] != "/" if pattern[0] == "?" else text[0] == pattern[0])
        and _glob(pattern[1:], text[1:])
    )


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres between two places, by the angle between their directions from the middle of the earth."""
    a, b = direction(*one), direction(*other)
    across = math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))
    return 6_371_008.8 * 2 * math.asin(min(across / 2, 1))


def direction(latitude: float, longitude: float) -> tuple[float, float, float]:
    north, east = math.radians(latitude), math.radians(longitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)
