"""Files in the paper's profile: the same stages from FLIF and BPG files; layers go out and come back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.api import encode, file_info
from dsslic_search.codec import bpg, container, flif
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.decoder import decode_stage, read_label_map
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layer_files import exported, imported
from dsslic_search.codec.layers import compact, label_map
from dsslic_search.codec.options import EncodeOptions, Target
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.codec.reduction import compact_image
from dsslic_search.core.errors import FormatError, UsageError
from dsslic_search.core.settings import LOSSLESS

SAMPLE = Path(__file__).parents[2] / "samples" / "picos.jpg"
PAPER = ("paper", "paper-444")


@pytest.fixture(scope="module")
def photo() -> SourcePhoto:
    with Image.open(SAMPLE) as opened:
        opened.thumbnail((161, 121))
        return SourcePhoto(np.array(opened.convert("RGB")))


@pytest.fixture(scope="module")
def files(photo: SourcePhoto) -> dict[str, bytes]:
    """The photo in each profile."""
    return {
        profile: encode_photo(photo, EncodeOptions(profile=profile, effort=2)).data
        for profile in ("default", *PAPER)
    }


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / ((a.astype(float) - b) ** 2).mean()))


@pytest.mark.parametrize("profile", PAPER)
def test_every_stage_is_there_from_the_first_bytes_that_hold_it(files, photo, profile: str) -> None:
    data, plain = files[profile], files["default"]
    contents = container.read(data)
    assert [(e.kind, e.codec) for e in contents.entries if e.kind.isupper()] == [
        ("SMAP", 2),
        ("COMP", 2),
        ("RESI", 4),
    ]
    shown = {
        stage: decode_stage(data[: contents.stage_bytes(stage)], stage).pixels
        for stage in ("map", "compact", "coarse", "full")
    }
    assert np.array_equal(shown["map"], decode_stage(plain, "map").pixels)
    assert np.array_equal(shown["compact"], compact_image(photo.pixels))  # nothing of it is lost
    assert shown["coarse"].shape == photo.pixels.shape
    assert psnr(shown["full"], photo.pixels) > 30
    assert psnr(shown["full"], photo.pixels) > psnr(shown["coarse"], photo.pixels) + 5


@pytest.mark.parametrize("profile", PAPER)
def test_layers_are_files_that_their_tools_read_and_come_back(files, profile: str) -> None:
    data = files[profile]
    layers = exported(data)
    assert set(layers) == {"s.flif", "c.flif", "r.bpg", "layers.json"}
    assert np.array_equal(flif.decode(layers["s.flif"]).pixels, read_label_map(data))
    assert np.array_equal(flif.decode(layers["c.flif"]).pixels, decode_stage(data, "compact").pixels)
    residual = bpg.decode(layers["r.bpg"], max_pixels=10**6)
    assert (residual.bit_depth, residual.header.chroma) == (8, "420" if profile == "paper" else "444")
    assert imported(layers) == data
    described = json.loads(layers["layers.json"])
    told = described["layers"][-1]["mapping"]
    assert told == {"name": "min-max" if profile == "paper" else "fixed"} | {
        name: file_info(data)["residual"][name] for name in ("least", "greatest")
    }
    for wrong in (None, 3, {}, {"name": "log"}, {**told, "least": "0"}, {**told, "least": 10**6}):
        described["layers"][-1]["mapping"] = wrong
        with pytest.raises(FormatError, match="layer RESI cannot be read"):
            imported(layers | {"layers.json": json.dumps(described).encode()})


def test_the_more_quality_the_nearer_the_photo(photo: SourcePhoto) -> None:
    for profile in PAPER:
        found = [
            encode_photo(photo, EncodeOptions(quality, profile=profile, effort=1)).data
            for quality in (20, 60, 95)
        ]
        sizes = [len(data) for data in found]
        quality = [psnr(decode_stage(data).pixels, photo.pixels) for data in found]
        assert sizes == sorted(sizes)
        assert quality == sorted(quality)


@pytest.mark.parametrize("keep", ["coarse", "layers"])
def test_grey_photos_are_kept_in_one_plane(photo: SourcePhoto, keep: str) -> None:
    grey = np.repeat(photo.pixels[..., 1:2], 3, 2)
    data = encode_photo(
        SourcePhoto(grey, grey=True), EncodeOptions(keep=keep, profile="paper", effort=1)
    ).data
    compact_file = exported(data)["c.flif"]
    assert flif.decode(compact_file).pixels.ndim == 2
    shown = decode_stage(data, "coarse" if keep == "coarse" else "full").pixels
    assert shown.shape == photo.pixels.shape[:2]


def test_a_target_is_met_in_it_too(photo: SourcePhoto) -> None:
    target = Target("psnr", 34)
    data = encode_photo(photo, EncodeOptions(profile="paper", effort=1, target=target)).data
    assert psnr(decode_stage(data).pixels, photo.pixels) >= 34


def test_what_the_paper_has_not_is_refused() -> None:
    for wish in ({"quality": LOSSLESS}, {"importance": ((3, 2.0),)}):
        with pytest.raises(UsageError, match='profile "paper" codes the residual as the paper does'):
            EncodeOptions(profile="paper", **wish)
    with pytest.raises(UsageError, match="default, paper, paper-444"):
        EncodeOptions(profile="FLIF")


def test_what_a_file_says_of_itself(files: dict[str, bytes]) -> None:
    said = file_info(files["paper"])["residual"]
    assert (said["kind"], said["mapping"], said["lossless"]) == ("bpg-normalised", "min-max", False)
    assert -255 <= said["least"] < 0 < said["greatest"] <= 255
    assert file_info(files["paper-444"])["residual"]["mapping"] == "fixed"
    assert encode(SAMPLE.read_bytes(), keep="coarse", profile="paper", effort=1)[:4] == b"\x89DSL"


def test_flif_layers_of_another_size_or_kind_are_refused() -> None:
    grey, colour = np.zeros((6, 9), np.uint8), np.zeros((6, 9, 3), np.uint8)
    layer = Chunk("SMAP", label_map.FLIF, flif.encode(grey))
    assert label_map.decode(layer, (6, 9)).shape == (6, 9)
    with pytest.raises(FormatError, match="9×6 pixels where 6×9 were declared"):
        label_map.decode(layer, (9, 6))
    with pytest.raises(FormatError, match="more than the limit"):
        label_map.decode(layer, (6, 8))
    for wrong in (colour, grey.astype(np.uint16)):
        with pytest.raises(FormatError, match="depth or planes"):
            label_map.decode(Chunk("SMAP", label_map.FLIF, flif.encode(wrong)), (6, 9))
    with pytest.raises(FormatError, match="depth or planes"):
        compact.decode(Chunk("COMP", compact.FLIF, flif.encode(grey)), False, (6, 9))
    assert compact.decode(Chunk("COMP", compact.FLIF, flif.encode(grey)), True, (6, 9)).shape == (6, 9, 3)
