"""Where a page of answers ended, as text that a client keeps and gives back for the next page.

A cursor holds the rank of the page's last photo: the value that photos are ranked by, exactly, and what
decides between equals, date and id. The next page is what ranks after that, whatever photos came or went in
between: no photo comes twice, and none that was there all the time is skipped. The time of the first page is
kept too, so that "today" stays the same day.

Written in base64url, without padding::

    u8 version   8 bytes identity of the query   i64 date (µs)   i64 id   i64 now (µs)
    u8 kind of value: 0 float64, 1 int64, 2 text   value   u32 CRC-32 of all before            (big-endian)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
import zlib
from dataclasses import dataclass
from datetime import datetime

from dsslic_search.core.errors import UsageError
from dsslic_search.core.moments import date_of, microseconds

VERSION = 1
MAX_CURSOR_CHARACTERS = 1 << 16  # it may hold a path

_HEAD = struct.Struct(">B8sqqqB")
_KINDS = (float, int, str)

Value = float | int | str


@dataclass(frozen=True)
class Cursor:
    """``query``: 8 bytes, the identity of the query. ``value``: what its photos are ranked by, a score, a
    number or a path. ``moment``: date in microseconds since 1970. ``now``: when the first page was asked for,
    without a time zone."""

    query: bytes
    value: Value
    moment: int
    photo_id: int
    now: datetime

    def __str__(self) -> str:
        kind = _KINDS.index(type(self.value))
        now = microseconds(self.now)
        written = _HEAD.pack(VERSION, self.query, self.moment, self.photo_id, now, kind) + _value_bytes(
            self.value
        )
        return (
            base64.urlsafe_b64encode(written + zlib.crc32(written).to_bytes(4, "big")).rstrip(b"=").decode()
        )


def identity(*parts: object) -> bytes:
    """8 bytes for what makes a query: equal for equal parts, by their ``repr``."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def read(text: str) -> Cursor:
    """The cursor of a text. Raises UsageError for anything that ``str`` of a cursor did not give."""
    wrong = UsageError(
        "this is no cursor that a query gave: pass one as it was given, or none for the first page"
    )
    if len(text) > MAX_CURSOR_CHARACTERS or not re.fullmatch(r"[A-Za-z0-9_-]+", text):
        raise wrong
    try:
        written = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise wrong from None
    body, checksum = written[:-4], written[-4:]
    if len(body) < _HEAD.size or zlib.crc32(body).to_bytes(4, "big") != checksum:
        raise wrong
    version, query, moment, photo_id, now, kind = _HEAD.unpack_from(body)
    if version != VERSION:
        raise UsageError(
            "this cursor was made by another version of the program: ask for the first page again"
        )
    try:
        value = _value(kind, body[_HEAD.size :])
        cursor = Cursor(query, value, moment, photo_id, date_of(now))
    except (ValueError, OverflowError, struct.error):
        raise wrong from None
    if str(cursor) != text:
        raise wrong
    return cursor


def _value_bytes(value: Value) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return struct.pack(">d" if isinstance(value, float) else ">q", value)


def _value(kind: int, written: bytes) -> Value:
    match kind:
        case 0:
            return float(struct.unpack(">d", written)[0])
        case 1:
            return int(struct.unpack(">q", written)[0])
        case 2:
            return written.decode("utf-8", "surrogatepass")
    raise ValueError(kind)
