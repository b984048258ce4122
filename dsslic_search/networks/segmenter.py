"""What makes label maps: one small interface, SegNet behind it by default, other models beside it.

Anything with these three members can be given to `Archive.ingest`, `encode` and `EncodeOptions`; see
docs/segmenters.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core import dialect, vocabulary
from dsslic_search.core.dialect import Dialect
from dsslic_search.core.errors import UsageError, WeightsError
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.look import PLAINLY, Look

SEGNET = "segnet"
WEIGHTS = ".safetensors"


class Segmenter(Protocol):
    """Turns photos into label maps; its methods may be called from several threads at once.

    One that has a method ``working_size(height, width) -> (height, width)`` too, the size that it resizes a
    photo of that size to, is given photos of fewer pixels, but at least twice as many each way, where no
    larger ones are needed (:mod:`dsslic_search.codec.reduction`). One that knows how sure it is has a method
    ``segment_with_certainty``, too: see `SureSegmenter`."""

    @property
    def identity(self) -> str:
        """16 hex digits naming all that the label maps depend on: weights and how their classes are
        mapped."""

    @property
    def dialect(self) -> Dialect:
        """The vocabulary whose ids the label maps hold, and what its classes mean in the shipped one."""

    def segment(self, pixels: NDArray[np.uint8], map_size: tuple[int, int]) -> NDArray[np.uint8]:
        """Parse a photo, uint8 [H, W, 3] sRGB, into class ids, uint8 [h, w] = ``map_size``, both at least
        1."""


@runtime_checkable
class SureSegmenter(Protocol):
    """A segmenter that tells how sure it is of each label."""

    def segment_with_certainty(
        self, pixels: NDArray[np.uint8], map_size: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """What ``segment`` gives for the same photo, and for each label, float32 [h, w], the probability that
        it is right, 0..1."""


def segmented(
    segmenter: Segmenter, pixels: NDArray[np.uint8], map_size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
    """The label map of a photo, and the probability of each label; None where the segmenter knows none."""
    if isinstance(segmenter, SureSegmenter):
        return segmenter.segment_with_certainty(pixels, map_size)
    return segmenter.segment(pixels, map_size), None


class SegNetSegmenter:
    """The network that ships with the package. Its identity does not tell how closely it looks: that is a
    choice of effort."""

    name = SEGNET

    def __init__(self, look: Look = PLAINLY) -> None:
        self._look = look

    @property
    def identity(self) -> str:
        return runtime.identity(SEGNET)

    @property
    def dialect(self) -> Dialect:
        return dialect.built_in()

    def working_size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) that a photo of that size is resized to before it is looked at."""
        return runtime.working_size(height, width, self._look.area or runtime.network(SEGNET).config.area)

    def segment(self, pixels: NDArray[np.uint8], map_size: tuple[int, int]) -> NDArray[np.uint8]:
        return self.segment_with_certainty(pixels, map_size)[0]

    def segment_with_certainty(
        self, pixels: NDArray[np.uint8], map_size: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        return runtime.segment(pixels, map_size, self._look)


class TrainedSegmenter(SegNetSegmenter):
    """A SegNet of one's own: the weights in a file that `train segnet` wrote, for any class list."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file.resolve()
        config = runtime.network_of(SEGNET, self._file).config
        told = str(config.vocabulary)
        try:
            self._dialect = dialect.by_words(vocabulary.parse(told)) if told else dialect.built_in()
            listed = len(self._dialect.vocabulary)
            if config.classes > listed:
                raise ValueError(f"it names {listed} classes, and the network tells {config.classes} apart")
        except (ValueError, KeyError, TypeError, AttributeError) as e:
            raise WeightsError(f"{file}: its class list is none ({e}); train it anew") from e
        self.name = file.stem

    @property
    def identity(self) -> str:
        return weights.identity(self._file)

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    def working_size(self, height: int, width: int) -> tuple[int, int]:
        return runtime.working_size(height, width, runtime.network_of(SEGNET, self._file).config.area)

    def segment_with_certainty(
        self, pixels: NDArray[np.uint8], map_size: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        return runtime.segment(pixels, map_size, file=self._file)


def open_segmenter(name: str, *, classes: Path | None = None, own_classes: bool = False) -> Segmenter:
    """The segmenter of that name: "segnet"; a file of weights, which ends in .safetensors, of a SegNet of
    one's own; else a folder, or the name on the model hub, of a `transformers` model.

    ``classes``: a JSON file that says what the model's labels mean, {"label": "class"}, where the rules of
    `naming` do not do. ``own_classes``: keep the model's classes in the label maps. Nothing but a model's
    description is read before it is used; a model from the hub is downloaded first. Raises WeightsError when
    there is no such model or it is none that segments, UsageError for options that do not fit it,
    MissingExtraError when `transformers` is not installed.
    """
    if name == SEGNET:
        if classes or own_classes:
            raise UsageError(
                "segnet has the classes of this package; a file of classes, or classes of its own, are for "
                "other segmenters"
            )
        return SegNetSegmenter()
    if name.endswith(WEIGHTS):
        if classes or own_classes:
            raise UsageError(
                f"{name}: its weights say what its classes are; leave the options of classes out"
            )
        return TrainedSegmenter(Path(name))
    from dsslic_search.networks.hub import find_model
    from dsslic_search.networks.transformer import TransformersSegmenter

    return TransformersSegmenter(find_model(name), name, classes=classes, own_classes=own_classes)


def chosen(segmenter: Segmenter | str | None) -> Segmenter | None:
    """A segmenter as people give it: the thing itself, its name (see `open_segmenter`), or None for the
    default."""
    return open_segmenter(segmenter) if isinstance(segmenter, str) else segmenter
