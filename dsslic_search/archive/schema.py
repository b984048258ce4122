"""The catalog's tables. The catalog and the .dsslic files are the truth; indexes are caches of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, Float, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from dsslic_search.core.fields import COLUMNS


class Base(DeclarativeBase):
    """Declarative base of all catalog tables."""


class Photo(Base):
    """One photo: the file it came from, the .dsslic file that holds it, and where the label map came from."""

    __tablename__ = "photo"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the original file's bytes
    # absolute path of the original when it was ingested
    path: Mapped[str] = mapped_column(String, index=True)
    file_size: Mapped[int] = mapped_column(Integer)  # bytes of the original
    modified_at: Mapped[datetime] = mapped_column(DateTime)  # of the original, UTC
    added_at: Mapped[datetime] = mapped_column(DateTime)  # UTC
    format: Mapped[str] = mapped_column(String(16))  # "JPEG", "PNG", …
    width: Mapped[int] = mapped_column(Integer)  # upright, pixels
    height: Mapped[int] = mapped_column(Integer)
    taken_at: Mapped[datetime | None] = mapped_column(DateTime, index=True)  # the camera's local time
    camera: Mapped[str | None] = mapped_column(String)
    latitude: Mapped[float | None] = mapped_column(Float)  # degrees, north positive
    longitude: Mapped[float | None] = mapped_column(Float)  # degrees, east positive
    keep: Mapped[str] = mapped_column(String(16))  # a core.kinds.KeepMode
    quality: Mapped[int] = mapped_column(Integer)  # 1..100; 101 lossless
    stored_bytes: Mapped[int] = mapped_column(Integer)  # of the .dsslic file
    map_bytes: Mapped[int] = mapped_column(Integer)  # prefix of it that holds header and label map
    vocabulary: Mapped[str] = mapped_column(String(16))  # identity of the class list
    segmenter: Mapped[str] = mapped_column(String(16))  # identity of the weights that made the label map
    embedding: Mapped[bytes] = mapped_column(LargeBinary)  # float32 little-endian, unit length
    # features.scene; None: not described since an older version
    regions: Mapped[bytes | None] = mapped_column(LargeBinary)

    coverages: Mapped[list[Coverage]] = relationship(cascade="all, delete-orphan", passive_deletes=True)


class Coverage(Base):
    """The fraction of a photo's label map that a class covers; absent classes have no row."""

    __tablename__ = "coverage"

    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"), primary_key=True)
    class_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    fraction: Mapped[float] = mapped_column(Float)  # 0 < fraction <= 1

    __table_args__ = (Index("ix_coverage_class_fraction", "class_id", "fraction", "photo_id"),)


class Setting(Base):
    """Named values of the archive, among them "generation", which every change of the catalog increases."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String)


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
    "date": DateTime,
    "whole": Integer,
    "pixels": Integer,
    "degrees": Float,
    "whole or none": Integer,
    "number or none": Float,
    "text": String,
    "words": String,
    "prose": String,
    "path": String,
}
for _column in COLUMNS:
    if _column.name not in Photo.__table__.columns:
        setattr(Photo, _column.name, mapped_column(_TYPES[_column.values], nullable=True))

# to sum them quickly
Index("ix_photo_bytes", Photo.stored_bytes, Photo.map_bytes, Photo.file_size, Photo.width, Photo.height)
