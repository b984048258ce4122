"""What photos' metadata tell beyond when, where and with what: exposure, rating, words, and of their files.

Revision 0005. Photos that were there have none until reindexing reads it from what is kept of them; what only
their files tell (profile, bit depth, turn) they get when they are stored anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("iso", sa.Integer()),
    ("focal_length", sa.Float()),
    ("exposure", sa.Float()),
    ("f_number", sa.Float()),
    ("rating", sa.Float()),
    ("keywords", sa.String()),
    ("people", sa.String()),
    ("title", sa.String()),
    ("description", sa.String()),
    ("profile", sa.String()),
    ("bit_depth", sa.Integer()),
    ("turn", sa.Integer()),
    ("taken_from", sa.String()),
)


def upgrade() -> None:
    for name, kind in _COLUMNS:
        op.add_column("photo", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("photo") as photo:
        for name, _ in reversed(_COLUMNS):
            photo.drop_column(name)
