"""Queries answered by the catalog's database alone, without indexes: how much there is of what, dates, files,
places and tags and, where it has pgvector, what photos are like. The same photos, in the same order, as the
indexes give.

The database says which photos match, how many there are and, where an order is named, which come first. By
how well they match they are ranked here, by the columns of those that do; by likeness, by those of the
photos that may be on the page, since the database tells a likeness to within `archive.layouts.MARGIN`.
"""

from __future__ import annotations

from math import inf
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Float, and_, case, false, func, literal, not_, or_, select, true

from dsslic_search.archive import in_sql, layouts
from dsslic_search.archive.in_sql import Expression
from dsslic_search.archive.schema import Photo, Tag
from dsslic_search.archive.snapshot import Snapshot
from dsslic_search.core.errors import Remedy, UsageError
from dsslic_search.core.fields import NAMED
from dsslic_search.core.kinds import ANY_STATE, PhotoState
from dsslic_search.core.moments import NEVER
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.index.cache import Arrays
from dsslic_search.index.patterns import text_test
from dsslic_search.index.quanta import TICKS
from dsslic_search.index.segment import Segment
from dsslic_search.index.source import Frozen
from dsslic_search.query.ast import (
    FilePredicate,
    Near,
    Number,
    Orientation,
    Period,
    Recurring,
    Sort,
    Text,
    Unknown,
    Within,
    written,
)
from dsslic_search.query.joined import Either, Every
from dsslic_search.query.run.evaluate import Evaluation, Indexes, Operands
from dsslic_search.query.run.page import Best, Part, best_of
from dsslic_search.query.run.scatter import Asked, Finding, unforeseen
from dsslic_search.query.steps import AWAY, CoverageRange, Filter, RegionCount, Resemble, ShowsColour, Step
from dsslic_search.query.weighed import WeighedSum


def find(asked: Asked, snapshot: Snapshot, vocabulary: Vocabulary) -> Finding:
    """What a query finds in a whole catalog. UsageError for what SQL alone cannot tell."""
    return _Asking(snapshot, vocabulary, asked).found()


def shown(snapshot: Snapshot, classes: tuple[int, ...]) -> bool:
    """Whether any photo that answers are of shows some of the classes."""
    some = select(Photo.id).where(_not_hidden(0), in_sql.ticks_of(classes) > 0).limit(1)
    return any(snapshot.rows(some))


def require_layouts(snapshot: Snapshot, operand: str) -> None:
    """UsageError where the database cannot tell what photos are like, as ``operand``."""
    if not (kept := snapshot.keeps_layouts()):
        more = f", or have it compare them: CREATE EXTENSION vector (of pgvector) there, then {Remedy.INIT}"
        _refuse("whether photos are like others", f"like {operand}", "" if kept is None else more)


def _refuse(what: str, asked: str, more: str = "") -> NoReturn:
    raise UsageError(f"SQL alone cannot tell {what}: {asked}; ask the indexes, with {Remedy.INDEXES}{more}")


class _Asking:
    """One query, asked of a catalog as it is at one moment."""

    def __init__(self, snapshot: Snapshot, vocabulary: Vocabulary, asked: Asked) -> None:
        self._snapshot = snapshot
        self._vocabulary = vocabulary
        self._asked = asked

    def found(self) -> Finding:
        step, sort, limit = self._asked.step, self._asked.sort, self._asked.limit
        among = _not_hidden(self._asked.lifted)
        matching = and_(among, self._condition(step))
        photos = self._number(select(func.count()).where(among))
        relevance = sort is None or sort.key == "relevance"
        degree = self._likeness(step) if relevance and step.resembles and limit else None
        if degree is not None:
            return self._nearest(matching, photos, degree)
        if relevance and limit != 0 and not all(isinstance(each, Filter) for each in step.predicates()):
            return self._ranked(matching, photos)
        upward = sort is not None and sort.key == "relevance" and not sort.descending
        number = literal(-1.0 if upward else 1.0, Float) if relevance else _number(sort)
        return self._in_order(matching, number, photos)

    def _ranked(self, matching: Expression, photos: int) -> Finding:
        """By how well photos satisfy the plan: its steps tell, by the columns of those that match."""
        ids = self._ids(select(Photo.id).where(matching))
        asked = self._asked
        best = best_of([self._part(ids)], asked.step, asked.sort, asked.limit, asked.previous)
        return Finding(ids.size, photos, best)

    def _nearest(self, matching: Expression, photos: int, degree: Expression) -> Finding:
        """As `_ranked`, of the photos that may be on the page: with n on it, those that the database says to
        be as good as the n-th after the page before, but for twice the margin."""
        asked, limit = self._asked, self._asked.limit
        last = inf if asked.previous is None else float(asked.previous.value)
        upward = asked.sort is not None and not asked.sort.descending
        margin = layouts.MARGIN * max(
            1.0, *(np.linalg.norm(each.embeddings, axis=1).max() for each in asked.operands.values())
        )
        number = case((layouts.unknown(), None), else_=-degree if upward else degree)
        found = select(Photo.id, number.label("number")).where(matching).cte("found")
        surely = select(found.c.number).where(found.c.number < last - margin)
        least = surely.order_by(found.c.number.desc()).offset(limit).limit(1).scalar_subquery()
        may = found.c.number.between(func.coalesce(least - 2 * margin, -inf), last + margin)
        ids = self._ids(select(found.c.id).where(or_(found.c.number.is_(None), may)))
        best = best_of([self._part(ids)], asked.step, asked.sort, limit, asked.previous)
        return Finding(self._number(select(func.count()).where(matching)), photos, best)

    def _likeness(self, step: Step) -> Expression | None:
        """What `Step.degrees` tells of each photo by a plan that compares photos; None for others, and where
        it is by more than likeness and filters."""
        match step:
            case Resemble():
                alike = self._alike(step)
                return 1 - float(AWAY) * alike if step.away else alike
            case Filter():
                return case((self._condition(step), 1.0), else_=0.0)
            case Every(parts) if step.resembles:
                away = [self._alike(part) for part in parts if isinstance(part, Resemble) and part.away]
                others = [part for part in parts if part.resembles]
                others = [part for part in others if not (isinstance(part, Resemble) and part.away)]
                near = [self._likeness(part) for part in others]
                if any(each is None for each in near):
                    return None
                degree = func.least(*near, 1.0)
                return func.greatest(degree - float(AWAY) * func.greatest(*away), 0.0) if away else degree
            case Either(parts):
                told = [self._likeness(part) for part in parts]
                return None if any(each is None for each in told) else func.greatest(*told)
        return None

    def _alike(self, step: Resemble) -> Expression:
        """0 to 1."""
        compared = self._asked.operands[step.operand, step.mirrored]
        image = None if compared.by == "layout" else compared.image
        told = layouts.likeness(compared.embeddings, image, compared.by == "look")
        return func.least(func.greatest(told, 0.0), 1.0)

    def _in_order(self, matching: Expression, number: Expression, photos: int) -> Finding:
        """By a number, greater for better ones, or NEVER."""
        limit, previous = self._asked.limit, self._asked.previous
        told = select(Photo.id, number.label("number"), in_sql.MOMENT.label("moment"))
        found = told.where(matching).cte("found")
        total = select(func.count()).select_from(found)
        if limit == 0:
            nothing = np.empty(0, np.int64)
            return Finding(
                self._number(total), photos, Best(nothing, nothing, nothing, np.empty(0), (), True)
            )
        page = select(found.c.id, found.c.number, found.c.moment, total.scalar_subquery())
        if previous is not None:
            tied = found.c.number == previous.value
            later = and_(found.c.moment == previous.moment, found.c.id > previous.photo_id)
            later = or_(found.c.moment < previous.moment, later)
            page = page.where(or_(found.c.number < previous.value, and_(tied, later)))
        page = page.order_by(found.c.number.desc(), found.c.moment.desc(), found.c.id)
        rows = self._rows(page if limit is None else page.limit(limit + 1))
        more = limit is not None and len(rows) > limit
        matched = int(rows[0][3]) if rows else self._number(total)
        rows = rows[:limit]
        ids, moments = (np.array([row[at] for row in rows], np.int64) for at in (0, 2))
        values = tuple(row[1] for row in rows)
        best = Best(ids, moments, np.array(values), self._scores(ids), values, more)
        return Finding(matched, photos, best)

    def _scores(self, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """How well some photos, which match, satisfy the plan."""
        if not ids.size or all(isinstance(each, Filter) for each in self._asked.step.predicates()):
            return np.ones(ids.size)
        part = self._part(ids)
        scores = self._asked.step.degrees(part.evaluation, part.rows)
        rows = {photo_id: row for row, photo_id in enumerate(part.ids.tolist())}
        return np.array([scores[rows[photo_id]] for photo_id in ids.tolist()], np.float64)

    def _part(self, ids: NDArray[np.int64]) -> Part:
        """Some photos, all of which match, as a segment that nobody keeps."""
        snapshot = self._snapshot
        in_order = snapshot.newest_first(ids)
        rows = {"ids": in_order.ids, "moments": in_order.moments}
        rows["by_id"] = np.argsort(in_order.ids).astype(np.uint32)
        of_them = Arrays(rows, snapshot.state)
        source = Frozen(snapshot)
        segment = Segment(source, snapshot.state, self._vocabulary, "asked", None, of_them, set())
        evaluation = Evaluation(
            Indexes.of(segment), Operands(unforeseen, self._asked.operands), self._asked.lifted
        )
        self._asked.step.mask(evaluation)  # of which degrees are told
        return Part(evaluation, np.ones(len(segment), bool))

    def _rows(self, statement: Any) -> list[tuple[Any, ...]]:
        return [row for rows in self._snapshot.rows(statement) for row in rows]

    def _number(self, statement: Any) -> int:
        ((number,),) = self._rows(statement)
        return int(number)

    def _ids(self, statement: Any) -> NDArray[np.int64]:
        return np.array([photo_id for (photo_id,) in self._rows(statement)], np.int64)

    def _condition(self, step: Step) -> Expression:
        """Whether a photo matches."""
        match step:
            case Every(parts):
                return and_(true(), *map(self._condition, parts))
            case Either(parts):
                return or_(false(), *map(self._condition, parts))
            case CoverageRange(_, classes, low, high):
                return false() if step.empty else _covered(classes, low, high)
            case WeighedSum():
                return and_(in_sql.SEEN, _weighed(step))
            case ShowsColour(_, classes, colour, negated):
                held = in_sql.shows_colour(classes, colour)
                return and_(in_sql.SEEN, not_(held)) if negated else held
            case Filter(predicate, negated):
                held = in_sql.surely(self._of_file(predicate))
                return not_(held) if negated else held
            case RegionCount():
                _refuse("where things are or how many", step.words())
            case Resemble(operand):
                require_layouts(self._snapshot, operand)
                return in_sql.SEEN
        _refuse("what photos show as a whole", step.words())

    def _of_file(self, predicate: FilePredicate) -> Expression:
        match predicate:
            case Period(name, start, end):
                date = in_sql.column_of(name)
                bounds = [date >= start] if start is not None else []
                return and_(date.is_not(None), *bounds, *([date < end] if end is not None else []))
            case Recurring(name, low, high):
                return _recurring(name, low, high)
            case Number(name, low, high):
                figure = in_sql.figure(name)
                bounds = [figure >= literal(low, Float(53))] if low is not None else []
                bounds += [figure <= literal(high, Float(53))] if high is not None else []
                return and_(figure.is_not(None), *bounds)
            case Orientation(name):
                return in_sql.orientation(name)
            case Near(latitude, longitude, metres):
                if not self._snapshot.has_sines():
                    _refuse("distances, in an SQLite that was built without sines", written(predicate))
                return in_sql.near(latitude, longitude, metres)
            case Within(south, west, north, east):
                return in_sql.within(south, west, north, east)
            case Unknown(name):
                return _unknown(name)
            case Text():
                return self._text(predicate)

    def _text(self, predicate: Text) -> Expression:
        name, pattern = predicate.field, predicate.pattern
        match NAMED[name].kind:
            case "tag":
                return Photo.id.in_(select(Tag.photo_id).where(Tag.name == pattern))
            case "colour":
                return in_sql.has_colour(pattern)
            case "word":
                if name == "is" and pattern == ANY_STATE:
                    return true()
                return in_sql.is_word(name, pattern)
            case "text":  # there are few, whose letters the database would compare otherwise
                different = self._rows(select(in_sql.column_of(name)).distinct())
                matches = text_test(pattern)
                return in_sql.is_among(name, [text for (text,) in different if text and matches(text)])
        _refuse("what names and texts say", written(predicate))


def _not_hidden(lifted: int) -> Expression:
    """Of photos that answers are of; see `Evaluation`."""
    return Photo.state.not_in([state.value for state in PhotoState if state.flag & ~lifted])


def _covered(classes: tuple[int, ...], low: int, high: int) -> Expression:
    ticks = in_sql.ticks_of(classes)
    bounds = [ticks >= low] if low > 0 else []
    bounds += [ticks <= high] if high < TICKS else []
    return and_(in_sql.SEEN, *bounds)


def _weighed(step: WeighedSum) -> Expression:
    """With the bound that `index.columns.Columns.balanced` has, which allows for the rounding to ticks."""
    rounding = sum(abs(times) for _, _, times in step.terms) // 2
    first, *others = (in_sql.ticks_of(classes) * times for _, classes, times in step.terms)
    weighed: Expression = sum(others, first)
    return weighed >= (step.bound + rounding + 1 if step.above else step.bound - rounding)


def _recurring(name: str, low: int, high: int) -> Expression:
    taken = Photo.taken_at
    match name:
        case "day":
            number: Expression = in_sql.PartOf("month", taken) * 100 + in_sql.PartOf("monthday", taken)
        case "month" | "weekday" | "hour" as part:
            number = in_sql.PartOf(part, taken)
        case _:
            raise ValueError(name)
    held: Expression = number.between(low, high) if low <= high else or_(number >= low, number <= high)
    return held


def _unknown(name: str) -> Expression:
    fact = NAMED[name]
    columns = [getattr(Photo, column.name) for column in fact.columns]
    match fact.kind:
        case "colour":
            return func.coalesce(columns[0], 0) == 0
        case "text" | "words":
            return func.coalesce(columns[0], "") == ""
        case "tag":
            return Photo.id.not_in(select(Tag.photo_id))
    return or_(*(column.is_(None) for column in columns))


def _number(sort: Sort | None) -> Expression:
    """What an order puts photos by, as `query.run.order.ByColumn` has it; NEVER comes last in any."""
    assert sort is not None
    if sort.thing is not None:
        number = in_sql.quantum_of(sort.thing.classes)
        return number if sort.descending else -1 - number
    if sort.key in ("path", "name"):
        _refuse("how names are in order", f"sort:{sort.key}")
    number = in_sql.sorted_by(sort.key)
    return number if sort.descending else case((number == NEVER, NEVER), else_=-1 - number)
