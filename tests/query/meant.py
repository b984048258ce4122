"""Queries as people type them, with the trees that they mean, and how many of them are read so.

A line of ``corpus/*.txt`` is a query, " => " and what it means as an s-expression, with the order and the
like after " | "; or "error" and a word that the error has to say. ``python -m tests.query.meant`` prints the
figures, with ``--all`` also what each row that does not hold yet is read as. Of ``corpus/held_out``, which is
not looked at while the language is worked on, it prints figures alone.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query import ast
from dsslic_search.query.ast import Query
from dsslic_search.query.language.image_words import asked_for
from dsslic_search.query.language.parse import parse

CORPUS = Path(__file__).parent / "corpus"
NOT_YET = CORPUS / "not_yet.txt"
NOW = datetime(2024, 5, 15, 12)  # a Wednesday
TICKS = 10**12
NAMES = {
    "anna": ast.Text("people", "anna", "people:anna"),
    "anna lee": ast.Text("people", "anna lee", "people:anna-lee"),
    "eos": ast.Text("camera", "eos", "camera:eos"),
    "sigma": ast.Text("lens", "sigma", "lens:sigma"),
    "norway": ast.Text("path", "norway", "path:norway"),
    "best-of": ast.Text("tag", "best-of", "tag:best-of"),
    "holidays22": "holidays22",
}
"""What words name in the archive that is asked."""
SHORT = {
    "beach": "(next-to earth sea)",
    "town": "(or building house)",
    "pet": "(or cat dog)",
    "garden": "(or flower grass plant)",
    "rock": "(or earth mountain)",
    "outdoor": "(not indoor)",
    "sunset": "(or (colour sky orange) (colour sky red))",
    "night": "brightness:<60",
    "dark": "brightness:<60",
    "bright": "brightness:>170",
    "black-and-white": "colour:black-and-white",
    "snow": "word:snow",
    "beach-saved": "(and sea earth)",
}
"""Names that stand for longer trees in the corpus."""

Form = tuple["str | Form", ...] | str


@dataclass(frozen=True)
class Row:
    """A query, its kind, and what it means."""

    kind: str
    text: str
    meaning: str
    held_out: bool

    @property
    def identity(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:8]

    @cached_property
    def read_as(self) -> str:
        """What it is read as, in the notation of the corpus; an error is "error" and its first line."""
        try:
            saved = {"beach": "sea and sand", "holidays22": "taken:2022 sort:taken"}.__getitem__
            query = parse(self.text, default(), saved=saved, named=NAMES.get, now=NOW)
        except QueryError as error:
            return "error " + str(error).partition("\n")[0]
        return shown_query(query)

    @property
    def accepted(self) -> bool:
        return not self.read_as.startswith("error ")

    @property
    def is_to_be_accepted(self) -> bool:
        """Whether it is meant to be, read or not."""
        return not self.meaning.startswith("error")

    @property
    def as_meant(self) -> bool:
        word = re.fullmatch("error ?(.*)", self.meaning)
        if word:
            return not self.accepted and word[1].casefold() in self.read_as.casefold()[6:]
        return self.read_as == in_normal_form(self.meaning)

    @property
    def misread(self) -> bool:
        """Whether it is accepted and means something else."""
        return self.accepted and not self.as_meant


def rows() -> Iterator[Row]:
    """All rows of the corpus."""
    for path in sorted(CORPUS.rglob("*.txt")):
        if path == NOT_YET:
            continue
        for line in path.read_text("utf-8").splitlines():
            text, meaning = line.rsplit(" => ", 1)
            yield Row(path.stem, text, meaning, path.parent != CORPUS)


# The notation: forms are words or tuples, the first of a tuple says of what kind it is.


def in_normal_form(meaning: str) -> str:
    tree, bar, order = meaning.partition(" | ")
    return _text(_normal(_expanded(_read(tree)))) + (" | " + " ".join(sorted(order.split())) if bar else "")


def _read(text: str) -> Form:
    stack: list[list[Form]] = [[]]
    for token in re.findall(r"\(|\)|[^\s()]+", text):
        if token == "(":
            stack.append([])
        elif token == ")":
            done = tuple(stack.pop())
            stack[-1].append(done)
        else:
            stack[-1].append(token)
    assert len(stack) == 1, text
    if len(stack[0]) != 1:  # a field whose value has spaces
        return text
    return stack[0][0]


def _expanded(form: Form) -> Form:
    if isinstance(form, str):
        return _expanded(_read(SHORT[form])) if form in SHORT else _of_leaves(form)
    match form:
        case ("little", thing):
            return ("below", thing, "10%")
        case ("small", thing):
            return ("below", thing, "5%")
        case ("only", thing):
            return _covers(thing, ">=", "90%")
        case ("only", *several):
            *others, last = (_words(thing) for thing in several)
            return f"only {', '.join(others)} and {last}"
        case ("more", one, other):
            return f"more {_words(one)} than {_words(other)}"
        case ("at-least" | "at-most" | "more-than" as bound, times, one, other):
            return f"{_words(bound)} {times} times as much {_words(one)} as {_words(other)}"
        case ("times", least, most, one, other):
            return (
                "and",
                _expanded(("at-least", least, one, other)),
                _expanded(("at-most", most, one, other)),
            )
        case ("equal", one, other):
            return _expanded(("times", "0.8", "1.25", one, other))
        case ("large", thing):
            return _covers(thing, ">=", "20%")
        case ((">=" | ">" | "<=" | "<") as sign, thing, share):
            return _covers(thing, str(sign), str(share))
        case ("range", thing, low, high):
            return ("cover", thing, str(_ticks(str(low))), str(_ticks(str(high))))
        case ("and" | "or" | "not" as joins, *parts):
            return (str(joins), *map(_expanded, parts))
    return form


def _of_leaves(form: str) -> str:
    """An image word by the numbers of its leaves, as two words may mean the same."""
    word = form.removeprefix("word:")
    if word == form or word == "unknown":
        return form
    try:
        return _shown(asked_for(word, ""))
    except ValueError:
        return form  # no image word: nothing is read so


def _shown(node: ast.Shows) -> str:
    return f"word:{'+'.join(map(str, node.leaves))}"


def _words(name: Form) -> str:
    assert isinstance(name, str)
    return name.replace("-", " ")


def _covers(thing: Form, sign: str, share: str) -> Form:
    bound = _ticks(share)
    low, high = {
        ">=": (bound, TICKS),
        ">": (bound + 1, TICKS),
        "<=": (0, bound),
        "<": (0, bound - 1),
    }[sign]
    return ("cover", thing, str(low), str(high))


def _ticks(percent: str) -> int:
    return int(percent.removesuffix("%")) * TICKS // 100


def _normal(form: Form, negated: bool = False) -> Form:
    """Negations at the predicates, "and"s and "or"s flat, without repetitions and in order."""
    match form:
        case ("not", part):
            return _normal(part, not negated)
        case ("and" | "or" as joins, *parts):
            joins = str(joins)
            if negated:
                joins = "or" if joins == "and" else "and"
            found: set[Form] = set()
            for part in parts:
                made = _normal(part, negated)
                found |= set(made[1:]) if isinstance(made, tuple) and made[0] == joins else {made}
            if len(found) == 1:
                return found.pop()
            return (joins, *sorted(found, key=_text))
    return ("not", form) if negated else form


def _text(form: Form) -> str:
    return form if isinstance(form, str) else "(" + " ".join(map(_text, form)) + ")"


# What the parser made, in the same notation.


def shown_query(query: Query) -> str:
    tree: Form = "everything" if query.tree is None else _normal(_form(query.tree))
    rest = [] if query.limit is None else [f"limit:{query.limit}"]
    if query.tally is not None:
        rest.append(f"count:{query.tally}" if query.tally else "count")
    if query.sort is not None:
        key = query.sort.thing.name if query.sort.thing else query.sort.key
        reverse = query.sort.descending != (query.sort.key in ast.DESCENDING)
        rest.append(f"sort:{'-' if reverse else ''}{key}")
    return _text(tree) + (" | " + " ".join(sorted(rest)) if rest else "")


def _form(node: ast.Node) -> Form:
    match node:
        case ast.Not(part):
            return ("not", _form(part))
        case ast.And(parts):
            return ("and", *map(_form, parts))
        case ast.Or(parts):
            return ("or", *map(_form, parts))
        case ast.Presence(thing, None):
            return _name(thing)
        case ast.Presence(thing, below):
            assert below is not None
            return ("below", _name(thing), f"{below * 100 // TICKS}%")
        case ast.Compare(thing, low, high):
            return ("cover", _name(thing), str(low), str(high))
        case ast.Balance():
            return node.says
        case ast.Regional(thing, where, low, high):
            return _regional(_name(thing), where, low, high)
        case ast.Coloured(thing, colour):
            return ("colour", _name(thing), colour)
        case ast.Text("colour", colour):
            name = colour.replace(" ", "-")
            return f"colour:{name}" if name == "black-and-white" else ("colour", "photo", name)
        case ast.Like(operand):
            return ("like", operand)
        case ast.Orientation(name):
            return f"orientation:{name}"
        case ast.Unknown("tag"):
            return "untagged"
        case ast.Unknown(field):
            return f"{field}:unknown"
        case ast.Near():
            return ast.written(node)
        case ast.Shows():
            return _shown(node)
    return node.says.replace('"', "")


def _regional(thing: str, where: ast.Where, low: int, high: int | None) -> Form:
    match where:
        case ast.Zone(name):
            place = ("at", name.replace(" ", "-"))
        case ast.Relation(name, other):
            place = (name.replace(" ", "-"), _name(other))
        case ast.Amid(first, second):
            place = ("between", _name(first), _name(second))
        case _:
            place = ()
    if place and (low, high) == (1, None):
        return (place[0], thing, *place[1:])
    number = f"{low}+" if high is None else str(low) if low == high else f"{low}-{high}"
    return ("count", thing, number, *place)


def _name(thing: ast.Thing) -> str:
    return thing.name.replace(" ", "-")


# Figures


def table(chosen: list[Row]) -> Iterator[str]:
    """Lines: for each kind how many queries there are, are accepted, are as meant (an error that was meant
    is), and are misread."""
    kinds: dict[str, list[Row]] = {}
    for row in chosen:
        kinds.setdefault(row.kind, []).append(row)
    yield "| kind | queries | accepted | as meant | misread |"
    yield "|---|---|---|---|---|"
    for kind, own in [*kinds.items(), ("all", chosen)]:
        counts = [
            len(own),
            *(sum(getattr(r, what) for r in own) for what in ("accepted", "as_meant", "misread")),
        ]
        yield f"| {kind.replace('_', ' ')} | {' | '.join(map(str, counts))} |"


def not_yet() -> list[str]:
    """The lines of the file that lists what does not hold yet: identities, with the query where it may be
    seen."""
    return sorted(
        row.identity if row.held_out else f"{row.identity} {row.kind}: {row.text}"
        for row in rows()
        if not row.as_meant
    )


def main() -> None:
    every = list(rows())
    seen, held_out = ([row for row in every if row.held_out is wanted] for wanted in (False, True))
    if "--write" in sys.argv:
        NOT_YET.write_text("".join(f"{line}\n" for line in not_yet()), "utf-8")
    if "--all" in sys.argv:
        for row in seen:
            if not row.as_meant:
                told = f"{row.kind}: {row.text}\n    meant   {row.meaning}\n    read as {row.read_as}\n"
                sys.stdout.write(told)
    sys.stdout.write("\n".join([*table(seen), "", "held out", *table(held_out), ""]))


if __name__ == "__main__":
    main()
