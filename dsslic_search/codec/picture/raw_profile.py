"""Metadata in texts of PNG, as ImageMagick writes them and many read: a name, the number of bytes, and these
in hexadecimal digits."""

from __future__ import annotations

_DIGITS_IN_A_LINE = 72


def encode(name: str, data: bytes) -> str:
    """The text for some bytes."""
    digits = data.hex()
    lines = [digits[i : i + _DIGITS_IN_A_LINE] for i in range(0, len(digits), _DIGITS_IN_A_LINE)]
    return "\n".join(["", name, f"{len(data):8}", *lines, ""])


def decode(text: str) -> bytes:
    """The bytes in a text; b"" for what is no such text."""
    parts = text.split()
    try:
        size = int(parts[1])
        data = bytes.fromhex("".join(parts[2:]))
    except (ValueError, IndexError):
        return b""
    return data if len(data) == size else b""
