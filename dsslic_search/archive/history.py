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
    CursorResult,
    Integer,
    String,
    cast,
    delete,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from dsslic_search.archive.lookup import GENERATION, TOKEN
from dsslic_search.archive.schema import Change, Moment, Setting
from dsslic_search.index.source import State

TOKEN_BYTES = 8


def advance(session: Session) -> None:
    """Name the state that a transaction leads to. Its generation is counted in SQL alone, so that two writers
    can never count to the same number."""
    generation = cast(cast(Setting.value, Integer) + 1, String)
    token = secrets.token_hex(TOKEN_BYTES)
    for name, value, first in (GENERATION, generation, "1"), (TOKEN, token, token):
        result = session.execute(update(Setting).where(Setting.name == name).values(value=value))
        assert isinstance(result, CursorResult)
        if not result.rowcount:
            session.execute(insert(Setting).values(name=name, value=first))
    now = select(cast(Setting.value, Integer), literal(token)).where(Setting.name == GENERATION)
    session.execute(insert(Moment).from_select(["generation", "token"], now))


def changed_since(connection: Connection, now: State, then: State) -> NDArray[np.int64] | None:
    """The photos that were added, changed or removed since a state, in any order; None where that was no
    state of this catalog, or is forgotten, and with databases that have no triggers of ours."""
    if then == now:
        return np.empty(0, np.int64)
    if connection.dialect.name != "sqlite":
        return None
    known = connection.execute(select(Moment.token).where(Moment.generation == then.generation)).scalar()
    if known is None or known != then.token:
        return None
    changed = select(Change.photo_id).where(Change.generation > then.generation)
    return np.array(connection.execute(changed).scalars().all(), np.int64)


def forget(session: Session, before: State) -> None:
    """Forget the states before one, and what changed up to it: indexes of these are built anew."""
    session.execute(delete(Moment).where(Moment.generation < before.generation))
    session.execute(delete(Change).where(Change.generation <= before.generation))
