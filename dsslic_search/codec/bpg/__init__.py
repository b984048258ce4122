"""BPG: HEVC intra pictures in a small container (libbpg's specification of the BPG image format)."""

from __future__ import annotations

from dsslic_search.codec.bpg.file import Picture, decode, encode, encode_planes, encode_rows
from dsslic_search.codec.bpg.hevc import CODING_BLOCKS

__all__ = ["CODING_BLOCKS", "Picture", "decode", "encode", "encode_planes", "encode_rows"]
