from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from dsslic_search.codec import flif
from dsslic_search.codec.flif import coder, loops
from dsslic_search.codec.flif.stream import Numbers
from dsslic_search.core.errors import FormatError

DATA = Path(__file__).parents[2] / "data" / "flif"
FILES = {path.name.removesuffix(".flif"): path.read_bytes() for path in sorted(DATA.glob("*.flif"))}
PICTURES = {path.stem: np.array(Image.open(path)) for path in DATA.glob("*.png")}
REFERENCE = json.loads((DATA / "reference.json").read_text())
MOST = 10**6


def told(pixels: np.ndarray) -> list[object]:
    """A picture as `reference.json` has it."""
    little = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("<")))
    return [list(pixels.shape), 8 * pixels.itemsize, hashlib.sha256(little.tobytes()).hexdigest()[:32]]


@pytest.mark.parametrize("name", [name for name in FILES if name.partition(".")[0] in PICTURES])
def test_files_of_the_reference_encoder_are_the_pictures_they_were_made_of(name: str) -> None:
    picture = flif.decode(FILES[name], max_pixels=MOST)
    assert picture.is_whole
    assert np.array_equal(picture.pixels, PICTURES[name.partition(".")[0]])


@pytest.mark.parametrize("name", list(REFERENCE["whole"]))
def test_every_transform_order_and_depth_is_what_the_reference_shows(name: str) -> None:
    assert told(flif.decode(FILES[name], max_pixels=MOST).pixels) == REFERENCE["whole"][name]


def test_the_files_use_every_transform_that_still_pictures_have() -> None:
    used = set()
    for data in FILES.values():
        header, at = coder.read_header(data)
        stream = coder.Stream(np.frombuffer(bytearray(data), np.uint8), coder.machine.DECODING, at)
        used |= {number for number, _ in coder._read_head(stream, header).transforms}
    assert used == {0, 1, 3, 4, 5, 6, 7}


@pytest.mark.parametrize(
    ("name", "length"), [(n, c) for n, cuts in REFERENCE["truncated"].items() for c in cuts]
)
def test_the_start_of_an_interlaced_file_is_the_coarser_picture_that_the_reference_shows(
    name: str, length: str
) -> None:
    start = FILES[name][: int(length)]
    picture = flif.decode(start, max_pixels=MOST, partial=True)
    assert not picture.is_whole
    assert told(picture.pixels) == REFERENCE["truncated"][name][length]
    with pytest.raises(FormatError, match="truncated"):
        flif.decode(start, max_pixels=MOST)


def test_the_more_there_is_of_a_file_the_nearer_is_its_picture() -> None:
    data = FILES["few_rgb.I"], FILES["photo_97x65.I"]
    for each in data:
        whole = flif.decode(each).pixels.astype(int)
        off = [
            np.abs(flif.decode(each[: len(each) * part // 8], partial=True).pixels - whole).mean()
            for part in (2, 4, 6, 8)
        ]
        assert off == sorted(off, reverse=True)
        assert off[-1] == 0 < off[-2] < off[0] / 2


@pytest.mark.parametrize("name", ["map_camvid.N", "rgba.N"])
def test_files_in_rows_have_no_coarser_picture(name: str) -> None:
    with pytest.raises(FormatError, match="truncated"):
        flif.decode(FILES[name][:-40], partial=True)


@pytest.mark.parametrize("name", list(PICTURES))
@pytest.mark.parametrize(("interlaced", "peer"), [(False, "N"), (True, "I")])
def test_our_files_are_as_small_as_those_of_the_reference(name: str, interlaced: bool, peer: str) -> None:
    data = flif.encode(PICTURES[name], interlaced=interlaced)
    assert np.array_equal(flif.decode(data).pixels, PICTURES[name])
    assert len(data) <= 1.01 * len(FILES[f"{name}.{peer}"])


SHAPES = st.tuples(st.integers(1, 14), st.integers(1, 14), st.sampled_from([0, 3, 4])).map(
    lambda shape: shape if shape[2] else shape[:2]
)
FEW, MANY = st.sampled_from([0, 1, 7, 128, 255]), st.integers(0, 255)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([np.uint8, np.uint16]), SHAPES, st.booleans(), st.sampled_from([FEW, MANY]))
def test_every_picture_comes_back(data, kind, shape, interlaced, values) -> None:
    pixels = data.draw(arrays.arrays(np.uint8, shape, elements=values)).astype(kind)
    pixels *= 257 if kind is np.uint16 and values is FEW else 1
    coded = flif.encode(pixels, interlaced=interlaced)
    picture = flif.decode(coded)
    assert picture.is_whole
    assert picture.pixels.dtype == kind
    assert np.array_equal(picture.pixels, pixels)
    assert (coded[4] >> 4 == 4 or coded[4] >> 4 == 5) == interlaced


@pytest.mark.parametrize("interlaced", [False, True])
def test_noise_takes_little_more_than_it_holds(interlaced: bool) -> None:
    pixels = np.random.default_rng(1).integers(0, 65536, (40, 50, 4)).astype(np.uint16)
    coded = flif.encode(pixels, interlaced=interlaced)
    assert np.array_equal(flif.decode(coded).pixels, pixels)
    assert pixels.nbytes < len(coded) < 1.35 * pixels.nbytes


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 2), np.int32),
        np.zeros((0, 3), np.uint8),
        np.zeros((2, 2, 2), np.uint8),
        np.zeros(4, np.uint8),
    ],
)
def test_other_arrays_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8 or uint16"):
        flif.encode(wrong)


def test_metadata_is_kept() -> None:
    chunks = (flif.MetadataChunk("iCCP", b"profile" * 60), flif.MetadataChunk("eXif", b""))
    pixels = np.arange(60, dtype=np.uint8).reshape(6, 10)
    picture = flif.decode(flif.encode(pixels, chunks=chunks))
    assert picture.chunks == chunks
    assert np.array_equal(picture.pixels, pixels)


def test_what_is_larger_than_allowed_is_refused_before_it_is_made() -> None:
    data = flif.encode(np.zeros((4, 5), np.uint8))
    huge = data[:6] + b"\x9f\xff\xff\x7f" * 2 + data[8:]
    with pytest.raises(FormatError, match="67108864×67108864, more than the limit of 200000000 pixels"):
        flif.decode(huge)
    with pytest.raises(FormatError, match="5×4, more than the limit of 19 pixels"):
        flif.decode(data, max_pixels=19)
    assert flif.decode(data, max_pixels=20).pixels.shape == (4, 5)


def test_a_changed_sample_is_seen_by_the_checksum() -> None:
    data = bytearray(FILES["grey_80x48.N"])
    data[-5] ^= 1
    with pytest.raises(FormatError, match="checksum"):
        flif.decode(bytes(data))


@pytest.mark.parametrize("name", ["grey_80x48.I", "few.I", "two.N"])
def test_every_truncation_is_refused(name: str) -> None:
    data = FILES[name]
    for length in (*range(min(60, len(data))), *range(60, len(data), 1 + len(data) // 60)):
        with pytest.raises(FormatError):
            flif.decode(data[:length])


@pytest.mark.parametrize("part", range(1, 16, 2))
@pytest.mark.parametrize("name", ["buckets.I.forced", "deep.N"])
def test_a_file_cut_anywhere_says_so(name: str, part: int) -> None:
    with pytest.raises(FormatError, match="truncated"):
        flif.decode(FILES[name][: len(FILES[name]) * part // 16])


@pytest.mark.parametrize("seed", range(6))
def test_damaged_bytes_are_a_picture_or_a_clear_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [name for name, data in FILES.items() if len(data) < 7500]
    shown = refused = 0
    for _ in range(60):
        data = bytearray(FILES[names[rng.integers(len(names))]])
        for _ in range(rng.integers(1, 5)):
            at = int(min(rng.exponential(len(data) / 4), len(data) - 1))
            data[at] = rng.integers(256)
        try:
            picture = flif.decode(bytes(data), max_pixels=20_000, partial=bool(rng.integers(2)))
        except FormatError as error:
            refused += 1
            assert "FLIF" in str(error)
        else:
            shown += 1
            header, _ = coder.read_header(bytes(data))
            assert picture.pixels.shape[:2] == (header.height, header.width)
    assert shown > 2
    assert refused > 10


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None
from pathlib import Path
import numpy as np
from dsslic_search.codec import flif, machine_code
from dsslic_search.codec.flif import loops
machine_code._folders = lambda: iter(())  # no machine code from before
assert loops.LOOPS.made() is None
folder = Path(sys.argv[1])
for name in ("few.I", "rgba.N", "deep.I", "buckets.I.forced"):
    pixels = flif.decode((folder / f"{name}.flif").read_bytes()).pixels
    np.save(folder / f"{name}.npy", pixels)
    for way in (False, True):
        (folder / f"{name}.{way}").write_bytes(flif.encode(pixels[:20, :23], interlaced=way))
start = (folder / "rgba.I.flif").read_bytes()[:1500]
np.save(folder / "start.npy", flif.decode(start, partial=True).pixels)
"""


def test_bytes_and_pictures_are_the_same_without_numba(tmp_path: Path) -> None:
    for name in ("few.I", "rgba.N", "deep.I", "buckets.I.forced", "rgba.I"):
        (tmp_path / f"{name}.flif").write_bytes(FILES[name])
    subprocess.run([sys.executable, "-c", WITHOUT_NUMBA, tmp_path], check=True)
    for name in ("few.I", "rgba.N", "deep.I", "buckets.I.forced"):
        pixels = np.load(tmp_path / f"{name}.npy")
        assert np.array_equal(pixels, flif.decode(FILES[name]).pixels)
        for way in (False, True):
            assert (tmp_path / f"{name}.{way}").read_bytes() == flif.encode(pixels[:20, :23], interlaced=way)
    shown = flif.decode(FILES["rgba.I"][:1500], partial=True).pixels
    assert np.array_equal(np.load(tmp_path / "start.npy"), shown)


@pytest.mark.parametrize("name", ["few.I", "rgba.I.H1", "rgba.N", "rgb.N.W", "rgb.I.steps", "buckets_rgba.N"])
def test_machine_code_does_what_plain_python_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = flif.decode(FILES[name]).pixels
    part = whole[:24, :20]
    ways = {way: flif.encode(part, interlaced=way) for way in (False, True)}
    monkeypatch.setattr(loops.LOOPS, "made", lambda: None)
    assert np.array_equal(flif.decode(FILES[name]).pixels, whole)
    for way, coded in ways.items():
        assert flif.encode(part, interlaced=way) == coded
        assert np.array_equal(flif.decode(coded).pixels, part)


def test_values_that_are_not_there_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cut file declares a thousand values of a plane: what ends the reading is the data's end."""
    data = flif.encode((np.arange(1024, dtype=np.uint16) * 37).reshape(32, 32))
    read = 0

    def counted(self: Numbers, *given: int) -> int:
        nonlocal read
        read += 1
        return code(self, *given)

    code = Numbers.code
    monkeypatch.setattr(Numbers, "code", counted)
    flif.decode(data, max_pixels=1024)
    assert read > 1024
    read = 0
    with pytest.raises(FormatError, match="truncated"):
        flif.decode(data[:20], max_pixels=1024)
    assert read < 64
