"""What the labels of a `transformers` model mean: read from its config.json, mapped by rules or by a user's
file."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dsslic_search.core import naming, vocabulary
from dsslic_search.core.dialect import Dialect, shipped
from dsslic_search.core.errors import Remedy, UsageError, WeightsError
from dsslic_search.core.naming import How, Named
from dsslic_search.core.plain_json import parsed
from dsslic_search.core.text import closest, did_you_mean, plural_of, quoted
from dsslic_search.core.vocabulary import UNKNOWN, ClassInfo, Vocabulary
from dsslic_search.networks.outputs import Outputs

MAX_LABELS = 10_000
OUTPUTS_UNLESS_SAID = 2  # of a model that says neither their number nor their names


@dataclass(frozen=True)
class Label:
    """One output of a model: its ``id`` and name, and the class of the shipped vocabulary that it counts as,
    see `naming`."""

    id: int
    name: str
    class_id: int
    how: How


def read_labels(folder: Path, name: str, classes: Path | None = None) -> tuple[Label, ...]:
    """The labels of the model in ``folder``, by id. ``classes``: a user's JSON file, {"label": "class"}.

    Raises WeightsError when the model does not name its labels, or not as many as it says or without a gap;
    UsageError when the file does not fit it.
    """
    named = _names(folder, name)
    given = {} if classes is None else _read_classes(classes, named)
    if not given and all(re.fullmatch(r"LABEL_\d+", label) for label in named.values()):
        raise WeightsError(
            f"{name}: its config.json does not name its classes (id2label); say what they are with "
            f"{Remedy.CLASSES_FILE}"
        )
    ours = vocabulary.default()
    found = {
        i: given.get(naming.normal(label)) or naming.class_named(label, ours) for i, label in named.items()
    }
    return tuple(Label(i, named[i], found[i].class_id, found[i].how) for i in sorted(named))


def _names(folder: Path, name: str) -> dict[int, str]:
    path = folder / "config.json"
    try:
        config = parsed(path.read_bytes())
        counted, labels = config.get("num_labels"), config.get("id2label") or {}
        named = [(int(i), str(label).strip()) for i, label in labels.items()]
        said = None if counted is None else int(counted)
    except FileNotFoundError as e:
        raise WeightsError(
            f"{name}: no model there, for it has no config.json; give the folder that holds the model"
        ) from e
    except OSError as e:
        raise WeightsError(f"{path}: cannot be read ({e.strerror}); check its permissions") from e
    except (ValueError, TypeError, AttributeError, OverflowError) as e:
        raise WeightsError(f"{path}: not the description of a model ({e})") from e
    if not named:
        count = OUTPUTS_UNLESS_SAID if said is None else min(max(said, 0), MAX_LABELS + 1)
        named = [(i, f"LABEL_{i}") for i in range(count)]
    elif said not in (None, len(named)):
        raise WeightsError(
            f"{path}: num_labels says {said} classes and id2label names {len(named)}; mend the one that is "
            "wrong, or the library that reads it throws all names away"
        )
    _check_numbers([i for i, _label in named], path)
    return dict(named)


def _check_numbers(ids: Sequence[int], path: Path) -> None:
    """WeightsError unless these are 0, 1, 2 … in any order, at most MAX_LABELS: the library counts names, so
    that those behind a gap would belong to other outputs."""
    if not ids or min(ids) < 0 or max(ids) >= MAX_LABELS:
        raise WeightsError(f"{path}: its labels (id2label) are not numbered from 0 to {MAX_LABELS - 1}")
    given: set[int] = set()
    for i in ids:
        if i in given:
            raise WeightsError(f"{path}: id2label names {i} twice; give every class a number of its own")
        given.add(i)
    if missing := sorted(set(range(max(ids))) - given):
        raise WeightsError(
            f"{path}: id2label names {len(ids)} classes and goes up to {max(ids)}, without {missing[0]}; "
            "number them from 0 without a gap"
        )


def check_outputs(labels: Sequence[Label], outputs: Outputs, name: str) -> None:
    """WeightsError unless a model's last layer gives as many classes as are named."""
    if outputs.classes != len(labels):
        raise WeightsError(
            f"{name}: its weights tell {outputs.classes} classes apart ({outputs.layer}) and its config.json "
            f"says {len(labels)} (id2label, else num_labels); take both files from the same model, or name "
            "every class there"
        )


def _read_classes(path: Path, labels: Mapping[int, str]) -> dict[str, Named]:
    """What a user's file says, by label in normal form."""
    try:
        raw = parsed(path.read_bytes())
        pairs = {str(label): str(name) for label, name in raw.items()}
    except OSError as e:
        raise UsageError(f"{path}: cannot be read ({e.strerror}); check the path") from e
    except (ValueError, AttributeError) as e:
        raise UsageError(f'{path}: not a file of classes ({e}); write {{"label": "class", …}}') from e
    known = {naming.normal(label): label for label in labels.values()}
    ours = vocabulary.default()
    found: dict[str, Named] = {}
    for label, name in pairs.items():
        if naming.normal(label) not in known:
            raise UsageError(
                f"{path}: the model has no label {quoted(label)}{_closest(naming.normal(label), known)}"
            )
        meant = naming.class_named(name, ours)
        if meant.how not in ("name", "synonym"):
            raise UsageError(
                f"{path}: there is no class {quoted(name)}"
                f"{_closest(name, {c.name: c.name for c in ours.classes})}"
            )
        found[naming.normal(label)] = Named(meant.class_id, "file")
    return found


def _closest(word: str, known: Mapping[str, str]) -> str:
    close = [quoted(known[w]) for w in closest(word, known)]
    return f"; {did_you_mean(close)}" if close else ""


def own_dialect(labels: tuple[Label, ...], name: str) -> Dialect:
    """The labels as a vocabulary of their own, in order of their ids. UsageError when there are too many for
    a label map."""
    if len(labels) > UNKNOWN:
        raise UsageError(
            f"{name}: its {len(labels)} classes are more than the {UNKNOWN} that a label map can hold; leave "
            f"out {Remedy.OWN_CLASSES}"
        )
    taken: set[str] = set()
    classes = []
    for i, label in enumerate(labels):
        short = _short(label.name) or f"class {label.id}"
        unique = next(n for n in (short, *(f"{short} {k}" for k in range(2, UNKNOWN + 2))) if n not in taken)
        taken.add(unique)
        classes.append(ClassInfo(i, unique, plural_of(unique), _colour(i), ()))
    own = Vocabulary(_short(name.rstrip("/").rsplit("/")[-1]) or "model", tuple(classes), ())
    if own.identity == vocabulary.default().identity:
        return shipped()
    meanings = tuple(label.class_id for label in labels)
    if vocabulary.default() is vocabulary.built_in():
        return Dialect(own, meanings, meanings)
    marks = tuple(naming.class_named(label.name, vocabulary.built_in()).class_id for label in labels)
    return Dialect(own, meanings, marks)


def _short(name: str) -> str:
    """The first of several names, printable, at most 90 characters."""
    first = re.split(r"[,;]", name)[0]
    return " ".join("".join(c if c.isprintable() else " " for c in first).split())[:90].strip()


def _colour(i: int) -> tuple[int, int, int]:
    """Colours that differ from one class to the next, and do not repeat: hues by the golden angle, in nine
    shades."""
    red, green, blue = colorsys.hsv_to_rgb(
        i * 0.618034 % 1, (0.85, 0.55, 0.7)[i % 3], (0.95, 0.75, 0.55)[i // 3 % 3]
    )
    return round(red * 255), round(green * 255), round(blue * 255)
