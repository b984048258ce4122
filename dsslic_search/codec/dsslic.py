"""The DSSLIC codec: a photo to the bytes of one .dsslic file and back, stage by stage.

::

    photo ── SegNet ──► s ───────────────────────────────────────────► SMAP (lossless)
      ├───── CompNet(photo, s) ──► c ── BPG 4:4:4 10-bit ────────────► COMP
      │                                    └─ decode ─► ĉ
      └───── photo − FineNet(ĉ, s) ──► r ── BPG 4:4:4 10-bit, r/2+128 ► RESI

The loop is closed: the residual is taken from exactly what the decoder will have. Greyscale photos go the same way
with c and r of one plane.
"""

from __future__ import annotations

import hashlib
import time
import zlib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search import dialect, vocabulary
from dsslic_search.codec import bpg, class_list, container, exact, label_map, picture, residual
from dsslic_search.codec.container import Chunk, Header, Layout
from dsslic_search.codec.picture import Photo
from dsslic_search.codec.quality import quantisers
from dsslic_search.config import DEFAULT_MAX_PIXELS, DEFAULT_QUALITY
from dsslic_search.dialect import Dialect
from dsslic_search.errors import FormatError, StageError, UsageError
from dsslic_search.networks import runtime
from dsslic_search.networks.compnet import SCALE
from dsslic_search.networks.segmenter import Segmenter, SegNetSegmenter
from dsslic_search.vocabulary import Vocabulary

MAP_SIDE = 256  # the map scale is the smallest that makes the label map's longer side no longer than this
PRESET = "slow"
NO_NETWORK = "0" * 16

# codec ids in the chunk table
MAP_OWN = 1
COMPACT_BPG = 1
RESIDUAL_BPG = 1
ALPHA_BPG = 1
DEFLATED = 1
PLAIN = 0
MAX_METADATA = 1 << 24


@dataclass(frozen=True)
class EncodeOptions:
    """``quality`` 1..100; ``keep`` is one of the keep modes "layers", "exact", "reference"; ``map_scale``: photo pixels per
    label, each way, None for the rule of :func:`map_scale_for`; ``segmenter``: what makes the label map, None for SegNet."""

    quality: int = DEFAULT_QUALITY
    keep: str = "layers"
    map_scale: int | None = None
    segmenter: Segmenter | None = None

    def __post_init__(self) -> None:
        quantisers(self.quality)
        if self.keep not in container.KEEP_MODES:
            raise UsageError(f'keep mode "{self.keep}" is not one of: {", ".join(container.KEEP_MODES)}')
        if self.map_scale is not None and not 1 <= self.map_scale <= 0xFFFF:
            raise UsageError(f"map scale {self.map_scale} is not from 1 to 65535")


@dataclass(frozen=True)
class Encoded:
    """One encoded photo. ``label_map``: class ids in the vocabulary of ``dialect``; ``map_bytes``: the prefix of ``data`` that
    holds it; ``milliseconds`` per step."""

    data: bytes
    label_map: NDArray[np.uint8]
    dialect: Dialect
    map_bytes: int
    vocabulary: str
    segmenter: str
    milliseconds: dict[str, float] = field(default_factory=dict)


class Decoded(NamedTuple):
    """``pixels`` uint8 [H, W, 3], [H, W] (greyscale) or, at the map stage, class ids [H, W] of ``vocabulary``; ``alpha`` uint8
    or None."""

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    vocabulary: Vocabulary | None = None


class _Clock:
    """Wall milliseconds between marks."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._last = time.perf_counter()

    def mark(self, name: str) -> None:
        now = time.perf_counter()
        self.spent[name] = (now - self._last) * 1000
        self._last = now


def luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] → uint8 [H, W], BT.601 weights in integers."""
    weighted = pixels.astype(np.uint16) @ np.array([77, 150, 29], np.uint16)
    return ((weighted + 128) >> 8).astype(np.uint8)


def map_scale_for(height: int, width: int) -> int:
    """Photo pixels per label-map pixel, each way."""
    return -(-max(height, width) // MAP_SIDE)


def segment_photo(photo: Photo, scale: int | None = None, segmenter: Segmenter | None = None) -> tuple[NDArray[np.uint8], int]:
    """(label map uint8 [h, w] in the ids of the segmenter's vocabulary, map scale) as :func:`encode_photo` would store them."""
    scale = scale or map_scale_for(photo.height, photo.width)
    return (segmenter or SegNetSegmenter()).segment(photo.pixels, (-(-photo.height // scale), -(-photo.width // scale))), scale


def encode_photo(photo: Photo, options: EncodeOptions, original: bytes = b"") -> Encoded:
    """Encode an opened photo; ``original``, the bytes of its file, is needed by keep modes "exact" and "reference"."""
    clock = _Clock()
    qps = quantisers(options.quality)
    segmenter = options.segmenter or SegNetSegmenter()
    labels, scale = segment_photo(photo, options.map_scale, segmenter)
    speaks = segmenter.dialect
    clock.mark("segment")
    chunks = [] if speaks.native else [Chunk(container.CLASSES, DEFLATED, class_list.encode(speaks))]
    chunks.append(Chunk(container.MAP, MAP_OWN, label_map.encode(labels)))
    clock.mark("map")
    cells = -(-photo.height // SCALE), -(-photo.width // SCALE)
    marks = runtime.network_labels(speaks.marked(labels), scale, cells)
    compact = runtime.make_compact(photo.pixels, marks)
    clock.mark("compnet")
    stored = luma(compact) if photo.grey else compact
    chunks.append(Chunk(container.COMPACT, COMPACT_BPG, _code_compact(stored, qps.compact)))
    clock.mark("compact")
    if options.keep == "layers":
        coarse = _coarse(_decode_compact(chunks[-1].data, photo.grey), marks, photo.height, photo.width, photo.grey)
        clock.mark("finenet")
        wanted = photo.pixels[..., 0] if photo.grey else photo.pixels
        samples = residual.to_samples(wanted, coarse)
        chunks.append(
            Chunk(container.RESIDUAL, RESIDUAL_BPG, bpg.encode(samples, qp=qps.residual, bit_depth=residual.BIT_DEPTH, preset=PRESET))
        )
        if photo.alpha is not None:
            chunks.append(Chunk(container.ALPHA, ALPHA_BPG, bpg.encode(photo.alpha, qp=0, lossless=True)))
        metadata = ((container.ICC, photo.icc), (container.EXIF, photo.exif))
        chunks += [Chunk(kind, DEFLATED, zlib.compress(data, 9)) for kind, data in metadata if data]
        clock.mark("residual")
    else:
        if not original:
            raise UsageError(f'keep mode "{options.keep}" needs the bytes of the original file')
        chunks.append(Chunk(container.HASH, PLAIN, hashlib.sha256(original).digest()))
        if options.keep == "exact":
            chunks.append(Chunk(container.ORIGINAL, *exact.pack(original)))
        clock.mark("original")
    header = Header(
        width=photo.width,
        height=photo.height,
        grey=photo.grey,
        keep=options.keep,
        map_scale=scale,
        compact_scale=SCALE,
        quality=options.quality,
        compact_qp=qps.compact,
        residual_qp=qps.residual,
        vocabulary=speaks.vocabulary.identity,
        segmenter=segmenter.identity,
        finenet=runtime.identity("finenet") if options.keep == "layers" else NO_NETWORK,
    )
    data = container.pack(header, chunks)
    map_bytes = container.read_layout(data).stage_bytes("map")
    return Encoded(data, labels, speaks, map_bytes, header.vocabulary, header.segmenter, clock.spent)


def _code_compact(compact: NDArray[np.uint8], qp: int) -> bytes:
    return bpg.encode(compact.astype(np.uint16) * np.uint16(4), qp=qp, bit_depth=10, preset=PRESET)


def _decode_compact(data: bytes, grey: bool, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """uint8 [h, w, 3] in any case, as FineNet takes it. Integer arithmetic: the same everywhere."""
    decoded = _decode_bpg(data, grey, 10, size)
    compact = ((decoded + 2) >> 2).clip(0, 255).astype(np.uint8)
    return np.repeat(compact[..., None], 3, 2) if grey else compact


def _decode_bpg(data: bytes, grey: bool, bit_depth: int, size: tuple[int, int] | None) -> NDArray[np.uint16]:
    """Samples uint16 [h, w] or [h, w, 3]; FormatError unless the stream is of the size, depth and planes expected."""
    shown = bpg.decode(data, max_pixels=size[0] * size[1] if size else DEFAULT_MAX_PIXELS)
    if size is not None and (shown.height, shown.width) != size:
        raise FormatError(f"a layer of {shown.width}×{shown.height} pixels where {size[1]}×{size[0]} were declared")
    if shown.bit_depth != bit_depth or (len(shown.planes) == 1) != grey:
        raise FormatError("a layer's bit depth or planes are not those declared")
    return shown.planes[0].astype(np.uint16) if grey else shown.rgb_native()


def _coarse(compact: NDArray[np.uint8], marks: NDArray[np.int64], height: int, width: int, grey: bool) -> NDArray[np.uint8]:
    coarse = runtime.make_coarse(compact, marks, height, width)
    return luma(coarse) if grey else coarse


def read_label_map(prefix: bytes, layout: Layout | None = None) -> NDArray[np.uint8]:
    """The label map, uint8 [h, w] at the map's own scale, from the first bytes of a file (at least ``stage_bytes("map")``).

    Its ids are of the file's own vocabulary, see :func:`read_dialect`.
    """
    layout = layout or container.read_layout(prefix)
    layout.stage_bytes("map")
    entry = layout.find(container.MAP)
    data = container.chunk_data(prefix, layout, container.MAP)
    if entry is None or data is None or entry.codec != MAP_OWN:
        raise FormatError("the label map is coded in a way this program does not know: upgrade dsslic-search")
    height, width = layout.header.map_size
    if label_map.read_size(data) != (height, width):
        raise FormatError("the label map is not of the size that the header declares")
    return label_map.decode(data, max_pixels=height * width)


def read_meanings(prefix: bytes) -> NDArray[np.uint8]:
    """The label map in classes of the shipped vocabulary, whatever its own, from the bytes that :func:`read_label_map` takes."""
    layout = container.read_layout(prefix)
    return read_dialect(prefix, layout).meant(read_label_map(prefix, layout))


def read_dialect(prefix: bytes, layout: Layout | None = None) -> Dialect:
    """The vocabulary of a file's label map and what its classes mean, from the first bytes of the file (as many as hold the
    label map). StageError when nothing here knows it."""
    layout = layout or container.read_layout(prefix)
    identity = layout.header.vocabulary
    entry = layout.find(container.CLASSES)
    if entry is None or identity == vocabulary.default().identity:
        found = dialect.known(identity)
        if found is None:
            raise StageError(
                f"the label map speaks of vocabulary {identity}, which is not known here: put its vocabulary file into the folder "
                "that DSS_VOCABULARIES names"
            )
        return found
    data = container.chunk_data(prefix, layout, container.CLASSES)
    if data is None or entry.codec != DEFLATED:
        raise FormatError("the class list is coded in a way this program does not know: upgrade dsslic-search")
    return class_list.decode(data, identity)


def enlarge_map(labels: NDArray[np.uint8], scale: int, height: int, width: int) -> NDArray[np.uint8]:
    """A label map at the photo's size: each map pixel stands for ``scale`` × ``scale`` photo pixels, cut at the edges."""
    return np.repeat(np.repeat(labels, scale, 0)[:height], scale, 1)[:, :width]


def _check_size(header: Header, max_pixels: int) -> None:
    if header.width * header.height > max_pixels:
        raise FormatError(
            f"{header.width}×{header.height} pixels are more than the limit of {max_pixels}; raise DSS_MAX_PIXELS to allow it"
        )


def decode_stage(
    data: bytes, stage: str = "full", *, max_pixels: int = DEFAULT_MAX_PIXELS, coarse: NDArray[np.uint8] | None = None
) -> Decoded:
    """One stage of a file from its bytes, or from the prefix of them that holds the stage.

    "map": class ids at the photo's size, and their vocabulary. "compact": the compact image at its own size. "coarse": FineNet's picture.
    "full": with the residual (keep mode layers) or the original (exact). FormatError when bytes are damaged, StageError
    when the stage is not there or FineNet's weights are not those it was made with. ``coarse``: the pixels of that stage,
    if the caller has them, to get to "full" sooner.
    """
    if stage not in container.STAGES:
        raise UsageError(f'stage "{stage}" is not one of: {", ".join(container.STAGES)}')
    layout = container.read_layout(data)
    header = layout.header
    _check_size(header, max_pixels)
    layout.stage_bytes(stage)
    if len(data) > layout.total:
        raise FormatError(f"{len(data) - layout.total} bytes too many at the end of the .dsslic file")
    height, width = header.height, header.width
    if stage == "map":
        labels = enlarge_map(read_label_map(data, layout), header.map_scale, height, width)
        return Decoded(labels, vocabulary=read_dialect(data, layout).vocabulary)
    if stage == "compact":
        compact = _read_compact(data, layout)
        return Decoded(compact[..., 0] if header.grey else compact)
    if stage == "full" and header.keep == "exact":
        return _decode_original(data, layout, max_pixels)
    if coarse is None:
        coarse = _read_coarse(data, layout)
    if stage == "coarse":
        return Decoded(coarse)
    coded = container.chunk_data(data, layout, container.RESIDUAL) or b""
    samples = _decode_bpg(coded, header.grey, residual.BIT_DEPTH, (height, width))
    alpha = container.chunk_data(data, layout, container.ALPHA)
    opacity = None if alpha is None else _decode_bpg(alpha, True, 8, (height, width)).astype(np.uint8)
    return Decoded(residual.apply(coarse, samples), opacity)


def _read_compact(data: bytes, layout: Layout) -> NDArray[np.uint8]:
    coded = container.chunk_data(data, layout, container.COMPACT) or b""
    return _decode_compact(coded, layout.header.grey, layout.header.compact_size)


def _read_coarse(data: bytes, layout: Layout) -> NDArray[np.uint8]:
    header = layout.header
    here = runtime.identity("finenet")
    if header.keep == "layers" and header.finenet != here:
        raise StageError(
            f"this file was made with FineNet weights {header.finenet}, here are {here}: only its map and compact stages can be shown"
        )
    if header.compact_scale != SCALE:
        raise StageError(f"compact scale 1/{header.compact_scale} is not the 1/{SCALE} of the FineNet here")
    marked = _read_marks(data, layout)
    compact = _read_compact(data, layout)
    marks = runtime.network_labels(marked, header.map_scale, header.compact_size)
    return _coarse(compact, marks, header.height, header.width, header.grey)


def _read_marks(data: bytes, layout: Layout) -> NDArray[np.uint8]:
    """The label map in the numbers that FineNet takes: as the class list in the file says; without one, where the residual is
    relative to this very FineNet, the map's own ids; else what the words of its vocabulary mean."""
    labels = read_label_map(data, layout)
    if layout.find(container.CLASSES) or layout.header.keep != "layers":
        labels = read_dialect(data, layout).marked(labels)
    if int(labels.max()) >= len(vocabulary.default()):
        raise FormatError("the label map holds class ids that the vocabulary does not have")
    return labels


def _decode_original(data: bytes, layout: Layout, max_pixels: int) -> Decoded:
    photo = picture.open_photo(read_original(data, layout), "the original in this file", max_pixels)
    return Decoded(photo.pixels[..., 0] if photo.grey else photo.pixels, photo.alpha)


def read_original(data: bytes, layout: Layout | None = None) -> bytes:
    """The original file, bit for bit, of a file in keep mode "exact"; StageError in the others."""
    layout = layout or container.read_layout(data)
    entry = layout.find(container.ORIGINAL)
    packed = container.chunk_data(data, layout, container.ORIGINAL)
    if entry is None or packed is None:
        raise StageError(f'this file does not hold the original (keep mode "{layout.header.keep}")')
    original = exact.unpack(entry.codec, packed, max_bytes=exact.max_unpacked(packed))
    if hashlib.sha256(original).digest() != container.chunk_data(data, layout, container.HASH):
        raise FormatError("the original unpacked from this file is not the one that was put in (its hash differs)")
    return original


def read_metadata(data: bytes, kind: str) -> bytes:
    """The ICC profile ("iccp") or EXIF ("exif") kept with a file in mode "layers"; b"" when there is none."""
    packed = container.chunk_data(data, container.read_layout(data), kind)
    if packed is None:
        return b""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, MAX_METADATA)
    except zlib.error as e:
        raise FormatError(f"damaged {kind} chunk ({e})") from e
    if unpacker.unconsumed_tail:
        raise FormatError(f"the {kind} chunk is larger than {MAX_METADATA} bytes when unpacked")
    return plain
