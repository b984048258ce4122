"""The original's layers: a photo's file, bit for bit, in fewer bytes where that is possible, and its hash.

JPEG files are re-packed as JPEG XL (13–20 % smaller), which can be turned back into the very same file; all
others are stored as they are. What stands behind a JPEG's picture, such as the clip of a motion photo, is
packed with it; where libjxl takes that no more, it stands beside the packed picture as it is.
"""

from __future__ import annotations

import hashlib
import struct

from dsslic_search.codec import jpeg_xl
from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.codec.jpeg_segments import START_OF_FILE, end_of_picture
from dsslic_search.core.errors import FormatError
from dsslic_search.core.kinds import Stage

STORED = 0
JPEG_XL = 1
JPEG_XL_AND_TAIL = 2
"""The length of the JPEG XL data (32 bits, little-endian), these, and what stands behind the picture."""
LAYER = Layer("ORIG", "the original", (STORED, JPEG_XL, JPEG_XL_AND_TAIL), (Stage.FULL,), holds_photo=True)

SHA_256 = 0
HASH = Layer("hash", "the hash of the original", (SHA_256,), (Stage.FULL,))

MAX_EXPANSION = 8
"""Data packed as JPEG XL never unpacks to more than this many times its size, or
:data:`ALWAYS_ALLOWED_BYTES` if that is more."""
ALWAYS_ALLOWED_BYTES = 1 << 20

_LENGTH = struct.Struct("<I")
_PIXELS_PER_BYTE = 512  # a JPEG spends at least one bit on the mean of each 8×8 block


def encode(original: bytes) -> Chunk:
    """The bytes of a photo's file."""
    return LAYER.chunk(*pack(original))


def encode_hash(original: bytes, known: str = "") -> Chunk:
    """The SHA-256 of a photo's file, 32 bytes; ``known``: the same in hex, where it was computed before."""
    return HASH.chunk(SHA_256, bytes.fromhex(known) if known else hashlib.sha256(original).digest())


def decode(chunk: Chunk, hashed: Chunk | None) -> bytes:
    """What :func:`encode` was given, compared with what :func:`encode_hash` made of it. FormatError when it
    is damaged or another."""
    original = unpack(chunk.codec, chunk.data, max_bytes=max_unpacked(chunk.data))
    if hashed is None or hashlib.sha256(original).digest() != hashed.data:
        raise FormatError(
            "the original unpacked from this file is not the one that was put in (its hash differs)"
        )
    return original


def pack(original: bytes) -> tuple[int, bytes]:
    """(codec id, data) from which :func:`unpack` makes ``original`` again.

    JPEG XL is used only after unpacking has been seen to give ``original`` back, and only where it is
    smaller. A tail is packed with its picture where that works, which costs no more than a few bytes over
    the tail as it is, and often less.
    """
    if original.startswith(START_OF_FILE):
        for codec, packing in ((JPEG_XL, _transcode), (JPEG_XL_AND_TAIL, _transcode_before_tail)):
            packed = packing(original)
            if (
                packed is not None
                and len(packed) < len(original) <= max_unpacked(packed)
                and _restores(codec, packed, original)
            ):
                return codec, packed
    return STORED, original


def max_unpacked(data: bytes) -> int:
    """The most bytes that data made by :func:`pack` can unpack to."""
    return max(ALWAYS_ALLOWED_BYTES, MAX_EXPANSION * len(data))


def unpack(codec_id: int, data: bytes, max_bytes: int) -> bytes:
    """The original file. Raises FormatError when the data is damaged, of an unknown codec, or unpacks to more
    than ``max_bytes``."""
    if codec_id == STORED:
        if len(data) > max_bytes:
            raise FormatError(f"the original takes {len(data)} bytes, more than the {max_bytes} allowed")
        return data
    if codec_id == JPEG_XL_AND_TAIL:
        return _untranscode_before_tail(data, max_bytes)
    if codec_id != JPEG_XL:
        raise FormatError(
            f"the original is packed by codec {codec_id}, which this program does not know: upgrade "
            "dsslic-search"
        )
    return _untranscode(data, max_bytes)


def _transcode(original: bytes) -> bytes | None:
    """None where libjxl cannot: arithmetic coding, 12 bits, CMYK, damage …"""
    import imagecodecs

    try:
        return bytes(imagecodecs.jpegxl_encode_jpeg(original, usecontainer=True, numthreads=1))
    except (RuntimeError, ValueError, MemoryError):
        return None


def _transcode_before_tail(original: bytes) -> bytes | None:
    """None too where nothing stands behind the picture."""
    end = end_of_picture(original)
    if end is None or end == len(original):
        return None
    packed = _transcode(original[:end])
    return (
        None if packed is None else b"".join((_LENGTH.pack(len(packed)), packed, memoryview(original)[end:]))
    )


def _restores(codec: int, packed: bytes, original: bytes) -> bool:
    try:
        return unpack(codec, packed, len(original)) == original
    except FormatError:
        return False


def _untranscode(data: bytes, max_bytes: int) -> bytes:
    import imagecodecs

    height, width = jpeg_xl.read_container_size(data)
    if height * width > _PIXELS_PER_BYTE * max_bytes:
        raise FormatError(
            f"the original of {width}×{height} pixels cannot be a JPEG file of {max_bytes} bytes or less"
        )
    try:
        return bytes(imagecodecs.jpegxl_decode_jpeg(data, numthreads=1, out=max_bytes))
    except ValueError as e:
        raise FormatError(
            f"the original unpacks to more than the {max_bytes} bytes allowed, or is damaged ({e})"
        ) from e
    except (RuntimeError, MemoryError) as e:
        raise FormatError(f"the packed original is damaged ({e})") from e


def _untranscode_before_tail(data: bytes, max_bytes: int) -> bytes:
    if len(data) < _LENGTH.size:
        raise FormatError("the packed original is damaged (it ends inside its first number)")
    end = _LENGTH.size + int(_LENGTH.unpack_from(data)[0])
    if end > len(data):
        raise FormatError("the packed original is damaged (its picture goes on behind its end)")
    tail = memoryview(data)[end:]
    if len(tail) >= max_bytes:
        raise FormatError(
            f"the original's {len(tail)} bytes behind its picture are more than the {max_bytes} allowed"
        )
    return b"".join((_untranscode(data[_LENGTH.size : end], max_bytes - len(tail)), tail))
