"""What lines of a shell take."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np

from dsslic_search import Archive
from dsslic_search.archive.features import features_of
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.schema import Photo
from dsslic_search.bench import shell
from dsslic_search.core.vocabulary import default


def test_each_kind_of_line_is_done_and_measured(tmp_path: Path) -> None:
    classes = default()
    folder = ArchiveFolder(tmp_path / "a")
    with folder.writing(create=True) as catalog:
        for number in range(1, 9):
            label_map = np.full((16, 8), classes.id_of("tree"), np.uint8)
            label_map[:number] = classes.id_of("sky")
            photo = Photo(
                content_hash=f"{number:064x}", path=f"/photos/{number}.jpg", file_size=100,
                modified_at=datetime(2020, 1, 1), added_at=datetime(2021, 1, 1), format="PNG", width=10,
                height=10, keep="layers", quality=75, stored_bytes=10, map_bytes=number, vocabulary="v",
                segmenter="s",
            )  # fmt: skip
            catalog.add(photo, features_of(label_map, classes))
    with Archive(folder.root) as archive:
        found = shell.line_milliseconds(archive, 2)
    kinds = ["first question", "question", "refinement", "more", "back", "like", "like several", "stats"]
    assert list(found) == [*kinds, "completion"]
    assert all(set(row) == {"processor", "clock"} and min(row.values()) >= 0 for row in found.values())
    lines = list(shell.table({"line_milliseconds": found}))
    assert [line.split("  ")[0] for line in lines[1:]] == list(found)
