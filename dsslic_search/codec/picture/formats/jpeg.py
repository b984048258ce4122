"""JPEG (ITU-T T.81): through Pillow, and through libjpeg-turbo as imagecodecs builds it where Pillow's lacks
the process: arithmetic coding, twelve bits, lossless."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.jpeg_segments import START_OF_SCAN, Segment, end_of_picture, segments
from dsslic_search.codec.picture.facts import turn_of
from dsslic_search.codec.picture.formats import companions, extended_xmp, pillow
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import Model, Profile, Raster

END_OF_IMAGE = b"\xff\xd9"
_TAILS = (b"", b"\0", b"\xfe", b"\x5a\xa5\x33", b"\xaa")  # that a scan may go on with
_SEQUENTIAL = frozenset({0xC0, 0xC1})  # baseline and extended, Huffman
_PROGRESSIVE = frozenset({0xC2})  # Huffman
_ENDLESS = ("its end marker is missing; every pixel is there",)
_COARSE = ("its last scans are missing, which makes it coarser than it was",)
COEFFICIENTS = 64  # of a block
_UNSEEN = 16  # bits that are still to come of a coefficient that no scan has brought
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ARITHMETIC, _LOSSLESS = frozenset({0xC9, 0xCA, 0xCB}), frozenset({0xC3, 0xCB})
_HIERARCHICAL = frozenset({0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF})


class Frame(NamedTuple):
    """``process``: the marker's second byte; ``bits`` a sample."""

    process: int
    bits: int
    height: int
    width: int
    components: int


def read(data: bytes) -> Header:
    """The header of a JPEG file."""
    frame = frame_of(data)
    if frame is not None and frame.process in _HIERARCHICAL:
        raise ValueError("hierarchical JPEG, which no program reads any more")
    header = pillow.read(_readable_header(data, frame), "JPEG")
    embedded = header.embedded()
    embedded = replace(embedded, xmp=extended_xmp.joined(data, embedded.xmp))
    header = replace(
        header,
        embedded=lambda: embedded,
        companions=lambda: companions.of_jpeg(data, embedded.xmp),
    )
    if frame is None or (frame.process not in _ARITHMETIC | _LOSSLESS and frame.bits == 8):
        return replace(header, decode=lambda shrink: _decode(data, frame, header, shrink))
    turn, space = turn_of(embedded) or 1, Profile(embedded.icc) if embedded.icc else None
    return replace(
        header,
        width=frame.width,
        height=frame.height,
        decode=lambda shrink: replace(_decode_whole(data, frame), space=space, turn=turn),
    )


def _decode(data: bytes, frame: Frame | None, header: Header, shrink: int) -> Raster:
    try:
        raster = header.decode(shrink)
    except OSError:
        if not lacks_only_its_end(data):
            raise
        return replace(pillow.read(_ended(data), "JPEG").decode(shrink), notes=_ENDLESS)
    progressive = frame is not None and frame.process in _PROGRESSIVE
    return replace(raster, notes=_COARSE) if progressive and not has_every_scan(data) else raster


def lacks_only_its_end(data: bytes) -> bool:
    """Whether every pixel of a JPEG file without its end marker is there.

    A decoder that runs out of data goes on with made-up bits, so pixels that were not there depend on what
    stands behind the end: the last scan is whole if different continuations give the same picture. Two would
    not do: now and then the last code words are the same by chance. That no scan is missing, which would show
    a coarser picture, or one without colours, is told by their headers.
    """
    from imagecodecs import jpeg8_decode

    if _has_its_end(data) or not has_every_scan(data):
        return False
    try:
        first, *others = (jpeg8_decode(_ended(data, 4096 * tail)) for tail in _TAILS)
    except Exception:  # as of any damage
        return False
    return all(np.array_equal(first, other) for other in others)


def has_every_scan(data: bytes) -> bool:
    """Whether the scans of a file bring every coefficient of every component down to its last bit (ITU-T
    T.81, B.2.3 and G.1.1); a sequential one brings all of its components' at once."""
    left: dict[int, list[int]] = {}
    try:
        for marker, _, start, end in segments(data):
            body = data[start:end]
            if marker in _FRAMES:
                left = {body[6 + 3 * i]: [_UNSEEN] * COEFFICIENTS for i in range(body[5])}
            elif marker == START_OF_SCAN:
                first, last, precision = body[1 + 2 * body[0] : 4 + 2 * body[0]]
                if last >= COEFFICIENTS:  # lossless: a predictor stands there
                    return False
                for component in body[1 : 1 + 2 * body[0] : 2]:
                    for at in range(first, last + 1):
                        left[component][at] = precision & 15
    except (ValueError, IndexError, KeyError):  # as of any damage
        return False
    return bool(left) and not any(map(any, left.values()))


def _ended(data: bytes, tail: bytes = b"") -> bytes:
    """A file with an end, which may have half of one."""
    return data.removesuffix(END_OF_IMAGE[:1]) + tail + END_OF_IMAGE


def _has_its_end(data: bytes) -> bool:
    """Whether the end marker stands behind the last scan, whatever follows it."""
    return end_of_picture(data) is not None


def frame_of(data: bytes) -> Frame | None:
    """What the first frame header says; None where there is none."""
    segment = _frame_segment(data)
    if segment is None or segment.end - segment.start < 6:
        return None
    body = data[segment.start : segment.end]
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    return Frame(segment.marker, body[0], height, width, body[5])


def _frame_segment(data: bytes) -> Segment | None:
    try:
        return next((s for s in segments(data) if s.marker in _FRAMES), None)
    except ValueError:
        return None


def _readable_header(data: bytes, frame: Frame | None) -> bytes:
    """The file as Pillow opens it: for its metadata alone, a frame that it does not know counts as
    baseline."""
    if frame is None or (frame.process in _SEQUENTIAL | {0xC2} and frame.bits == 8):
        return data
    segment = _frame_segment(data)
    assert segment is not None
    start = segment.start
    return data[: start - 4] + b"\xff\xc0" + data[start - 2 : start] + b"\x08" + data[start + 1 :]


def _decode_whole(data: bytes, frame: Frame) -> Raster:
    """Where Pillow cannot; the library makes up what is missing, so that is looked at before."""
    if _has_its_end(data):
        return _decode_otherwise(data, frame)
    if not lacks_only_its_end(data):
        raise ValueError("it ends before its last pixel")
    return replace(_decode_otherwise(_ended(data), frame), notes=_ENDLESS)


def _decode_otherwise(data: bytes, frame: Frame) -> Raster:
    import imagecodecs

    decode = (
        imagecodecs.ljpeg_decode
        if frame.process in _LOSSLESS and frame.bits > 8
        else imagecodecs.jpeg8_decode
    )
    samples: NDArray[Any] = decode(data)
    if samples.shape[:2] != (frame.height, frame.width):
        raise ValueError("the picture is not of the size that its header says")
    models: dict[int, Model] = {1: "grey", 3: "rgb", 4: "cmyk"}
    samples = samples[..., 0] if samples.ndim == 3 and samples.shape[2] == 1 else samples
    model = models[1 if samples.ndim == 2 else samples.shape[2]]
    white = float((1 << frame.bits) - 1)
    if model == "cmyk":  # Adobe's are inverted
        samples = np.asarray(white, samples.dtype) - samples
    return Raster(samples, model, white, frame.bits)
