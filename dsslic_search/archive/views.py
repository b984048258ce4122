"""What a catalog in PostgreSQL shows to clients that have the database alone, besides its tables: coverages
unpacked (`features.coverage`). `archive.in_sql` does the same in either database, within a question."""

from __future__ import annotations

_BYTE = "get_byte(photo.coverages, at + {})"
_MANTISSA = "((high & 15) + 16)::bigint"
for _place in range(9, 3, -1):
    _MANTISSA = f"({_MANTISSA} * 256 + {_BYTE.format(_place)})"

POSTGRESQL = (
    "CREATE VIEW coverage AS SELECT photo.id AS photo_id, get_byte(photo.coverages, at) AS class_id, "
    f"{_MANTISSA}::float8 / 4503599627370496 / (1::bigint << (1023 - (top * 16 + (high >> 4))))::float8 "
    f"AS fraction, CASE WHEN {_BYTE.format(3)} & 64 = 64 THEN {_BYTE.format(1)} / 255::float8 END "
    "AS certainty FROM photo CROSS JOIN LATERAL generate_series(0, length(photo.coverages) - 12, 12) AS at "
    f"CROSS JOIN LATERAL (SELECT {_BYTE.format(10)} AS high, {_BYTE.format(11)} AS top) AS ending",
)
