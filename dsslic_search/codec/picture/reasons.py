"""Why a library could not go on, in words for people."""

from __future__ import annotations

import struct


def reason(error: Exception) -> str:
    """What an error of a library that reads pictures says, without its variables, addresses and byte
    strings. Of an error that says such a reason it is that reason."""
    if isinstance(error, (struct.error, IndexError, EOFError)):
        return "it ends too early"
    said = error.args[0] if error.args else ""
    text = " ".join((said.decode("latin-1") if isinstance(said, bytes) else str(error)).split())
    if "object at 0x" in text:
        return "nothing in it is a picture that can be read"
    return text[:200] or type(error).__name__
