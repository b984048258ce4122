"""Items to a tree: what "and", "or", "not", commas, parentheses and words side by side join.

A query is clauses, all of which are asked for: they end where "with", "but", "without" or nothing at all
joins what follows, and at a comma that no "or" takes. A clause is a list: "and" binds tighter than "or", and
a comma before the first joiner is that joiner ("dog, cat or horse"). A negation takes the list after it ("no
people or cars"), "not" only one of "or".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

from dsslic_search.core.errors import QueryError
from dsslic_search.query.ast import And, Anywhere, Balance, Node, Not, Or, Presence, Regional, Relation, Thing
from dsslic_search.query.language.diagnosis import syntax_error
from dsslic_search.query.language.lexicon import WordTable
from dsslic_search.query.language.pieces import Piece
from dsslic_search.query.language.runs import Item
from dsslic_search.query.language.written import complaint

_TIGHT = {"-", "!"}
"""Negations that take what they stand at and no list."""


class Structure:
    """The reading of a query's items, from left to right."""

    def __init__(self, text: str, pieces: list[Piece], items: list[Item], table: WordTable) -> None:
        """``table``: what the words of the query may stand for."""
        self.text = text
        self.pieces = pieces
        self.items = [*items, Item("", len(pieces), len(pieces))]
        self.families = table.families
        self.settings = table.settings
        self.scenes = {id(item.node) for item in items if _is_scene(pieces, item)}
        self.closed: dict[int, Node] = {}
        """What stands in parentheses, by its id: it takes no place from a list and gives none to it."""
        self.index = 0
        self.joiner_after = _joiners(self.items)

    def whole(self) -> Node | None:
        """The tree of all items; None for every photo."""
        tree = self._clauses()
        if self._type:
            raise self._trouble()
        return tree

    @property
    def _type(self) -> str:
        return self.items[self.index].type

    def _clauses(self) -> Node | None:
        parts = self._list()
        while self._type in {"CLAUSE", "COMMA", "SIDE"}:
            self.index += 1
            parts += self._list()
        return _every(parts)

    def _list(self) -> list[Node | None]:
        """The parts of a clause, all of which are asked for."""
        alternatives = [[self._single()]]
        joined = False  # whether the list's joiner has come
        while True:
            joiner = self._type
            if joiner == "COMMA":
                joiner = "" if joined else self.joiner_after[self.index]
            elif joiner in {"AND", "OR"}:
                joined = True
            if joiner not in {"AND", "OR"}:
                break
            self.index += 1
            part = self._single()
            if joiner == "AND":
                alternatives[-1].append(part)
            else:
                alternatives.append([part])
        alternatives = self._share_the_relation(self._share_the_place(alternatives))
        return (
            alternatives[0] if len(alternatives) == 1 else [_any([_every(parts) for parts in alternatives])]
        )

    def _share_the_place(self, alternatives: list[list[Node | None]]) -> list[list[Node | None]]:
        """Give the place of the last thing to those before it that are of its family: "cats or dogs on a
        sofa"."""
        last = alternatives[-1][-1]
        if sum(map(len, alternatives)) == 1 or not isinstance(last, Regional) or id(last) in self.closed:
            return alternatives
        return [[self._placed(part, last) for part in parts] for parts in alternatives]

    def _placed(self, part: Node | None, last: Regional) -> Node | None:
        """A part where the last thing is, if it is of its family; "2 dogs" as many of them there."""
        if not self._beside(part, last):
            return part
        if isinstance(part, Presence):
            return Regional(part.thing, last.where, 1, None, "")
        return replace(part, where=last.where)

    def _share_the_relation(self, alternatives: list[list[Node | None]]) -> list[list[Node | None]]:
        """Give what a relation says to the things after it that could stand where its thing does: "cat on a
        sofa or bed". What is known of whole photos alone is asked for beside the thing: "car next to a bus or
        truck"."""
        if len(alternatives) == 1:
            return alternatives
        said: Regional | None = None
        for parts in alternatives:
            if len(parts) != 1:
                return alternatives
            part = parts[0]
            if id(part) in self.closed:
                continue
            if part is not None and id(part) in self.scenes:
                parts[0] = part if said is None else And((_alone(said), part))
            elif isinstance(part, Regional) and isinstance(part.where, Relation):
                said = part
            elif (
                said is not None
                and isinstance(part, Presence)
                and isinstance(said.where, Relation)
                and part.below is None
                and self._stands_there_too(part.thing, said, said.where)
            ):
                parts[0] = replace(said, where=replace(said.where, thing=part.thing))
        return alternatives

    def _stands_there_too(self, other: Thing, said: Regional, where: Relation) -> bool:
        """Whether another thing is one to which the subject could stand in the same relation: it is of the
        family of the relation's thing, or both are of some family and it is not of the subject's: a car next
        to a bus or a dog, but "dog on a sofa or cat" could be a cat instead of the dog."""
        both = {*other.classes, *where.thing.classes}
        if any(both <= each for each in (*self.families, *self.settings)):
            return True
        stand = all(any({*t.classes} <= each for each in self.families) for t in (other, where.thing))
        alike = any({*other.classes, *said.thing.classes} <= each for each in self.families)
        return stand and not alike

    def _beside(self, part: Node | None, last: Regional) -> TypeGuard[Presence | Regional]:
        """Whether a part names a thing alone, or how many there are of it, of the family of the last thing,
        which is somewhere."""
        if isinstance(last.where, Anywhere) or id(part) in self.closed:
            return False
        if isinstance(part, Presence):
            if part.below is not None:
                return False
        elif not (isinstance(part, Regional) and isinstance(part.where, Anywhere)):
            return False
        elif part.thing.name == last.thing.name:
            return False  # "2 cars and at most 1 car on road"
        if isinstance(last.where, Relation) and last.where.thing.name == part.thing.name:
            return False  # "a dog and a person next to it"
        both = {*part.thing.classes, *last.thing.classes}
        return any(both <= family for family in self.families)

    def _single(self) -> Node | None:
        item = self.items[self.index]
        if item.type == "NOT":
            return self._negated(item)
        if item.type == "LPAR":
            self.index += 1
            inner = self._clauses()
            if self._type != "RPAR":
                raise self._trouble()
            self.index += 1
            if inner is not None:
                self.closed[id(inner)] = inner
            return inner
        if item.type != "PREDICATE":
            raise self._trouble()
        self.index += 1
        if isinstance(item.node, Balance):
            self._check_one_is_compared(item)
        return item.node

    def _check_one_is_compared(self, item: Item) -> None:
        """Raise QueryError for "more sky than sea or grass"."""
        joiner, other = self.items[self.index], self.items[self.index + 1 :][:1]
        if joiner.type in {"AND", "OR"} and other and isinstance(other[0].node, Presence):
            sentence = (
                "a thing is compared with one other: write each comparison in full, or a comma before what "
                "is asked for besides"
            )
            raise self._wrong(item.start, sentence)

    def _negated(self, item: Item) -> Node:
        self.index += 1
        parts = [self._single()]
        while item.value not in _TIGHT and self._list_goes_on(item.value):
            self.index += 1
            self._check_is_denied_too()
            parts.append(self._single())
        placed = self._share_the_place([[each] for each in parts])
        part = _any([shared for (shared,) in self._share_the_relation(placed)])
        if part is None:
            raise self._wrong(
                item.start, "no photo is outside everything: remove this or name something after it"
            )
        return Not(part)

    def _list_goes_on(self, negation: str) -> bool:
        """Whether what the next joiner joins belongs to the list that a negation takes."""
        before, joiner, after = self.items[self.index - 1], self._type, self.items[self.index + 1 :][:1]
        if joiner == "COMMA":
            joiner = self.joiner_after[self.index]
        if joiner != "OR" and not (joiner == "AND" and negation == "no"):
            return False
        if self.items[self.index].value == "with":  # "without a dog or with a cat"
            return False
        if not after or not before.type == after[0].type == "PREDICATE":
            return False
        if joiner == "AND" and _is_counted(after[0].node):  # "no dogs and 2 cats"
            return False
        place_shared = _has_a_relation(before.node) and id(after[0].node) in self.scenes
        return before.kind == after[0].kind or place_shared

    def _check_is_denied_too(self) -> None:
        """Raise QueryError for "dogs without people or cats without people"."""
        before = self.items[self.index - 1]
        following = [(item.type, item.value) for item in self.items[self.index + 1 : self.index + 3]]
        if (
            before.type == "OR"
            and following[:1] == [("CLAUSE", "")]
            and following[1:2]
            and following[1][0] == "NOT"
        ):
            sentence = (
                "this could be one of two things: put each in parentheses, as in (dogs without cars) or "
                "(cats without cars)"
            )
            raise self._wrong(self.items[self.index].start, sentence)

    def _trouble(self) -> QueryError:
        return syntax_error(self.text, self.pieces, self.items[self.index].start)

    def _wrong(self, start: int, sentence: str) -> QueryError:
        last = self.items[max(self.index - 1, 0)].end - 1
        return complaint(self.text, self.pieces[start].start, self.pieces[max(last, start)].end, sentence)


def _joiners(items: list[Item]) -> list[str]:
    """For each comma the joiner of its list, "AND" or "OR": the next one in its clause; "" where none comes,
    where a negation follows, and where things and facts are on its two sides."""
    found = [""] * len(items)
    coming = ""
    outside: list[str] = []
    for index in range(len(items) - 1, -1, -1):
        match items[index].type:
            case "AND" | "OR" as joiner:
                coming = joiner
            case "COMMA":
                before, after = items[index - 1], items[index + 1]
                if after.type == "NOT" or _is_fact(before) != _is_fact(after) or _is_compared(before, after):
                    coming = ""
                found[index] = coming
            case "SIDE" | "CLAUSE":
                coming = ""
            case "RPAR":
                outside.append(coming)
                coming = ""
            case "LPAR":
                coming = outside.pop()
    return found


def _is_compared(before: Item, after: Item) -> bool:
    """Whether a share of the photo stands before things: "sky > 30%, dogs or cats"."""
    return before.kind == "covered" != after.kind


def _is_fact(item: Item) -> bool:
    return item.kind == "fact"


def _is_scene(pieces: list[Piece], item: Item) -> bool:
    """Whether a predicate is a noun that is known of whole photos alone."""
    return (
        item.type == "PREDICATE"
        and pieces[item.start].type == "FILTER"
        and pieces[item.start].value == "scene"
    )


def _has_a_relation(node: Node | None) -> bool:
    return isinstance(node, Regional) and isinstance(node.where, Relation)


def _is_counted(node: Node | None) -> bool:
    return isinstance(node, Regional) and bool(node.says)


def _alone(said: Regional) -> Node:
    """A thing that stands in a relation, in the same number, wherever it is."""
    return replace(said, where=Anywhere()) if said.says else Presence(said.thing)


def _any(parts: list[Node | None]) -> Node | None:
    """What one of the parts finds at least; None, for every photo, where one of them is."""
    certain = [part for part in parts if part is not None]
    return None if len(certain) < len(parts) else certain[0] if len(certain) == 1 else Or(tuple(certain))


def _every(parts: list[Node | None]) -> Node | None:
    """What all parts find."""
    asked = [part for part in parts if part is not None]
    return None if not asked else asked[0] if len(asked) == 1 else And(tuple(asked))
