"""The catalog's tables. The catalog and the .dsslic files are the truth; indexes are caches of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    event,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from dsslic_search.archive import triggers, views
from dsslic_search.archive.column_types import Bytes, Date, Digits, Embedding, NoBytes
from dsslic_search.core.fields import COLUMNS
from dsslic_search.core.kinds import PhotoState
from dsslic_search.features.coverage import Shown, unpack_shown


class Base(DeclarativeBase):
    """Declarative base of all catalog tables."""


class Photo(Base):
    """One photo: the file it came from, the .dsslic file that holds it, and where the label map came from."""

    __tablename__ = "photo"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    content_hash: Mapped[str] = mapped_column(Digits(64), unique=True)  # SHA-256 of the original file's bytes
    # the one of its paths that is shown, with the part of that file; `archive.paths` derives it
    path: Mapped[str] = mapped_column(String)
    file_size: Mapped[int] = mapped_column(Bytes)  # bytes of the original
    modified_at: Mapped[datetime] = mapped_column(Date)  # of the original, UTC
    added_at: Mapped[datetime] = mapped_column(Date)  # UTC
    format: Mapped[str] = mapped_column(String(16))  # "JPEG", "PNG", …
    width: Mapped[int] = mapped_column(Integer)  # upright, pixels
    height: Mapped[int] = mapped_column(Integer)
    taken_at: Mapped[datetime | None] = mapped_column(Date)  # the camera's local time
    camera: Mapped[str | None] = mapped_column(String)
    latitude: Mapped[float | None] = mapped_column(Float)  # degrees, north positive
    longitude: Mapped[float | None] = mapped_column(Float)  # degrees, east positive
    keep: Mapped[str] = mapped_column(String(16))  # a core.kinds.KeepMode
    quality: Mapped[int] = mapped_column(Integer)  # 1..100; 101 lossless
    stored_bytes: Mapped[int] = mapped_column(Bytes)  # of the .dsslic file
    map_bytes: Mapped[int] = mapped_column(Bytes)  # prefix of it that holds the base layer
    vocabulary: Mapped[str] = mapped_column(Digits(16))  # identity of the class list
    segmenter: Mapped[str] = mapped_column(Digits(16))  # identity of the weights that made the label map
    embedding: Mapped[bytes] = mapped_column(Embedding)  # float32 little-endian, unit length
    # features.scene; None: not described since an older version
    regions: Mapped[bytes | None] = mapped_column(LargeBinary)

    if TYPE_CHECKING:  # they stand at the end of the table, after the facts
        state: Mapped[str]  # a core.kinds.PhotoState; `archive.paths` derives it
        removed_at: Mapped[datetime | None]  # into the bin, UTC
        lost_at: Mapped[datetime | None]  # since when its .dsslic file is missing or set aside, UTC
        brightness: Mapped[int | None]  # mean luma, 0..255; None: not known since an older version
        colours: Mapped[int | None]  # a mask of core.colour_terms; None likewise
        stored_words: Mapped[bytes | None]  # features.image_words; None: its file has none
        stored_coverages: Mapped[bytes]  # features.coverage
        description_sum: Mapped[int]  # archive.sums

    # changed by `archive.paths` alone; those at which it lies come first
    paths: Mapped[list[KnownPath]] = relationship(
        viewonly=True,
        foreign_keys="KnownPath.photo_id",
        order_by="(KnownPath.ended_at.is_not(None), KnownPath.first_seen, KnownPath.id)",
    )

    @property
    def coverages(self) -> tuple[Shown, ...]:
        """The classes that its label map shows, by id. FormatError where the catalog is damaged."""
        return unpack_shown(self.stored_coverages)

    @property
    def words(self) -> dict[str, float]:
        """What the whole photo is likely to show: the probability of each word, the likeliest first; empty
        where its file does not say."""
        from dsslic_search.features.image_words import named

        return named(self.stored_words)


class KnownPath(Base):
    """A file at which a photo lies, or lay until it was gone or held another photo."""

    __tablename__ = "path"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(String)  # absolute, as core.files.path_to_text writes it
    # of a file that holds several photos: which one, "#t=12.0" of a clip
    part: Mapped[str] = mapped_column(String, default="")
    file_size: Mapped[int] = mapped_column(Bytes)  # bytes of the file
    # when the file was changed last, nanoseconds since 1970; None: not to be relied on, so it is read again
    modified_ns: Mapped[int | None] = mapped_column(BigInteger)
    first_seen: Mapped[datetime] = mapped_column(Date)  # UTC
    last_seen: Mapped[datetime] = mapped_column(Date)
    ended_at: Mapped[datetime | None] = mapped_column(Date)  # None: the photo lies there
    ended: Mapped[str | None] = mapped_column(String(8))  # an archive.paths.End
    replaced_by: Mapped[int | None] = mapped_column(ForeignKey("photo.id", ondelete="SET NULL"))
    # whether the photo's tags were given to the one that replaced it
    tags_given: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())

    __table_args__ = (
        UniqueConstraint("path", "part", "photo_id"),
        Index(
            "ix_path_replaced_by",
            "replaced_by",
            sqlite_where=text("replaced_by IS NOT NULL"),
            postgresql_where=text("replaced_by IS NOT NULL"),
        ),
    )


class Purged(Base):
    """Content that was deleted for good, so that it is not taken again unasked."""

    __tablename__ = "purged"

    content_hash: Mapped[str] = mapped_column(Digits(64), primary_key=True)
    purged_at: Mapped[datetime] = mapped_column(Date)  # UTC


class Setting(Base):
    """Named values of the archive, among them "generation", which every change of the catalog increases."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String)


class Change(Base):
    """A photo that was added, changed or removed, with the generation that its last change led to. Kept by
    the triggers below; see `archive.history`."""

    __tablename__ = "change"

    photo_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(Integer, index=True)


class Moment(Base):
    """What the catalog was called after a change: see `index.source.State`."""

    __tablename__ = "history"

    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    token: Mapped[str] = mapped_column(String(16))


class Tag(Base):
    """A name that somebody gave to a photo, in the form of `archive.notes.name_key`."""

    __tablename__ = "tag"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    photo_id: Mapped[int] = mapped_column(
        ForeignKey("photo.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class SavedQuery(Base):
    """A query kept under a name, in the form of `archive.notes.name_key`."""

    __tablename__ = "saved_query"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    text: Mapped[str] = mapped_column(String)


# Facts that came after the first catalog stand in core/fields alone: each is a column that may be empty,
# after all others, as its migration adds it.
_TYPES = {
    "date": Date,
    "whole": Integer,
    "pixels": Integer,
    "degrees": Float,
    "whole or none": Integer,
    "number or none": Float,
    "text": String,
    "words": String,
    "prose": String,
    "path": String,
    "colours": Integer,
}
_STANDING = {
    "state": mapped_column(
        String(16), default=PhotoState.HERE.value, server_default=PhotoState.HERE.value, nullable=False
    ),
    "removed_at": mapped_column(Date, nullable=True),
    "lost_at": mapped_column(Date, nullable=True),
    "brightness": mapped_column(Integer, nullable=True),  # as its migration adds it
    "colours": mapped_column(Integer, nullable=True),
    "stored_words": mapped_column("words", LargeBinary, nullable=True),
    "stored_coverages": mapped_column(
        "coverages", LargeBinary, nullable=False, default=b"", server_default=NoBytes()
    ),
    "description_sum": mapped_column(Integer, nullable=False, default=0, server_default=text("0")),
}
for _column in COLUMNS:
    if _column.name not in Photo.__table__.columns and _column.name not in _STANDING:
        setattr(Photo, _column.name, mapped_column(_TYPES[_column.values], nullable=True))

for _name, _standing in _STANDING.items():
    setattr(Photo, _name, _standing)

# to sum them quickly
Index(
    "ix_photo_bytes",
    Photo.stored_bytes,
    Photo.map_bytes,
    Photo.file_size,
    Photo.width,
    Photo.height,
    Photo.state,
)

# Whatever changes a photo notes it.
_MORE = {"sqlite": triggers.SQLITE, "postgresql": (*triggers.POSTGRESQL, *views.POSTGRESQL)}
for _dialect, _statements in _MORE.items():
    for _statement in _statements:
        event.listen(
            Base.metadata,
            "after_create",
            DDL(_statement).execute_if(dialect=_dialect),  # type: ignore[no-untyped-call]  # it is not typed there
        )
