"""A query's reading with the coverage from which each of its bare things counts as present."""

from __future__ import annotations

from dataclasses import replace

from dsslic_search.index.quanta import TICKS
from dsslic_search.query.ast import And, Compare, Node, Not, Or, Presence, Query, whole
from dsslic_search.query.bounds import at_least, at_most
from dsslic_search.query.explain import outermost
from dsslic_search.query.plan import PresenceOf

_SIGNS = ((">=", "≥"), ("<=", "≤"))


def exactly(query: Query, presence: PresenceOf) -> str:
    """The query in its normal form, each bare thing and each that is denied as a comparison with the ticks
    that ``presence`` gives for its classes: "person and sky > 30%" as "person ≥ 0.5% and sky > 30%". Read as
    a query, it finds the same photos."""
    tree = None if query.tree is None else _compared(query.tree, presence)
    return outermost(whole(replace(query, tree=tree)))


def _compared(node: Node, presence: PresenceOf) -> Node:
    match node:
        case Presence(thing, below):
            least = presence(thing.classes)
            there = _signed(Compare(thing, least, TICKS, at_least(least)))
            if below is None:
                return there
            return And((there, _signed(Compare(thing, 0, below - 1, at_most(below - 1)))))
        case Not(Presence(thing, None)):
            most = presence(thing.classes) - 1
            return _signed(Compare(thing, 0, most, at_most(most)))
        case Compare():
            return _signed(node)
        case Not(part):
            return Not(_compared(part, presence))
        case And(parts):
            return And(tuple(_compared(part, presence) for part in parts))
        case Or(parts):
            return Or(tuple(_compared(part, presence) for part in parts))
    return node


def _signed(node: Compare) -> Compare:
    """With the signs that people write."""
    says = node.says
    for typed, sign in _SIGNS:
        says = says.replace(typed, sign)
    return replace(node, says=says)
