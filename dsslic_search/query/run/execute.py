"""Queries answered: which photos match, exactly, and in which order, page by page.

Photos come by their degree of satisfaction (query.rank), or as "sort:" says; ties: newest first, then by id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import UsageError
from dsslic_search.core.kinds import ANY_STATE, PhotoState
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.index.quanta import TICKS
from dsslic_search.query.ast import Query, Text, leaves, refined, things
from dsslic_search.query.explain import explanation
from dsslic_search.query.language.parse import TagTrouble, parse
from dsslic_search.query.names import names_of
from dsslic_search.query.plan import PresenceOf, plan, together
from dsslic_search.query.run import cursor as cursors
from dsslic_search.query.run.cursor import Cursor
from dsslic_search.query.run.evaluate import EmbeddingsOf, ImageOf, Indexes, Operands, Resembled
from dsslic_search.query.run.order import order_key
from dsslic_search.query.run.page import Part, page_of
from dsslic_search.query.run.scatter import Asked, Finding, matching
from dsslic_search.query.steps import Resemble, Step

__all__ = ["Answer", "EmbeddingsOf", "Indexes", "answer"]

SKETCH = Resemble("the sketch")


@dataclass(frozen=True)
class Answer:
    """What a query found. ``total``: how many photos match, exactly. ``ids``: int64, best first, and
    ``scores``: float64 0..1, of one page of them. ``cursor``: for the next page; None when there is none, or
    when a first page was asked for nothing. ``classes``: the class ids that the query speaks of, groups as
    their members. ``photos``: how many there are, but for those that are left out. ``look``: finds in each
    segment what matches, once."""

    text: str
    query: Query
    plan: Step
    total: int
    ids: NDArray[np.int64]
    scores: NDArray[np.float64]
    cursor: str | None
    classes: tuple[int, ...]
    photos: int
    look: Callable[[], tuple[Part, ...]] = field(repr=False)
    vocabulary: Vocabulary = field(repr=False)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What was found in each segment, looked for now where other processes were asked. Raises Stale as
        `answer` does."""
        return self.look()

    @property
    def all_ids(self) -> NDArray[np.int64]:
        """The ids of all photos that match, newest first."""
        if len(self.parts) == 1:
            return self.parts[0].ids
        moments = np.concatenate([part.evaluation.columns.moments[part.rows] for part in self.parts])
        ids = np.concatenate([part.ids for part in self.parts])
        return ids[np.lexsort((ids, -moments))]

    def unseen(self) -> tuple[str, ...]:
        """The things that the query speaks of and that no photo shows at all, by name, each once."""
        spoken = (
            {}
            if self.query.tree is None
            else {thing.name: thing.classes for thing in things(self.query.tree)}
        )
        evaluations = [part.evaluation for part in self.parts]
        return tuple(
            name
            for name, classes in spoken.items()
            if not any(each.of_shown(each.columns.quanta(classes) > 0).any() for each in evaluations)
        )

    def explain(self) -> str:
        """The query's tree, words and plan for people, with the number of photos that each predicate matches
        alone; these are counted now. Raises Stale when the catalog has to be asked and has changed."""
        evaluations = [part.evaluation for part in self.parts]
        return explanation(self.text, self.query, self.plan, evaluations, self.total, self.vocabulary)


def answer(
    text: str,
    *,
    indexes: Sequence[Indexes],
    vocabulary: Vocabulary,
    presence: float | None,
    embeddings_of: EmbeddingsOf,
    image_of: ImageOf | None = None,
    saved: Callable[[str], str] | None = None,
    tag_trouble: TagTrouble | None = None,
    now: datetime | None = None,
    south: bool = False,
    limit: int | None = None,
    after: str | None = None,
    resemble: NDArray[np.float32] | Resembled | None = None,
    among: Sequence[str] = (),
    elsewhere: Callable[[Asked], Finding] | None = None,
) -> Answer:
    """Find the photos that match a query, and rank a page of them. ``indexes``: of each segment.

    ``presence``: the coverage, 0..1, from which every thing counts as present; None: each from its own.
    ``embeddings_of`` turns the operand of "like", a path or "#" and an id, and whether it is mirrored, into
    embeddings, float32[m, DIMENSION], the best of which counts; ``image_of`` tells what it shows as a whole,
    without which layouts alone are compared; both may raise DSSError. ``saved`` gives the text of a saved
    query. ``tag_trouble`` tells of tags that no photo has.
    ``now``: what "today" is taken from, on the first page. ``south``: seasons are those of the southern
    hemisphere. ``limit``: photos on a page, all by default; a query that names a number has one page of so
    many.
    ``after``: the cursor of the page before. ``resemble``: a sketch or a photo to rank by, or the
    embeddings of one; then the text only filters, and may be empty. ``among``: queries that the photos answer
    besides, asked before this one. ``elsewhere``: finds what is asked for in all these segments, else that
    is done here.

    Raises QueryError for a text that is no query, UsageError for a cursor that is none or is another query's,
    and Stale when the catalog changed since the segments were opened: open all anew and ask again."""
    previous = None if after is None else cursors.read(after)
    now = now or datetime.now()
    if previous is not None:
        now = previous.now.replace(tzinfo=now.tzinfo)
    texts = (*among, text)
    named = names_of(lambda: [each.files() for each in indexes], saved, tag_trouble)
    query = refined(
        [
            Query(None, None)
            if resemble is not None and not each.strip()
            else parse(
                each, vocabulary, saved=saved, tag_trouble=tag_trouble, named=named, now=now, south=south
            )
            for each in texts
        ]
    )
    if query.limit is not None and limit != 0:
        limit = query.limit
    step = plan(query.tree, least(vocabulary, presence))
    if resemble is not None:
        step = together(step, SKETCH)
    if isinstance(resemble, np.ndarray):
        resemble = Resembled(resemble)
    sketched = {} if resemble is None else {(SKETCH.operand, SKETCH.mirrored): resemble}
    operands = Operands(embeddings_of, sketched, image_of)
    for compared in step.operands():  # one that is not there is an error whatever matches
        operands.embeddings(compared.operand, compared.mirrored)
    identity = cursors.identity(vocabulary.identity, step, order_key(query.sort), operands.compared_with)
    if previous is not None and previous.query != identity:
        raise UsageError(
            "this cursor belongs to another query or to other settings: ask for the first page again"
        )
    lifted = _lifted(query)
    look = cache(lambda: tuple(matching(step, indexes, operands, lifted)))
    if elsewhere is None:
        total = sum(part.total for part in look())
        photos = sum(part.evaluation.photos for part in look())
        page = page_of(look(), step, query.sort, limit, previous)
    else:
        found = elsewhere(Asked(step, operands.known, lifted, query.sort, limit, previous))
        total, photos, page = found.total, found.photos, found.best.page
    more = page.more and query.limit is None
    following = after if more else None
    if more and page.last is not None:
        following = str(Cursor(identity, *page.last, now.replace(tzinfo=None)))
    return Answer(
        text="; ".join(texts),
        query=query,
        plan=step,
        total=total,
        ids=page.ids,
        scores=page.scores,
        cursor=following,
        classes=tuple(
            sorted(
                {class_id for thing in things(query.tree) for class_id in thing.classes} if query.tree else ()
            )
        ),
        photos=photos,
        look=look,
        vocabulary=vocabulary,
    )


def least(vocabulary: Vocabulary, told: float | None) -> PresenceOf:
    """Gives the ticks from which classes together count as present."""
    return lambda classes: max(1, round((vocabulary.presence(classes) if told is None else told) * TICKS))


def _lifted(query: Query) -> int:
    """The flags of the states that a query names: photos of these are not left out of its answer."""
    named = {
        leaf.pattern
        for leaf in (leaves(query.tree) if query.tree is not None else ())
        if isinstance(leaf, Text) and leaf.field == "is"
    }
    return sum(state.flag for state in PhotoState if state in named or ANY_STATE in named)
