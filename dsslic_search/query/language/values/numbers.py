"""Numbers as people write them: words for small ones, and bounds such as ">4000", "1000..2000" or ">=2MB"."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

from dsslic_search.core.fields import Measure
from dsslic_search.core.text import quoted

WORDS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)

_SIGNS = {"≥": ">=", "=>": ">=", "≤": "<=", "=<": "<=", "==": "="}
_NUMBER = r"([0-9](?:_?[0-9]){0,17}(?:\.[0-9]{1,9})?)\s*+([a-z]*)"
_BOUND = re.compile(rf"(>=|=>|<=|=<|==|[≥≤><=])?+\s*+{_NUMBER}")
_RANGE = re.compile(rf"(?:{_NUMBER})?\s*+\.\.\s*+(?:{_NUMBER})?")


def bounds(text: str, measure: Measure) -> tuple[float | None, float | None]:
    """The least and the greatest number, both included, that a value in normal form means; None: no bound.

    A number alone means what rounds to it as it is written: 12 megapixels are 11.5 or more and less than
    12.5. Raises ValueError with a sentence for a value that is none."""
    text = text.removeprefix(measure.sign)
    if between := _RANGE.fullmatch(text):
        first, unit, last, last_unit = between.groups()
        if first is None and last is None:
            raise ValueError(f"a range needs a number on one side at least, as in {measure.example}")
        low = None if first is None else _amount(first, unit or last_unit or "", measure)
        high = None if last is None else _amount(last, last_unit, measure)
        if low is not None and high is not None and low > high:
            raise ValueError("the bounds are the wrong way round: write the smaller number first")
        return _float(low), _float(high)
    found = _BOUND.fullmatch(text)
    if found is None:
        raise ValueError(f"a number belongs here, as in {measure.example}")
    sign, number, unit = found.groups()
    amount = _amount(number, unit, measure)
    match _SIGNS.get(sign, sign):
        case ">=":
            return _float(amount), None
        case ">":
            return _float(amount + measure.step), None
        case "<=":
            return None, _float(amount)
        case "<":
            return None, _float(amount - measure.step)
    half = _amount(str(Decimal(1).scaleb(-len(number.partition(".")[2]))), unit, measure) / 2
    low, high = (_up(bound, measure.step) for bound in (amount - half, amount + half))
    return _float(low), _float(max(high - measure.step, low))


def _amount(number: str, unit: str, measure: Measure) -> Decimal:
    if unit not in measure.units:
        known = ", ".join(filter(None, measure.units))
        raise ValueError(
            f"{quoted(unit)} is no unit of this; "
            + (f"there are {known}" if known else "write the number alone")
        )
    return Decimal(number) * measure.units[unit]


def _up(amount: Decimal, step: Decimal) -> Decimal:
    """The least whole multiple of ``step`` that is at least ``amount``."""
    return (amount / step).to_integral_value(ROUND_CEILING) * step


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
