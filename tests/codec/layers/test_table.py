"""The list of layers, and what holds for each of them."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace

import numpy as np
import pytest

from dsslic_search.codec import container, layers
from dsslic_search.codec.chunk import Layer
from dsslic_search.codec.decoder import decode_stage, read_embedded, read_original
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layers import metadata
from dsslic_search.codec.layers.table import LAYERS
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core.errors import FormatError
from dsslic_search.core.kinds import Stage

BESIDE = ("iccp", "exif", "xmpp", "iptc")


def test_every_layer_of_every_module_is_in_the_table():
    modules = [
        importlib.import_module(f"{layers.__name__}.{found.name}")
        for found in pkgutil.iter_modules(layers.__path__)
    ]
    defined = {
        value.kind for module in modules for value in vars(module).values() if isinstance(value, Layer)
    }
    assert defined == {layer.kind for layer in LAYERS}


def test_kinds_and_their_order_are_those_of_files():
    assert (
        "voca",
        "SMAP",
        "hand",
        "sure",
        "word",
        "COMP",
        "RESI",
        "ALPH",
        "hash",
        "ORIG",
        *BESIDE,
        "srce",
    ) == container.ORDER
    assert {layer.kind: layer.codecs for layer in LAYERS} == {
        "voca": (1,), "SMAP": (1, 2), "hand": (1,), "sure": (1,), "word": (1,), "COMP": (1, 2),
        "RESI": (1, 2, 3, 4), "ALPH": (1,), "hash": (0,), "ORIG": (0, 1, 2), "iccp": (1,), "exif": (1,),
        "xmpp": (1,), "iptc": (1,), "srce": (1,),
    }  # fmt: skip


def test_which_stage_is_made_from_which_layers():
    needs = {stage: [layer.kind for layer in LAYERS if stage in layer.stages] for stage in Stage}
    assert needs == {
        "map": ["SMAP", "hand"],
        "compact": ["COMP"],
        "coarse": ["SMAP", "COMP"],
        "full": ["SMAP", "COMP", "RESI", "ALPH", "hash", "ORIG"],
    }
    assert [layer.kind for layer in LAYERS if layer.holds_photo] == ["RESI", "ORIG"]
    assert [layer.kind for layer in LAYERS if layer.in_base] == ["hand", "sure", "word"]


def recoded(data: bytes, kind: str, codec: int) -> bytes:
    """The file with another codec id for one of its chunks."""
    contents = container.read(data)
    chunks = [container.read_chunk(data, contents, entry.kind) for entry in contents.entries]
    assert kind in [chunk.kind for chunk in chunks]
    return container.pack(contents.header, [replace(c, codec=codec) if c.kind == kind else c for c in chunks])


def test_a_codec_that_is_not_known_is_refused_and_stops_nothing_before_it():
    pixels = np.random.default_rng(2).integers(0, 256, (16, 24, 3)).astype(np.uint8)
    photo = SourcePhoto(pixels, alpha=pixels[..., 0])
    coded = encode_photo(photo, EncodeOptions(30, effort=1)).data
    contents = container.read(coded)
    chunks = [container.read_chunk(coded, contents, entry.kind) for entry in contents.entries]
    beside = [metadata.encode(layer, b"Exif\0\0") for layer in LAYERS if layer.kind in BESIDE]
    data = container.pack(contents.header, [*chunks, *beside])
    # profiles, too, that earlier versions kept
    assert set(vars(read_embedded(data)).values()) == {b"Exif\0\0"}
    exact = encode_photo(photo, EncodeOptions(30, keep="exact"), b"a file").data
    needs = {
        "SMAP": lambda file: decode_stage(file, "map"),
        "COMP": lambda file: decode_stage(file, "compact"),
        "RESI": lambda file: decode_stage(file, "full"),
        "ALPH": lambda file: decode_stage(file, "full"),
        **dict.fromkeys(BESIDE, read_embedded),
    }
    for kind, read in needs.items():
        read(data)
        with pytest.raises(FormatError, match="coded in a way this program does not know: upgrade"):
            read(recoded(data, kind, 200))
    assert decode_stage(recoded(data, "RESI", 200), "compact").pixels.size
    with pytest.raises(FormatError, match="codec 200, which this program does not know: upgrade"):
        read_original(recoded(exact, "ORIG", 200))
