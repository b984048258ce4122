"""The DSSLIC codec: a photo to the bytes of one .dsslic file and back, stage by stage.

::

    photo ── SegNet ──► s ────────────────────────────────────────────────► SMAP (lossless)
      ├───── CompNet(photo, s) ──► c ── BPG 4:4:4 10-bit ─────────────────► COMP
      │                                    └─ decode ─► ĉ ─► x′ = FineNet(ĉ, s)
      └───── photo − w·x′ ──► r ── colour axes ── BPG 4:4:4 10-bit ───────► RESI

The loop is closed: the residual is taken from exactly what the decoder will have, and the restoration after
it is what the decoder does. Greyscale photos go the same way with c and r of one plane. Decoding is in
:mod:`dsslic_search.codec.decoder`.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import container, decoder
from dsslic_search.codec.bpg import file as bpg
from dsslic_search.codec.bpg.colour import bands
from dsslic_search.codec.container import Chunk, Header
from dsslic_search.codec.decoder import (
    Decoded,
    decode_stage,
    enlarge_map,
    luma,
    read_dialect,
    read_label_map,
    read_meanings,
    read_metadata,
    read_original,
)
from dsslic_search.codec.layers import axes, class_list, importance, lossless, residual
from dsslic_search.codec.layers import original as exact
from dsslic_search.codec.layers.label_map import coder as label_map
from dsslic_search.codec.layers.residual import NO_NETWORK, Terms
from dsslic_search.codec.options import EncodeOptions, Target
from dsslic_search.codec.picture.open import Photo
from dsslic_search.codec.quality import Quantisers, effort, quantisers
from dsslic_search.core.dialect import Dialect
from dsslic_search.core.errors import Remedy, TargetError, UsageError
from dsslic_search.core.kinds import KeepMode, Stage
from dsslic_search.core.settings import LOSSLESS
from dsslic_search.networks import grid, runtime
from dsslic_search.networks.grid import LABEL_SCALE, SCALE
from dsslic_search.networks.segmenter import Segmenter, SegNetSegmenter

__all__ = [
    "Decoded",
    "EncodeOptions",
    "Encoded",
    "Target",
    "decode_stage",
    "encode_photo",
    "enlarge_map",
    "luma",
    "map_scale_for",
    "read_dialect",
    "read_label_map",
    "read_meanings",
    "read_metadata",
    "read_original",
    "segment_photo",
]

MAP_SIDE = 256  # the map scale is the smallest that makes the label map's longer side no longer than this
COMPACT_PRESET = "slow"
WINDOW = 160  # pixels a side of the parts of a photo that the restoration's strength is fitted to


@dataclass(frozen=True)
class Encoded:
    """One encoded photo. ``label_map``: class ids in the vocabulary of ``dialect``; ``map_bytes``: the prefix
    of ``data`` that holds it; ``quality``: what it was encoded at; ``milliseconds`` per step."""

    data: bytes
    label_map: NDArray[np.uint8]
    dialect: Dialect
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


def map_scale_for(height: int, width: int) -> int:
    """Photo pixels per label-map pixel, each way."""
    return -(-max(height, width) // MAP_SIDE)


def segment_photo(
    photo: Photo, scale: int | None = None, segmenter: Segmenter | None = None
) -> tuple[NDArray[np.uint8], int]:
    """(label map uint8 [h, w] in the ids of the segmenter's vocabulary, map scale) as :func:`encode_photo`
    would store them."""
    scale = scale or map_scale_for(photo.height, photo.width)
    return (segmenter or SegNetSegmenter()).segment(
        photo.pixels, (-(-photo.height // scale), -(-photo.width // scale))
    ), scale


def encode_photo(photo: Photo, options: EncodeOptions, original: bytes = b"") -> Encoded:
    """Encode an opened photo; ``original``, the bytes of its file, is needed by keep modes "exact" and
    "reference".

    TargetError where a target cannot be met by any quality.
    """
    work = _Encoding(photo, options)
    if options.target is None:
        return work.at(options.quality, original)
    return _meet(work, options.target)


class _Encoding:
    """One photo in the encoder: what all qualities have in common is made once."""

    def __init__(self, photo: Photo, options: EncodeOptions) -> None:
        self.photo, self.options, self.clock = photo, options, _Clock()
        self.segmenter = options.segmenter or SegNetSegmenter()
        self.dialect = self.segmenter.dialect
        self.labels, self.scale = segment_photo(photo, options.map_scale, self.segmenter)
        self.clock.mark("segment")
        self.map_chunks = (
            []
            if self.dialect.native
            else [Chunk(container.CLASSES, decoder.DEFLATED, class_list.encode(self.dialect))]
        )
        self.map_chunks.append(Chunk(container.MAP, decoder.MAP_OWN, label_map.encode(self.labels)))
        self.clock.mark("map")
        cells = -(-photo.height // SCALE), -(-photo.width // SCALE)
        self.marks = grid.network_labels(self.dialect.marked(self.labels), self.scale, cells)
        compact = runtime.make_compact(photo.pixels, self.marks)
        self.compact = luma(compact) if photo.grey else compact
        self.clock.mark("compnet")
        self.wanted = photo.pixels[..., 0] if photo.grey else photo.pixels
        self.effort = effort(options.effort)

    def at(self, quality: int, original: bytes = b"") -> Encoded:
        """The whole file at one quality."""
        photo, options = self.photo, self.options
        qps = quantisers(quality)
        compact = Chunk(container.COMPACT, decoder.COMPACT_BPG, code_compact(self.compact, qps.compact))
        self.clock.mark("compact")
        chunks, finenet, qp = [*self.map_chunks, compact], NO_NETWORK, qps.residual
        if options.mode is KeepMode.LAYERS:
            layer, finenet, qp = (
                self._lossless() if quality == LOSSLESS else self._residual(compact.data, qps)
            )
            chunks.append(layer)
            if photo.alpha is not None:
                chunks.append(
                    Chunk(container.ALPHA, decoder.ALPHA_BPG, bpg.encode(photo.alpha, qp=0, lossless=True))
                )
            metadata = ((container.ICC, photo.icc), (container.EXIF, photo.exif))
            chunks += [
                Chunk(kind, decoder.DEFLATED, zlib.compress(data, 9)) for kind, data in metadata if data
            ]
            self.clock.mark("residual")
        elif options.mode is KeepMode.COARSE:
            finenet = runtime.identity(runtime.SHOWN)
        else:
            chunks += _originals(options.mode, original)
            self.clock.mark("original")
        header = Header(
            width=photo.width,
            height=photo.height,
            grey=photo.grey,
            keep=options.mode,
            map_scale=self.scale,
            compact_scale=SCALE,
            quality=quality,
            compact_qp=qps.compact,
            residual_qp=qp,
            vocabulary=self.dialect.vocabulary.identity,
            segmenter=self.segmenter.identity,
            finenet=finenet,
        )
        data = container.pack(header, chunks)
        map_bytes = container.read_layout(data).stage_bytes(Stage.MAP)
        return Encoded(
            data,
            self.labels,
            self.dialect,
            map_bytes,
            quality,
            header.vocabulary,
            header.segmenter,
            dict(self.clock.spent),
        )

    def _lossless(self) -> tuple[Chunk, str, int]:
        packed = lossless.pack(np.ascontiguousarray(self.wanted), self.options.effort)
        return Chunk(container.RESIDUAL, decoder.RESIDUAL_JPEG_XL, packed), NO_NETWORK, 0

    @cached_property
    def _axes(self) -> axes.Axes | None:
        return None if self.photo.grey else axes.principal(self.photo.pixels)

    def _residual(self, coded_compact: bytes, qps: Quantisers) -> tuple[Chunk, str, int]:
        """The residual, the FineNet it depends on, and its QP."""
        meant = self.dialect.meant(self.labels)
        gains, shift = importance.gains(self.options.importance, meant)
        qp = int(np.clip(round(qps.residual + shift), 0, 51))
        labels = (
            None if gains is None else enlarge_map(meant, self.scale, self.photo.height, self.photo.width)
        )
        trusts = (residual.FULL,) if gains else self.effort.trusts
        coarse = None
        if any(trusts):
            compact = decoder.decode_compact(coded_compact, self.photo.grey)
            size = self.photo.height, self.photo.width
            coarse = decoder.make_coarse(compact, self.marks, size, self.photo.grey, runtime.UNDER_RESIDUAL)
            self.clock.mark("finenet")
        tried = []
        for trust in trusts:
            terms = Terms(trust, axes=self._axes, gains=gains)
            coded = residual.encode(
                self.wanted,
                qp,
                terms,
                coarse=coarse,
                labels=labels,
                preset=self.effort.preset,
                thorough=self.effort.thorough,
            )
            cost = 0.0
            if len(trusts) > 1:
                cost = self._error(coded, terms, coarse) + _bit_price(qp) * 8 * len(coded)
            tried.append((cost, terms, coded))
        _, terms, coded = min(tried, key=lambda each: each[0])
        if gains is None:  # where the step differs from class to class, the network would not know which
            strength = self._strength(coded, terms, coarse, qp) if self.effort.fit else residual.FULL
            terms = replace(
                terms, strength=strength, restorer=runtime.identity("restorer") if strength else NO_NETWORK
            )
        chunk = Chunk(container.RESIDUAL, decoder.RESIDUAL_BPG, terms.to_bytes() + coded)
        return chunk, runtime.identity(runtime.UNDER_RESIDUAL) if terms.trust else NO_NETWORK, qp

    def _strength(self, coded: bytes, terms: Terms, coarse: NDArray[np.uint8] | None, qp: int) -> int:
        """How much of the restoration's correction leaves the least squared error, in 1/64."""
        along = power = 0.0
        planes = self._planes(coded)
        for ys, xs in _windows(self.photo.height, self.photo.width):
            part = residual.decode(
                tuple(p[ys, xs] for p in planes), terms, coarse=None if coarse is None else coarse[ys, xs]
            )
            marks = self.marks[ys.start // LABEL_SCALE :, xs.start // LABEL_SCALE :]
            lacking = self.wanted[ys, xs] - part.astype(np.float32) / 4
            for rows, columns, correction in runtime.corrections(part, marks, qp):
                along += float(np.vdot(lacking[rows, columns], correction))
                power += float(np.vdot(correction, correction))
        return int(np.clip(round(residual.FULL * along / power), 0, 255)) if power else 0

    def _planes(self, coded: bytes) -> decoder.Planes:
        return decoder.read_planes(
            coded, self.photo.grey, axes.BIT_DEPTH, (self.photo.height, self.photo.width)
        )

    def _error(self, coded: bytes, terms: Terms, coarse: NDArray[np.uint8] | None) -> float:
        """Squared error over the photo in grey levels², of the mean of its channels."""
        planes, total = self._planes(coded), 0.0
        for at in bands(self.photo.height, self.photo.width):
            shown = residual.decode(
                tuple(p[at] for p in planes), terms, coarse=None if coarse is None else coarse[at]
            )
            total += _squared(shown, self.wanted[at], 4)
        return total / (1 if self.photo.grey else 3)


def _windows(height: int, width: int) -> list[tuple[slice, slice]]:
    """Parts of a photo that stand for it: four windows around its middle, or all of a small one."""
    if height * width <= 8 * WINDOW**2:
        return [(slice(0, height), slice(0, width))]
    sides = min(height, WINDOW), min(width, WINDOW)
    starts = [
        sorted({(size - side) * k // 4 // SCALE * SCALE for k in (1, 3)})
        for size, side in zip((height, width), sides, strict=True)
    ]
    return [(slice(y, y + sides[0]), slice(x, x + sides[1])) for y in starts[0] for x in starts[1]]


def _squared(shown: NDArray[np.integer], wanted: NDArray[np.uint8], parts: int = 1) -> float:
    """Sum of squared errors in grey levels² of what is shown in ``parts`` of a grey level."""
    differences = (shown[at].astype(np.float32) / parts - wanted[at] for at in bands(*shown.shape[:2]))
    return sum(float(np.square(each).sum(dtype=np.float64)) for each in differences)


def _originals(keep: KeepMode, original: bytes) -> list[Chunk]:
    if not original:
        raise UsageError(f'keep mode "{keep}" needs the bytes of the original file')
    chunks = [Chunk(container.HASH, decoder.PLAIN, hashlib.sha256(original).digest())]
    return chunks + ([Chunk(container.ORIGINAL, *exact.pack(original))] if keep is KeepMode.EXACT else [])


def code_compact(compact: NDArray[np.uint8], qp: int) -> bytes:
    """The compact image, uint8 [h, w, 3] or [h, w], as its layer holds it."""
    return bpg.encode(compact.astype(np.uint16) * np.uint16(4), qp=qp, bit_depth=10, preset=COMPACT_PRESET)


def _bit_price(qp: int) -> float:
    """Squared error that a bit is worth at a QP: HEVC's Lagrangian for intra pictures."""
    return float(0.57 * 2 ** ((qp - 12) / 3))


def _meet(work: _Encoding, target: Target) -> Encoded:
    """The quality that meets a target, by bisection: file size and PSNR grow with it."""
    photo = work.photo

    def meets(encoded: Encoded) -> bool:
        if target.kind == "psnr":
            shown = decode_stage(encoded.data, max_pixels=photo.width * photo.height).pixels
            return _squared(shown, work.wanted) / shown.size <= 255**2 / 10 ** (target.value / 10)
        return len(encoded.data) <= (
            target.value if target.kind == "bytes" else target.value * photo.width * photo.height / 8
        )

    low, high, best = 1, 100, None  # qualities that are still open
    while low <= high:
        middle = (low + high) // 2
        tried = work.at(middle)
        met = meets(tried)
        if met:
            best = tried
        if met == (target.kind == "psnr"):
            high = middle - 1
        else:
            low = middle + 1
    if best is None:
        wish = {
            "psnr": f"{target.value:g} dB",
            "bpp": f"{target.value:g} bits a pixel",
            "bytes": f"{target.value:.0f} bytes",
        }[target.kind]
        advice = (
            f"try {Remedy.LOSSLESS}"
            if target.kind == "psnr"
            else f'at this size, keep mode "{KeepMode.COARSE}" is what may fit'
        )
        raise TargetError(f"no quality from 1 to 100 gives this photo {wish}; {advice}")
    return best
