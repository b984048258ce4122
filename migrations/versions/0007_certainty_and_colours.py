"""How sure the segmenter was of each class, and the colours of photos and of their classes.

Revision 0007. Not known of photos that are there: colours until the archive is reindexed, certainty until
their label maps are made again. Going back drops all of it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INDEX, _KEY = "ix_coverage_class_fraction", ["class_id", "fraction", "photo_id"]
_NEW = {"photo": ("brightness", "colours"), "coverage": ("certainty", "colours")}


def upgrade() -> None:
    for table, names in _NEW.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Integer(), nullable=True))
    op.drop_index(_INDEX, "coverage")
    op.create_index(_INDEX, "coverage", [*_KEY, *_NEW["coverage"]])


def downgrade() -> None:
    op.drop_index(_INDEX, "coverage")
    for table, names in _NEW.items():
        with op.batch_alter_table(table) as changed:
            for name in names:
                changed.drop_column(name)
    op.create_index(_INDEX, "coverage", _KEY)
