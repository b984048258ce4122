"""What answers look like, for the documentation of the interface: names are those of the command line and of
Python."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Exactly these names."""

    model_config = ConfigDict(extra="forbid")


class Trouble(Model):
    """``sentence``: what is wrong and what to do; ``what``: the word that is to blame, and its characters
    from ``start`` to ``end``, where a query has it."""

    sentence: str
    what: str
    start: int | None
    end: int | None
    suggestions: list[str]


class Refused(Model):
    error: Trouble


class ClassEntry(Model):
    id: int
    name: str
    colour: str
    photos: int


class About(Model):
    """``photos`` that answers are of, and the ``bytes`` of their files; ``generation`` grows with every
    change of a photo; ``formats`` of pictures; ``keep``: the modes that photos can be kept in;
    ``folders`` that the archive follows, and whether it does so now (``watching``)."""

    name: str
    photos: int
    bytes: int
    version: str
    generation: int
    classes: list[ClassEntry]
    canRate: bool
    formats: list[str]
    keep: list[str]
    folders: list[str]
    watching: bool
    readOnly: bool
    limits: dict[str, int]


class Stages(Model):
    """Bytes from the start of the photo's file that hold each stage; null where the file does not."""

    map: int | None
    compact: int | None
    coarse: int | None
    full: int | None


class Object(Model):
    """``name``: of the file, without its folder; ``ratio``: width over height; ``bytes`` of the original;
    ``version``: of the file in the archive, for ``v=`` of stages; ``score`` 0..1; ``map``: in base64 the
    first bytes of the photo's file, which hold header and label map, where maps were asked for and it has
    one."""

    id: int
    name: str
    path: str
    width: int
    height: int
    taken: str | None
    bytes: int
    score: float
    ratio: float
    tags: list[str]
    rating: float | None
    version: str | None
    stages: Stages
    map: str | None


class Answer(Model):
    """``total``: photos that match, exactly; ``listed``: the same, or the number that the query names if that
    is less; ``start``: how many come before the first of ``objects``; ``cursor``: of the next page;
    ``warnings``: how words were read that are none of the vocabulary, and things that no photo shows."""

    reading: str
    warnings: list[str]
    total: int
    listed: int
    cursor: str | None
    start: int
    objects: list[Object]


class ChipEntry(Model):
    """``without``: the query without this part."""

    text: str
    start: int
    end: int
    reading: str
    without: str


class ReadAs(Model):
    reading: str
    exactly: str
    error: Trouble | None
    chips: list[ChipEntry]
    order: str | None
    notes: list[str]


class CompletionEntry(Model):
    text: str
    kind: str
    note: str


class Completions(Model):
    """Each text stands for the query's characters from ``start`` to ``end``."""

    start: int
    end: int
    items: list[CompletionEntry]


class FacetEntry(Model):
    name: str
    count: int
    query: str


class MonthEntry(Model):
    month: str
    count: int
    query: str


class Tally(Model):
    """``by``: year, month, camera, lens or format; ``more``: how many values there are in all; ``without``:
    photos that do not tell it."""

    by: str
    values: list[FacetEntry]
    more: int
    without: int


class Facets(Model):
    """``more``: of what has more values than are given, how many there are in all; ``places``: latitude,
    longitude, how many photos, the id where it is one alone, and the part of a query that asks for
    these; ``tally``: of a query that asks to count photos by something, as "how many photos per year"."""

    photos: int
    classes: list[FacetEntry]
    words: list[FacetEntry]
    months: list[MonthEntry]
    cameras: list[FacetEntry]
    lenses: list[FacetEntry]
    folders: list[FacetEntry]
    tags: list[FacetEntry]
    ratings: list[FacetEntry]
    formats: list[FacetEntry]
    keywords: list[FacetEntry]
    people: list[FacetEntry]
    orientations: list[FacetEntry]
    more: dict[str, int]
    places: list[tuple[float, float, int, int | None, str]]
    undated: int
    tally: Tally | None


class CoverageEntry(Model):
    """``fraction`` 0..1 of the photo; ``certainty`` 0..1."""

    name: str = Field(alias="class")
    fraction: float
    certainty: float | None
    colours: list[str]


class WordEntry(Model):
    word: str
    probability: float


class RegionEntry(Model):
    """``box``: left, top, right, bottom, as shares of the photo; ``area``: its share."""

    name: str = Field(alias="class")
    box: tuple[float, float, float, float]
    area: float


class LayerEntry(Model):
    """From ``start`` to ``end`` of the photo's file."""

    name: str
    start: int
    end: int
    bytes: int
    bitsPerPixel: float


class Details(Model):
    """What is known of a photo; beside these, ``facts`` by the names of the command line's ``show``.
    ``labelledBy``: whose label map is shown and searched, "people" or "segmenter"; null where there is
    none; ``map``: as in an answer."""

    id: int
    name: str
    path: str
    paths: list[str]
    hash: str
    version: str | None
    width: int
    height: int
    taken: str | None
    bytes: int
    stored: int
    keep: str
    coverage: list[CoverageEntry]
    words: list[WordEntry]
    colours: list[str]
    regions: list[RegionEntry]
    tags: list[str]
    rating: float | None
    labelledBy: Literal["people", "segmenter"] | None
    layers: list[LayerEntry]
    stages: Stages
    map: str | None
    facts: dict[str, Any]


class Tagged(Model):
    """By tag, how many photos got it, or had it."""

    added: dict[str, int]
    removed: dict[str, int]


class SavedQuery(Model):
    name: str
    query: str


class BinEntry(Model):
    """``bytes``: of its file in the archive; ``removed``: when, in UTC."""

    id: int
    name: str
    path: str
    removed: str
    bytes: int


class Bin(Model):
    photos: list[BinEntry]


class Moved(Model):
    """``ids`` that were moved; ``others`` were there already, or not in the bin."""

    ids: list[int]
    others: list[int]


class Token(Model):
    """For `sketch` or `similar` of a query; kept as long as there is room for it."""

    token: str


class Sketch(Model):
    """Rows of class ids, null where anything may be."""

    width: int
    height: int
    classes: list[list[int | None]]


class Started(Model):
    """``files`` that were received; events tell of the ``job``."""

    job: int
    files: int


class Progress(Model):
    done: int
    total: int


class Double(Model):
    """``likeness``: how sure it is, 0..1, that another photo of the group is the same picture."""

    id: int
    name: str
    path: str
    width: int
    height: int
    bytes: int
    likeness: float
    mirrored: bool


class Group(Model):
    """``keep``: the one that is best kept, and ``why``."""

    keep: int
    why: str
    photos: list[Double]


class Doubles(Model):
    """``state``: idle, running, done or failed."""

    state: str
    progress: Progress
    groups: list[Group]
    error: Trouble | None
