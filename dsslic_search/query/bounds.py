"""Bounds of coverage in words."""

from __future__ import annotations

from decimal import Decimal

from dsslic_search.index.quanta import TICKS


def at_least(low: int) -> str:
    """A lower bound in ticks; one tick more than a round number is "more than" that number."""
    return f"> {percent(low - 1)}" if _digits(low - 1) < _digits(low) else f">= {percent(low)}"


def at_most(high: int) -> str:
    return f"< {percent(high + 1)}" if _digits(high + 1) < _digits(high) else f"<= {percent(high)}"


def _digits(ticks: int) -> int:
    return len(str(ticks).rstrip("0"))


def percent(ticks: int) -> str:
    return f"{(Decimal(ticks) / (TICKS // 100)).normalize():f}%"
