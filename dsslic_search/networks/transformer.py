"""Segmenters of the `transformers` library: SegFormer, Mask2Former, MaskFormer, OneFormer, BEiT, DPT, UperNet
and their like.

What such a model needs is in its folder: config.json (architecture and labels), preprocessor_config.json and
weights. Its own image processor prepares the photo and turns the model's outputs, per-pixel scores or queries
with masks, into labels.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.cached import cached_property
from dsslic_search.core.dialect import Dialect, shipped
from dsslic_search.core.errors import DSSError, MissingExtraError, WeightsError
from dsslic_search.core.text import quoted
from dsslic_search.networks import hub
from dsslic_search.networks.labels import Label, check_outputs, own_dialect, read_labels
from dsslic_search.networks.outputs import outputs_of, stored_outputs

MAX_ASPECT = 8  # longer strips are squeezed: processors that ask for a shortest side would make them huge

# What label maps depend on: changing any of these files changes the identity.
_FILES = (
    "config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer*.json",
    "vocab.json",
    "merges.txt",
)


class _Loaded(NamedTuple):
    prepare: Callable[..., Any]  # picture → the model's inputs
    net: Any
    labels: Callable[..., Any]  # the model's outputs → label ids


class TransformersSegmenter:
    """The model in ``folder``; ``name`` is what the user calls it. See
    `networks.segmenter.open_segmenter`."""

    def __init__(
        self, folder: Path, name: str, *, classes: Path | None = None, own_classes: bool = False
    ) -> None:
        self.labels: tuple[Label, ...] = read_labels(folder, name, classes)
        self._folder, self._name = folder, name
        self.name = "" if classes or own_classes else name  # by which it is opened the same again
        self._dialect = own_dialect(self.labels, name) if own_classes else shipped()
        self._loading = threading.Lock()
        self._weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
        if not self._weights:
            raise WeightsError(f"{name}: no weights there (*.safetensors); download the whole model")
        if outputs := stored_outputs(self._weights):
            check_outputs(self.labels, outputs, name)

    def __getstate__(self) -> dict[str, object]:
        """As it goes to another process, which loads the model for itself."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_loading", "_model")}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._loading = threading.Lock()

    @cached_property
    def identity(self) -> str:
        """16 hex digits: SHA-256 of the model's files and of what its labels mean (8 bytes of it)."""
        whole = hashlib.sha256()
        try:
            for path in self._files():
                with path.open("rb") as f:
                    whole.update(f"{path.name} {hashlib.file_digest(f, 'sha256').hexdigest()}\n".encode())
        except OSError as e:
            raise WeightsError(f"{e.filename}: cannot be read ({e.strerror}); check its permissions") from e
        mapping = [[label.id, label.name, label.class_id] for label in self.labels]
        whole.update(json.dumps([mapping, self._dialect.vocabulary.identity]).encode())
        return whole.hexdigest()[:16]

    def _files(self) -> Iterator[Path]:
        yield from sorted({p for pattern in _FILES for p in self._folder.glob(pattern)})
        yield from self._weights

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    @cached_property
    def _table(self) -> NDArray[np.int16]:
        """Label id of the model → id in the label map; -1 where there is no such label."""
        table = np.full(self.labels[-1].id + 1, -1, np.int16)
        for i, label in enumerate(self.labels):
            table[label.id] = label.class_id if self._dialect.native else i
        return table

    def segment(self, pixels: NDArray[np.uint8], map_size: tuple[int, int]) -> NDArray[np.uint8]:
        """See `Segmenter`. Raises WeightsError when the model cannot be loaded or does not do what its files
        say."""
        return self.segment_with_certainty(pixels, map_size)[0]

    def segment_with_certainty(
        self, pixels: NDArray[np.uint8], map_size: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """See `SureSegmenter`. The probability of a class is that of all labels that mean it, as the model
        gives it, without calibration. Raises WeightsError as `segment` does."""
        import torch
        from PIL import Image

        loaded = self._loaded()
        picture = Image.fromarray(pixels)
        size = _bounded(*picture.size)
        if size != picture.size:
            picture = picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
        with torch.inference_mode():
            outputs = loaded.net(**loaded.prepare(picture))
            ids = loaded.labels(outputs, target_sizes=[map_size])[0].to(torch.int64).numpy()
            shares = _probabilities(outputs, map_size).numpy()
        inside = (ids >= 0) & (ids < self._table.size)
        found = np.where(inside, self._table[np.where(inside, ids, 0)], -1)
        if int(found.min()) < 0:
            raise WeightsError(
                f"{self._name}: gives labels that its config.json does not name (id2label); the model's "
                "files do not fit"
            )
        labels = found.astype(np.uint8)
        return labels, self._held(shares, labels)

    def _held(self, shares: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Of the probabilities of the model's labels, float32 [n, h, w], those of each pixel's class."""
        held = np.zeros(labels.shape, np.float32)
        for label_id, share in enumerate(shares[: self._table.size]):
            held += np.where(labels == self._table[label_id], share, 0)
        return np.clip(held, 0, 1)

    def _loaded(self) -> _Loaded:
        with self._loading:
            return self._model

    @cached_property
    def _model(self) -> _Loaded:
        try:
            import transformers
        except ImportError as e:
            raise MissingExtraError(f"{self._name}: {hub.EXTRA}") from e
        try:
            with _quiet(transformers):
                return self._load(transformers)
        except DSSError:
            raise
        except ImportError as e:
            raise MissingExtraError(
                f"{self._name}: needs a package that is not installed ({hub.first_line(e)})"
            ) from e
        except Exception as e:  # of any kind: the library reads files that anybody may have written
            raise WeightsError(f"{self._name}: this model cannot be loaded ({hub.first_line(e)})") from e

    def _load(self, transformers: Any) -> _Loaded:
        here: dict[str, Any] = {"local_files_only": True}
        config = transformers.AutoConfig.from_pretrained(self._folder, **here)
        kinds = {
            transformers.AutoModelForSemanticSegmentation: (
                transformers.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING
            ),
            transformers.AutoModelForUniversalSegmentation: (
                transformers.MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING
            ),
        }
        kind = next((k for k, mapping in kinds.items() if type(config) in mapping), None)
        if kind is None:
            raise WeightsError(
                f"{self._name}: models of type {quoted(str(config.model_type))} do not segment; give a "
                "SegFormer, Mask2Former or the like"
            )
        net, report = kind.from_pretrained(
            self._folder, config=config, output_loading_info=True, ignore_mismatched_sizes=True, **here
        )
        self._check_shapes(report["mismatched_keys"])
        if missing := sorted(report["missing_keys"]):
            raise WeightsError(
                f"{self._name}: {len(missing)} of its weights are missing ({missing[0]}, …); it was not "
                "trained to segment"
            )
        if config.model_type == "oneformer":
            here["class_info_file"] = None  # for training alone, and it would be looked for on the hub
        processor = transformers.AutoImageProcessor.from_pretrained(self._folder, **here)
        return _Loaded(
            _preparing(transformers, processor, config, self._folder),
            net.eval(),
            processor.post_process_semantic_segmentation,
        )

    def _check_shapes(self, mismatched: Iterable[tuple[str, Sequence[int], Sequence[int]]]) -> None:
        """WeightsError where layers, (name, shape stored, shape by config.json), do not have the shape that
        they should have."""
        layers = sorted((name, list(stored), list(wanted)) for name, stored, wanted in mismatched)
        for name, stored, _wanted in layers:
            if outputs := outputs_of(name, stored):
                check_outputs(self.labels, outputs, self._name)
        if layers:
            name, stored, wanted = layers[0]
            raise WeightsError(
                f"{self._name}: its weights and its config.json are of different models ({name} is {stored} "
                f"in the one and {wanted} in the other); take both files from the same model"
            )


def _probabilities(outputs: Any, map_size: tuple[int, int]) -> Any:
    """What a model thinks of each pixel of one photo: float32 tensor [labels, h, w], sums 1. Models with
    queries give each a class and a mask: a label's share is that of its masks, weighted (Cheng et al.
    2021)."""
    import torch.nn.functional as F

    def enlarged(grid: Any) -> Any:
        return F.interpolate(grid, map_size, mode="bilinear", align_corners=False)[0]

    if getattr(outputs, "class_queries_logits", None) is None:
        return enlarged(outputs.logits).softmax(0)
    classes = outputs.class_queries_logits.softmax(-1)[0, :, :-1]
    masks = enlarged(outputs.masks_queries_logits).sigmoid()
    shares = (classes.T @ masks.flatten(1)).view(classes.shape[1], *map_size)
    return shares / shares.sum(0).clamp(min=1e-6)


def _preparing(transformers: Any, processor: Any, config: Any, folder: Path) -> Callable[..., Any]:
    """Turns a picture into the model's inputs. OneFormer's have the task beside the photo, as text."""
    if config.model_type != "oneformer":
        return lambda picture: processor(images=picture, return_tensors="pt")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    whole = {
        "padding": "max_length",
        "max_length": config.task_seq_len,
        "truncation": True,
        "return_tensors": "pt",
    }
    task = tokenizer(["the task is semantic"], **whole)["input_ids"]
    return lambda picture: {**processor(images=picture, return_tensors="pt"), "task_inputs": task}


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Without the library's progress bars and advice, which are for people who train."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _bounded(width: int, height: int) -> tuple[int, int]:
    """(width, height) at most `MAX_ASPECT` to 1."""
    return min(width, height * MAX_ASPECT), min(height, width * MAX_ASPECT)
