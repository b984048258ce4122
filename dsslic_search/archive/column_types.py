"""How the catalog's columns hold what takes less room otherwise. In SQLite, whose columns take values of any
kind, dates are whole numbers and digits are bytes; other databases hold them as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    String,
    TypeDecorator,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine, UserDefinedType

from dsslic_search.archive.damage import date_in
from dsslic_search.archive.digits import to_bytes, to_text
from dsslic_search.core.moments import microseconds
from dsslic_search.features.embedding import from_stored, to_stored

Bytes = Integer().with_variant(BigInteger(), "postgresql")
"""How many; SQLite's whole numbers have room for any."""


class NoBytes(ColumnElement[bytes]):
    """A constant as each database writes it."""

    inherit_cache = True
    type = LargeBinary()


@compiles(NoBytes)
def _no_bytes(_element: NoBytes, _compiler: Any, **_more: Any) -> str:
    return "x''"


@compiles(NoBytes, "postgresql")
def _no_bytes_there(_element: NoBytes, _compiler: Any, **_more: Any) -> str:
    return "''::bytea"


class Date(TypeDecorator[datetime]):
    """A date and time without a time zone: in SQLite microseconds since 1970."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return microseconds(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, _dialect: Dialect) -> datetime | None:
        return None if value is None else date_in(value)


class _Untouched(UserDefinedType[Any]):
    """Text or bytes, as they come."""

    cache_ok = True

    def get_col_spec(self, **_more: Any) -> str:
        return "BLOB"


class Digits(TypeDecorator[str]):
    """A text that is mostly hexadecimal digits."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_Untouched()) if dialect.name == "sqlite" else self.impl_instance

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        return to_bytes(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, _dialect: Dialect) -> str | None:
        return None if value is None else to_text(value)


class Embedding(TypeDecorator[bytes]):
    """An embedding, float32 little-endian, in fewer bytes where that loses nothing."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, _dialect: Dialect) -> bytes | None:
        return None if value is None else to_stored(value)

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> bytes | None:
        return None if value is None else from_stored(value)
