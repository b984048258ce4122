"""The grammar of one predicate, over the types of its tokens (grammar.lark)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark, ParseTree, Token

MAX_PREDICATE_TOKENS = 9
"""The longest is "between 2 and 4 people between cars and trees"."""


@dataclass(frozen=True)
class Reading:
    """How the grammar reads a row of token types: the rule, and the indexes of the tokens in their roles.

    ``own`` are those of the rule itself, ``things`` and ``amounts`` some of them; ``number``: the rule that
    says how many regions."""

    rule: str
    own: tuple[int, ...]
    things: tuple[int, ...]
    amounts: tuple[int, ...]
    number: str
    counts: tuple[int, ...]
    where: tuple[int, ...]


def reading_of(types: tuple[str, ...]) -> Reading | int:
    """What the grammar makes of the types of a predicate's tokens; or the index of the first that does not
    fit, their number where the end comes too early."""
    return _reading_of(types[: MAX_PREDICATE_TOKENS + 1])


@lru_cache(maxsize=1024)
def _reading_of(types: tuple[str, ...]) -> Reading | int:
    """There are few rows of types and a query may have thousands of predicates: each is worked out
    once."""
    from lark import Tree, UnexpectedInput

    try:
        tree = _grammar().parse(types)
    except UnexpectedInput as error:
        index = getattr(getattr(error, "token", None), "value", None)
        return index if isinstance(index, int) else len(types)
    own = _indexes(tree)
    parts = {str(part.data): _indexes(part) for part in tree.children if isinstance(part, Tree)}
    where = parts.pop("where", ())
    number, counts = next(iter(parts.items()), ("", ()))
    things, amounts = (tuple(i for i in own if types[i] == type_) for type_ in ("THING", "AMOUNT"))
    return Reading(str(tree.data), own, things, amounts, number, counts, where)


def _indexes(tree: ParseTree) -> tuple[int, ...]:
    return tuple(int(child.value) for child in tree.children if not hasattr(child, "data"))


@cache
def _grammar() -> Lark:
    from lark import Lark, Token
    from lark.lexer import Lexer

    class Given(Lexer):
        """Hands on tokens that are cut already; the value of each is its index."""

        def __init__(self, conf: Any) -> None:
            pass

        def lex(self, data: Iterable[str]) -> Iterator[Token]:  # type: ignore[override]  # lark types its input as text
            for index, type_ in enumerate(data):
                yield Token(type_, index)

    grammar = (files("dsslic_search.query.language") / "grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=Given, maybe_placeholders=False)
