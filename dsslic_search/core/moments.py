"""Dates and times without a time zone as whole numbers."""

from __future__ import annotations

from datetime import datetime, timedelta

EPOCH = datetime(1970, 1, 1)
NEVER = -(1 << 63)  # no date
_MICROSECOND = timedelta(microseconds=1)


def microseconds(date: datetime) -> int:
    """How many have passed since EPOCH."""
    return (date - EPOCH) // _MICROSECOND


def date_of(passed: int) -> datetime:
    """The date when so many microseconds have passed since EPOCH."""
    return EPOCH + passed * _MICROSECOND
