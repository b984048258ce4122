"""What a query says, as a tree. Positions are 0-based characters of the query's text; coverage is in ticks
(index.quanta)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from dsslic_search.index.quanta import TICKS

LITTLE_TICKS = TICKS // 10
"""Below so much, a thing that is there is little; "small" is about less."""


@dataclass(frozen=True)
class Thing:
    """A word for something in a photo: as ``written``, the class or group ``name`` it was taken for, its
    class ids, and the plural of the name ("": it has none that is known)."""

    written: str
    name: str
    classes: tuple[int, ...]
    position: int
    plural: str = field(default="", compare=False)


@dataclass(frozen=True)
class Presence:
    """The thing covers at least the presence threshold, and less than ``below`` ticks when that is given
    ("little sky")."""

    thing: Thing
    below: int | None = None


@dataclass(frozen=True)
class Compare:
    """The thing covers ``low`` to ``high`` ticks, both included; ``says`` is the comparison in a normal form,
    as "> 30%"."""

    thing: Thing
    low: int
    high: int
    says: str


@dataclass(frozen=True)
class Balance:
    """The coverages of things, each taken as often as is said, come to ``bound`` ticks at least, or to more
    if ``above``: "more sky than grass" is sky once and grass minus once, above 0. Where that may be so of a
    photo with none of them, the first is there at all. ``says``: as "more sky than grass"."""

    terms: tuple[tuple[Thing, int], ...]
    bound: int
    above: bool
    says: str

    @property
    def needs_something(self) -> bool:
        """Whether it is never so of a photo with none of the things."""
        return self.bound > 0 or (self.above and self.bound == 0)


@dataclass(frozen=True)
class Coloured:
    """The thing is present, and one of its classes shows a colour, one of `core.colour_terms.TERMS`."""

    thing: Thing
    colour: str


@dataclass(frozen=True)
class Like:
    """The photo looks like another, a path, or "#" and an id; ``mirrored``: like it or its mirror image,
    whichever is nearer."""

    operand: str
    position: int
    mirrored: bool = False


@dataclass(frozen=True)
class Anywhere:
    """No condition on where a region is."""


@dataclass(frozen=True)
class Zone:
    """Half the region lies in a part of the photo, by its name in ``index.regions.relate.ZONES``, as "bottom
    left"."""

    name: str


@dataclass(frozen=True)
class Relation:
    """The region stands in a relation, by its name in ``query.language.spatial.RELATIONS``, to some region of
    ``thing``."""

    name: str
    thing: Thing


@dataclass(frozen=True)
class Amid:
    """The region is between some region of ``first`` and some region of ``second``."""

    first: Thing
    second: Thing


Where = Anywhere | Zone | Relation | Amid


@dataclass(frozen=True)
class Regional:
    """``low`` to ``high`` regions of the thing, both included (None: or more), are ``where`` it says.

    ``says`` is the number in a normal form, as "at least 2"; empty for "one or more", unsaid."""

    thing: Thing
    where: Where
    low: int
    high: int | None
    says: str


@dataclass(frozen=True)
class Period:
    """A date from ``start`` to before ``end`` (None: no bound), without a time zone: ``taken`` is the
    camera's local time, ``added`` is UTC. A photo without the date never matches. ``says`` is the period in a
    normal form, as "taken:2023-06.."."""

    field: str
    start: datetime | None
    end: datetime | None
    says: str


@dataclass(frozen=True)
class Text:
    """A word about the file, of a fact whose kind is one of texts or words (`core.fact.Kind`).
    ``pattern`` is case-folded. ``says``: as "camera:canon"."""

    field: str
    pattern: str
    says: str


@dataclass(frozen=True)
class Number:
    """A figure of the file from ``low`` to ``high``, both included (None: no bound): pixels, millions of
    pixels, bytes, or the id. ``says``: as "width:>4000"."""

    field: str
    low: float | None
    high: float | None
    says: str


@dataclass(frozen=True)
class Orientation:
    """The proportions of the photo's sides. Panorama: the longer side is at least twice the shorter."""

    name: Literal["portrait", "landscape", "square", "panorama"]


@dataclass(frozen=True)
class Near:
    """The photo was taken at most ``metres`` from a place in degrees, north and east positive."""

    latitude: float
    longitude: float
    metres: float


@dataclass(frozen=True)
class Within:
    """The photo was taken between two latitudes, and from one longitude eastward to another, in degrees,
    north and east positive."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True)
class Unknown:
    """The photo does not have an optional fact: it does not say when, with what, or where it was taken."""

    field: str


RecurringField = Literal["month", "weekday", "hour", "day"]


@dataclass(frozen=True)
class Recurring:
    """The time when the photo was taken is, in any year, in the months (1 to 12), weekdays (Monday is 1),
    hours (0 to 23) or days (100 times the month and the day) from ``low`` to ``high``, both included; where
    ``high`` is less, past the end and on from the beginning. ``says``: as "month:12..2"."""

    field: RecurringField
    low: int
    high: int
    says: str


@dataclass(frozen=True)
class Shows:
    """The whole photo shows, with a probability of at least ``parts`` (in 1/255), something that any of
    ``leaves`` is, numbers of `core.wordnet`. ``says``: as "word:pizza"."""

    word: str
    leaves: tuple[int, ...]
    parts: int
    says: str


@dataclass(frozen=True)
class Not:
    part: Node


@dataclass(frozen=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    parts: tuple[Node, ...]


FilePredicate = Period | Recurring | Text | Number | Orientation | Near | Within | Unknown
"""What is asked of a photo's file, a fact at a time (`core.fields`)."""

Leaf = Presence | Compare | Balance | Coloured | Like | Regional | Shows | FilePredicate
Node = Leaf | Not | And | Or


@dataclass(frozen=True)
class Sort:
    """The order of the answers: by one of `core.fields.SORTED_BY`, by "relevance", or by "thing": the
    coverage of ``thing``."""

    key: str
    thing: Thing | None
    descending: bool


@dataclass(frozen=True)
class Query:
    """A whole query: which photos (None: every one), in which order (None: by relevance), at most how many of
    them (None: all), and whether they shall be counted (None: no), by which fact ("": all together).
    ``notes``: what is to be told of how words were read."""

    tree: Node | None
    sort: Sort | None
    limit: int | None = None
    tally: str | None = None
    notes: tuple[str, ...] = field(default=(), compare=False)


def refined(queries: Sequence[Query]) -> Query:
    """One query for the photos that all of several ask for, in the order of the last that names one."""
    trees = [query.tree for query in queries if query.tree is not None]
    parts = [part for tree in trees for part in (tree.parts if isinstance(tree, And) else (tree,))]
    tree = None if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))
    sorts = [query.sort for query in queries if query.sort is not None]
    return replace(queries[-1], tree=tree, sort=sorts[-1] if sorts else None)


def leaves(node: Node) -> Iterator[Leaf]:
    """The predicates of a tree in the order of the text."""
    match node:
        case Not(part):
            yield from leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield node


def things(node: Node) -> Iterator[Thing]:
    """All things that a tree speaks of, in the order of the text."""
    for leaf in leaves(node):
        match leaf:
            case Presence(thing) | Compare(thing) | Coloured(thing):
                yield thing
            case Balance(terms):
                yield from (thing for thing, _ in terms)
            case Regional(thing, where):
                yield thing
                match where:
                    case Relation(_, other):
                        yield other
                    case Amid(first, second):
                        yield first
                        yield second


def written(node: Node) -> str:
    """The tree as a query with every parenthesis that its structure has."""
    match node:
        case Presence(thing, below):
            little = "" if below is None else "small " if below < LITTLE_TICKS else "little "
            return f"{little}{thing.name}"
        case Compare(thing, _, _, says):
            return f"{thing.name} {says}"
        case Balance():
            return node.says
        case Coloured(thing, colour):
            return f"{colour} {thing.name}"
        case Like(operand, _, mirrored):
            return f"like {operand}{' mirrored' if mirrored else ''}"
        case Regional(thing, where, _, _, says):
            one = not says or (says.endswith(" 1") and not says.startswith("between"))
            return f"{says} {thing.name if one else thing.plural or thing.name}{_where(where)}".lstrip()
        case Period() | Recurring() | Text() | Number() | Shows():
            return node.says
        case Orientation(name):
            return f"orientation:{name}"
        case Near(latitude, longitude, metres):
            return f"near {_plain(latitude)},{_plain(longitude)} {_plain(metres)}m"
        case Within(south, west, north, east):
            return f"within {_plain(south)},{_plain(west)}..{_plain(north)},{_plain(east)}"
        case Unknown("tag"):
            return "untagged"
        case Unknown(field):
            return f"{field}:unknown"
        case Not(Regional() as part) if part.says:
            return f"not ({written(part)})"  # "not fewer than 3" would be read as "at least 3"
        case Not(part):
            return f"not {written(part)}"
        case And(parts):
            return "(" + " and ".join(_listed(parts, of_any=False)) + ")"
        case Or(parts):
            *others, last = _listed(parts, of_any=True)
            return "(" + " or ".join([*map(_takes_no_list, others), last]) + ")"


def _listed(parts: Sequence[Node], of_any: bool) -> Iterator[str]:
    """The parts of a list, ``of_any`` of "or". What stands somewhere is in parentheses beside a thing, or a
    number of it, that could be read as standing there too, or as what that stands at: "cat on sofa or bed"
    would be a cat on either, and "bed and table in top" both in the top half. So is a comparison before a
    thing, "more sky than sea and sand", and an amount before a comparison, "> 30% or more sky than sea"."""
    alone = [isinstance(part, Presence) and part.below is None for part in parts]
    counted = [isinstance(part, Regional) and isinstance(part.where, Anywhere) for part in parts]
    for index, part in enumerate(parts):
        text, shared = written(part), False
        if isinstance(part, Regional) and not isinstance(part.where, Anywhere):
            shared = index == len(parts) - 1 and any([*alone, *counted])
            shared |= of_any and isinstance(part.where, Relation) and any(alone[index:])
        elif isinstance(part.part if isinstance(part, Not) else part, Balance):
            shared = any(isinstance(after, Presence) for after in parts[index + 1 : index + 2])
        elif isinstance(part, Compare) and of_any:
            shared = any(isinstance(after, Balance) for after in parts[index + 1 : index + 2])
        yield f"({text})" if shared else text


def _takes_no_list(text: str) -> str:
    """A part of a list; "not a or b" would be read as "not (a or b)"."""
    return f"({text})" if text.startswith("not ") and not text.startswith("not (") else text


def _plain(number: float) -> str:
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _where(where: Where) -> str:
    match where:
        case Anywhere():
            return ""
        case Zone(name):
            return f" in {name}"
        case Relation(name, thing):
            return f" {name} {thing.name}"
        case Amid(first, second):
            return f" between {first.name} and {second.name}"


def whole(query: Query) -> str:
    """A query as text, the order last; "everything" when it asks for no photo in particular."""
    text = "everything" if query.tree is None else written(query.tree)
    text += "" if query.limit is None else f" limit:{query.limit}"
    text += "" if query.tally is None else f" count:{query.tally or 'all'}"
    if query.sort is None:
        return text
    key = query.sort.thing.name.replace(" ", "-") if query.sort.thing else query.sort.key
    reverse = query.sort.descending != (query.sort.key in DESCENDING)
    return f"{text} sort:{'-' if reverse else ''}{key}"


# orders that go from most to least unless reversed; the others go upwards
DESCENDING = frozenset({"thing", "relevance"})
