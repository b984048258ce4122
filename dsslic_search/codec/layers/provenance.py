"""The layer `srce`: what a person should know of how the photo's file was read, as deflated JSON. Ordinary
photos, 8-bit sRGB read whole, have none."""

from __future__ import annotations

import json
import zlib

from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.core.errors import FormatError
from dsslic_search.core.kinds import KeepMode
from dsslic_search.core.plain_json import parsed
from dsslic_search.core.text import size_text

DEFLATED_JSON = 1
LAYER = Layer("srce", "what is known of the source", (DEFLATED_JSON,))
MAX_REMARKS = 20
MAX_UNPACKED_BYTES = 1 << 14


def encode(bits: int, remarks: tuple[str, ...]) -> Chunk:
    """``bits``: of a channel in the file; ``remarks``: in words."""
    said = {"bits": bits, "remarks": [remark[:200] for remark in remarks[:MAX_REMARKS]]}
    return LAYER.chunk(DEFLATED_JSON, zlib.compress(json.dumps(said, ensure_ascii=False).encode(), 9))


_FATES = {
    KeepMode.LAYERS: "is not kept",
    KeepMode.EXACT: "is kept",
    KeepMode.REFERENCE: "stays with the original",
    KeepMode.COARSE: "is not kept",
}


def clip_remark(clip_bytes: int, mode: KeepMode) -> tuple[str, ...]:
    """What becomes of the clip of a motion photo in a keep mode; nothing where there is none."""
    return (f"a motion photo: its clip of {size_text(clip_bytes)} {_FATES[mode]}",) if clip_bytes else ()


def decode(chunk: Chunk) -> tuple[int, tuple[str, ...]]:
    """What :func:`encode` was given. FormatError when the chunk is damaged."""
    LAYER.check(chunk)
    unpacker = zlib.decompressobj()
    try:
        said = parsed(unpacker.decompress(chunk.data, MAX_UNPACKED_BYTES))
        bits, remarks = said["bits"], said["remarks"]
    except (zlib.error, ValueError, KeyError, TypeError) as e:
        raise FormatError(f"damaged {LAYER.kind} chunk ({type(e).__name__})") from e
    if (
        not isinstance(bits, int)
        or not isinstance(remarks, list)
        or not all(isinstance(r, str) for r in remarks)
    ):
        raise FormatError(f"damaged {LAYER.kind} chunk (not what it should hold)")
    return bits, tuple(remarks)
