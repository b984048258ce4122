"""Text from files and users, made safe to show in a terminal."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def printable(text: str) -> str:
    """``text`` on one line: any white space becomes a space, control characters and the like become
    U+FFFD."""
    return "".join(_printable(c) for c in text)


def _printable(character: str) -> str:
    if character.isspace():
        return " "
    return "\ufffd" if unicodedata.category(character) in _UNSEEN else character
