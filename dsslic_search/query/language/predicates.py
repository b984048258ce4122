"""One predicate's tokens to a node of the tree: what amounts, counts and where things are mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from dsslic_search.core.errors import QueryError
from dsslic_search.core.text import quoted
from dsslic_search.index.quanta import TICKS
from dsslic_search.query.ast import (
    LITTLE_TICKS,
    Amid,
    And,
    Anywhere,
    Balance,
    Coloured,
    Compare,
    Like,
    Node,
    Presence,
    Regional,
    Relation,
    Text,
    Thing,
    Where,
    Zone,
)
from dsslic_search.query.language.grammar import Reading, reading_of
from dsslic_search.query.language.pieces import Piece
from dsslic_search.query.language.written import complaint

MOSTLY_TICKS = TICKS // 2  # at least
LARGE_TICKS = TICKS // 5  # at least
SMALL_TICKS = TICKS // 20  # below
LOTS_TICKS = 3 * TICKS // 10  # at least
ONLY_TICKS = 9 * TICKS // 10  # at least
BARELY_TICKS = TICKS // 50  # below
ABOUT_TICKS = TICKS // 20  # less and more
AS_MUCH = Fraction(4, 5)
"""From so many times another's share on, up to the inverse, a thing covers as much as the other."""
MAX_TIMES = 1000
"""So many times as large as another may a thing be said to be, in hundredths."""
MASSES = frozenset(
    {"sky", "tree", "grass", "earth", "water", "sea", "field", "plant", "floor", "wall", "road", "sidewalk"}
    | {"ceiling", "nature", "vegetation", "ground", "body of water"}
)
"""Classes and groups of which there is much rather than many."""
MAX_COUNTED_REGIONS = 20
"""The greatest number that counts regions; a greater one is rather a forgotten percent sign."""


class Unfit(Exception):
    """No predicate has these tokens; ``index``: the first that does not fit, or their number where the end
    came too early."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def predicate(text: str, pieces: Sequence[Piece], types: tuple[str, ...]) -> Node | None:
    """The node of a predicate's tokens, whose types are ``types``; None for "everything".

    Raises Unfit, or QueryError for bad amounts."""
    reading = reading_of(types)
    if isinstance(reading, int):
        raise Unfit(reading)
    match reading.rule:
        case "filter":
            return pieces[0].node
        case "everything":
            return None
        case "tinted":
            return Text("colour", pieces[0].value, f"colour:{pieces[0].value}")
        case "like":
            return Like(pieces[1].value, pieces[0].start, len(pieces) > 2)
    return _Builder(text, pieces, reading).node()


class _Builder:
    """Makes a node of the tokens as the grammar reads them."""

    def __init__(self, text: str, pieces: Sequence[Piece], reading: Reading) -> None:
        self.text = text
        self.pieces = pieces
        self.reading = reading

    def node(self) -> Node:
        """What the tokens ask for, and the colours of the things that they name."""
        node = self._plain()
        coloured = [
            Coloured(self._thing(following), piece.value)
            for piece, following in pairwise(self.pieces)
            if piece.type == "COLOUR"
        ]
        if isinstance(node, Presence) and len(coloured) == 1 and self.reading.rule == "coloured":
            return coloured[0]
        parts = node.parts if isinstance(node, And) else (node,)
        return And((*coloured, *parts)) if coloured else node

    def _plain(self) -> Node:
        """What the tokens ask for but for colours."""
        reading, pieces = self.reading, self.pieces
        thing = self._thing(pieces[reading.things[0]])
        amounts = [pieces[i] for i in reading.amounts]
        match reading.rule:
            case "present" | "coloured":
                return self._regional(thing, 1, None, "") if reading.where else Presence(thing)
            case "uncounted":
                raise self._wrong(
                    pieces[0],
                    pieces[-1],
                    "the colour of each one is not known, only that of all together: write the colour alone "
                    f"or the number alone, as in {pieces[reading.own[0]].value} {thing.name}",
                )
            case "little":
                return Presence(thing, below=LITTLE_TICKS)
            case "barely":
                return Compare(thing, 0, BARELY_TICKS - 1, "< 2%")
            case "more" | "times":
                return self._balance(thing, self._thing(pieces[reading.things[1]]))
            case "small":
                return self._and_where(thing, Presence(thing, below=SMALL_TICKS))
            case "large":
                return self._and_where(thing, Compare(thing, LARGE_TICKS, TICKS, ">= 20%"))
            case "lots":
                if not MASSES.isdisjoint({thing.name}):
                    return self._and_where(thing, Compare(thing, LOTS_TICKS, TICKS, ">= 30%"))
                return self._regional(thing, 5, None, "at least 5")
            case "only":
                return self._only([self._thing(pieces[i]) for i in reading.things])
            case "about":
                return self._about(thing, amounts[0])
            case "mostly":
                return Compare(thing, MOSTLY_TICKS, TICKS, ">= 50%")
            case "ranged":
                return self._ranged(thing, *amounts)
            case "compared":
                sign = next(pieces[i].value for i in reading.own if pieces[i].type == "COMPARE")
                return self._compared(thing, sign, amounts[0])
        return self._regional(thing, *self._number(reading.number, [pieces[i] for i in reading.counts]))

    def _thing(self, piece: Piece) -> Thing:
        assert piece.meaning is not None
        meaning = piece.meaning
        written = self.text[piece.start : piece.end]
        return Thing(written, meaning.name, meaning.classes, piece.start, meaning.plural)

    def _wrong(self, first: Piece, last: Piece, sentence: str) -> QueryError:
        return complaint(self.text, first.start, last.end, sentence)

    # regions

    def _regional(self, thing: Thing, low: int, high: int | None, says: str) -> Node:
        where = self._where([self.pieces[i] for i in self.reading.where])
        if isinstance(where, Relation) and where.name == "around" and says:
            piece = self.pieces[0]
            raise self._wrong(
                piece,
                self.pieces[-1],
                f"what is around a thing is not counted: write {where.thing.name} surrounded by "
                f'{thing.name}, or leave out "{says}"',
            )
        return Regional(thing, where, low, high, says)

    def _where(self, own: list[Piece]) -> Where:
        if not own:
            return Anywhere()
        match own[0].type:
            case "ZONE":
                return Zone(own[0].value)
            case "RELATION":
                return Relation(own[0].value, self._thing(own[-1]))
            case _:
                return Amid(self._thing(own[1]), self._thing(own[-1]))

    def _number(self, how: str, own: list[Piece]) -> tuple[int, int | None, str]:
        """Least and greatest number of regions, and how it is said."""
        if how == "many":
            least, dash, most = own[0].value.partition("-")
            if dash:
                return int(least), int(most), f"between {least} and {most}"
        counts = [self._count(piece) for piece in own if piece.type in {"WHOLE", "MANY"}]
        if how == "exactly":
            return counts[0], counts[0], f"exactly {counts[0]}"
        if how == "many":
            return counts[0], None, f"at least {counts[0]}"
        if len(counts) == 2:
            if counts[0] > counts[1]:
                raise self._wrong(
                    own[1],
                    own[-1],
                    f"the bounds are the wrong way round: write between {counts[1]} and {counts[0]}",
                )
            return counts[0], counts[1], f"between {counts[0]} and {counts[1]}"
        count = counts[0]
        match own[0].value:
            case ">=":
                return count, None, f"at least {count}"
            case ">":
                return count + 1, None, f"more than {count}"
            case "<=":
                return 0, count, f"at most {count}"
            case "<":
                if count == 0:
                    raise self._wrong(
                        own[0],
                        own[-1],
                        "there are never fewer than 0: write no, as in no cars, or a greater number",
                    )
                return 0, count - 1, f"fewer than {count}"
        return count, count, f"exactly {count}"

    def _count(self, piece: Piece) -> int:
        digits = piece.value.lstrip("0") or "0"
        if len(digits) <= 2 and int(digits) <= MAX_COUNTED_REGIONS:
            return int(digits)
        said = quoted(self.text[piece.start : piece.end])
        if len(piece.value) == 4 and piece.value[:2] in {"18", "19", "20"}:
            hint = f"for a year write in {piece.value} or taken:{piece.value}"
        elif len(digits) <= 3 and int(digits) <= 100:
            hint = f"for a part of the photo write a percentage as in {digits}%"
        else:
            hint = "write a percentage as in 30%, or a smaller number"
        raise self._wrong(
            piece, piece, f"{said} is more than is counted in a photo, {MAX_COUNTED_REGIONS} at most: {hint}"
        )

    # coverage

    def _and_where(self, thing: Thing, node: Node) -> Node:
        """A share of the photo, and where the thing is if that is said."""
        return And((node, self._regional(thing, 1, None, ""))) if self.reading.where else node

    def _only(self, several: list[Thing]) -> Compare | Balance:
        thing = next((thing for thing in several if thing.name not in MASSES), None)
        if thing is not None:
            word = self.text[self.pieces[0].start : self.pieces[0].end]
            raise self._wrong(
                self.pieces[0],
                self.pieces[-1],
                f"{quoted(word)} is about what fills a photo, as in only sky: say what shall not be "
                f"there, as in {thing.name} without people, or how many, as in exactly 1 {thing.name}",
            )
        separate = [
            thing
            for place, thing in enumerate(several)
            if not any(
                set(thing.classes) < set(other.classes) or thing.classes == other.classes
                for other in (*several[:place], *(o for o in several[place:] if o.classes != thing.classes))
            )
        ]
        if len(separate) == 1:
            return Compare(separate[0], ONLY_TICKS, TICKS, ">= 90%")
        if sum(len(thing.classes) for thing in separate) > len({c for t in separate for c in t.classes}):
            raise self._wrong(
                self.pieces[0],
                self.pieces[-1],
                "these things share some classes: name things that are apart, as in only sea and sky",
            )
        names = [thing.name for thing in separate]
        says = f"only {', '.join(names[:-1])} and {names[-1]}"
        return Balance(tuple((thing, 1) for thing in separate), ONLY_TICKS, False, says)

    # one thing against another

    def _balance(self, thing: Thing, other: Thing) -> Node:
        pieces = [self.pieces[i] for i in self.reading.own]
        if set(thing.classes) == set(other.classes):
            sentence = f"{thing.name} is on both sides: compare two things, as in more sky than grass"
            raise self._wrong(self.pieces[0], self.pieces[-1], sentence)
        times = next((piece.value for piece in pieces if piece.type == "TIMES"), "1")
        ratio = Fraction(times)
        if not 0 < ratio <= MAX_TIMES or ratio.denominator > MAX_TIMES:
            raise self._wrong(
                self.pieces[0],
                self.pieces[-1],
                f"a thing may be up to {MAX_TIMES} times as large as another, with two digits behind the "
                "point",
            )
        sign = next((p.value for p in pieces if p.type in {"COMPARE", "MORE"}), "=")
        if pieces[0].type == "MORE" or (sign in "<>" and ratio == 1):
            one, two = (other, thing) if sign.startswith("<") else (thing, other)
            return Balance(((one, 1), (two, -1)), 0, True, f"more {one.name} than {two.name}")
        match sign:
            case "=":
                least, most = ratio * AS_MUCH, ratio / AS_MUCH
                return And((_ratio(thing, other, ">=", least), _ratio(thing, other, "<=", most)))
            case _:
                return _ratio(thing, other, sign, ratio)

    def _about(self, thing: Thing, amount: Piece) -> Compare:
        """A share that is not said to be a bound: up to five points less or more."""
        percent = self._percent(amount)
        low, high = max(percent.ticks - ABOUT_TICKS, 0), min(percent.ticks + ABOUT_TICKS, TICKS)
        shown = [f"{float(Decimal(100 * ticks) / TICKS):.12g}%" for ticks in (low, high)]
        return Compare(thing, low, high, f"between {shown[0]} and {shown[1]}")

    def _compared(self, thing: Thing, sign: str, amount: Piece) -> Compare:
        percent = self._percent(amount)
        bound = percent.ticks
        says = f"{sign} {percent.shown}"
        match sign:
            case ">=":
                return Compare(thing, bound, TICKS, says)
            case ">":
                return Compare(thing, bound + 1, TICKS, says)
            case "<=":
                return Compare(thing, 0, bound, says)
            case "<":
                return Compare(thing, 0, bound - 1, says)
        # exactly: what rounds to the number as it is written
        return Compare(
            thing, max(bound - percent.half, 0), min(bound + max(percent.half - 1, 0), TICKS), says
        )

    def _ranged(self, thing: Thing, first: Piece, last: Piece) -> Compare:
        low, high = self._percent(first), self._percent(last)
        if low.ticks > high.ticks:
            raise self._wrong(
                first, last, f"the bounds are the wrong way round: write between {high.shown} and {low.shown}"
            )
        return Compare(thing, low.ticks, high.ticks, f"between {low.shown} and {high.shown}")

    def _percent(self, amount: Piece) -> _Percent:
        percent = _percent(amount.value)
        if percent is None:
            said = quoted(self.text[amount.start : amount.end])
            sentence = (
                "is not a part of a photo: write a percentage as in 30%, a fraction as in 0.3, or a "
                "whole number to count"
            )
            if amount.value.endswith("%"):
                sentence = "is more than the whole photo: a percentage goes from 0% to 100%"
            raise self._wrong(amount, amount, f"{said} {sentence}")
        return percent


_RATIOS = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}


def _ratio(thing: Thing, other: Thing, sign: str, times: Fraction) -> Balance:
    """One thing covers so many times as much as another at least, or at most."""
    more = 1 if sign.startswith(">") else -1
    terms = ((thing, more * times.denominator), (other, -more * times.numerator))
    shown = f"{float(times):.12g}"
    says = f"{_RATIOS[sign]} {shown} times as much {thing.name} as {other.name}"
    return Balance(terms, 0, len(sign) == 1, says)


@dataclass(frozen=True)
class _Percent:
    """A coverage in ticks, half a unit of the last digit that it is written with, and how it is shown."""

    ticks: int
    half: int
    shown: str


@lru_cache(maxsize=256)
def _percent(value: str) -> _Percent | None:
    """The coverage that an amount such as "30%" or "0.3" means; None when it is more than a whole photo."""
    digits = value.removesuffix("%")
    one = 1 if value.endswith("%") else 100
    percent = Decimal(digits) * one
    if percent > 100:
        return None
    unit = Decimal(1).scaleb(-len(digits.partition(".")[2])) * one
    return _Percent(_ticks(percent), _ticks(unit) // 2, f"{float(percent):.12g}%")


def _ticks(percent: Decimal) -> int:
    return round(percent * (TICKS // 100))
