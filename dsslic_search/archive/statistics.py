"""Counting what an archive holds."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Integer, cast, func, select

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.models import Coverage, Photo
from dsslic_search.vocabulary import Vocabulary


@dataclass(frozen=True)
class ClassCount:
    """``photos`` show the class (at least the presence threshold of them); ``mean_coverage`` is over those, 0..1."""

    name: str
    photos: int
    mean_coverage: float
    synonyms: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Statistics:
    """What an archive holds. Bytes of the originals, of the .dsslic files and of the label maps' prefixes of them."""

    photos: int
    original_bytes: int
    stored_bytes: int
    map_bytes: int
    pixels: int
    formats: dict[str, int]
    cameras: dict[str, int]
    classes: tuple[ClassCount, ...]


def statistics(catalog: Catalog, vocabulary: Vocabulary, presence: float) -> Statistics:
    """Counts and bytes of the whole archive; ``presence`` as in :func:`count_classes`."""
    totals = [func.coalesce(func.sum(c), 0) for c in (Photo.file_size, Photo.stored_bytes, Photo.map_bytes)]
    pixels = func.coalesce(func.sum(cast(Photo.width, Integer) * Photo.height), 0)
    with catalog.session() as session:
        row = session.execute(select(func.count(Photo.id), *totals, pixels)).one()
        count, original, stored, maps, area = [int(n) for n in row]
        formats = session.execute(select(Photo.format, func.count()).group_by(Photo.format).order_by(func.count().desc())).all()
        cameras = session.execute(
            select(Photo.camera, func.count()).where(Photo.camera.is_not(None)).group_by(Photo.camera).order_by(func.count().desc())
        ).all()
    return Statistics(
        photos=count,
        original_bytes=original,
        stored_bytes=stored,
        map_bytes=maps,
        pixels=area,
        formats=dict(formats),
        cameras={name: n for name, n in cameras if name is not None},
        classes=count_classes(catalog, vocabulary, presence),
    )


def count_classes(catalog: Catalog | None, vocabulary: Vocabulary, presence: float) -> tuple[ClassCount, ...]:
    """Every class with the photos that show at least ``presence`` (0..1) of it, most frequent first; zeros without a catalog."""
    counts: dict[int, tuple[int, float]] = {}
    if catalog is not None:
        shown = select(Coverage.class_id, func.count(), func.avg(Coverage.fraction)).where(Coverage.fraction >= presence)
        with catalog.session() as session:
            counts = {c: (n, mean) for c, n, mean in session.execute(shown.group_by(Coverage.class_id)).all()}
    listed = [
        ClassCount(
            name=c.name,
            photos=counts.get(c.id, (0, 0.0))[0],
            mean_coverage=counts.get(c.id, (0, 0.0))[1],
            synonyms=c.synonyms,
            groups=tuple(g.name for g in vocabulary.groups if c.id in g.members),
        )
        for c in vocabulary.classes
    ]
    return tuple(sorted(listed, key=lambda c: -c.photos))
