"""Hexadecimal digits, of hashes and identities, in half the bytes."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"(?:[0-9a-f]{2}){8,}")


def to_bytes(text: str) -> str | bytes:
    """A text as bytes, if it is 16 digits or more, an even number, none of them a capital; else as it is."""
    return bytes.fromhex(text) if _DIGITS.fullmatch(text) else text


def to_text(stored: str | bytes) -> str:
    """The text of which :func:`to_bytes` made this."""
    return stored if isinstance(stored, str) else stored.hex()
