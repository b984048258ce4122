"""What may come next in a query that is being typed: words of the language and the vocabulary, fields and
their values in this archive, tags, saved queries, and files to compare with."""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dsslic_search.core.cached import cached_property
from dsslic_search.core.fact import Fact
from dsslic_search.core.fields import COUNTED, NAMED
from dsslic_search.core.text import counted, folded

if TYPE_CHECKING:
    from dsslic_search.api.statistics import Statistics
    from dsslic_search.core.settings import Settings
    from dsslic_search.core.vocabulary import Vocabulary
    from dsslic_search.query.facets import ClassCount

OFFERED = 40  # completions at most
PHRASE_WORDS = 4  # words before the cursor that are tried as the beginning of one phrase
FILES_LOOKED_AT = 2_000  # of a folder

_OPERAND = re.compile(
    r"""(?:^|.*[\s(,+-])(?:like|similar to|looks? like|looking like)\s+(?P<path>"[^"]*|[^\s",()\#]*)$""",
    re.IGNORECASE | re.DOTALL,
)
_FIELD = re.compile(
    r"""(?:^|.*[\s(,+!-])(?P<name>[a-z]+(?:[-_][a-z]+)*):(?P<value>"[^"]*|[^\s",()]*)$""", re.S
)
_SAVED = re.compile(r"(?:^|.*[\s(,+!-])@(?P<name>[^\s,()@]*)$", re.DOTALL)
_WORDS = re.compile(r"[^\W_]+(?:[-'_ ][^\W_]*)*$")
_WORD_START = re.compile(r"(?:^|(?<=[ _-]))(?=[^ _-])")
_BARE = re.compile(r"[^\s,()\"]+")


@dataclass(frozen=True)
class Completion:
    """``text`` stands for the characters from ``start`` to the cursor; ``meaning``: what it is, in a word or
    two. ``kind``: "class", "group", "word" (of the language, another for a class, or an image word),
    "operator", "field", "value", "tag", "people", "keyword", "saved", "file" or "folder"."""

    text: str
    start: int
    meaning: str
    kind: str = "word"


class Asked(Protocol):
    """What of an `Archive` completions come from."""

    settings: Settings
    vocabulary: Vocabulary

    def saved_queries(self) -> dict[str, str]: ...
    def tags(self) -> dict[str, int]: ...
    def classes(self) -> tuple[ClassCount, ...]: ...
    def statistics(self) -> Statistics: ...


class Completer:
    """Completions for the queries of one archive. What it has of fields' values is read when it is first
    needed."""

    def __init__(self, archive: Asked) -> None:
        self._archive = archive
        self._values: dict[str, Mapping[str, int]] = {}

    def completions(self, before: str) -> list[Completion]:
        """What the text before the cursor may go on with, likely ones first; often nothing."""
        return list(self._found(before))[:OFFERED]

    def _found(self, before: str) -> Iterable[Completion]:
        if saved := _SAVED.match(before):
            return self._saved(folded(saved["name"]), saved.start("name"))
        if compared := _OPERAND.match(before):
            if not self._archive.settings.outside:
                return ()
            return files_beginning(compared["path"], compared.start("path"))
        if field := _FIELD.match(before):
            return self._field(field["name"], field["value"], field.start("value"))
        return self._phrases(before)

    def _saved(self, prefix: str, start: int) -> Iterator[Completion]:
        for name, text in self._archive.saved_queries().items():
            if name.startswith(prefix):
                yield Completion(name, start, text, "saved")

    def _field(self, word: str, typed: str, start: int) -> Iterator[Completion]:
        from dsslic_search.query.language.fields import ORDERS, field_name

        name = field_name(word.replace("-", "_"))
        if name is None or (name not in NAMED and name != "sort"):
            return
        prefix = folded(typed.removeprefix('"'))
        if name == "sort":
            reverse = prefix[:1] if prefix[:1] == "-" else ""
            known: Mapping[str, int] = {reverse + order: 0 for order in ORDERS}
        else:
            known = self._values_of(NAMED[name])
        kind = "tag" if name == "tag" else "value"
        for value, count in known.items():
            if folded(value).startswith(prefix):
                told = counted(count, "photo") if count else name
                yield Completion(_quoted_where_needed(value), start, told, kind)

    def _values_of(self, fact: Fact) -> Mapping[str, int]:
        """The values of a fact that this archive has, with how many photos have them where that is known."""
        if fact.kind == "tag":
            return self._archive.tags()
        if fact.kind == "shown":
            if fact.name not in self._values:
                self._values[fact.name] = self._archive.statistics().words
            return self._values[fact.name]
        if fact.values:
            return dict.fromkeys(map(str, fact.values), 0)
        if fact.name not in COUNTED or fact.measure is not None:
            return {}
        if fact.name not in self._values:
            from dsslic_search.query.facets import counted_as

            counts = self._archive.statistics().counts
            self._values |= {name: counts[counted_as(name)] for name in COUNTED}
        return self._values[fact.name]

    def _phrases(self, before: str) -> Iterator[Completion]:
        """Phrases that go on with the last words, the most words first; then fields."""
        typed = _WORDS.search(before)
        if typed is None:
            return
        starts = [typed.start() + found.start() for found in _WORD_START.finditer(typed.group())]
        offered: set[str] = set()
        for start in starts[-PHRASE_WORDS:]:
            prefix = " ".join(re.split(r"[ _-]+", folded(before[start:])))
            for phrase, meaning in self._beginning(prefix):
                if phrase not in offered and phrase != prefix:
                    offered.add(phrase)
                    kind = meaning if meaning in ("class", "group") else "word" if meaning else "operator"
                    yield Completion(phrase, start, meaning, kind)
        for start in starts[-PHRASE_WORDS:]:
            yield from self._names(folded(before[start:]), start)
        last = folded(before[starts[-1] :]) if starts else ""
        for name in self._fields:
            if last and name.startswith(last.replace("-", "_")):
                yield Completion(f"{name}:", starts[-1], "field", "field")

    def _names(self, prefix: str, start: int) -> Iterator[Completion]:
        """Tags, people, keywords and saved queries that begin so, written so that they mean nothing else."""
        for field in ("tag", "people", "keyword"):
            for value, count in self._values_of(NAMED[field]).items():
                if folded(value).startswith(prefix):
                    text = f"{field}:{_quoted_where_needed(value)}"
                    yield Completion(text, start, counted(count, "photo"), field)
        for name, text in self._archive.saved_queries().items():
            if name.startswith(prefix):
                yield Completion(f"@{name}", start, text, "saved")

    def _beginning(self, prefix: str) -> list[tuple[str, str]]:
        """The known phrases that begin so, with their meanings; classes that many photos show first."""
        phrases = self._sorted
        found = []
        for index in range(bisect_left(phrases, prefix), len(phrases)):
            if not phrases[index].startswith(prefix):
                break
            found.append(phrases[index])
        ranked = sorted(found, key=lambda phrase: (self._known[phrase][0], len(phrase), phrase))
        return [(phrase, self._known[phrase][1]) for phrase in ranked]

    @cached_property
    def _known(self) -> Mapping[str, tuple[int, str]]:
        """Each phrase with its place in the order, least first, and its meaning."""
        from dsslic_search.query.language.lexicon import KEYWORDS, word_table

        table = word_table(self._archive.vocabulary)
        photos = {c.name: c.photos for c in self._archive.classes()}
        known = {
            " ".join(words): (0, "")
            for words, (kind, _) in KEYWORDS.items()
            if kind != "UNSEEN" and len(" ".join(words)) > 2
        }
        for words, meaning in table.meanings.items():
            phrase = " ".join(words)
            if words in table.made:
                continue
            if phrase == meaning.name:
                count = photos.get(phrase)
                known[phrase] = -(count or 0), "group" if count is None else "class"
            else:
                known[phrase] = 1, meaning.name
        return known

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._known)

    @cached_property
    def _fields(self) -> tuple[str, ...]:
        from dsslic_search.query.language.fields import FIELDS

        return FIELDS


def _quoted_where_needed(value: str) -> str:
    return value if _BARE.fullmatch(value) else '"' + value.replace('"', "?") + '"'


def files_beginning(typed: str, start: int) -> Iterator[Completion]:
    """The files and folders whose path begins as ``typed``, folders first, hidden ones only when asked for;
    those with a space or a comma in quotes, as ``typed`` is where it begins with one."""
    prefix = typed.removeprefix('"')
    folder, name = os.path.split(prefix)
    try:
        with os.scandir(Path(folder or ".").expanduser()) as entries:
            beginning = [
                (not entry.is_dir(), entry.name)
                for entry, _ in zip(entries, range(FILES_LOOKED_AT), strict=False)
                if entry.name.startswith(name) and (name or not entry.name.startswith("."))
            ]
    except (OSError, ValueError, RuntimeError):
        return
    for is_file, found in sorted(beginning):
        path = str(Path(folder) / found) if folder else found
        if not path.isprintable() or '"' in path:
            continue
        bare = _BARE.fullmatch(path) and not typed.startswith('"')
        if is_file:
            yield Completion(path if bare else f'"{path}"', start, "file", "file")
        else:
            yield Completion((path if bare else f'"{path}') + "/", start, "folder", "folder")
