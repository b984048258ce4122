"""Which photos changed when, and what each state of the catalog is called, so that an index that was built
from an earlier one can be brought up to date, and one of another history is told from it.

Revision 0009. ``change``: each photo that was added, changed or removed, with the generation that its change
led to. ``history``: a random token of each generation. Triggers note changes, whatever makes them; they are
SQLite's; PostgreSQL gets its own with revision 0011.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NEXT = "(SELECT CAST(value AS INTEGER) + 1 FROM setting WHERE name = 'generation')"
_NOTE = (
    "INSERT INTO change (photo_id, generation) SELECT {photo}, coalesce(" + _NEXT + ", 1) WHERE true "
    "ON CONFLICT (photo_id) DO UPDATE SET generation = excluded.generation "
    "WHERE generation < excluded.generation"
)
_TRIGGERS = {
    "photo_added": ("INSERT ON photo", ["new.id"]),
    "photo_changed": ("UPDATE ON photo", ["new.id"]),
    "photo_removed": ("DELETE ON photo", ["old.id"]),
    "coverage_added": ("INSERT ON coverage", ["new.photo_id"]),
    "coverage_changed": ("UPDATE ON coverage", ["old.photo_id", "new.photo_id"]),
    "coverage_removed": ("DELETE ON coverage", ["old.photo_id"]),
    "path_added": ("INSERT ON path", ["new.photo_id"]),
    "path_changed": ("UPDATE OF photo_id, path, part, ended_at ON path", ["old.photo_id", "new.photo_id"]),
    "path_removed": ("DELETE ON path", ["old.photo_id"]),
}


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("photo_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("generation", sa.Integer(), nullable=False, index=True),
    )
    op.create_table(
        "history",
        sa.Column("generation", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("token", sa.String(16), nullable=False),
    )
    token = secrets.token_hex(8)
    op.execute(f"INSERT INTO setting (name, value) VALUES ('token', '{token}')")
    generation = "coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'generation'), 0)"
    op.execute(f"INSERT INTO history (generation, token) SELECT {generation}, '{token}'")
    if op.get_bind().dialect.name == "sqlite":
        for name, (when, photos) in _TRIGGERS.items():
            notes = " ".join(f"{_NOTE.format(photo=photo)};" for photo in photos)
            op.execute(f"CREATE TRIGGER {name} AFTER {when} BEGIN {notes} END")


def downgrade() -> None:
    for name in _TRIGGERS if op.get_bind().dialect.name == "sqlite" else ():
        op.execute(f"DROP TRIGGER IF EXISTS {name}")
    op.drop_table("history")
    op.drop_table("change")
    op.execute("DELETE FROM setting WHERE name = 'token'")
