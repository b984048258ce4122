"""One layer by itself: numbers → the bytes of the file that :mod:`dsslic_search.codec.layer_files` makes of
it, and back.

A residual needs to be told more than its picture says. Of one of a .dsslic file, ``layers.json`` tells it;
the paper's, which is a picture of differences, needs its mapping alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import bpg
from dsslic_search.codec.bpg.header import read_header
from dsslic_search.codec.layer_files import described_layer
from dsslic_search.codec.layers import compact, flif_files, label_map, normalised, residual
from dsslic_search.codec.layers.axes import BIT_DEPTH
from dsslic_search.codec.layers.label_map import coder
from dsslic_search.codec.layers.normalised import Mapping
from dsslic_search.codec.layers.planes import read_planes
from dsslic_search.codec.layers.terms import Terms, read_terms
from dsslic_search.codec.quality import quantisers
from dsslic_search.core.errors import FormatError, UsageError
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS, DEFAULT_QUALITY

MAP, COMPACT, RESIDUAL = LAYERS = ("map", "compact", "residual")
FORMS = {MAP: ("map", "flif"), COMPACT: ("bpg", "flif"), RESIDUAL: ("bpg",)}
"""What a layer's file can be; the first is that of the default profile."""
_FLIF, _WHITE = b"FLIF", 255

Pixels = NDArray[np.uint8] | NDArray[np.int16]


class Beside(NamedTuple):
    """What a description says of a residual: the codec of its layer, whether its photo is grey, and what
    stands before its picture."""

    codec: int
    grey: bool
    terms: Terms | None = None
    mapping: Mapping | None = None


def beside(description: bytes, name: str) -> Beside | None:
    """Of the residual whose file is ``name``, out of ``layers.json``; None where that names no such file.
    FormatError for what is no description, or a damaged one."""
    found = described_layer(description, name)
    if found is None:
        return None
    header, chunk = found
    if chunk.kind != residual.LAYER.kind:
        return None
    if chunk.codec == residual.BPG:
        return Beside(chunk.codec, header.grey, terms=read_terms(chunk.data, header.grey)[0])
    if chunk.codec == residual.NORMALISED:
        return Beside(chunk.codec, header.grey, mapping=normalised.read_mapping(chunk.data)[0])
    return Beside(chunk.codec, header.grey)


def mapping_of(text: str, difference: NDArray[np.int16] | None = None) -> Mapping:
    """ "min-max" and "fixed", of ``difference``, or its two ends, "-37,41". UsageError for anything else."""
    kind = {name: kind for kind, name in normalised.NAMES.items()}.get(text)
    ends = None if difference is None else (int(difference.min()), int(difference.max()))
    if kind == normalised.FIXED and ends is None:
        ends = -_WHITE, _WHITE
    if kind is None:
        kind, parts = normalised.MIN_MAX, text.split(",")
        if len(parts) == 2 and all(part.strip().removeprefix("-").isdecimal() for part in parts):
            ends = int(parts[0]), int(parts[1])
            if not -_WHITE <= ends[0] <= ends[1] <= _WHITE:
                ends = None
        else:
            ends = None
    if ends is None:
        known = "min-max, fixed or " if difference is not None else "fixed, or "
        raise UsageError(
            f'mapping "{text}" is not {known}the least and the greatest difference, as in -37,41'
        )
    return Mapping(kind, *ends)


def encode_map(labels: NDArray[np.uint8], form: str) -> bytes:
    """A label map, uint8 [h, w], as ``form``, one of FORMS. UsageError for a larger one than layers have."""
    if labels.size > DEFAULT_MAX_PIXELS:
        raise UsageError(f"a label map of more than {DEFAULT_MAX_PIXELS} labels; make it smaller")
    return label_map.encode(labels, as_flif=form == "flif").data


def encode_compact(pixels: NDArray[np.uint8], form: str, qp: int | None = None) -> bytes:
    """A compact image, uint8 [h, w, 3] or [h, w]. ``qp``: 0..51, by default that of quality 75; in FLIF every
    pixel is kept."""
    if form == "flif":
        return compact.encode_as_flif(pixels).data
    return compact.encode(pixels, quantisers(DEFAULT_QUALITY).compact if qp is None else qp).data


def encode_residual(
    pixels: Pixels, qp: int | None = None, mapping: str = "min-max", told: Beside | None = None
) -> tuple[bytes, Mapping | None]:
    """A residual's picture, and the mapping that a reader needs.

    Differences, int16 [H, W, 3] or [H, W] in −255..255, are mapped and coded as in the paper's profile, by
    ``mapping`` (see :func:`mapping_of`; what is beyond its ends is cut off) or by that which ``told`` holds.
    Under the terms of a residual that does not lean on the coarse image, ``pixels`` are the photo, uint8.
    ``qp``: 0..51, as for coding the photo directly, by default that of quality 75. UsageError where ``told``
    is of another kind of residual, and for pixels that do not fit it."""
    qp = quantisers(DEFAULT_QUALITY).residual if qp is None else qp
    if told is not None:
        if told.grey != (pixels.ndim == 2):
            raise UsageError("the residual's photo is grey and these pixels are not, or the other way round")
        if told.terms is not None and not told.terms.trust:
            if pixels.dtype != np.uint8:
                raise UsageError(
                    "this residual leans on no coarse image: it codes the photo, uint8, not differences"
                )
            return residual.encode_picture(pixels.astype(np.uint8, copy=False), qp, told.terms), None
        if told.mapping is None:
            raise UsageError(
                "this residual leans on the coarse image of its file, or is no BPG picture; encode the photo "
                "whole instead"
            )
    if pixels.dtype != np.int16 or int(np.abs(pixels.astype(np.int32)).max()) > _WHITE:
        raise UsageError("a residual is differences, int16 in -255..255, as an array (.npy) holds them")
    difference = pixels.astype(np.int16, copy=False)
    used = mapping_of(mapping, difference) if told is None or told.mapping is None else told.mapping
    return normalised.encode_difference(difference, used, qp)[0], used


def decode_map(data: bytes) -> NDArray[np.uint8]:
    """Class ids, uint8 [h, w], of a label map's file, in FLIF or as coded here. FormatError when it is
    damaged."""
    if data.startswith(_FLIF):
        flif_files.channels_of(data, label_map.MAX_FLIF_LABELS)  # refuses what is larger than a layer may be
        return flif_files.decode(data, None, planes=1)
    return coder.decode(data)


def decode_compact(data: bytes) -> NDArray[np.uint8]:
    """A compact image, uint8 [h, w, 3] or [h, w] where it is grey, as a reader of a whole file sees it.
    FormatError when it is damaged."""
    is_flif = data.startswith(_FLIF)
    if is_flif:
        grey = flif_files.channels_of(data, DEFAULT_MAX_PIXELS) == 1
    else:
        grey = read_header(data)[0].chroma == "400"
    shown = compact.decode(compact.LAYER.chunk(compact.FLIF if is_flif else compact.BPG, data), grey)
    return shown[..., 0] if grey else shown


def decode_residual(data: bytes, mapping: Mapping | None = None, told: Beside | None = None) -> Pixels:
    """What a residual codes: r = x − x′ of the paper's profile and of files of version 0.1, int16; of one
    that leans on no coarse image the photo before its restoration, uint8; else x − w·x′, scaled by what its
    class counts, int16. All [H, W, 3] or [H, W], in grey levels. UsageError where neither ``mapping`` nor
    ``told`` says what it is, FormatError when it is damaged."""
    if told is not None and told.terms is not None:
        planes = read_planes(data, told.grey, BIT_DEPTH, None)
        if not told.terms.trust:
            return residual.reconstruct_whole(planes, told.terms)
        return residual.differences(planes, told.terms)
    if told is not None and told.codec == residual.JPEG_XL:
        raise UsageError("this residual is a JPEG XL file of the photo itself, which other programs show")
    if told is not None and told.codec == residual.FIRST_BPG:
        return residual.first_differences(data, told.grey)
    mapping = mapping if told is None or told.mapping is None else told.mapping
    if mapping is None:
        raise UsageError(
            "nothing says how this residual is mapped: no layers.json that names it lies beside it; give its "
            "mapping"
        )
    picture = bpg.decode(data, max_pixels=DEFAULT_MAX_PIXELS)
    if picture.bit_depth != 8:
        raise FormatError("the residual has not the 8 bits of a mapped one")
    return mapping.differences(picture.planes[0].astype(np.uint8) if picture.grey else picture.rgb8())
