from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
from PIL import Image

from dsslic_search.bench import scale
from dsslic_search.core.errors import UsageError
from tests.bench.test_search import street


def test_all_engines_find_as_many_photos_and_one_more_is_found_at_once(tmp_path: Path) -> None:
    for number in range(6):
        Image.fromarray(street(10 * number)).save(tmp_path / f"{number}.png")
    found = scale.run([tmp_path], 400)
    (told,) = found["builds"].values()
    assert len(told["totals"]) == 12
    for engine in ("duckdb", "sqlite"):
        totals = {kind: row["total"] for kind, row in found["others"][engine].items()}
        assert totals == {kind: told["totals"][kind] for kind in totals}
        assert len(totals) == 9
        assert any(0 < total < 400 for total in totals.values())
    assert set(told["after one photo more"]) == set(told["new process"]["first"]) == set(told["totals"])
    assert told["new process"]["seconds from the start of the process to one answer"] > 0
    assert told["seconds to make all indexes"] > 0
    assert told["bytes_a_photo"]["all"] > 100
    assert found["catalog_bytes_a_photo"] > 500
    assert len(scale.table(found)) == 13
    with pytest.raises(UsageError, match="no label maps here"):
        scale.run([tmp_path / "nothing"], 400)


def test_photos_beyond_the_models_are_copies_of_them(tmp_path: Path) -> None:
    for number in range(6):
        Image.fromarray(street(10 * number)).save(tmp_path / f"{number}.png")
    with mock.patch.object(scale, "MODELS", 100):
        found = scale.run([tmp_path], 350)
    (told,) = found["builds"].values()
    assert found["photos"] == 300
    assert any(told["totals"].values())
    assert all(total % 3 == 0 for total in told["totals"].values())
    for engine in ("duckdb", "sqlite"):
        assert all(row["total"] == told["totals"][kind] for kind, row in found["others"][engine].items())
