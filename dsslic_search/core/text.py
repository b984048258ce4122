"""Text of people and for people: normal forms, plurals, lists, spelling mistakes, sizes in bytes."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Normal forms. Texts that should count as the same have the same form.


def folded(text: str) -> str:
    """NFKC and case-folded: full-width and composed forms, upper and lower case are the same. For words,
    tags, names of queries and values of fields."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def folded_name(text: str) -> str:
    """NFC and case-folded: capitals do not matter, nor whether an accent is a character of its own, but
    full-width letters stay what they are. For paths and names that files hold."""
    text = text.casefold()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def normal(text: str) -> str:
    """A word or phrase in normal form: :func:`folded`, words apart by one space; hyphens and underscores are
    spaces, and a typographic apostrophe is a plain one."""
    return " ".join(folded(text).replace("-", " ").replace("_", " ").replace("’", "'").split())


# Sentences.

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})  # Unicode categories without a visible sign
QUOTED_CHARACTERS = 40
"""Characters of a user's word that a sentence repeats."""


def printable(text: str) -> str:
    """``text`` on one line: any white space becomes a space, control characters and the like become
    U+FFFD."""
    return "".join(
        " " if c.isspace() else "\ufffd" if unicodedata.category(c) in _UNSEEN else c for c in text
    )


def quoted(word: str) -> str:
    """A word of the user's in quotation marks, made printable and short."""
    shown = printable(word)
    return f'"{shown[: QUOTED_CHARACTERS - 1]}…"' if len(shown) > QUOTED_CHARACTERS else f'"{shown}"'


def listed(words: Sequence[str], last: str = "or") -> str:
    """At least one word as a sentence lists them: "a", "a or b", "a, b or c"."""
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final


def counted(count: int, singular: str) -> str:
    """A number and its noun: "1 photo", "2 photos"."""
    return f"{count} {singular if count == 1 else plural_of(singular)}"


def plural_of(phrase: str) -> str:
    """The regular English plural of a singular word; of "body of water" that is "bodies of water"."""
    word, of, rest = phrase.partition(" of ")
    if word.endswith(("s", "x", "ch", "sh")):
        plural = word + "es"
    elif word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        plural = word[:-1] + "ies"
    else:
        plural = word + "s"
    return plural + of + rest


# Spelling mistakes.

_CLOSEST_CHARACTERS = 200  # a longer text is no misspelt word, and slow to compare
_LIKE_CHARACTERS = 40  # the same where a query of thousands of characters has to be answered at once
_LEAST_LIKENESS = 0.7  # of a word that is suggested; 1 is the word itself
_FIRST_LETTER = 0.1  # added to the likeness of a word with the same first letter: people rarely get it wrong


def closest(word: str, known: Iterable[str], at_most: int = 3) -> tuple[str, ...]:
    """The known words most like one that is not known, best first; perhaps none."""
    if len(word) > _CLOSEST_CHARACTERS:
        return ()
    return tuple(difflib.get_close_matches(word, list(known), at_most))


def did_you_mean(words: Sequence[str]) -> str:
    """The question for at least one word: "did you mean a or b?"."""
    return f"did you mean {' or '.join(words)}?"


class KnownWords:
    """Thousands of words and phrases, ready to be compared with misspelt ones within milliseconds."""

    def __init__(self, words: Iterable[str]) -> None:
        import numpy as np

        self._words = tuple(words)
        self._lengths = np.array([len(word) for word in self._words], np.int64)
        self._counts = _letters(self._words)
        self._are_phrases = np.array([" " in word for word in self._words], bool)

    def like(self, asked: str, *, phrases_only: bool = False) -> dict[str, float]:
        """The words that are like ``asked`` and how much, 0.7 to 1.1; with ``phrases_only`` phrases
        of several words alone."""
        if not 0 < len(asked) <= _LIKE_CHARACTERS:
            return {}
        found: dict[str, float] = {}
        matcher = difflib.SequenceMatcher(b=asked, autojunk=False)
        for word in self._worth_a_look(asked, phrases_only):
            more = _FIRST_LETTER * (word[:1] == asked[:1])
            matcher.set_seq1(word)
            if matcher.quick_ratio() + more < _LEAST_LIKENESS:  # the ratio is no larger
                continue
            likeness = matcher.ratio() + more
            if likeness >= _LEAST_LIKENESS:
                found[word] = likeness
        return found

    def _worth_a_look(self, asked: str, phrases_only: bool) -> list[str]:
        """What has about the length, and enough letters in common."""
        import numpy as np

        share = self._lengths / len(asked)
        near = (share >= 0.5) & (share <= 2)
        if phrases_only:
            near &= self._are_phrases
        rows = np.flatnonzero(near)
        counts, wanted = self._counts[rows], _letters((asked,))[0]
        has, letters = counts > 0, wanted > 0
        common, either = (has & letters).sum(1), (has | letters).sum(1)
        shared = np.minimum(counts, wanted).sum(1, dtype=np.int64)  # no fewer than a match can have
        most = 2 * shared / (self._lengths[rows] + len(asked))
        alike = (common * 10 >= 4 * either) & (most >= _LEAST_LIKENESS - _FIRST_LETTER - 1e-9)
        return [self._words[row] for row in rows[alike].tolist()]


def _letters(words: Sequence[str]) -> NDArray[np.uint8]:
    """How often each letter is in each word, uint8 [words, 32]; letters that are 32 code points apart are
    taken for the same."""
    import numpy as np

    lengths = [len(word) for word in words]
    codes = np.frombuffer("".join(words).encode("utf-32-le", "surrogatepass"), np.uint32) & 31
    places = np.repeat(np.arange(len(words)), lengths) * 32 + codes
    counts = np.bincount(places, minlength=32 * len(words)).reshape(-1, 32)
    return np.minimum(counts, 255).astype(np.uint8)


# Sizes in bytes: k, M, G and T are powers of 1000, Ki, Mi, Gi and Ti of 1024.

BYTE_UNITS: Mapping[str, Decimal] = {
    **dict.fromkeys(("", "b", "byte", "bytes"), Decimal(1)),
    **{
        prefix + ending: Decimal(base) ** power
        for power, prefix in enumerate("kmgt", 1)
        for base, endings in ((1000, ("", "b")), (1024, ("i", "ib")))
        for ending in endings
    },
}
"""Bytes of each unit, case-folded: 1 for "", 1000 for "k" and "kb", 1024 for "ki" and "kib" …"""

_SIZE = re.compile(r"\s*([0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]*)\s*")


def parse_size(text: str) -> int:
    """Bytes from "5000", "1_000_000", "200k", "1.5 MB" or "2MiB", rounded to whole ones. ValueError for
    what is no size."""
    found = _SIZE.fullmatch(text.casefold())
    if found is None or found[2] not in BYTE_UNITS:
        raise ValueError(f"{quoted(text)} is not a number of bytes, as in 5000, 200k, 1.5MB or 2MiB")
    return int((Decimal(found[1]) * BYTE_UNITS[found[2]]).to_integral_value())


DURATION_UNITS = {
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "min": Fraction(60),
    "h": Fraction(3600),
}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s?([a-z]+)")


def parse_duration(text: str) -> Fraction:
    """Seconds, exactly, from "2s", "0.5s", "500ms", "1m" (or "1min") or "1h". ValueError for what is no
    duration, and for none."""
    found = _DURATION.fullmatch(text.strip().casefold())
    if found is None or found[2] not in DURATION_UNITS or not (seconds := Fraction(found[1])):
        raise ValueError(f"{quoted(text)} is not a duration, as in 2s, 0.5s, 500ms or 1m")
    return seconds * DURATION_UNITS[found[2]]


AGE_UNITS = {"h": 1, "d": 24, "w": 7 * 24, "y": 365 * 24}  # hours of each
_AGE = re.compile(r"([0-9]{1,4})\s?([a-z])")


def parse_age(text: str) -> timedelta:
    """From "12h", "30d", "8w" or "2y", a year being 365 days. ValueError for what is no age."""
    found = _AGE.fullmatch(text.strip().casefold())
    if found is None or found[2] not in AGE_UNITS:
        raise ValueError(f"{quoted(text)} is not an age, as in 12h, 30d, 8w or 2y")
    return timedelta(hours=int(found[1]) * AGE_UNITS[found[2]])


def size_text(count: float) -> str:
    """Bytes for people, in three digits: "12 B", "1.5 kB", "2.35 MB"; powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
