"""The codec end to end on real photos: every stage from its prefix, every kind of photo, every kind of
damage."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from dsslic_search.codec import container, decoder, encoder
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto, open_photo
from dsslic_search.codec.picture.raster import Embedded
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import FormatError, StageError, UsageError
from dsslic_search.core.kinds import Stage
from dsslic_search.core.wordnet import image_words
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.segmenter import SegNetSegmenter
from tests.pictures import crop, sample

LIMIT = 10**8


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


@pytest.fixture(scope="module")
def photo() -> SourcePhoto:
    return sample()


@pytest.fixture(scope="module")
def encoded(photo: SourcePhoto) -> encoder.Encoded:
    return encode_photo(photo, EncodeOptions())


def test_every_stage_decodes_from_its_prefix_alone(photo, encoded):
    contents = container.read(encoded.data)
    quality = []
    for stage in Stage:
        prefix = encoded.data[: contents.stage_bytes(stage)]
        decoded = decode_stage(prefix, stage).pixels
        assert np.array_equal(decoded, decode_stage(encoded.data, stage).pixels)
        with pytest.raises(FormatError, match="truncated"):
            decode_stage(prefix[:-1], stage)
        if decoded.shape == photo.pixels.shape:
            quality.append(psnr(decoded, photo.pixels))
    assert encoded.map_bytes == contents.base_bytes > contents.stage_bytes("map")
    assert quality[0] > 15
    assert quality[1] > 33
    compact = decode_stage(encoded.data, "compact").pixels
    assert compact.shape == (*contents.header.compact_size, 3)


def test_the_label_map_is_lossless(encoded, photo):
    assert np.array_equal(decoder.read_label_map(encoded.data[: encoded.map_bytes]), encoded.label_map)
    scale = container.read_contents(encoded.data).header.map_scale
    shown = decode_stage(encoded.data, "map").pixels
    assert shown.shape == (photo.height, photo.width)
    assert all(
        shown[y, x] == encoded.label_map[y // scale, x // scale]
        for y in (0, 100, photo.height - 1)
        for x in (0, photo.width - 1)
    )


def test_more_quality_gives_more_bytes_and_a_better_picture():
    photo, sizes, quality = sample(side=160), [], []
    for q in (10, 40, 70, 95):
        data = encode_photo(photo, EncodeOptions(q)).data
        sizes.append(len(data))
        quality.append(psnr(decode_stage(data).pixels, photo.pixels))
    assert sizes == sorted(sizes)
    assert quality == sorted(quality)
    assert quality[-1] > 40


def test_the_same_photo_gives_the_same_bytes(photo, encoded):
    assert encode_photo(photo, EncodeOptions()).data == encoded.data


def test_the_residual_is_relative_to_what_the_decoder_has(encoded, photo):
    """Closed loop: without quantisation errors of c in it, the residual brings the coarse image to the
    photo."""
    coarse = decode_stage(encoded.data, "coarse").pixels.astype(int)
    full = decode_stage(encoded.data, "full").pixels.astype(int)
    assert np.abs(full - photo.pixels).mean() < 0.35 * np.abs(coarse - photo.pixels).mean()


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (9, 8), (65, 97), (33, 200)])
@pytest.mark.parametrize("grey", [False, True])
def test_any_size_and_grey(size, grey):
    photo = crop(size, grey)
    data = encode_photo(photo, EncodeOptions(90)).data
    shown = {stage: decode_stage(data, stage).pixels for stage in Stage}
    assert shown["map"].shape == size
    assert shown["full"].shape == (size if grey else (*size, 3))
    assert shown["compact"].ndim == (2 if grey else 3)
    wanted = photo.pixels[..., 0] if grey else photo.pixels
    assert np.abs(shown["full"].astype(int) - wanted).mean() < 4


def test_alpha_is_lossless():
    photo = sample(side=160)
    y, x = np.mgrid[: photo.height, : photo.width]
    alpha = ((x * 2 + y) % 256).astype(np.uint8)
    decoded = decode_stage(encode_photo(replace(photo, alpha=alpha), EncodeOptions(50)).data)
    assert np.array_equal(decoded.alpha, alpha)


def test_metadata_are_kept_and_the_profile_that_the_pixels_have_left_is_not(photo):
    beside = Embedded(b"Exif\0\0" + bytes(100), b"<x/>", b"\x1c\x02")
    data = encode_photo(replace(photo, kept=replace(beside, icc=b"profile" * 50)), EncodeOptions(30)).data
    assert decoder.read_embedded(data) == beside
    assert decoder.read_embedded(encode_photo(photo, EncodeOptions(30)).data) == Embedded()


def a_file() -> bytes:
    stored = io.BytesIO()
    Image.fromarray(sample("sunset.jpg").pixels).save(stored, "JPEG", quality=90)
    return stored.getvalue()


def test_keep_exact_gives_the_very_file_back():
    original = a_file()
    opened = open_photo(original, "sunset.jpg", LIMIT)
    data = encode_photo(opened, EncodeOptions(keep="exact"), original).data
    assert decoder.read_original(data) == original
    assert len(data) < 1.1 * len(original)
    assert np.array_equal(decode_stage(data).pixels, opened.pixels)
    assert decode_stage(data, "coarse").pixels.shape == opened.pixels.shape


def test_keep_reference_has_everything_but_the_photo():
    original = a_file()
    data = encode_photo(
        open_photo(original, "sunset.jpg", LIMIT), EncodeOptions(keep="reference"), original
    ).data
    assert len(data) < len(original) / 4
    assert decode_stage(data, "coarse").pixels.ndim == 3
    with pytest.raises(StageError, match="left where it is"):
        decode_stage(data, "full")
    with pytest.raises(StageError, match="does not hold the original"):
        decoder.read_original(data)


def test_keep_coarse_has_everything_but_the_residual(photo, encoded):
    data = encode_photo(photo, EncodeOptions(keep="coarse")).data
    header = container.read(data).header
    assert header.finenet == runtime.identity(runtime.SHOWN)
    assert len(data) < 0.3 * len(encoded.data)
    for stage in ("map", "compact", "coarse"):
        assert np.array_equal(decode_stage(data, stage).pixels, decode_stage(encoded.data, stage).pixels)
    with pytest.raises(StageError, match=r"made without a residual.*holds: map, compact, coarse"):
        decode_stage(data, "full")
    grey = sample(side=160, grey=True)
    shown = decode_stage(encode_photo(grey, EncodeOptions(keep="coarse")).data, "coarse")
    assert shown.pixels.shape == grey.pixels.shape[:2]


def test_the_picture_does_not_depend_on_a_network_unless_the_header_says_so(photo, encoded, monkeypatch):
    dependent = encode_photo(photo, EncodeOptions(keep="coarse")).data
    opened = runtime.network
    monkeypatch.setattr(
        runtime,
        "network",
        lambda name, *more: pytest.fail(name) if name.startswith("finenet") else opened(name, *more),
    )
    assert container.read(encoded.data).header.finenet == "0" * 16
    assert psnr(decode_stage(encoded.data, "full").pixels, photo.pixels) > 33
    monkeypatch.undo()
    monkeypatch.setattr(runtime, "identity", lambda _name: "f" * 16)
    monkeypatch.setattr(weights, "find", lambda _wanted: None)
    assert decode_stage(dependent, "compact").pixels.size
    with pytest.raises(
        StageError, match=r"depends on weights [0-9a-f]{16} of the finenet network.*only its map and compact"
    ):
        decode_stage(dependent, "coarse")


def test_damage_never_raises_anything_but_a_format_error():
    rng, sound = np.random.default_rng(5), encode_photo(sample(side=160), EncodeOptions()).data
    contents = container.read(sound)
    whole = decode_stage(sound, "full").pixels
    for _ in range(60):
        damaged = bytearray(sound)
        at = int(rng.integers(len(damaged)))
        damaged[at] ^= int(rng.integers(1, 256))
        for stage in Stage:
            entry_ends = contents.stage_bytes(stage)
            if contents.header_bytes <= at and at >= entry_ends:
                decode_stage(bytes(damaged), stage)  # damage behind a stage does not touch it
        with pytest.raises(FormatError):
            container.read(bytes(damaged))
        try:
            shown = decode_stage(bytes(damaged), "full").pixels
        except FormatError:
            continue
        assert np.array_equal(shown, whole)  # the damage is in a layer that this one does not lean on


def repacked(data: bytes, kind: str, payload: bytes) -> bytes:
    """The same file with another payload under right checksums: what an attacker would send."""
    contents = container.read(data)
    chunks = [
        Chunk(
            e.kind, e.codec, payload if e.kind == kind else container.read_chunk(data, contents, e.kind).data
        )
        for e in contents.entries
    ]
    return container.pack(contents.header, chunks)


@pytest.mark.parametrize(
    ("kind", "stage"),
    [("SMAP", "map"), ("SMAP", "coarse"), ("COMP", "compact"), ("COMP", "coarse"), ("RESI", "full")],
)
def test_hostile_layers_with_right_checksums_are_refused(encoded, kind, stage):
    small = encode_photo(crop((65, 97)), EncodeOptions(20)).data
    other = container.read_chunk(small, container.read(small), kind).data
    for payload in (b"", b"\0" * 100, other, other[:20]):
        with pytest.raises(FormatError):
            decode_stage(repacked(encoded.data, kind, payload), stage)


def test_declared_sizes_beyond_the_limit_are_refused_first(encoded):
    contents = container.read(encoded.data)
    chunks = [container.read_chunk(encoded.data, contents, e.kind) for e in contents.entries]
    huge = container.pack(replace(contents.header, width=1 << 20, height=1 << 20), chunks)
    with pytest.raises(FormatError, match="DSS_MAX_PIXELS"):
        decode_stage(huge, "map", max_pixels=LIMIT)


def test_unknown_stage_mode_and_quality_are_refused(encoded):
    with pytest.raises(UsageError, match="map, compact, coarse, full"):
        decode_stage(encoded.data, "best")
    with pytest.raises(UsageError, match="layers, exact, reference, coarse"):
        EncodeOptions(keep="all")
    with pytest.raises(UsageError, match="quality 0"):
        EncodeOptions(0)
    with pytest.raises(UsageError, match="needs the bytes"):
        encode_photo(sample(side=32), EncodeOptions(keep="exact"))


def test_a_photo_file_goes_through_as_it_is_opened(photo):
    stored = io.BytesIO()
    Image.fromarray(photo.pixels).save(stored, "PNG")
    opened = open_photo(stored.getvalue(), "p.png", LIMIT)
    assert encode_photo(opened, EncodeOptions(20)).data == encode_photo(photo, EncodeOptions(20)).data


def test_words_overrule_what_segnet_says_and_no_other_segmenter(monkeypatch):
    """A photo of which words say elephant, and regions horse."""
    table = image_words()
    elephant = np.zeros(len(table.leaves), np.float32)
    elephant[table.leaves_of(table.meanings("elephant"))[0]] = 1
    horse = vocabulary.default().id_of("horse")
    seen = np.full((16, 16), horse, np.uint8), np.full((16, 16), 0.9, np.float32)
    monkeypatch.setattr(runtime, "image_words", lambda pixels: (elephant, np.zeros(48, np.int8)))
    monkeypatch.setattr(runtime, "segment", lambda pixels, size, *looks: seen)
    photo = SourcePhoto(np.full((32, 32, 3), 90, np.uint8))

    class Other(SegNetSegmenter):
        identity = "ab" * 8

    said = [
        encode_photo(photo, EncodeOptions(map_scale=2, segmenter=segmenter)).label_map
        for segmenter in (SegNetSegmenter(), Other())
    ]
    assert [int(labels.max()) for labels in said] == [vocabulary.OTHER, horse]
