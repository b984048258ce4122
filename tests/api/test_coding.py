"""What may be asked of the encoder: by keyword, or as one value."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive, encode
from dsslic_search.api import coding, file_info
from dsslic_search.api.coding import EncodeWishes, encode_options
from dsslic_search.codec.options import EncodeOptions, Target
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import PhotoError, UsageError
from dsslic_search.core.settings import LOSSLESS
from dsslic_search.networks.segmenter import SegNetSegmenter

PIXELS = np.linspace(0, 255, 24 * 32 * 3).reshape(24, 32, 3).astype(np.uint8)


def test_nothing_asked_for_is_what_the_options_have() -> None:
    assert encode_options() == EncodeOptions()


def test_every_wish_has_its_place_in_the_options() -> None:
    person = vocabulary.default().id_of("person")
    segmenter = SegNetSegmenter()
    assert encode_options(quality=30, keep="exact", effort=2, segmenter=segmenter) == EncodeOptions(
        quality=30, keep="exact", effort=2, segmenter=segmenter
    )
    assert encode_options(quality="lossless").quality == LOSSLESS
    assert encode_options(importance={"person": 4}).importance == ((person, 4),)
    assert encode_options(tune="ssim") == EncodeOptions(tune="ssim")
    assert encode_options(importance="person=4") == encode_options(importance={"person": 4})
    assert encode_options(bpp=0.5).target == Target("bpp", 0.5)
    assert encode_options(psnr=31).target == Target("psnr", 31)
    assert encode_options(strip="location").strip == "location"
    assert encode_options(max_bytes=2000).target == Target("bytes", 2000)


@pytest.mark.parametrize(
    "wishes", [{"quality": 50, "bpp": 1}, {"bpp": 1, "psnr": 30}, {"psnr": 30, "max_bytes": 9}]
)
def test_a_quality_and_targets_exclude_each_other(wishes: EncodeWishes) -> None:
    with pytest.raises(UsageError, match="ask for one of them"):
        encode_options(**wishes)


def test_a_keyword_that_there_is_not_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"'qualty' is none of: quality, keep, .*segmenter"):
        encode(PIXELS, qualty=50)  # type: ignore[call-arg]  # the mistake that this is about


def test_one_value_stands_for_the_keywords(tmp_path: Path) -> None:
    options = encode_options(quality=20, effort=1)
    assert encode(PIXELS, options) == encode(PIXELS, quality=20, effort=1)
    with pytest.raises(UsageError, match=r"not both"):
        encode(PIXELS, options, quality=20)
    with Archive(tmp_path / "a") as archive, pytest.raises(UsageError, match=r"\(keep\), not both"):
        archive.ingest([], options, keep="exact")


def test_a_pillow_image_brings_its_metadata() -> None:
    path = Path(__file__).parents[1] / "data" / "metadata" / "meta_utf8.jpg"
    told = {name: file_info(encode(source, effort=1))["facts"] for name, source in
            (("file", path), ("image", Image.open(path)))}  # fmt: skip
    assert told["image"]["camera"] == "小米 Modèle 1"
    assert told["image"] == {**told["file"], "keywords": ["Küste"]}  # Pillow has no place for IPTC in PNG


@pytest.mark.parametrize(
    ("strip", "known"),
    [
        ("nothing", {"taken_at", "taken_from", "latitude", "longitude"}),
        ("location", {"taken_at", "taken_from"}),
        ("metadata", set()),
    ],
)
def test_metadata_are_left_out(strip: str, known: set[str]) -> None:
    path = Path(__file__).parents[1] / "data" / "metadata" / "g_one.jpg"
    assert set(file_info(encode(path, effort=1, strip=strip))["facts"]) == known


def test_encode_and_ingest_take_the_same() -> None:
    taken = [inspect.signature(each).parameters["wishes"].annotation for each in (encode, Archive.ingest)]
    assert taken == ["Unpack[EncodeWishes]"] * 2


def test_what_has_no_end_is_no_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coding, "LARGEST_FILE_BYTES", 1000)
    with pytest.raises(PhotoError, match="/dev/zero: has more than 1000 bytes"):
        encode("/dev/zero")
