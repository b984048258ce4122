"""As many photos in flight as fit, by what their headers tell; nothing here decodes one or reads a clock."""

from __future__ import annotations

import io
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from dsslic_search.archive.ingest import memory
from dsslic_search.archive.ingest.encode import Original
from dsslic_search.archive.ingest.memory import PHOTO_BYTES, PROGRAM_BYTES, Budget, weight_of
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture import apart
from dsslic_search.core.errors import PhotoError, Remedy, UsageError
from dsslic_search.core.settings import LOSSLESS

LIMIT = 10**8


def picture(width: int, height: int, file_format: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 60)).save(out, file_format)
    return out.getvalue()


def weight(data: bytes, options: EncodeOptions | None = None, total: int = 10**10) -> int:
    source = Original(Path("a"), data, "", datetime(2020, 1, 1))
    return weight_of(source, options or EncodeOptions(), LIMIT, Budget(total))


@pytest.mark.parametrize(
    ("file_format", "options", "bytes_a_pixel"),
    [
        ("PNG", EncodeOptions(), 12),
        ("JPEG", EncodeOptions(), 12),
        ("PNG", EncodeOptions(LOSSLESS), 24),
        ("JPEG", EncodeOptions(keep="exact"), 30),
        ("PNG", EncodeOptions(keep="exact"), 12),
        ("PNG", EncodeOptions(keep="reference"), 12),
        ("JPEG", EncodeOptions(keep="reference"), 12 / 4),  # at half of each side
    ],
)
def test_a_photo_weighs_by_its_pixels_and_its_file(
    file_format: str, options: EncodeOptions, bytes_a_pixel: float
) -> None:
    data = picture(2000, 1500, file_format)
    copies = 3 if bytes_a_pixel == 30 else 2  # of a file that is repacked
    assert weight(data, options) == PHOTO_BYTES + copies * len(data) + bytes_a_pixel * 2000 * 1500


def test_a_small_file_of_many_pixels_weighs_what_its_pixels_do() -> None:
    data = picture(4000, 4000, "GIF")
    assert len(data) < 50_000
    assert weight(data) > 12 * 4000 * 4000


def test_a_photo_that_another_process_decodes_weighs_what_that_takes_too() -> None:
    """TIFF of sixteen bits; TIFF of eight does not."""
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((300, 400, 3), np.uint16), photometric="rgb")
    data, pixels = file.getvalue(), 300 * 400
    usual = PHOTO_BYTES + 2 * len(data) + 12 * pixels
    assert weight(data) == usual + apart.PROCESS_BYTES + 2 * len(data) + 2 * 6 * pixels
    plain = picture(400, 300, "TIFF")
    assert weight(plain) == PHOTO_BYTES + 2 * len(plain) + 12 * pixels


def test_what_is_no_photo_weighs_its_file_and_is_left_to_the_encoder() -> None:
    assert weight(b"no photo") == 16


def test_a_photo_that_never_fits_is_refused_with_what_to_do() -> None:
    data = picture(3000, 3000)
    needed = weight(data)
    assert weight(data, total=PROGRAM_BYTES + needed) == needed
    with pytest.raises(PhotoError) as refused:
        weight(data, total=PROGRAM_BYTES + needed - 1)
    said = str(refused.value)
    assert said.startswith("a: its 3000×3000 pixels take about 658 MB to encode, more than the ")
    assert refused.value.remedy is Remedy.MEMORY


def test_a_total_that_nothing_fits_in_is_refused() -> None:
    Budget(PROGRAM_BYTES + PHOTO_BYTES)
    with pytest.raises(UsageError, match=r"^300 MB of memory are less than the 550 MB"):
        Budget(300_000_000)


def test_photos_take_off_while_there_is_room_and_land() -> None:
    budget = Budget(PROGRAM_BYTES + 1_000_000_000)
    budget.take(600_000_000)
    assert budget.has_room_for(400_000_000)
    assert not budget.has_room_for(400_000_001)
    budget.give_back(600_000_000)
    assert budget.has_room_for(1_000_000_000)


def test_the_default_is_half_of_the_machine_or_of_its_control_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "_machine_bytes", lambda: 16_000_000_000)
    monkeypatch.setattr(memory, "_group_limits", lambda: iter([]))
    assert memory.default_total() == 8_000_000_000
    monkeypatch.setattr(memory, "_group_limits", lambda: iter([2**63, 6_000_000_000]))
    assert memory.default_total() == 3_000_000_000
    monkeypatch.setattr(memory, "_group_limits", lambda: iter([800_000_000]))
    assert memory.default_total() == 1_000_000_000


@pytest.mark.parametrize(
    ("line", "files", "limits"),
    [
        ("0::/a/b", {"a/b/memory.max": "max", "a/memory.max": "5000", "memory.max": "9000"}, [5000, 9000]),
        ("0::/", {"memory.max": "7000"}, [7000]),
        ("4:cpu,memory:/a", {"memory/a/memory.limit_in_bytes": "6000"}, [6000]),
        ("4:cpu:/a", {"memory/a/memory.limit_in_bytes": "6000"}, []),
        ("0::/elsewhere", {}, []),
    ],
)
def test_limits_of_control_groups_are_those_of_the_groups_around_too(
    tmp_path: Path, line: str, files: dict[str, str], limits: list[int]
) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(line + "\n")
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert list(memory._group_limits(tmp_path / "proc", tmp_path / "groups")) == limits
    assert list(memory._group_limits(tmp_path / "nowhere", tmp_path / "groups")) == []


class Flights:
    """An encoder that counts how many photos it has at a time; none is done before so many have come as are
    waited for."""

    def __init__(self, prepare: Any, wait_for: int) -> None:
        self._prepare, self._wait_for = prepare, wait_for
        self._changed = threading.Condition()
        self._now = self.most = 0

    def __call__(self, source: Any, *more: Any) -> Any:
        with self._changed:
            self._now += 1
            self.most = max(self.most, self._now)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self._wait_for, timeout=300)
        made = self._prepare(source, *more)
        with self._changed:
            self._now -= 1
        return made


@pytest.mark.parametrize(("room", "at_a_time"), [(3, 3), (2, 2), (1, 1)])
def test_as_many_photos_are_in_flight_as_fit(world: Any, room: int, at_a_time: int) -> None:
    for i in range(5):
        world.photo(f"{i}.jpg", str(i))
    weights = 300_000_000
    flights = Flights(world.prepare, at_a_time)
    report = world.ingest(
        workers=3, memory=PROGRAM_BYTES + room * weights, prepare=flights, weigh=lambda *_: weights
    )
    assert report.added == 5
    assert flights.most == at_a_time


def test_a_photo_that_never_fits_fails_alone(world: Any) -> None:
    world.photo("small.jpg")
    path = world.photos / "large.png"
    path.write_bytes(picture(4000, 4000))
    report = world.ingest(memory=PROGRAM_BYTES + PHOTO_BYTES + 1_000_000)
    assert report.added == 1
    (failure,) = report.failed
    assert failure.path == str(path)
    assert failure.reason.startswith("its 4000×4000 pixels take about")
    with pytest.raises(UsageError):
        world.ingest(memory=1000)
