"""Tiny models of the `transformers` library with random weights, saved as real ones are; they see one class
wherever they look."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

if find_spec("transformers") is None:  # it takes two seconds to load, so whoever needs a model does
    pytest.skip("needs the extra: pip install 'dsslic-search[transformers]'", allow_module_level=True)

LABELS = ("wall", "building, edifice", "sky-other-merged", "grass-merged", "kangaroo", "person")


def _labels(labels: tuple[str, ...]) -> dict[str, Any]:
    return {"id2label": dict(enumerate(labels)), "label2id": {name: i for i, name in enumerate(labels)}}


def _swin() -> Any:
    import transformers

    stages = [f"stage{i}" for i in (1, 2, 3, 4)]
    return transformers.SwinConfig(
        image_size=64,
        embed_dim=8,
        depths=[1] * 4,
        num_heads=[1] * 4,
        window_size=2,
        mlp_ratio=1,
        out_features=stages,
    )


_SMALL: dict[str, Any] = {
    "hidden_dim": 32,
    "encoder_feedforward_dim": 16,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "num_attention_heads": 2,
    "dim_feedforward": 16,
    "num_queries": 4,
}


def _favour(layer: Any, output: int | None) -> None:
    """Make a linear layer or 1×1 convolution prefer an output whatever it is given."""
    import torch

    if output is not None:
        with torch.no_grad():
            layer.weight.mul_(0.01)
            layer.bias.zero_()
            layer.bias[output] = 10


def segformer(folder: Path, *, sees: int | None = None, labels: tuple[str, ...] = LABELS) -> Path:
    """A SegFormer: scores for each pixel."""
    import transformers

    sizes = {
        "depths": [1] * 4,
        "hidden_sizes": [8, 16, 16, 16],
        "num_attention_heads": [1] * 4,
        "decoder_hidden_size": 16,
    }
    net = transformers.SegformerForSemanticSegmentation(
        transformers.SegformerConfig(**sizes, **_labels(labels))
    )
    _favour(net.decode_head.classifier, sees)
    net.save_pretrained(folder)
    transformers.SegformerImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def mask2former(folder: Path, *, sees: int | None = None) -> Path:
    """A Mask2Former: queries, each with a mask and scores for its class."""
    import transformers

    config = transformers.Mask2FormerConfig(
        backbone_config=_swin(), feature_size=32, mask_feature_size=32, **_SMALL, **_labels(LABELS)
    )
    net = transformers.Mask2FormerForUniversalSegmentation(config)
    _favour(net.class_predictor, sees)
    net.save_pretrained(folder)
    size = {"shortest_edge": 64, "longest_edge": 96}
    transformers.Mask2FormerImageProcessorPil(size=size, size_divisor=32).save_pretrained(folder)
    return folder


def oneformer(folder: Path, *, sees: int | None = None) -> Path:
    """A OneFormer, which is given its task as text; its image processor speaks of a file on the hub, as the
    published ones do."""
    import transformers

    text = {
        f"text_encoder_{name}": value
        for name, value in (("width", 256), ("num_layers", 1), ("vocab_size", 64), ("n_ctx", 4))
    }
    config = transformers.OneFormerConfig(
        backbone_config=_swin(),
        conv_dim=32,
        mask_dim=32,
        query_dec_layers=1,
        **text,
        **_SMALL,
        **_labels(LABELS),
    )
    net = transformers.OneFormerForUniversalSegmentation(config)
    _favour(net.model.transformer_module.decoder.class_embed, sees)
    net.save_pretrained(folder)
    classes = folder / "classes.json"
    classes.write_text(json.dumps({str(i): {"name": name, "isthing": 0} for i, name in enumerate(LABELS)}))
    size = {"shortest_edge": 64, "longest_edge": 96}
    processor = transformers.OneFormerImageProcessorPil(
        size=size, repo_path=str(folder), class_info_file=classes.name, num_text=1
    )
    processor.save_pretrained(folder)
    classes.unlink()
    saved = folder / "preprocessor_config.json"
    saved.write_text(saved.read_text().replace(json.dumps(str(folder)), '"owner/data"'))
    letters = "abcdefghijklmnopqrstuvwxyz"
    tokens = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    transformers.CLIPTokenizer(vocab={token: i for i, token in enumerate(tokens)}, merges=[]).save_pretrained(
        folder
    )
    return folder
