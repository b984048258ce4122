"""What the rows of a catalog say of photos, as expressions of SQL: the same whole numbers that indexes have.

A photo's coverages are unpacked from their bytes (`features.coverage`) by the database. It goes through its
classes in their order, puts fractions together from their bits, which loses nothing, and adds them as numpy
does; so the ticks (`index.quanta`) are the same to the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Float,
    Integer,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from dsslic_search.archive.schema import Photo
from dsslic_search.core.colour_terms import CHROMATIC, COLOURFUL, COLOURFUL_TERMS, bit_of
from dsslic_search.core.fact import Column
from dsslic_search.core.fields import NAMED
from dsslic_search.core.moments import NEVER
from dsslic_search.features.coverage import COLOURS, SHOWN
from dsslic_search.index.quanta import QUANTA, TICKS
from dsslic_search.index.spots import EARTH_RADIUS

Expression = ColumnElement[Any]
Part = Literal["month", "weekday", "hour", "monthday"]

_PLACES = {name: int(place[1]) for name, place in (SHOWN.fields or {}).items()}
"""Where in the bytes of a class begins what is known of it."""
_FRACTION_BITS, _BIAS = 52, 1023  # of float64 (IEEE 754)
_RADIANS = 0.017453292519943295  # of a degree

SEEN = func.length(Photo.stored_coverages) > 0
"""Of photos with a label map, which says something of every pixel."""


class _ByteAt(FunctionElement[int]):
    """A byte of a BLOB, by its place from 0."""

    type = Integer()
    inherit_cache = True


@compiles(_ByteAt)
def _byte(element: _ByteAt, compiler: Any, **more: Any) -> str:
    """In SQLite, which tells a byte by its two digits alone."""
    blob, at = (compiler.process(each, **more) for each in element.clauses)
    digits = f"hex(substr({blob}, {at} + 1, 1))"
    high, low = (f"instr('123456789ABCDEF', substr({digits}, {place}, 1))" for place in (1, 2))
    return f"({high} * 16 + {low})"


@compiles(_ByteAt, "postgresql")
def _byte_there(element: _ByteAt, compiler: Any, **more: Any) -> str:
    blob, at = (compiler.process(each, **more) for each in element.clauses)
    return f"get_byte({blob}, {at})"


class Nearest(FunctionElement[int]):
    """The whole number nearest to one of at least 0, of two that are as near the even one, as numpy rounds;
    what is given is repeated in SQLite, so it should be a column."""

    type = BigInteger()
    inherit_cache = True


@compiles(Nearest)
def _nearest(element: Nearest, compiler: Any, **more: Any) -> str:
    """SQLite's own rounding takes the greater of two."""
    number = f"({compiler.process(element.clauses, **more)})"
    below = f"CAST({number} AS INTEGER)"
    up = f"{number} - {below} > 0.5 OR ({number} - {below} = 0.5 AND {below} % 2 = 1)"
    return f"({below} + CASE WHEN {up} THEN 1 ELSE 0 END)"


@compiles(Nearest, "postgresql")
def _nearest_there(element: Nearest, compiler: Any, **more: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **more)} AS BIGINT)"


class Microseconds(FunctionElement[int]):
    """A date as `core.moments` counts."""

    type = BigInteger()
    inherit_cache = True


@compiles(Microseconds)
def _microseconds(element: Microseconds, compiler: Any, **more: Any) -> str:
    return str(compiler.process(element.clauses, **more))


@compiles(Microseconds, "postgresql")
def _microseconds_there(element: Microseconds, compiler: Any, **more: Any) -> str:
    return f"CAST(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **more)}) * 1000000 AS BIGINT)"


class PartOf(FunctionElement[int]):
    """The month, the weekday (Monday is 1), the hour or the day of the month of a date."""

    type = Integer()
    inherit_cache = False  # the part is none of its clauses

    def __init__(self, part: Part, date: Any) -> None:
        super().__init__(date)
        self.part = part


@compiles(PartOf)
def _part(element: PartOf, compiler: Any, **more: Any) -> str:
    """In SQLite, where dates are microseconds, and division goes towards 0."""
    date = f"({compiler.process(element.clauses, **more)})"
    second = 1_000_000
    seconds = f"(({date} - (({date} % {second}) + {second}) % {second}) / {second})"
    form = {"month": "%m", "weekday": "%w", "hour": "%H", "monthday": "%d"}[element.part]
    number = f"CAST(strftime('{form}', {seconds}, 'unixepoch') AS INTEGER)"
    return f"(({number} + 6) % 7 + 1)" if element.part == "weekday" else number


@compiles(PartOf, "postgresql")
def _part_there(element: PartOf, compiler: Any, **more: Any) -> str:
    name = {"month": "MONTH", "weekday": "ISODOW", "hour": "HOUR", "monthday": "DAY"}[element.part]
    return f"CAST(EXTRACT({name} FROM {compiler.process(element.clauses, **more)}) AS INTEGER)"


# What photos show


def ticks_of(classes: Sequence[int]) -> Expression:
    """The ticks of coverage of some classes together; 0 of a photo that shows none of them."""
    return _over(classes, _fraction, Float(53), _ticks)


def quantum_of(classes: Sequence[int]) -> Expression:
    """The quantum of some classes together, by which photos are put in order."""

    def quantum(total: Expression) -> Expression:
        ticks = _ticks(total)
        return case((ticks > 0, 1 + ticks * QUANTA // TICKS), else_=0)

    return _over(classes, _fraction, Float(53), quantum)


def _ticks(fraction: Expression) -> Expression:
    return Nearest(fraction * literal(float(TICKS), Float(53)))


def shows_colour(classes: Sequence[int], colour: str) -> Expression:
    """Whether some of the classes show a colour."""
    bit = bit_of(colour) & COLOURS
    return _over(
        classes,
        lambda at: (_byte_at(at, "colours") + 256 * _byte_at(at, "colours", 1)).bitwise_and(bit),
        BigInteger(),
        lambda total: total > 0,
    )


def _over(
    classes: Sequence[int],
    of_each: Callable[[Expression], Expression],
    kind: Any,
    made: Callable[[Expression], Expression],
) -> Expression:
    """What is made of the sum of something of the classes that a photo shows, by where each begins in its
    bytes, in their order."""
    nothing = cast(literal(0), kind)
    first = select(literal(0, Integer).label("at"), nothing.label("total"))
    seen = first.cte("seen", recursive=True, nesting=True)
    own = _byte_at(seen.c.at, "class_id").in_(sorted(classes))
    more = case((own, of_each(seen.c.at)), else_=nothing)
    length = func.length(Photo.stored_coverages)
    following = select(seen.c.at + SHOWN.itemsize, seen.c.total + more).where(seen.c.at < length)
    all_seen = seen.union_all(following.correlate(Photo))
    whole = select(made(all_seen.c.total)).where(all_seen.c.at >= length)
    return whole.correlate(Photo).scalar_subquery()


def _byte_at(at: Expression, name: str, place: int = 0) -> Expression:
    return _ByteAt(Photo.stored_coverages, at + (_PLACES[name] + place))


def _fraction(at: Expression) -> Expression:
    """A float64, 2⁻⁶² to 1, from its bytes: each step is exact."""
    byte = [_byte_at(at, "fraction", place) for place in range(8)]
    mantissa = byte[6].bitwise_and(15) + 16
    for each in byte[5::-1]:
        mantissa = cast(mantissa, BigInteger) * 256 + each
    exponent = byte[7] * 16 + byte[6].bitwise_rshift(4)
    halved = cast(literal(1), BigInteger).bitwise_lshift(_BIAS - exponent)
    return cast(mantissa, Float(53)) / float(1 << _FRACTION_BITS) / cast(halved, Float(53))


# What is known of their files


def column_of(fact: str) -> Any:
    """The column of a fact that has one."""
    return _stored(NAMED[fact].columns[0])


def _stored(column: Column) -> Any:
    return getattr(Photo, column.name)


MOMENT = func.coalesce(Microseconds(Photo.taken_at), Microseconds(Photo.added_at))
"""The dates by which equally good photos are in order, newest first."""


def figure(fact: str) -> Expression:
    """A number of a photo's file, in the measure that queries have; NULL where it is not known."""
    if fact == "megapixels":
        return cast(_area(), Float(53)) / 1e6
    stored = column_of(fact)
    return func.nullif(stored, 0) if fact in ("width", "height") else cast(stored, Float(53))


def _area() -> Expression:
    return func.nullif(cast(Photo.width, BigInteger) * Photo.height, 0)


def sorted_by(fact: str) -> Expression:
    """What photos are put in order by, but for paths: whole numbers, NEVER where nothing is known."""
    found = NAMED[fact]
    if fact == "megapixels":
        return func.coalesce(cast(Photo.width, BigInteger) * Photo.height, 0)
    stored = column_of(fact)
    match found.columns[0].values:
        case "date":
            number: Expression = Microseconds(stored)
        case "whole or none" | "number or none":
            assert found.measure is not None
            number = Nearest(cast(stored, Float(53)) / float(found.measure.step))
        case _:
            return cast(stored, BigInteger)
    return func.coalesce(number, NEVER)


def orientation(name: str) -> Expression:
    """Whether the upright photo is "portrait", "landscape", "square" or "panorama"."""
    width, height = Photo.width, Photo.height
    held = {
        "portrait": height > width,
        "landscape": width > height,
        "square": width == height,
        "panorama": or_(width >= 2 * height, height >= 2 * width),
    }[name]
    return and_(held, width > 0)


def near(latitude: float, longitude: float, metres: float) -> Expression:
    """Whether a photo was taken at most so far from a place, in degrees, on a sphere; the database has to
    have sines."""
    one, other = _RADIANS * latitude, Photo.latitude * _RADIANS
    north, east = (other - one) / 2, (Photo.longitude - longitude) * _RADIANS / 2
    along = func.sin(north) * func.sin(north) + func.cos(literal(one)) * func.cos(other) * func.sin(
        east
    ) * func.sin(east)
    return 2 * EARTH_RADIUS * func.asin(func.sqrt(case((along > 1, 1.0), else_=along))) <= metres


def within(south: float, west: float, north: float, east: float) -> Expression:
    """Whether a photo was taken between two latitudes, and from one longitude eastward to another."""
    after, before = Photo.longitude >= west, Photo.longitude <= east
    return and_(
        Photo.latitude.between(south, north), and_(after, before) if west <= east else or_(after, before)
    )


def has_colour(colour: str) -> Expression:
    """Whether a whole photo shows a colour, or is colourful."""
    if colour != COLOURFUL:
        return Photo.colours.bitwise_and(bit_of(colour)) != 0
    terms = [case((Photo.colours.bitwise_and(bit_of(term)) != 0, 1), else_=0) for term in CHROMATIC]
    return sum(terms[1:], terms[0]) >= COLOURFUL_TERMS


def is_word(fact: str, word: str) -> Expression:
    """Whether a fact is one of its words, of ASCII letters, without regard to capitals."""
    held: Expression = func.lower(column_of(fact)) == word.casefold()
    return held


def is_among(fact: str, texts: Sequence[str]) -> Expression:
    """Whether a fact is one of some texts, as they stand."""
    held: Expression = column_of(fact).in_(texts)
    return held


def surely(condition: Expression) -> Expression:
    """A condition that is false, too, where it cannot be told, so that its negation is true there."""
    return func.coalesce(condition, literal(False, Boolean))
