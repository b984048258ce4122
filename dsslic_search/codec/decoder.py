"""Decoding: each stage of a .dsslic file from the first bytes of it that hold the stage."""

from __future__ import annotations

import hashlib
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import container
from dsslic_search.codec.bpg import file as bpg
from dsslic_search.codec.bpg.colour import bands
from dsslic_search.codec.container import Header, Layout
from dsslic_search.codec.layers import axes, class_list, lossless, residual
from dsslic_search.codec.layers import original as exact
from dsslic_search.codec.layers.label_map import coder as label_map
from dsslic_search.codec.picture import open as picture
from dsslic_search.core import dialect, vocabulary
from dsslic_search.core.dialect import Dialect
from dsslic_search.core.errors import FormatError, StageError
from dsslic_search.core.kinds import KeepMode, Stage
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.networks import grid, runtime
from dsslic_search.networks.grid import SCALE

# codec ids in the chunk table
MAP_OWN = 1
COMPACT_BPG = 1
RESIDUAL_FIRST = 1  # what version 0.1 wrote: r = x − x′ in BT.601, nothing before the picture
RESIDUAL_BPG = 2
RESIDUAL_JPEG_XL = 3  # the photo itself, lossless
ALPHA_BPG = 1
DEFLATED = 1
PLAIN = 0
MAX_METADATA = 1 << 24

Planes = tuple[NDArray[np.uint16], ...]


class Decoded(NamedTuple):
    """``pixels`` uint8 [H, W, 3], [H, W] (greyscale) or, at the map stage, class ids [H, W] of
    ``vocabulary``; ``alpha`` uint8 or None."""

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    vocabulary: Vocabulary | None = None


def luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] → uint8 [H, W], BT.601 weights in integers."""
    out = np.empty(pixels.shape[:2], np.uint8)
    for at in bands(*pixels.shape[:2]):
        weighted = pixels[at].astype(np.uint16) @ np.array([77, 150, 29], np.uint16)
        out[at] = (weighted + 128) >> 8
    return out


def read_label_map(prefix: bytes, layout: Layout | None = None) -> NDArray[np.uint8]:
    """The label map, uint8 [h, w] at the map's own scale, from the first bytes of a file (at least
    ``stage_bytes("map")``).

    Its ids are of the file's own vocabulary, see :func:`read_dialect`.
    """
    layout = layout or container.read_layout(prefix)
    layout.stage_bytes(Stage.MAP)
    entry = layout.find(container.MAP)
    data = container.chunk_data(prefix, layout, container.MAP)
    if entry is None or data is None or entry.codec != MAP_OWN:
        raise FormatError("the label map is coded in a way this program does not know: upgrade dsslic-search")
    height, width = layout.header.map_size
    if label_map.read_size(data) != (height, width):
        raise FormatError("the label map is not of the size that the header declares")
    return label_map.decode(data, max_pixels=height * width)


def read_meanings(prefix: bytes) -> NDArray[np.uint8]:
    """The label map in classes of the shipped vocabulary, whatever its own, from the bytes that
    :func:`read_label_map` takes."""
    layout = container.read_layout(prefix)
    return read_dialect(prefix, layout).meant(read_label_map(prefix, layout))


def read_dialect(prefix: bytes, layout: Layout | None = None) -> Dialect:
    """The vocabulary of a file's label map and what its classes mean, from the first bytes of the file (as
    many as hold the label map). StageError when nothing here knows it."""
    layout = layout or container.read_layout(prefix)
    identity = layout.header.vocabulary
    entry = layout.find(container.CLASSES)
    if entry is None or identity == vocabulary.default().identity:
        found = dialect.known(identity)
        if found is None:
            raise StageError(
                f"the label map speaks of vocabulary {identity}, which is not known here: put its vocabulary "
                "file into the folder "
                "that DSS_VOCABULARIES names"
            )
        return found
    data = container.chunk_data(prefix, layout, container.CLASSES)
    if data is None or entry.codec != DEFLATED:
        raise FormatError(
            "the class list is coded in a way this program does not know: upgrade dsslic-search"
        )
    return class_list.decode(data, identity)


def enlarge_map(labels: NDArray[np.uint8], scale: int, height: int, width: int) -> NDArray[np.uint8]:
    """A label map at the photo's size: each map pixel stands for ``scale`` × ``scale`` photo pixels, cut at
    the edges."""
    return np.repeat(np.repeat(labels, scale, 0)[:height], scale, 1)[:, :width]


def _check_size(header: Header, max_pixels: int) -> None:
    if header.width * header.height > max_pixels:
        raise FormatError(
            f"{header.width}×{header.height} pixels are more than the limit of {max_pixels}; raise "
            "DSS_MAX_PIXELS to allow it"
        )


def decode_stage(data: bytes, stage: str = Stage.FULL, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Decoded:
    """One stage of a file from its bytes, or from the prefix of them that holds the stage.

    "map": class ids at the photo's size, and their vocabulary. "compact": the compact image at its own size.
    "coarse": FineNet's picture, by the weights made for being looked at. "full": with the residual (keep mode
    layers) or the original (exact). FormatError when bytes are damaged, StageError when the stage is not
    there or needs network weights that are not here.
    """
    stage = Stage.named(stage)
    layout = container.read_layout(data)
    header = layout.header
    _check_size(header, max_pixels)
    layout.stage_bytes(stage)
    if len(data) > layout.total:
        raise FormatError(f"{len(data) - layout.total} bytes too many at the end of the .dsslic file")
    if stage is Stage.MAP:
        labels = enlarge_map(read_label_map(data, layout), header.map_scale, header.height, header.width)
        return Decoded(labels, vocabulary=read_dialect(data, layout).vocabulary)
    if stage is Stage.COMPACT:
        compact = _read_compact(data, layout)
        return Decoded(compact[..., 0] if header.grey else compact)
    if stage is Stage.COARSE:
        wanted = header.finenet if header.keep is KeepMode.COARSE else None
        return Decoded(_read_coarse(data, layout, runtime.SHOWN, wanted))
    if header.keep is KeepMode.EXACT:
        return _decode_original(data, layout, max_pixels)
    alpha = container.chunk_data(data, layout, container.ALPHA)
    opacity = (
        None
        if alpha is None
        else read_planes(alpha, True, 8, (header.height, header.width))[0].astype(np.uint8)
    )
    return Decoded(_read_full(data, layout), opacity)


def _read_full(data: bytes, layout: Layout) -> NDArray[np.uint8]:
    header, entry = layout.header, layout.find(container.RESIDUAL)
    chunk = container.chunk_data(data, layout, container.RESIDUAL)
    assert entry is not None
    assert chunk is not None
    size = header.height, header.width
    if entry.codec == RESIDUAL_JPEG_XL:
        return lossless.unpack(chunk, size, header.grey)
    if entry.codec == RESIDUAL_FIRST:
        base = _read_coarse(data, layout, runtime.UNDER_RESIDUAL, header.finenet)
        return residual.apply_first(base, _read_bpg(chunk, header.grey, axes.BIT_DEPTH, size))
    if entry.codec != RESIDUAL_BPG:
        raise FormatError("the residual is coded in a way this program does not know: upgrade dsslic-search")
    terms, coded = residual.read_terms(chunk, header.grey)
    coarse = _read_coarse(data, layout, runtime.UNDER_RESIDUAL, header.finenet) if terms.trust else None
    labels = read_dialect(data, layout).meant(read_label_map(data, layout)) if terms.gains else None
    if labels is not None:
        labels = enlarge_map(labels, header.map_scale, *size)
    planes = read_planes(coded, header.grey, axes.BIT_DEPTH, size)
    if not terms.strength:
        return residual.decode_whole(planes, terms, coarse=coarse, labels=labels)
    decoded = residual.decode(planes, terms, coarse=coarse, labels=labels)
    del planes, coarse  # a large photo's take much memory
    return runtime.restore(
        decoded,
        network_marks(data, layout),
        header.residual_qp,
        terms.strength / residual.FULL,
        terms.restorer,
    )


def read_planes(data: bytes, grey: bool, bit_depth: int, size: tuple[int, int] | None) -> Planes:
    """The planes of a BPG layer, uint16 [h, w] each; FormatError unless the stream is of the size, depth and
    planes expected."""
    return tuple(plane.astype(np.uint16, copy=False) for plane in _shown(data, grey, bit_depth, size).planes)


def _shown(data: bytes, grey: bool, bit_depth: int, size: tuple[int, int] | None) -> bpg.Picture:
    shown = bpg.decode(data, max_pixels=size[0] * size[1] if size else DEFAULT_MAX_PIXELS)
    if size is not None and (shown.height, shown.width) != size:
        raise FormatError(
            f"a layer of {shown.width}×{shown.height} pixels where {size[1]}×{size[0]} were declared"
        )
    if (
        shown.bit_depth != bit_depth
        or len(shown.planes) != (1 if grey else 3)
        or shown.header.chroma not in ("400", "444")
    ):
        raise FormatError("a layer's bit depth or planes are not those declared")
    return shown


def _read_bpg(data: bytes, grey: bool, bit_depth: int, size: tuple[int, int] | None) -> NDArray[np.uint16]:
    """Samples uint16 [h, w] or, of the red, green and blue, [h, w, 3]."""
    shown = _shown(data, grey, bit_depth, size)
    return shown.planes[0].astype(np.uint16) if grey else shown.rgb_native()


def decode_compact(data: bytes, grey: bool, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """uint8 [h, w, 3] in any case, as FineNet takes it. Integer arithmetic: the same everywhere."""
    decoded = _read_bpg(data, grey, 10, size)
    compact = ((decoded + 2) >> 2).clip(0, 255).astype(np.uint8)
    return np.repeat(compact[..., None], 3, 2) if grey else compact


def _read_compact(data: bytes, layout: Layout) -> NDArray[np.uint8]:
    coded = container.chunk_data(data, layout, container.COMPACT) or b""
    return decode_compact(coded, layout.header.grey, layout.header.compact_size)


def _read_coarse(data: bytes, layout: Layout, network: str, identity: str | None) -> NDArray[np.uint8]:
    """``identity``: of the weights that it must be, None for those that ship as ``network``."""
    header = layout.header
    if header.compact_scale != SCALE:
        raise StageError(f"compact scale 1/{header.compact_scale} is not the 1/{SCALE} of the FineNet here")
    compact = _read_compact(data, layout)
    return make_coarse(
        compact, network_marks(data, layout), (header.height, header.width), header.grey, network, identity
    )


def make_coarse(
    compact: NDArray[np.uint8],
    marks: NDArray[np.int64],
    size: tuple[int, int],
    grey: bool,
    network: str,
    identity: str | None = None,
) -> NDArray[np.uint8]:
    """x′ from a decoded compact image: uint8 [H, W, 3], or [H, W] of a grey photo."""
    coarse = runtime.make_coarse(compact, marks, *size, network, identity)
    return luma(coarse) if grey else coarse


def network_marks(data: bytes, layout: Layout) -> NDArray[np.int64]:
    """The labels as FineNet and the restoration take them, int64, four photo pixels apart: in the numbers
    that the class list in the file says; without one, where the picture depends on networks, the map's own
    ids; else what the words of its vocabulary mean."""
    header = layout.header
    labels = read_label_map(data, layout)
    if layout.find(container.CLASSES) or header.keep.needs_original:
        labels = read_dialect(data, layout).marked(labels)
    if int(labels.max()) >= len(vocabulary.default()):
        raise FormatError("the label map holds class ids that the vocabulary does not have")
    return grid.network_labels(labels, header.map_scale, header.compact_size)


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
        raise FormatError(
            "the original unpacked from this file is not the one that was put in (its hash differs)"
        )
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
