"""The DSSLIC codec: a photo to the bytes of one .dsslic file and back, stage by stage.

::

    photo ── SegNet ──► s ────────────────────────────────────────────────► SMAP (lossless)
      │                 ▲ what words rule out
      ├───── image words ─────────────────────────────────────────────────► word
      ├───── box average of 8×8 ─► c ── BPG 4:4:4 10-bit ─────────────────► COMP
      │                                    └─ decode ─► ĉ ─► x′ = FineNet(ĉ, s)
      └───── photo − w·x′ ──► r ── colour axes ── BPG 4:4:4 10-bit ───────► RESI

The loop is closed: the residual is taken from exactly what the decoder will have, and the restoration after
it is what the decoder does. Greyscale photos go the same way with c and r of one plane. In keep mode
"reference" there is no residual, and s and c are made of fewer pixels. c is what CompNet makes with the
weights that ship, without running it: see :mod:`dsslic_search.codec.reduction`. Each layer's coding and
decoding are in one module of :mod:`dsslic_search.codec.layers`; the way back is put together in
:mod:`dsslic_search.codec.decoder`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import container, fitting, prediction, reduction
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.header import Header
from dsslic_search.codec.layers import (
    alpha,
    axes,
    certainty,
    class_list,
    compact,
    importance,
    label_map,
    lossless,
    metadata,
    normalised,
    original,
    provenance,
    residual,
    words,
)
from dsslic_search.codec.layers.planes import read_planes
from dsslic_search.codec.layers.terms import NO_NETWORK, SIXTY_FOURTHS, Terms
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.codec.picture.stripping import Strip, stripped
from dsslic_search.codec.quality import Quantisers, effort, quantisers
from dsslic_search.codec.target import meet
from dsslic_search.core.cached import cached_property
from dsslic_search.core.dialect import Dialect
from dsslic_search.core.errors import UsageError
from dsslic_search.core.kinds import KeepMode, Profile, Tune
from dsslic_search.core.settings import LOSSLESS
from dsslic_search.core.vocabulary import built_in
from dsslic_search.features.image_words import ImageWords
from dsslic_search.networks import grid, objections, runtime
from dsslic_search.networks.grid import SCALE
from dsslic_search.networks.segmenter import SEGNET, Segmenter, SegNetSegmenter, segmented


@dataclass(frozen=True)
class Encoded:
    """One encoded photo. ``label_map``: class ids in the vocabulary of ``dialect``; ``certainties``: how sure
    the segmenter was of classes, 0..255, by their ids in the shipped vocabulary, where it tells; ``words``:
    what the whole photo shows; ``map_scale``: photo pixels per label, each way; ``map_bytes``: the prefix of
    ``data`` that holds the base layer; ``quality``: what it was encoded at; ``milliseconds`` per step."""

    data: bytes
    label_map: NDArray[np.uint8]
    certainties: dict[int, int]
    dialect: Dialect
    map_scale: int
    words: ImageWords
    map_bytes: int
    quality: int
    vocabulary: str
    segmenter: str
    milliseconds: dict[str, float] = field(default_factory=dict)


class _Clock:
    """Wall milliseconds between marks."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._last = time.perf_counter()

    def mark(self, name: str) -> None:
        now = time.perf_counter()
        self.spent[name] = self.spent.get(name, 0.0) + (now - self._last) * 1000
        self._last = now


def segment_photo(
    photo: SourcePhoto, scale: int | None = None, segmenter: Segmenter | None = None
) -> tuple[NDArray[np.uint8], int]:
    """(label map uint8 [h, w] in the ids of the segmenter's vocabulary, map scale) as :func:`encode_photo`
    would store them where no image words speak against regions (:mod:`dsslic_search.networks.objections`)."""
    scale = scale or label_map.scale_for(photo.height, photo.width)
    size = -(-photo.height // scale), -(-photo.width // scale)
    return (segmenter or SegNetSegmenter()).segment(photo.pixels, size), scale


def encode_photo(
    photo: SourcePhoto, options: EncodeOptions, original: bytes = b"", original_hash: str = ""
) -> Encoded:
    """Encode an opened photo; ``original``, the bytes of its file, is needed by keep modes "exact" and
    "reference". ``original_hash``: their SHA-256 in hex where that is known.

    TargetError where a target cannot be met by any quality, UsageError where those bytes are missing.
    """
    if options.mode in (KeepMode.EXACT, KeepMode.REFERENCE) and not original:
        raise UsageError(f'keep mode "{options.mode}" needs the bytes of the original file')
    work = _Encoding(photo, options)
    if options.target is None:
        return work.at(options.quality, original, original_hash)
    return meet(options.target, work.wanted, work.at)


class _Encoding:
    """One photo in the encoder: what all qualities have in common is made once."""

    def __init__(self, photo: SourcePhoto, options: EncodeOptions) -> None:
        self.options, self.clock = options, _Clock()
        self.profile = Profile(options.profile)
        self.size = photo.height, photo.width
        photo = reduction.reduced(photo, reduction.shrink_for(*self.size, options))
        self.photo = photo
        self.segmenter = options.chosen_segmenter()
        self.dialect = self.segmenter.dialect
        self.scale = options.map_scale or label_map.scale_for(photo.height, photo.width)
        size = -(-photo.height // self.scale), -(-photo.width // self.scale)
        self.labels, probabilities = segmented(self.segmenter, photo.pixels, size)
        self.clock.mark("segment")
        self.words, of_words = words.look(photo.pixels)
        if probabilities is not None and self.segmenter.identity == runtime.identity(SEGNET):
            self.labels, probabilities = objections.heed(self.labels, probabilities, of_words)
        self.clock.mark("words")
        spoken = self.dialect.vocabulary.identity
        self.base_chunks = [] if spoken == built_in().identity else [class_list.encode(self.dialect)]
        self.base_chunks.append(label_map.encode(self.labels, as_flif=self.profile.is_paper))
        self.certainties: dict[int, int] = {}
        if probabilities is not None:
            sure = certainty.encode(self.labels, probabilities)
            self.base_chunks.append(sure)
            known = certainty.decode(sure, self.labels)
            self.certainties = certainty.by_meaning(self.labels, known, self.dialect)
        self.base_chunks.append(words.encode(self.words))
        self.clock.mark("map")
        made = (
            reduction.box_average(photo)
            if options.mode is KeepMode.REFERENCE
            else reduction.compact_image(photo.pixels)
        )
        self.compact = prediction.luma(made) if photo.grey else made
        self.clock.mark("average")
        self.wanted = photo.pixels[..., 0] if photo.grey else photo.pixels
        self.effort = effort(options.effort)

    def at(self, quality: int, source: bytes = b"", source_hash: str = "") -> Encoded:
        """The whole file at one quality; ``source``: the original file's bytes, ``source_hash``: their
        SHA-256."""
        photo, mode = self.photo, self.options.mode
        qps = quantisers(quality)
        coded = self._compact(qps)
        self.clock.mark("compact")
        chunks, finenet, qp = [*self.base_chunks, coded], NO_NETWORK, qps.residual
        compact_qp = 0 if self.profile.is_paper else qps.compact
        if mode is KeepMode.LAYERS:
            if quality == LOSSLESS:
                chunks.append(lossless.encode(np.ascontiguousarray(self.wanted), self.options.effort))
                qp = 0
            else:
                residual_of = self._normalised if self.profile.is_paper else self._residual
                layer, finenet, qp = residual_of(coded, qps)
                chunks.append(layer)
                if self._may_be_finer(quality, finenet):
                    size = sum(len(chunk.data) for chunk in chunks)
                    chunks[-2], compact_qp = fitting.finer_compact(self.compact, coded, qps.compact, size)
            chunks += self._beside_the_pixels()
            self.clock.mark("residual")
        elif mode is KeepMode.COARSE:
            finenet = runtime.identity(runtime.SHOWN)
        else:
            chunks += _originals(mode, source, source_hash)
            self.clock.mark("original")
        remarks = (*photo.remarks, *provenance.clip_remark(photo.clip_bytes, mode))
        if remarks:
            chunks.append(provenance.encode(photo.bits or 8, remarks))
        header = Header(
            width=photo.width,
            height=photo.height,
            grey=photo.grey,
            keep=mode,
            map_scale=self.scale,
            compact_scale=SCALE,
            quality=quality,
            compact_qp=compact_qp,
            residual_qp=qp,
            vocabulary=self.dialect.vocabulary.identity,
            segmenter=self.segmenter.identity,
            finenet=finenet,
        )
        data = container.pack(header, chunks)
        return Encoded(
            data,
            self.labels,
            self.certainties,
            self.dialect,
            self.scale,
            self.words,
            container.read_contents(data).base_bytes,
            quality,
            header.vocabulary,
            header.segmenter,
            dict(self.clock.spent),
        )

    def _compact(self, qps: Quantisers) -> Chunk:
        if self.profile.is_paper:
            return compact.encode_as_flif(self.compact)
        quickly = self.options.mode is KeepMode.REFERENCE or not self.effort.fit
        return compact.encode(self.compact, qps.compact, quickly=quickly)

    def _may_be_finer(self, quality: int, finenet: str) -> bool:
        """Whether the compact image may be coded anew: where it is coarse, and no residual was taken from
        it."""
        fitted = self.effort.fit and not self.profile.is_paper
        return fitted and quality <= fitting.FINER_UP_TO_QUALITY and finenet == NO_NETWORK

    def _beside_the_pixels(self) -> list[Chunk]:
        """Opacity and metadata, where the photo has them."""
        photo, kept = self.photo, stripped(self.photo.kept, Strip(self.options.strip))
        chunks = [] if photo.alpha is None else [alpha.encode(photo.alpha)]
        found = ((metadata.EXIF, kept.exif), (metadata.XMP, kept.xmp), (metadata.IPTC, kept.iptc))
        return chunks + [metadata.encode(layer, data) for layer, data in found if data]

    @cached_property
    def _marks(self) -> NDArray[np.int64]:
        """What the networks are told of the labels."""
        cells = -(-self.photo.height // SCALE), -(-self.photo.width // SCALE)
        return grid.network_labels(self.dialect.marked(self.labels), self.scale, cells)

    @cached_property
    def _axes(self) -> axes.Axes | None:
        return None if self.photo.grey else axes.principal(self.photo.pixels)

    def _residual(self, coded_compact: Chunk, qps: Quantisers) -> tuple[Chunk, str, int]:
        """The residual, the FineNet it depends on, and its QP."""
        marked = self.dialect.marked(self.labels)
        gains, shift = importance.gains(self.options.importance, marked)
        qp = int(np.clip(round(qps.residual + shift), 0, 51))
        labels = None if gains is None else label_map.enlarge(marked, self.scale, *self.size)
        trusts = (SIXTY_FOURTHS,) if gains else self.effort.trusts
        coarse = self._coarse(coded_compact) if any(trusts) else None
        tried = []
        for trust in trusts:
            terms = Terms(trust, axes=self._axes, gains=gains)
            picture = residual.encode_picture(
                self.wanted,
                qp,
                terms,
                coarse=coarse,
                labels=labels,
                preset=self.effort.preset,
                search=fitting.search_for(self.wanted, self.effort.search),
                tune=Tune(self.options.tune),
            )
            cost = 0.0
            if len(trusts) > 1:
                planes = self._planes(picture)
                cost = fitting.rate_distortion_cost(self.wanted, picture, planes, terms, coarse, qp)
            tried.append((cost, terms, picture))
        _, terms, picture = min(tried, key=lambda each: each[0])
        if gains is None:  # where the step differs from class to class, the network would not know which
            terms = self._restored(terms, picture, coarse, qp)
        finenet = runtime.identity(runtime.UNDER_RESIDUAL) if terms.trust else NO_NETWORK
        return residual.chunk(terms, picture), finenet, qp

    def _normalised(self, coded_compact: Chunk, qps: Quantisers) -> tuple[Chunk, str, int]:
        """The same as the paper has it."""
        kind = normalised.FIXED if self.profile is Profile.PAPER_444 else normalised.MIN_MAX
        coarse, preset = self._coarse(coded_compact), self.effort.preset
        layer, qp = normalised.encode(self.wanted, coarse, kind, qps.residual, preset)
        return layer, runtime.identity(runtime.UNDER_RESIDUAL), qp

    def _coarse(self, coded_compact: Chunk) -> NDArray[np.uint8]:
        """x′ as the decoder will have it."""
        grey = self.photo.grey
        decoded = compact.decode(coded_compact, grey)
        made = prediction.coarse_image(decoded, self._marks, self.size, grey, runtime.UNDER_RESIDUAL)
        self.clock.mark("finenet")
        return made

    def _restored(self, terms: Terms, picture: bytes, coarse: NDArray[np.uint8] | None, qp: int) -> Terms:
        """The terms with the restoration that suits the decoded picture."""
        strength = SIXTY_FOURTHS
        if self.effort.fit:
            planes = self._planes(picture)
            strength = fitting.restoration_strength(self.wanted, planes, terms, coarse, self._marks, qp)
        restorer = runtime.identity("restorer") if strength else NO_NETWORK
        return replace(terms, strength=strength, restorer=restorer)

    def _planes(self, picture: bytes) -> tuple[NDArray[np.uint16], ...]:
        return read_planes(picture, self.photo.grey, axes.BIT_DEPTH, self.size)


def _originals(mode: KeepMode, source: bytes, source_hash: str) -> list[Chunk]:
    hashed = original.encode_hash(source, source_hash)
    return [hashed, original.encode(source)] if mode is KeepMode.EXACT else [hashed]
