"""Query text to a tree of predicates. Whatever the text, the outcome is a tree or a QueryError."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from dsslic_search.errors import QueryError
from dsslic_search.index.quanta import TICKS
from dsslic_search.query.complaint import complaint, quoted
from dsslic_search.query.tokens import ENDS, STARTS, Piece, tokens
from dsslic_search.query.tree import And, Compare, Like, Node, Not, Or, Presence, Thing
from dsslic_search.query.words import word_table
from dsslic_search.vocabulary import Vocabulary

if TYPE_CHECKING:
    from lark import Lark, Token, Tree

MAX_DEPTH = 50
MOSTLY = TICKS // 2  # at least
LITTLE = TICKS // 10  # below

_CONNECTIVES = {"AND", "OR", "NOT", "COMMA"}


def parse(text: str, vocabulary: Vocabulary) -> Node:
    """The tree of a query (docs/query-language.md). Raises QueryError, and nothing else, for a text that is not one."""
    pieces = tokens(text, word_table(vocabulary))
    if not pieces:
        raise complaint(
            text, 0, len(text), "the query names nothing to look for: write what the photos should show, as in road and >30% sky"
        )
    _check_parentheses(text, pieces)
    from lark import UnexpectedInput

    try:
        tree = _grammar().parse(pieces)
    except UnexpectedInput as error:
        bad = getattr(error, "token", None)
        index = getattr(bad, "value", None)
        raise _syntax_error(text, pieces, index if isinstance(index, int) else len(pieces)) from None
    return _Builder(text, pieces).node(tree)


@cache
def _grammar() -> Lark:
    from lark import Lark, Token
    from lark.lexer import Lexer

    class Given(Lexer):
        """Hands on tokens that are cut already; the value of each is its index."""

        def __init__(self, conf: Any) -> None:
            pass

        def lex(self, data: Iterable[Piece]) -> Iterator[Token]:  # type: ignore[override]  # lark types its input as text
            for index, piece in enumerate(data):
                yield Token(piece.type, index)

    grammar = (files("dsslic_search.query") / "grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=Given)


def _check_parentheses(text: str, pieces: list[Piece]) -> None:
    """Every parenthesis has its partner, and no predicate is deeper than MAX_DEPTH "not"s and parentheses."""
    opened: list[tuple[Piece, int]] = []
    depth = nots = 0
    for piece in pieces:
        if piece.type == "NOT":
            nots += 1
        elif piece.type == "LPAR":
            opened.append((piece, nots + 1))
            depth, nots = depth + nots + 1, 0
        elif piece.type == "RPAR":
            if not opened:
                raise complaint(
                    text, piece.start, piece.end, 'unbalanced parenthesis: this ")" closes nothing; remove it or add a "(" before'
                )
            depth, nots = depth - opened.pop()[1], 0
        if depth + nots > MAX_DEPTH:
            raise complaint(
                text, piece.start, piece.end, f'more than {MAX_DEPTH} parentheses and "not"s inside one another: simplify the query'
            )
        if piece.type not in {"NOT", "LPAR"}:
            nots = 0
    if opened:
        piece = opened[-1][0]
        raise complaint(text, piece.start, piece.end, 'unbalanced parenthesis: this "(" is never closed; add a ")"')


def _syntax_error(text: str, pieces: list[Piece], index: int) -> QueryError:
    """What to tell about the token at ``index``, at which (or at the end of the text, past the last) no tree fits."""
    before = pieces[index - 1] if index else None
    piece = pieces[index] if index < len(pieces) else None
    kind = before.type if before else ""
    said = quoted(text[before.start : before.end]) if before else ""
    here = quoted(text[piece.start : piece.end]) if piece else ""
    stop = piece is None or piece.type in _CONNECTIVES or piece.type == "RPAR"
    if before and stop and kind in _CONNECTIVES:
        return complaint(text, before.start, before.end, f"nothing follows {said}: name something after it or remove it")
    if before and stop and kind in {"MOSTLY", "LITTLE"}:
        return complaint(text, before.start, before.end, f"{said} needs a thing after it, as in {before.value} sky")
    if before and kind in {"COMPARE", "BETWEEN"}:
        example = "between 10% and 40% sky" if kind == "BETWEEN" else f"{before.value} 30%"
        return complaint(text, before.start, before.end, f"{said} needs a percentage after it, as in {example}")
    if before and kind == "AMOUNT" and index >= 2 and pieces[index - 2].type == "BETWEEN":
        return complaint(text, before.start, before.end, f'"between" needs two percentages, as in between {before.value} and 40% sky')
    if piece and piece.type in _CONNECTIVES | {"RPAR"} and (before is None or kind == "LPAR"):
        inside = "empty parentheses" if piece.type == "RPAR" else f"nothing stands before {here}"
        return complaint(text, piece.start, piece.end, f"{inside}: name something there or remove it")
    if before and kind == "AMOUNT" and _is_bare(pieces, index - 1):
        return complaint(text, before.start, before.end, f"{said} of what? Name a thing after it, as in >30% sky")
    if piece and piece.type in {"AMOUNT", "PERCENT"}:
        return complaint(text, piece.start, piece.end, f"{here} compares nothing here: say which way, as in >30% sky or at least 30% sky")
    if before and piece and kind in ENDS and piece.type in STARTS:
        return complaint(
            text, piece.start, piece.end, f'"and" or "or" is missing between {said} and {here}: put one of them or a comma there'
        )
    place = piece or pieces[-1]
    what = quoted(text[place.start : place.end])
    return complaint(
        text, place.start, place.end, f"{what} does not fit here: write predicates such as road, no people or >30% sky, joined by and or or"
    )


def _is_bare(pieces: list[Piece], index: int) -> bool:
    """Whether the amount at ``index`` ends a comparison that does not have its thing yet."""
    if index >= 1 and pieces[index - 1].type == "COMPARE":
        opener = index - 1
    elif index >= 3 and pieces[index - 1].type == "AND" and pieces[index - 3].type == "BETWEEN":
        opener = index - 3
    else:
        return False
    return opener == 0 or pieces[opener - 1].type != "THING"


class _Builder:
    """Makes nodes of the parser's tree; its leaves are indexes of ``pieces``."""

    def __init__(self, text: str, pieces: list[Piece]) -> None:
        self.text = text
        self.pieces = pieces

    def node(self, tree: Tree[Token], under_not: bool = False) -> Node:
        from lark import Token

        rule = str(tree.data)
        if rule in {"either", "every", "group", "negation"}:
            parts = tuple(self.node(child, under_not or rule == "negation") for child in tree.children if not isinstance(child, Token))
            return parts[0] if rule == "group" else Not(parts[0]) if rule == "negation" else And(parts) if rule == "every" else Or(parts)
        own = [self.pieces[int(child.value)] for child in tree.children if isinstance(child, Token)]
        if rule == "like":
            if under_not:
                raise complaint(
                    self.text,
                    own[0].start,
                    own[1].end,
                    '"not like" is not possible, as every photo is somewhat like any other: remove the "not"',
                )
            return Like(own[1].value, own[0].start)
        thing = self._thing(next(piece for piece in own if piece.type == "THING"))
        amounts = [piece for piece in own if piece.type == "AMOUNT"]
        match rule:
            case "presence":
                return Presence(thing)
            case "little":
                return Presence(thing, below=LITTLE)
            case "mostly":
                return Compare(thing, MOSTLY, TICKS, ">= 50%")
            case "between":
                return self._between(thing, *amounts)
            case _:
                return self._compare(thing, next(piece.value for piece in own if piece.type == "COMPARE"), amounts[0])

    def _thing(self, piece: Piece) -> Thing:
        assert piece.meaning is not None
        return Thing(self.text[piece.start : piece.end], piece.meaning.name, piece.meaning.classes, piece.start)

    def _compare(self, thing: Thing, sign: str, amount: Piece) -> Compare:
        percent = self._percent(amount)
        bound = _ticks(percent)
        says = f"{sign} {_shown(percent)}"
        match sign:
            case ">=":
                return Compare(thing, bound, TICKS, says)
            case ">":
                return Compare(thing, bound + 1, TICKS, says)
            case "<=":
                return Compare(thing, 0, bound, says)
            case "<":
                return Compare(thing, 0, bound - 1, says)
        half = _ticks(self._unit(amount)) // 2  # exactly: what rounds to the number as it is written
        return Compare(thing, max(bound - half, 0), min(bound + max(half - 1, 0), TICKS), says)

    def _between(self, thing: Thing, first: Piece, last: Piece) -> Compare:
        if last.value.endswith("%") and not first.value.endswith("%"):
            first = Piece(first.type, first.value + "%", first.start, first.end)  # "between 10 and 40%"
        low, high = self._percent(first), self._percent(last)
        if low > high:
            raise complaint(
                self.text, first.start, last.end, f"the bounds are the wrong way round: write between {_shown(high)} and {_shown(low)}"
            )
        return Compare(thing, _ticks(low), _ticks(high), f"between {_shown(low)} and {_shown(high)}")

    def _percent(self, amount: Piece) -> Decimal:
        """The percentage of an amount such as "30%", "0.3" or "0"."""
        digits = Decimal(amount.value.removesuffix("%"))
        said = quoted(self.text[amount.start : amount.end])
        if amount.value.endswith("%"):
            if digits > 100:
                raise complaint(
                    self.text, amount.start, amount.end, f"{said} is more than the whole photo: a percentage goes from 0% to 100%"
                )
            return digits
        if digits > 1 or (digits == 1 and "." not in amount.value):
            raise complaint(
                self.text,
                amount.start,
                amount.end,
                f"{said} is not a part of a photo: write a percentage as in 30%, or a fraction as in 0.3",
            )
        return digits * 100

    @staticmethod
    def _unit(amount: Piece) -> Decimal:
        """One unit of the last digit as it is written, in percent."""
        digits = amount.value.removesuffix("%")
        decimals = len(digits.partition(".")[2])
        return Decimal(1).scaleb(-decimals) * (1 if amount.value.endswith("%") else 100)


def _ticks(percent: Decimal) -> int:
    return round(percent * (TICKS // 100))


def _shown(percent: Decimal) -> str:
    return f"{float(percent):.12g}%"
