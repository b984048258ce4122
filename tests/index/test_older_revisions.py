"""Archives of older revisions that have segments: what was made before is right, or counts as not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from sqlalchemy import Engine

from dsslic_search.api.indexes import OpenIndexes
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.database import alembic_config, for_writing, make_engine, url_of
from dsslic_search.archive.revisions import revisions
from dsslic_search.index import segments
from tests import once
from tests.index.segment_answers import QUERIES, Kept
from tests.query.made import V


def fill(folder: Path) -> None:
    """A catalog with several segments."""
    kept = Kept(folder)
    for seed, count in enumerate((8, 8, 4)):
        kept.add(count, seed)
        kept.settle(OpenIndexes(kept, kept.index, V))
    kept.close()


def taken_back(kept: Kept, revision: str) -> None:
    kept.catalog.close()
    engine: Engine = make_engine(url_of(kept.path), foreign_keys=False)
    with for_writing(engine).begin() as connection:
        command.downgrade(alembic_config(connection), revision)
    engine.dispose()


@pytest.mark.parametrize(
    ("revision", "changed"),
    [
        *((each, True) for each in revisions()[1:-1]),  # the first knows no regions
        *((each, False) for each in revisions()[-4:-1]),
    ],
)
def test_answers_are_right_after_an_older_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, revision: str, changed: bool
) -> None:
    monkeypatch.setattr(segments, "WRITTEN_FROM", 3)
    monkeypatch.setattr(segments, "MAX_PHOTOS", 8)
    shutil.copytree(once.filled("older-revisions", fill), tmp_path, dirs_exist_ok=True)
    kept = Kept(tmp_path)
    names = {path.name for path in kept.index.iterdir()}
    assert len({name.partition(".")[0] for name in names}) > 2
    taken_back(kept, revision)
    if changed:  # as an older build changes rows, whose triggers may not note it
        engine = make_engine(url_of(kept.path))
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE photo SET camera = 'Box', format = 'PNG' WHERE id < 4")
            connection.exec_driver_sql("DELETE FROM photo WHERE id = 5")
            connection.exec_driver_sql(
                "UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'generation'"
            )
        engine.dispose()
    kept.catalog = Catalog.open(kept.path)
    found, plain = OpenIndexes(kept, kept.index, V), kept.plainly()
    for text in QUERIES[::3]:
        assert kept.asked(found, text) == kept.asked(plain, text), text
    assert kept.counted(found) == kept.counted(plain)
    if revision >= "0009" and not changed:  # what indexes hold is the same: nothing is made anew
        assert names <= {path.name for path in kept.index.iterdir()}
        assert np.array_equal(
            np.sort(np.concatenate([part.ids for part in segments.open_segments(kept, kept.index, V).parts])),
            kept.ids,
        )
    kept.close()
