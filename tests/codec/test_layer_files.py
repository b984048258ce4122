"""Layers as files: every kind of file of before comes back byte for byte, and nothing odd gets in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.codec import bpg, container
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.layer_files import DESCRIPTION, FILES, exported, imported, names
from dsslic_search.core.errors import FormatError
from tests import golden

EVERY = sorted(
    [*golden.GOLDEN.rglob("*.dsslic"), *(Path(__file__).parents[1] / "data/dsslic").glob("*.dsslic")]
)


@pytest.mark.parametrize("path", EVERY, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_files_of_every_kind_come_back_byte_for_byte(path: Path) -> None:
    data = path.read_bytes()
    files = exported(data)
    assert set(files) - {DESCRIPTION} == set(names(files[DESCRIPTION]))
    assert imported(files) == data
    contents = container.read(data)
    for entry in contents.entries:
        name = FILES.get((entry.kind, entry.codec))
        chunk = container.read_chunk(data, contents, entry.kind)
        assert chunk is not None
        assert name is None or chunk.data.endswith(files[name])


def of_residual(version: int = 1) -> bytes:
    """A golden file in colour with a residual in BPG, at least of a version."""
    for path in EVERY:
        data = path.read_bytes()
        contents = container.read(data)
        entry = contents.find("RESI")
        sound = entry is not None and entry.codec == 2 and not contents.header.grey
        if sound and contents.version >= version:
            return data
    raise AssertionError("there is none")


def test_the_layers_are_files_of_their_formats() -> None:
    data = of_residual()
    files, header = exported(data), container.read(data).header
    compact = bpg.decode(files["c.bpg"], max_pixels=10**6)
    assert (compact.height, compact.width) == header.compact_size
    assert np.abs(compact.rgb8().astype(int) - decode_stage(data, "compact").pixels).max() <= 1
    residual = bpg.decode(files["r.bpg"], max_pixels=10**6)
    assert (residual.height, residual.width) == (header.height, header.width)


def test_a_layer_may_be_coded_anew() -> None:
    data = of_residual()
    files = exported(data)
    height, width = container.read(data).header.compact_size
    grey = np.full((height, width, 3), 512, np.uint16)
    files["c.bpg"] = bpg.encode(grey, qp=20, bit_depth=10)
    shown = decode_stage(imported(files), "compact").pixels
    assert (np.abs(shown.astype(int) - 128) <= 1).all()
    files["c.bpg"] = bpg.encode(grey[:-1], qp=20, bit_depth=10)
    with pytest.raises(FormatError, match="pixels where"):
        imported(files)


def changed(files: dict[str, bytes], **told: Any) -> dict[str, bytes]:
    described = json.loads(files[DESCRIPTION]) | told
    return files | {DESCRIPTION: json.dumps(described).encode()}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"format": "zip"}, "does not describe"),
        ({"version": 2}, "another version"),
        ({"layers": 3}, "no list of layers"),
        ({"layers": ["SMAP"]}, "no list of layers"),
        ({"layers": [{"kind": "NONE", "codec": 1}]}, "unknown"),
        ({"layers": [{"kind": "SMAP", "codec": "1"}]}, "unknown"),
        ({"layers": [{"kind": "SMAP", "codec": 1, "file": "../../s.map"}]}, "not 's.map'"),
        ({"layers": [{"kind": "RESI", "codec": 2, "file": "r.bpg", "terms": "xy"}]}, "cannot be read"),
        ({"layers": [{"kind": "word", "codec": 1, "base64": "!"}]}, "cannot be read"),
        ({"layers": [{"kind": "word", "codec": 1, "base64": 7}]}, "cannot be read"),
        ({"layers": [{"kind": "ORIG", "codec": 0, "file": "original"}]}, "original is missing"),
        ({"layers": 2 * [{"kind": "COMP", "codec": 1, "file": "c.bpg"}]}, "cannot be"),
        ({"header": []}, "not the fields"),
    ],
)
def test_a_description_that_cannot_be_is_refused(told: dict[str, Any], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        imported(changed(exported(of_residual()), **told))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("width", -1, "cannot be"),
        ("width", -100, "cannot be"),
        ("height", 1 << 40, "cannot be"),
        ("width", 0, "impossible photo size"),
        ("width", 2.5, "width of the header is 2.5"),
        ("grey", 1, "grey of the header"),
        ("keep", "all", "no keep mode"),
        ("segmenter", "12", "16 hex digits"),
        ("segmenter", "x" * 16, "cannot be"),
        ("quality", 999, "cannot be"),
        ("quality", 0, "impossible value"),
        ("map_scale", 3, r"label map is not of the size|pixels"),
    ],
)
def test_a_header_that_cannot_be_is_refused(field: str, value: Any, said: str) -> None:
    for version in (container.FULL, container.SHORTER):
        files = exported(of_residual(version))
        header = json.loads(files[DESCRIPTION])["header"]
        with pytest.raises(FormatError, match=said):
            imported(changed(files, header=header | {field: value}))


@pytest.mark.parametrize("description", [b"", b"{", b"\xff", b"[" * 100_000, b"[]"])
def test_what_is_no_description_is_refused(description: bytes) -> None:
    with pytest.raises(FormatError, match=DESCRIPTION):
        imported({DESCRIPTION: description})
    with pytest.raises(FormatError, match="is missing"):
        imported({})


def test_damage_is_seen_before_anything_is_written() -> None:
    data = bytearray(of_residual())
    data[-1] ^= 1
    with pytest.raises(FormatError, match="checksum"):
        exported(bytes(data))
