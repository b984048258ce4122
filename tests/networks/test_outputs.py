"""How many classes weights tell apart: the last layers of the library's segmenters, and headers of files."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from dsslic_search.networks.outputs import Outputs, outputs_of, stored_outputs


@pytest.mark.skipif(
    find_spec("transformers") is None, reason="needs the extra: pip install 'dsslic-search[transformers]'"
)
@pytest.mark.parametrize(
    "kind",
    ["beit", "data2vec-vision", "dpt", "eomt", "maskformer", "mobilenet_v2", "mobilevit", "upernet"],
)
def test_the_last_layer_is_known(kind: str):
    """Of models as the library makes them, without any memory for their weights."""
    import torch
    import torch._dynamo  # models import it, and torch 2.6 cannot make it without memory
    import transformers

    more = {"out_indices": [3, 5, 7, 11]} if kind == "beit" else {}
    config = transformers.AutoConfig.for_model(kind, num_labels=7, **more)
    universal = kind in ("eomt", "maskformer")
    open_as = (
        transformers.AutoModelForUniversalSegmentation
        if universal
        else transformers.AutoModelForSemanticSegmentation
    )
    with torch.device("meta"):
        net = open_as.from_config(config)
    found = [outputs_of(name, tensor.shape) for name, tensor in net.named_parameters()]
    assert [each.classes for each in found if each is not None] == [7]


def stored(path: Path, tensors: dict[str, list[int]]) -> Path:
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            **{
                name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}
                for name, shape in tensors.items()
            },
        }
    ).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path


def test_headers_of_one_file_or_of_several(tmp_path: Path):
    first = stored(tmp_path / "model-1.safetensors", {"auxiliary_head.classifier.weight": [9, 4], "a": []})
    second = stored(tmp_path / "model-2.safetensors", {"decode_head.classifier.weight": [21, 8, 1, 1]})
    assert stored_outputs([first]) is None
    assert stored_outputs([first, second]) == Outputs(21, "decode_head.classifier.weight")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x02\0\0\0\0\0\0\0[]", b"\xff" * 40, b"\x20\0\0\0\0\0\0\0{", b'\x07\0\0\0\0\0\0\0{"a":1}'],
)
def test_what_is_no_such_file_says_nothing(content: bytes, tmp_path: Path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert stored_outputs([path, tmp_path / "missing.safetensors"]) is None
