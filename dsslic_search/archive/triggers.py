"""What notes, within a catalog's database, which photos each change touches; see `archive.history`.

In SQLite, which lets one transaction write at a time, a trigger can say the generation that its transaction
will lead to. In PostgreSQL several write at once, and which comes first is known when they end: there a
trigger says UNSETTLED, which nobody but its own transaction sees, and `archive.history.advance` replaces it.
"""

from __future__ import annotations

UNSETTLED = 2**31 - 1

_NEXT = "(SELECT CAST(value AS INTEGER) + 1 FROM setting WHERE name = 'generation')"
_NOTE = (
    f"INSERT INTO change (photo_id, generation) SELECT {{photo}}, coalesce({_NEXT}, 1) WHERE true "
    "ON CONFLICT (photo_id) DO UPDATE SET generation = excluded.generation "
    "WHERE generation < excluded.generation;"
)
_NOTED = {
    "photo_added": ("INSERT ON photo", ["new.id"]),
    "photo_changed": ("UPDATE ON photo", ["new.id"]),
    "photo_removed": ("DELETE ON photo", ["old.id"]),
    "path_added": ("INSERT ON path", ["new.photo_id"]),
    "path_changed": ("UPDATE OF photo_id, path, part, ended_at ON path", ["old.photo_id", "new.photo_id"]),
    "path_removed": ("DELETE ON path", ["old.photo_id"]),
}
"""Triggers by name: when they go off, and the photos that they note."""
NAMES = frozenset(_NOTED)

SQLITE = tuple(
    f"CREATE TRIGGER {name} AFTER {when} BEGIN {' '.join(_NOTE.format(photo=photo) for photo in photos)} END"
    for name, (when, photos) in _NOTED.items()
)

_NOTE_UNSETTLED = (
    f"INSERT INTO change (photo_id, generation) VALUES ({{photo}}, {UNSETTLED}) "
    "ON CONFLICT (photo_id) DO UPDATE SET generation = excluded.generation;"
)


def _function(name: str, photos: list[str]) -> str:
    notes = " ".join(_NOTE_UNSETTLED.format(photo=photo) for photo in photos)
    return (
        f"CREATE FUNCTION note_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {notes} RETURN NULL; "
        "END $$"
    )


POSTGRESQL = tuple(
    statement
    for name, (when, photos) in _NOTED.items()
    for statement in (
        _function(name, photos),
        f"CREATE TRIGGER {name} AFTER {when} FOR EACH ROW EXECUTE FUNCTION note_{name}()",
    )
)
