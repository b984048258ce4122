"""FLIF16: lossless pictures, in rows or from coarse to fine (Sneyers & Wuille; the format: flif.info)."""

from __future__ import annotations

from dsslic_search.codec.flif.coder import FlifPicture, decode, encode
from dsslic_search.codec.flif.file import MetadataChunk

__all__ = ["FlifPicture", "MetadataChunk", "decode", "encode"]
