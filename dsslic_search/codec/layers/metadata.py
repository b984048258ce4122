"""The layers of what came with a photo beside its pixels: EXIF, XMP and IPTC, each deflated; and the colour
profile, which files of earlier versions have: pixels are sRGB, so it is written no more."""

from __future__ import annotations

import zlib

from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.core.errors import FormatError

DEFLATED = 1
ICC = Layer("iccp", "the colour profile", (DEFLATED,))
EXIF = Layer("exif", "the EXIF data", (DEFLATED,))
XMP = Layer("xmpp", "the XMP packet", (DEFLATED,))
IPTC = Layer("iptc", "the IPTC records", (DEFLATED,))
OF_EMBEDDED = {"exif": EXIF, "xmp": XMP, "iptc": IPTC, "icc": ICC}
"""By the names that `codec.picture.raster.Embedded` has for what they hold."""

MAX_UNPACKED_BYTES = 1 << 24


def encode(layer: Layer, data: bytes) -> Chunk:
    """Bytes of what stands beside a photo's pixels, as the chunk of one of these layers."""
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
