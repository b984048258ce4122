"""The layers of what came with a photo beside its pixels: colour profile and EXIF, each deflated."""

from __future__ import annotations

import zlib

from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.core.errors import FormatError

DEFLATED = 1
ICC = Layer("iccp", "the colour profile", (DEFLATED,))
EXIF = Layer("exif", "the EXIF data", (DEFLATED,))

MAX_UNPACKED_BYTES = 1 << 24


def encode(layer: Layer, data: bytes) -> Chunk:
    """Bytes of an ICC profile or of EXIF, as the chunk of :data:`ICC` or :data:`EXIF`."""
    return layer.chunk(DEFLATED, zlib.compress(data, 9))


def decode(layer: Layer, chunk: Chunk) -> bytes:
    """What :func:`encode` was given. FormatError when the chunk is damaged or unpacks to more than 16 MiB."""
    layer.check(chunk)
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(chunk.data, MAX_UNPACKED_BYTES)
    except zlib.error as e:
        raise FormatError(f"damaged {layer.kind} chunk ({e})") from e
    if unpacker.unconsumed_tail:
        raise FormatError(f"the {layer.kind} chunk is larger than {MAX_UNPACKED_BYTES} bytes when unpacked")
    return plain
