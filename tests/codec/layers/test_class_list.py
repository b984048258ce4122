"""The chunk that explains a label map in another vocabulary, and files that have it."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsslic_search.api import coding
from dsslic_search.codec import container, decoder
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layers import class_list
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core import dialect, vocabulary
from dsslic_search.core.errors import FormatError, StageError, UsageError
from dsslic_search.core.vocabulary import ClassInfo, Vocabulary
from tests.painted import BEACH_TEXT, OURS, PAINT, THEIRS, beach

SHIPPED = vocabulary.default()


@pytest.fixture(scope="module")
def photo() -> SourcePhoto:
    """Sea above grass, with somebody in the middle and a thing without a class, under some noise."""
    pixels = np.zeros((72, 104, 3), np.uint8)
    pixels[:40], pixels[40:] = PAINT["sea"], PAINT["grass"]
    pixels[20:60, 30:50], pixels[5:15, 80:100] = PAINT["person"], PAINT["other"]
    noise = np.random.default_rng(3).integers(-6, 7, pixels.shape)
    return SourcePhoto((pixels + noise).clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def theirs(photo: SourcePhoto) -> bytes:
    return encode_photo(photo, EncodeOptions(60, segmenter=THEIRS)).data


@pytest.fixture(scope="module")
def ours(photo: SourcePhoto) -> bytes:
    return encode_photo(photo, EncodeOptions(60, segmenter=OURS)).data


def chunk(data: bytes) -> Chunk:
    return class_list.LAYER.chunk(class_list.DEFLATED, data)


def chunks_of(data: bytes) -> dict[str, Chunk]:
    contents = container.read(data)
    return {e.kind: container.read_chunk(data, contents, e.kind) for e in contents.entries}


def test_what_is_written_is_read():
    found = class_list.decode(class_list.encode(beach()), beach().vocabulary.identity)
    assert [(c.id, c.name, c.colour) for c in found.vocabulary.classes] == [
        (c.id, c.name, c.colour) for c in beach().vocabulary.classes
    ]
    assert (found.vocabulary.name, found.meanings, found.marks) == (
        "beach-5",
        beach().meanings,
        beach().marks,
    )


def test_the_file_names_its_vocabulary_and_segmenter_and_only_a_foreign_one_is_explained(
    ours: bytes, theirs: bytes
):
    header = container.read(theirs).header
    assert (header.vocabulary, header.segmenter) == (beach().vocabulary.identity, "bb" * 8)
    assert list(chunks_of(theirs)) == ["voca", "SMAP", "word", "COMP", "RESI"]
    assert list(chunks_of(ours)) == ["SMAP", "word", "COMP", "RESI"]
    assert container.read(ours).header.vocabulary == SHIPPED.identity
    assert len(chunks_of(theirs)["voca"].data) < 250


def test_the_map_is_theirs_and_its_meaning_ours(photo: SourcePhoto, ours: bytes, theirs: bytes):
    prefix = theirs[: container.read_contents(theirs).base_bytes]
    label_map = decoder.read_label_map(prefix)
    assert set(np.unique(label_map)) == {0, 1, 2, 4}
    assert np.array_equal(decoder.read_base(prefix).label_map, decoder.read_label_map(ours))
    shown = coding.decode(prefix, "map")
    assert shown.size == (photo.width, photo.height)
    # an ocean, in the colour of their palette
    assert np.asarray(shown.convert("RGB"))[2, 2].tolist() == [0, 0, 255]
    assert np.asarray(coding.decode(ours, "map").convert("RGB"))[2, 2].tolist() == list(
        SHIPPED.classes[SHIPPED.id_of("sea")].colour
    )


def test_the_networks_see_the_same_in_both_vocabularies(ours: bytes, theirs: bytes):
    """Compact image and residual are coded with what the labels mean, so they are the same bytes, and so are
    the pictures."""
    for kind in ("COMP", "RESI"):
        assert chunks_of(theirs)[kind] == chunks_of(ours)[kind]
    for stage in ("compact", "coarse", "full"):
        assert np.array_equal(decode_stage(theirs, stage).pixels, decode_stage(ours, stage).pixels)


def test_the_decoder_does_as_the_encoder_did_whatever_words_mean_now(
    theirs: bytes, monkeypatch: pytest.MonkeyPatch
):
    before = decode_stage(theirs, "full").pixels
    monkeypatch.setattr(dialect, "by_words", None)
    monkeypatch.setattr(class_list, "by_words", None)
    class_list.decode.cache_clear()
    assert np.array_equal(decode_stage(theirs, "full").pixels, before)


def test_numbers_of_an_older_class_list_are_for_the_networks_words_for_queries(theirs: bytes):
    """The file was written when another list shipped: its numbers stay those of the network, its names still
    say what is there."""
    raw = json.loads(zlib.decompress(chunks_of(theirs)["voca"].data))
    raw["in"] = "0" * 16
    for row in raw["classes"]:
        row[2] = 1
    found = class_list.decode(chunk(zlib.compress(json.dumps(raw).encode())), beach().vocabulary.identity)
    assert found.marks == (1, 1, 1, 1, 1)
    assert found.meanings[2] == SHIPPED.id_of("sea")


def without_class_list(data: bytes, identity: str | None = None) -> bytes:
    header = container.read(data).header
    kept = [c for kind, c in chunks_of(data).items() if kind != "voca"]
    return container.pack(replace(header, vocabulary=identity or header.vocabulary), kept)


def test_an_unexplained_vocabulary_is_looked_up(
    theirs: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    bare = without_class_list(theirs)
    assert decode_stage(bare, "compact").pixels.size
    with pytest.raises(StageError, match=rf"vocabulary {beach().vocabulary.identity}.*DSS_VOCABULARIES"):
        decode_stage(bare, "map")
    (tmp_path / "beach.json").write_text(BEACH_TEXT)
    monkeypatch.setenv("DSS_VOCABULARIES", str(tmp_path))
    assert decode_stage(bare, "map").vocabulary == beach().vocabulary
    assert np.array_equal(decoder.read_base(bare).label_map, decoder.read_base(theirs).label_map)


def test_without_a_class_list_the_ids_are_those_that_finenet_learnt(ours: bytes):
    """A class list whose names changed since: the network's numbers did not."""
    renamed = without_class_list(ours, "12" * 8)
    assert np.array_equal(decode_stage(renamed, "full").pixels, decode_stage(ours, "full").pixels)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.pop("classes"),
        lambda raw: raw.pop("in"),
        lambda raw: raw.update(classes=[]),
        lambda raw: raw.update(classes=7),
        lambda raw: raw.update(name=3),
        lambda raw: raw["classes"].append(["human", "#000000", 1]),
        lambda raw: raw["classes"][0].append(1),
        lambda raw: raw["classes"][0].__setitem__(0, "hu\nman"),
        lambda raw: raw["classes"][0].__setitem__(0, "h" * 101),
        lambda raw: raw["classes"][0].__setitem__(0, "another"),
        lambda raw: raw["classes"][0].__setitem__(1, "#00"),
        lambda raw: raw["classes"][0].__setitem__(1, 5),
        lambda raw: raw["classes"][0].__setitem__(2, True),
        lambda raw: raw["classes"][0].__setitem__(2, -1),
        lambda raw: raw["classes"][0].__setitem__(2, 51),
        lambda raw: raw["classes"][0].__setitem__(2, "1"),
    ],
)
def test_hostile_class_lists_are_refused(theirs: bytes, change):
    raw = json.loads(zlib.decompress(chunks_of(theirs)["voca"].data))
    change(raw)
    damaged = chunk(zlib.compress(json.dumps(raw).encode()))
    with pytest.raises(FormatError, match="damaged class list"):
        class_list.decode(damaged, beach().vocabulary.identity)
    kept = chunks_of(theirs) | {"voca": damaged}
    whole = container.pack(container.read(theirs).header, list(kept.values()))
    for stage in ("map", "coarse"):
        with pytest.raises(FormatError, match="damaged class list"):
            decode_stage(whole, stage)


def test_class_lists_are_bounded():
    bomb = zlib.compress(b'{"name":"' + b"a" * (1 << 22) + b'"}')
    with pytest.raises(FormatError, match="its length is wrong"):
        class_list.decode(chunk(bomb), "0" * 16)
    with pytest.raises(FormatError):
        class_list.decode(chunk(zlib.compress(b"[" * 60_000)), "0" * 16)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_class_list_or_refused(data: bytes):
    for candidate in (data, zlib.compress(data)):
        with pytest.raises(FormatError):
            class_list.decode(chunk(candidate), "0" * 16)


@given(
    st.lists(
        st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=30),
        min_size=1,
        max_size=40,
        unique=True,
    ),
    st.data(),
)
def test_any_class_list_goes_through(names: list[str], data: st.DataObject):
    classes = tuple(ClassInfo(i, name, name, (i, 2 * i, 255 - i), ()) for i, name in enumerate(names))
    own = Vocabulary("v", classes, ())
    marks = tuple(data.draw(st.integers(0, len(SHIPPED) - 1)) for _ in names)
    found = class_list.decode(class_list.encode(dialect.Dialect(own, marks, marks)), own.identity)
    assert (found.meanings, found.marks) == (marks, marks)
    assert [(c.name, c.colour) for c in found.vocabulary.classes] == [(c.name, c.colour) for c in classes]


@pytest.mark.parametrize("name", ["", "a\nb", "h" * 101])
def test_a_vocabulary_that_could_not_be_read_again_is_not_written(name: str):
    own = Vocabulary(
        "v", (ClassInfo(0, "fine", "fine", (1, 2, 3), ()), ClassInfo(1, name, name, (1, 2, 3), ())), ()
    )
    with pytest.raises(UsageError, match='vocabulary "v" cannot be stored: a name is not'):
        class_list.encode(dialect.Dialect(own, (0, 0), (0, 0)))


def test_another_coding_of_the_class_list_is_refused(theirs: bytes):
    kept = chunks_of(theirs)
    kept["voca"] = replace(kept["voca"], codec=9)
    with pytest.raises(FormatError, match="coded in a way this program does not know"):
        decode_stage(container.pack(container.read(theirs).header, list(kept.values())), "map")


def test_segmenters_that_do_not_keep_to_their_vocabulary_are_found_out(photo: SourcePhoto):
    class Wild:
        dialect = dialect.shipped()
        identity = "cc" * 8

        def segment(self, pixels: np.ndarray, map_size: tuple[int, int]) -> np.ndarray:
            return np.full(map_size, 200, np.uint8)

    with pytest.raises(FormatError, match="ids that the vocabulary does not have"):
        encode_photo(photo, EncodeOptions(60, segmenter=Wild()))


GOLDEN = Path(__file__).parents[2] / "data" / "dsslic"


def test_a_foreign_file_of_yesterday_decodes_the_same_today():
    data = (GOLDEN / "beach.dsslic").read_bytes()
    with Image.open(GOLDEN / "beach.map.png") as shown, Image.open(GOLDEN / "beach.compact.png") as compact:
        assert np.array_equal(
            np.array(coding.decode(data, "map").convert("RGB")), np.array(shown.convert("RGB"))
        )
        assert np.array_equal(coding.decode(data, "map"), shown)
        assert np.array_equal(coding.decode(data, "compact"), compact)
    found = decoder.read_dialect(data)
    assert [
        (c.name, SHIPPED.classes[m].name)
        for c, m in zip(found.vocabulary.classes, found.meanings, strict=True)
    ] == [
        ("human", "person"),
        ("gizmo", "other"),
        ("ocean", "sea"),
        ("backdrop", "other"),
        ("the green", "grass"),
    ]
