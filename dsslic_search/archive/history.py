"""The states that a catalog has been in, and which photos changed from one to the next.

Every change gives the catalog a new name (`index.source.State`), within its own transaction, and triggers
note the photos that it touches. So an index can be brought up to date from any state that is remembered, and
one of another catalog, or of another continuation of a restored one, is told from its own.
"""

from __future__ import annotations

import secrets

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    Connection,
    Integer,
    String,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from dsslic_search.archive.lookup import GENERATION, TOKEN
from dsslic_search.archive.schema import Change, Moment, Setting
from dsslic_search.archive.triggers import UNSETTLED
from dsslic_search.index.source import State

TOKEN_BYTES = 8
KEPT = 1_000_000
"""States, of some 80 bytes each: indexes of a machine that has not looked since so many are built anew."""

_COUNT = (
    update(Setting)
    .where(Setting.name == GENERATION)
    .values(value=cast(cast(Setting.value, Integer) + 1, String))
)
_NAME = update(Setting).where(Setting.name == TOKEN).values(value=bindparam("token"))
_FIRST = insert(Setting).values(name=bindparam("setting"), value=bindparam("first"))
_REMEMBER = insert(Moment).from_select(
    ["generation", "token"],
    select(cast(Setting.value, Integer), bindparam("token", type_=String)).where(Setting.name == GENERATION),
)

_SETTLE = (
    update(Change)
    .where(Change.generation == UNSETTLED)
    .values(
        generation=select(cast(Setting.value, Integer)).where(Setting.name == GENERATION).scalar_subquery()
    )
)


# The same in one statement: from there to the commit nobody else can count.
_COUNTED = _COUNT.returning(cast(Setting.value, Integer).label("generation")).cte("counted")
_IS_COUNTED = select(_COUNTED.c.generation).exists()  # the row of the name is locked after that of the number
_NAMED = _NAME.where(_IS_COUNTED).returning(Setting.name).cte("named")
_AT_ONCE = select(
    select(func.count()).select_from(_COUNTED).scalar_subquery(),
    select(func.count()).select_from(_NAMED).scalar_subquery(),
).add_cte(
    insert(Moment)
    .from_select(["generation", "token"], select(_COUNTED.c.generation, bindparam("token", type_=String)))
    .returning(Moment.generation)
    .cte("remembered"),
    update(Change)
    .where(Change.generation == UNSETTLED, _IS_COUNTED)
    .values(generation=select(_COUNTED.c.generation).scalar_subquery())
    .returning(Change.photo_id)
    .cte("settled"),
)


def advance(session: Session) -> None:
    """Name the state that a transaction leads to. Its generation is counted in SQL alone, so that two writers
    can never count to the same number."""
    connection = session.connection()  # no session holds these rows
    token = secrets.token_hex(TOKEN_BYTES)
    if connection.dialect.name == "postgresql":
        counted, named = connection.execute(_AT_ONCE, {"token": token}).one()
        if counted:
            if not named:
                connection.execute(_FIRST, {"setting": TOKEN, "first": token})
            return
    for statement, name, first in (_COUNT, GENERATION, "1"), (_NAME, TOKEN, token):
        given = {"token": token} if statement is _NAME else {}
        if not connection.execute(statement, given).rowcount:
            connection.execute(_FIRST, {"setting": name, "first": first})
    connection.execute(_REMEMBER, {"token": token})
    if connection.dialect.name == "postgresql":
        connection.execute(_SETTLE)  # the row of the setting is this transaction's until it ends


def changed_since(connection: Connection, now: State, then: State) -> NDArray[np.int64] | None:
    """The photos that were added, changed or removed since a state, in any order; None where that was no
    state of this catalog, or is forgotten."""
    if then == now:
        return np.empty(0, np.int64)
    known = connection.execute(select(Moment.token).where(Moment.generation == then.generation)).scalar()
    if known is None or known != then.token:
        return None
    changed = select(Change.photo_id).where(Change.generation > then.generation)
    return np.array(connection.execute(changed).scalars().all(), np.int64)


def forget(session: Session, before: State) -> None:
    """Forget the states before one, and what changed up to it: indexes of these are built anew. In
    PostgreSQL, where other machines have indexes of their own, of the states before one KEPT are kept."""
    kept = KEPT if session.connection().dialect.name == "postgresql" else 0
    session.execute(delete(Moment).where(Moment.generation < before.generation - kept))
    session.execute(delete(Change).where(Change.generation <= before.generation - kept))
