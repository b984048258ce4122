"""Every fact counted over photos, against their rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import fmean, median_low

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import features_of
from dsslic_search.archive.schema import Photo
from dsslic_search.core import vocabulary
from dsslic_search.core.colour_terms import named
from dsslic_search.core.fields import FACTS
from dsslic_search.features.colours import ColourFeatures
from dsslic_search.index.files import Files, open_files
from dsslic_search.query.fact_counts import count_facts
from tests.segments import whole

CLASSES = vocabulary.default()


def photo(number: int, rng: np.random.Generator) -> Photo:
    def one_of(*values):
        return values[rng.integers(len(values))]

    return Photo(
        content_hash=f"{number:064x}", path=f"/{number}.jpg", file_size=int(rng.integers(1, 9)),
        modified_at=datetime(2020, 1, 1), added_at=datetime(2021, 1, 1 + number),
        format=one_of("JPEG", "PNG"), width=one_of(0, 40, 41), height=30,
        taken_at=one_of(None, datetime(1969, 2, 3), datetime(2020, 5, 6, 7, 8)), camera=one_of(None, "Leica"),
        keep="layers", quality=75, stored_bytes=1, map_bytes=1, vocabulary="v", segmenter="s",
        iso=one_of(None, 99, 100), exposure=one_of(None, 1 / 125, 90.0), latitude=one_of(None, 48.9),
        longitude=2.4, keywords=one_of(None, "sea", "sea\nsun"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Photo], Files]:
    rng, folder = np.random.default_rng(8), tmp_path_factory.mktemp("facts")
    with Catalog.open(folder / "c.sqlite", create=True) as catalog:
        features = features_of(np.zeros((4, 4), np.uint8), CLASSES)
        for number in range(20):
            catalog.add(
                photo(number, rng),
                replace(
                    features,
                    colours=(None, ColourFeatures({}, 1, 9), ColourFeatures({}, 4 + 128, 7))[number % 3],
                ),
            )
        files = open_files(whole(catalog, folder, CLASSES))
        return catalog.photos(files.ids.tolist()), files


def test_every_fact_there_is_is_counted(made, tmp_path: Path):
    _, files = made
    found = count_facts([(files, None)], {"title": 3, "description": 1}, 2, {"best": 2}, 5, {"pizza": 4})
    assert list(found) == [fact.name for fact in FACTS]
    assert (found["title"].photos, found["description"].photos, found["path"].photos) == (3, 1, 20)
    assert found["tag"].plain() == {"photos": 2, "values": {"best": 2}}
    assert found["word"].plain() == {"photos": 5, "values": {"pizza": 4}}


@settings(max_examples=20)
@given(rows=st.none() | st.lists(st.integers(0, 19), unique=True))
def test_facts_are_those_of_the_rows(made, rows: list[int] | None):
    photos, files = made
    chosen = range(20) if rows is None else sorted(rows)
    some = [photos[i] for i in chosen]
    parts = [(files, None if rows is None else np.array(chosen, np.intp))]
    found = count_facts(parts, {"title": 0, "description": 0}, 0, {}, 0, {})
    sides = [p.width for p in some if p.width]
    for name, values in {
        "iso": [p.iso for p in some if p.iso],
        "exposure": [p.exposure for p in some if p.exposure],
        "size": [p.file_size for p in some],
        "width": sides,
        "megapixels": [side * 30 / 1e6 for side in sides],
        "taken": [p.taken_at for p in some if p.taken_at],
        "added": [p.added_at for p in some],
    }.items():
        count = found[name]
        assert count.photos == len(values), name
        ends = [min(values), median_low(values), max(values)] if values else [None] * 3
        ends = [end.isoformat() if isinstance(end, datetime) else end for end in ends]
        assert [count.least, count.median, count.greatest] == ends, name
        if values and not isinstance(values[0], datetime):
            assert count.mean == pytest.approx(fmean(values), abs=1e-6)
    assert found["place"].photos == sum(p.latitude is not None for p in some)
    assert found["camera"].values == ({"Leica": n} if (n := sum(p.camera is not None for p in some)) else {})
    assert found["keyword"].photos == sum(p.keywords is not None for p in some)
    assert found["orientation"].photos == len(sides)
    assert found["colour"].photos == sum(bool(p.colours) for p in some)
    for colour in named(4 + 128):
        assert (found["colour"].values or {}).get(colour, 0) == sum(colour in named(p.colours) for p in some)
