"""Files that are mapped are not open, stay as long as anything looks at them, and then go."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.core.mapping import leave, mapped

FILE = bytes(range(256)) * 300


def maps(path: Path) -> int:
    return sum(str(path) in line for line in Path("/proc/self/maps").read_text().splitlines())


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not tell")
def test_a_mapped_file_is_not_open_and_goes_with_the_last_array_of_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILE)
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    with path.open("rb") as file:
        whole = [mapped(file.fileno(), len(FILE)) for _ in range(5)]
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before
    assert all(each.tobytes() == FILE for each in whole)
    part = whole[0][256:512].view("<u2").reshape(-1, 16)[1]
    del whole
    gc.collect()
    assert maps(path) == 1
    assert part.tobytes() == FILE[32:64]
    del part
    gc.collect()
    assert maps(path) == 0


def test_a_mapped_file_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILE)
    with path.open("rb") as file:
        found = mapped(file.fileno(), 10)
    assert found.dtype == np.uint8
    assert found.size == 10
    with pytest.raises(ValueError, match="read-only"):
        found[0] = 1


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "closed").open("wb") as file:
        number = file.fileno()
    with pytest.raises(OSError, match="descriptor"):
        mapped(number, 10)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="the system does not tell")
def test_memory_of_pages_is_given_back_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(FILE)

    def resident() -> int:
        smaps = Path("/proc/self/smaps").read_text().splitlines()
        (start,) = (number for number, line in enumerate(smaps) if line.endswith(str(path)))
        return next(int(line.split()[1]) for line in smaps[start:] if line.startswith("Rss:"))

    with path.open("rb") as file:
        found = mapped(file.fileno(), len(FILE))
    assert found.tobytes() == FILE
    whole = resident()
    leave(found[5000:6000])  # no whole page
    assert resident() == whole
    leave(found[100:-100])
    assert resident() < whole / 2
    assert found.tobytes() == FILE
