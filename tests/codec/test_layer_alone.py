"""Layers by themselves: what `layer_files` takes out of files is read, and written again to the same."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.codec import container, layer_alone, layer_files
from dsslic_search.codec.decoder import decode_stage, read_label_map
from dsslic_search.core.errors import FormatError, UsageError
from tests import golden

EVERY = sorted(golden.GOLDEN.rglob("*.dsslic"))


@pytest.mark.parametrize("path", EVERY, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_each_layer_of_every_kind_of_file_decodes_alone(path) -> None:
    data = path.read_bytes()
    header = container.read(data).header
    files = layer_files.exported(data)
    description = files[layer_files.DESCRIPTION]
    for name in files.keys() & {"s.map", "s.flif"}:
        labels = layer_alone.decode_map(files[name])
        assert labels.shape == header.map_size
        again = layer_alone.encode_map(labels, name.removeprefix("s."))
        np.testing.assert_array_equal(layer_alone.decode_map(again), labels)
        if layer_alone.FORMS["map"][0] in name and "hand" not in str(container.read(data).entries):
            np.testing.assert_array_equal(labels, read_label_map(data))
    for name in files.keys() & {"c.bpg", "c.flif"}:
        pixels = layer_alone.decode_compact(files[name])
        np.testing.assert_array_equal(pixels, decode_stage(data, "compact").pixels)
    for name in files.keys() & {"r.bpg", "r.jxl"}:
        told = layer_alone.beside(description, name)
        assert told is not None
        if name == "r.jxl":
            with pytest.raises(UsageError, match="JPEG XL"):
                layer_alone.decode_residual(files[name], told=told)
            continue
        pixels = layer_alone.decode_residual(files[name], told=told)
        assert pixels.shape[:2] == (header.height, header.width)
        leans = told.terms is None or told.terms.trust > 0
        assert pixels.dtype == (np.int16 if leans else np.uint8)
    assert layer_alone.beside(description, "x.bpg") is None
    assert layer_alone.beside(description, "s.map") is None


def differences() -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.normal(0, 12, (24, 40, 3)).round().clip(-90, 90).astype(np.int16)


@pytest.mark.parametrize(("mapping", "off"), [("min-max", 12), ("fixed", 4), ("-255,255", 14)])
def test_differences_come_back_about_as_they_were(mapping: str, off: int) -> None:
    wanted = differences()
    data, used = layer_alone.encode_residual(wanted, 4, mapping)
    assert used is not None
    text = mapping if mapping == "fixed" else f"{used.least},{used.greatest}"
    found = layer_alone.decode_residual(data, layer_alone.mapping_of(text))
    if mapping != "fixed":  # their colours have half the size
        wanted, found = wanted.mean(2, keepdims=True), found.mean(2, keepdims=True)
    assert np.abs(found - wanted).mean() < off / 4
    assert np.abs(found - wanted).max() <= 4 * off
    one = wanted[..., 0].astype(np.int16)
    data, used = layer_alone.encode_residual(one, 4, mapping)
    assert np.abs(layer_alone.decode_residual(data, used) - one).mean() < off / 4


def test_what_is_no_residual_is_refused() -> None:
    for wrong in (differences().astype(np.uint8), differences() * 9):
        with pytest.raises(UsageError, match=r"int16 in -255\.\.255"):
            layer_alone.encode_residual(wrong.astype(wrong.dtype))
    for text in ("min", "5,-5", "-900,900", "1,2,3", "", "٣,٤x"):
        with pytest.raises(UsageError, match="least and the greatest"):
            layer_alone.mapping_of(text)
    with pytest.raises(UsageError, match="nothing says how"):
        layer_alone.decode_residual(layer_alone.encode_residual(differences())[0])
    with pytest.raises(FormatError):
        layer_alone.decode_map(b"FLIF")
    for data in (b"", b"BPG", b"FLIF11"):
        with pytest.raises(FormatError):
            layer_alone.decode_compact(data)
