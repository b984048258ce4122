"""What a query says, as a tree. Positions are 0-based characters of the query's text; coverage is in ticks (index.quanta)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Thing:
    """A word for something in a photo: as ``written``, the class or group ``name`` it was taken for, and its class ids."""

    written: str
    name: str
    classes: tuple[int, ...]
    position: int


@dataclass(frozen=True)
class Presence:
    """The thing covers at least the presence threshold, and less than ``below`` ticks when that is given ("little sky")."""

    thing: Thing
    below: int | None = None


@dataclass(frozen=True)
class Compare:
    """The thing covers ``low`` to ``high`` ticks, both included; ``says`` is the comparison in a normal form, as "> 30%"."""

    thing: Thing
    low: int
    high: int
    says: str


@dataclass(frozen=True)
class Like:
    """The photo looks like another: a path, or "#" and an id."""

    operand: str
    position: int


@dataclass(frozen=True)
class Not:
    part: Node


@dataclass(frozen=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    parts: tuple[Node, ...]


Node = Presence | Compare | Like | Not | And | Or


def leaves(node: Node) -> Iterator[Presence | Compare | Like]:
    """The predicates of a tree in the order of the text."""
    match node:
        case Not(part):
            yield from leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield node


def written(node: Node) -> str:
    """The tree as a query with every parenthesis that its structure has."""
    match node:
        case Presence(thing, below):
            return thing.name if below is None else f"little {thing.name}"
        case Compare(thing, _, _, says):
            return f"{thing.name} {says}"
        case Like(operand, _):
            return f"like {operand}"
        case Not(part):
            return f"not {written(part)}"
        case And(parts):
            return "(" + " and ".join(map(written, parts)) + ")"
        case Or(parts):
            return "(" + " or ".join(map(written, parts)) + ")"
