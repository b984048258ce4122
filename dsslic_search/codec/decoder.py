"""Decoding: each stage of a .dsslic file from the first bytes of it that hold the stage."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import container, prediction
from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.codec.container import Contents
from dsslic_search.codec.layers import (
    alpha,
    axes,
    certainty,
    class_list,
    compact,
    label_map,
    lossless,
    metadata,
    normalised,
    original,
    people,
    provenance,
    residual,
    words,
)
from dsslic_search.codec.layers.people import PeoplesMap
from dsslic_search.codec.layers.planes import read_planes
from dsslic_search.codec.layers.terms import SIXTY_FOURTHS, read_terms
from dsslic_search.codec.picture.raster import Embedded
from dsslic_search.core import dialect, vocabulary
from dsslic_search.core.cached import cached_property
from dsslic_search.core.certainty import CERTAIN
from dsslic_search.core.dialect import Dialect
from dsslic_search.core.errors import FormatError, StageError
from dsslic_search.core.kinds import KeepMode, Stage
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.features.image_words import ImageWords
from dsslic_search.networks import grid, runtime
from dsslic_search.networks.grid import SCALE


class Decoded(NamedTuple):
    """``pixels`` uint8 [H, W, 3], [H, W] (greyscale) or, at the map stage, class ids [H, W] of
    ``vocabulary``; ``alpha`` uint8 or None."""

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    vocabulary: Vocabulary | None = None


def decode_stage(data: bytes, stage: str = Stage.FULL, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Decoded:
    """One stage of a file from its bytes, or from the prefix of them that holds the stage.

    "map": class ids at the photo's size, and their vocabulary. "compact": the compact image at its own size.
    "coarse": FineNet's picture, by the weights made for being looked at. "full": with the residual (keep mode
    layers) or the original (exact). FormatError when bytes are damaged, StageError when the stage is not
    there or needs network weights that are not here, UsageError when there is no such stage.
    """
    stage = Stage.named(stage)
    contents = container.read_contents(data)
    header = contents.header
    if header.width * header.height > max_pixels:
        raise FormatError(
            f"{header.width}×{header.height} pixels are more than the limit of {max_pixels}; raise "
            "DSS_MAX_PIXELS to allow it"
        )
    contents.stage_bytes(stage)
    if len(data) > contents.total:
        raise FormatError(f"{len(data) - contents.total} bytes too many at the end of the .dsslic file")
    file = _Decoding(data, contents)
    if stage is Stage.MAP:
        labels, spoken = file.shown
        return Decoded(file.enlarged(labels), vocabulary=spoken.vocabulary)
    if stage is Stage.COMPACT:
        return Decoded(file.compact[..., 0] if header.grey else file.compact)
    if stage is Stage.COARSE:
        return Decoded(file.coarse(runtime.SHOWN, header.finenet if header.keep is KeepMode.COARSE else None))
    if header.keep is KeepMode.EXACT:
        return _decode_original(read_original(data, contents), max_pixels)
    coded = file.chunk(alpha.LAYER)
    opacity = None if coded is None else alpha.decode(coded, file.size)
    return Decoded(file.photo(), opacity)


def read_label_map(prefix: bytes, contents: Contents | None = None) -> NDArray[np.uint8]:
    """The label map that is shown, uint8 [h, w] at the map's own scale, from the first bytes of a file (at
    least ``stage_bytes("map")``): people's, where there is one.

    Its ids are of a vocabulary of its own, see :func:`read_dialect`.
    """
    contents = contents or container.read_contents(prefix)
    contents.stage_bytes(Stage.MAP)
    return _Decoding(prefix, contents).shown.labels


def read_segmented(prefix: bytes) -> NDArray[np.uint8]:
    """The segmenter's label map, uint8 [h, w] in the class list in use, from the first bytes of a file (at
    least ``stage_bytes("map")``), be there people's or not."""
    contents = container.read_contents(prefix)
    contents.stage_bytes(Stage.MAP)
    file = _Decoding(prefix, contents)
    return file.dialect.meant(file.labels)


class Base(NamedTuple):
    """What the base layer tells in terms of the shipped vocabulary: the label map, uint8 [h, w], and how sure
    the segmenter was of its classes, 0..255 by class id, where the file says so."""

    label_map: NDArray[np.uint8]
    certainties: dict[int, int]
    words: ImageWords | None


def read_base(prefix: bytes) -> Base:
    """The base layer of a file, whatever the vocabulary of its own, from the first bytes of it."""
    contents = container.read_contents(prefix)
    contents.stage_bytes(Stage.MAP)
    file = _Decoding(prefix, contents)
    meant = file.shown.dialect.meant(file.shown.labels)
    known: dict[int, int] = {}
    if file.people is not None:
        known = dict.fromkeys(np.unique(meant).tolist(), CERTAIN)
    elif file.certainty is not None:
        known = certainty.by_meaning(file.labels, file.certainty, file.dialect)
    return Base(meant, known, read_words(prefix, contents))


def read_certainty(prefix: bytes, contents: Contents | None = None) -> dict[str, float] | None:
    """How sure the segmenter was of each class that the label map shows, 0..1 by the class's name in the
    file's own vocabulary, but of ``other``, which is what it was not sure of. None where the file does not
    say, and where people's label map is shown. From the bytes that hold the base layer."""
    contents = contents or container.read_contents(prefix)
    contents.stage_bytes(Stage.MAP)
    file = _Decoding(prefix, contents)
    if file.certainty is None or file.people is not None:
        return None
    classes = file.dialect.vocabulary.classes
    shown = np.unique(file.labels)
    if shown[-1] >= len(classes):
        raise FormatError("the label map holds class ids that the vocabulary does not have")
    return {
        classes[i].name: round(sure / CERTAIN, 4)
        for i, sure in zip(shown.tolist(), file.certainty.tolist(), strict=True)
        if not (file.dialect.native and i == vocabulary.OTHER)
    }


def read_words(prefix: bytes, contents: Contents | None = None) -> ImageWords | None:
    """What the whole photo shows, from the first bytes of a file (as many as its ``base_bytes``); None where
    the file does not say."""
    coded = container.read_chunk(prefix, contents or container.read_contents(prefix), words.LAYER.kind)
    return None if coded is None else words.decode(coded)


def read_dialect(prefix: bytes, contents: Contents | None = None) -> Dialect:
    """The vocabulary of the label map that is shown of a file and what its classes mean, from the first bytes
    of the file (as many as hold the label map). StageError when nothing here knows it."""
    file = _Decoding(prefix, contents or container.read_contents(prefix))
    return file.dialect if file.people is None else file.people.dialect


def network_marks(data: bytes, contents: Contents) -> NDArray[np.int64]:
    """The labels as FineNet and the restoration take them, int64, four photo pixels apart: in the numbers
    that the class list in the file says; without one, where the picture depends on networks, the map's own
    ids; else what the words of its vocabulary mean."""
    return _Decoding(data, contents).marks


def read_original(data: bytes, contents: Contents | None = None) -> bytes:
    """The original file, bit for bit, of a file in keep mode "exact"; StageError in the others."""
    contents = contents or container.read_contents(data)
    packed = container.read_chunk(data, contents, original.LAYER.kind)
    if packed is None:
        raise StageError(f'this file does not hold the original (keep mode "{contents.header.keep}")')
    return original.decode(packed, container.read_chunk(data, contents, original.HASH.kind))


def read_embedded(data: bytes) -> Embedded:
    """What is kept of a photo's metadata with a file in mode "layers"; a colour profile only by versions
    before 0.3."""
    contents = container.read_contents(data)
    found = {}
    for name, layer in metadata.OF_EMBEDDED.items():
        packed = container.read_chunk(data, contents, layer.kind)
        found[name] = b"" if packed is None else metadata.decode(layer, packed)
    return Embedded(**found)


def read_source(data: bytes, contents: Contents | None = None) -> tuple[int, tuple[str, ...]]:
    """Bits of a channel in the photo's file, and remarks on how it was read; (8, ()) where there are none."""
    packed = container.read_chunk(data, contents or container.read_contents(data), provenance.LAYER.kind)
    return (8, ()) if packed is None else provenance.decode(packed)


def _decode_original(file: bytes, max_pixels: int) -> Decoded:
    from dsslic_search.codec.picture.open import open_photo

    photo = open_photo(file, "the original in this file", max_pixels)
    return Decoded(photo.pixels[..., 0] if photo.grey else photo.pixels, photo.alpha)


class _Decoding:
    """The layers of one file, each decoded when it is first asked for and once."""

    def __init__(self, data: bytes, contents: Contents) -> None:
        self.data, self.contents, self.header = data, contents, contents.header
        self.size = self.header.height, self.header.width

    def chunk(self, layer: Layer) -> Chunk | None:
        return container.read_chunk(self.data, self.contents, layer.kind)

    def _needed(self, layer: Layer) -> Chunk:
        """A chunk without which the stage cannot be made; StageError where the file lacks it, which only one
        that this program did not write does."""
        found = self.chunk(layer)
        if found is None:
            raise StageError(f"this file lacks {layer.name} ({layer.kind}), which is needed to show it")
        return found

    @cached_property
    def labels(self) -> NDArray[np.uint8]:
        """uint8 [h, w], ids of the file's own vocabulary."""
        return label_map.decode(self._needed(label_map.LAYER), self.header.map_size)

    @cached_property
    def people(self) -> PeoplesMap | None:
        """What people say instead."""
        chunk = self.chunk(people.LAYER)
        return None if chunk is None else people.decode(chunk, self.header.map_size)

    @cached_property
    def shown(self) -> PeoplesMap:
        """The label map that is shown and searched."""
        return self.people or PeoplesMap(self.labels, self.dialect)

    @cached_property
    def certainty(self) -> NDArray[np.uint8] | None:
        """One byte for each class that the labels show, by id."""
        chunk = self.chunk(certainty.LAYER)
        return None if chunk is None else certainty.decode(chunk, self.labels)

    @cached_property
    def dialect(self) -> Dialect:
        identity = self.header.vocabulary
        listed = self.chunk(class_list.LAYER) if identity != vocabulary.built_in().identity else None
        if listed is not None:
            return class_list.decode(listed, identity)
        found = dialect.known(identity)
        if found is None:
            raise StageError(
                f"the label map speaks of vocabulary {identity}, which is not known here: put its vocabulary "
                "file into the folder that DSS_VOCABULARIES names"
            )
        return found

    @cached_property
    def marks(self) -> NDArray[np.int64]:
        """As :func:`network_marks` says."""
        labels = self.labels
        if self.contents.find(class_list.LAYER.kind) or self.header.keep.needs_original:
            labels = self.dialect.marked(labels)
        if int(labels.max()) >= len(vocabulary.built_in()):
            raise FormatError("the label map holds class ids that the vocabulary does not have")
        return grid.network_labels(labels, self.header.map_scale, self.header.compact_size)

    @cached_property
    def compact(self) -> NDArray[np.uint8]:
        """ĉ, uint8 [h, w, 3]."""
        chunk = self._needed(compact.LAYER)
        return compact.decode(chunk, self.header.grey, self.header.compact_size)

    def enlarged(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return label_map.enlarge(labels, self.header.map_scale, *self.size)

    def coarse(self, network: str, identity: str | None) -> NDArray[np.uint8]:
        """x′; ``network`` and ``identity`` as for :func:`prediction.coarse_image`."""
        self._check_scale()
        return prediction.coarse_image(
            self.compact, self.marks, self.size, self.header.grey, network, identity
        )

    def _check_scale(self) -> None:
        """StageError unless the networks here are made for the scale of the compact image."""
        if self.header.compact_scale != SCALE:
            raise StageError(
                f"compact scale 1/{self.header.compact_scale} is not the 1/{SCALE} of the networks here"
            )

    def photo(self) -> NDArray[np.uint8]:
        """From the residual's layer."""
        chunk, grey = self._needed(residual.LAYER), self.header.grey
        residual.LAYER.check(chunk)
        if chunk.codec == residual.JPEG_XL:
            return lossless.decode(chunk, self.size, grey)
        if chunk.codec == residual.NORMALISED:
            return normalised.decode(chunk, self._under_residual())
        if chunk.codec == residual.FIRST_BPG:
            return residual.decode_first(chunk, self._under_residual(), grey)
        terms, picture = read_terms(chunk.data, grey)
        coarse = self._under_residual() if terms.trust else None
        labels = self.enlarged(self.dialect.marked(self.labels)) if terms.gains else None
        planes = read_planes(picture, grey, axes.BIT_DEPTH, self.size)
        if not terms.strength:
            return residual.reconstruct_whole(planes, terms, coarse=coarse, labels=labels)
        self._check_scale()
        decoded = residual.reconstruct(planes, terms, coarse=coarse, labels=labels)
        del planes, coarse  # a large photo's take much memory
        strength = terms.strength / SIXTY_FOURTHS
        return runtime.restore(decoded, self.marks, self.header.residual_qp, strength, terms.restorer)

    def _under_residual(self) -> NDArray[np.uint8]:
        return self.coarse(runtime.UNDER_RESIDUAL, self.header.finenet)
