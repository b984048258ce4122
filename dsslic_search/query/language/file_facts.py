"""Facts of files between two bounds ("24-70mm", "f/4 to f/8", "between 2 and 5 MB"), and others that take
more than a word: "files named IMG_*", "keyword wedding", "at least 4000 pixels wide"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from dsslic_search.query.language import fields
from dsslic_search.query.language.plain_facts import Told

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_TO = r"\s*(?:-|–|to|and|\.\.)\s*"
_UNIT = r"mm|megapixels?|mp|stars?|[kmg]i?b|megabytes?|kilobytes?|gigabytes?"
_FIELDS = {
    "mm": "focal_length", "mp": "megapixels", "megapixel": "megapixels", "megapixels": "megapixels",
    "star": "rating", "stars": "rating",
}  # fmt: skip
"""What is told in units that are not of bytes."""
_NAMES = {
    "iso": "iso", "rating": "rating", "stars": "rating", "rated": "rating", "width": "width",
    "height": "height", "focal length": "focal_length", "size": "size", "file size": "size",
    "megapixels": "megapixels",
}  # fmt: skip
_STARS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_FORMS = (
    rf"(?:(?:aperture|at)\s+)?f\s?/?\s?(?P<f1>{_NUMBER}){_TO}(?:f\s?/?\s?)?(?P<f2>{_NUMBER})(?![\w.%])",
    rf"(?P<name>{'|'.join(_NAMES)})\s+(?:between\s+|from\s+)?(?P<n1>{_NUMBER}){_TO}(?P<n2>{_NUMBER})"
    rf"(?:\s*(?P<n_unit>{_UNIT})\b)?(?![\w.%/])",
    rf"(?:(?:files?|photos?)\s+)?(?:(?:between|from)\s+)?(?P<u1>{_NUMBER})\s*(?P<u1_unit>{_UNIT})?(?:{_TO}|\s+(?P<either>or)\s+)"
    rf"(?P<u2>{_NUMBER})\s*(?P<u_unit>{_UNIT})\b(?:\s+lens(?:es)?\b)?",
    rf"(?P<star>{'|'.join(_STARS)})\s+stars?\b",
    r"f\s?(?P<f>[0-9]{1,2}(?:\.[0-9])?)(?![\w./%])",
    r"(?P<least>at\s+least|over|more\s+than|at\s+most|under|less\s+than)?\s*(?P<pixels>[0-9]{2,6})\s*"
    r"(?:px|pixels?)\s+(?P<side>wide|high|tall)\b",
    r"(?:exposure\s+|shutter\s+speed\s+)?(?P<speed>slower|faster|longer|shorter)\s+than\s+(?P<than>1\s?/\s?[0-9]{1,5}|"
    rf"{_NUMBER}(?=\s*s))(?:\s?s(?:ec(?:onds?)?)?\b)?",
    r"(?:shutter\s+speed|exposure\s+time)\s+(?:of\s+)?(?P<shutter>1\s?/\s?[0-9]{1,5})(?:\s?s(?:ec(?:onds?)?)?\b)?"
    r"(?!\s+(?:or|and)\s+\w+er\b)",
    r"(?:files?\s+|photos?\s+)?(?:named|called)\s+(?P<called>[^\s,()\"]+)",
    r"file\s?name\s+(?:is|contains|like)\s+(?P<containing>[^\s,()\"]+)",
    r"(?:with\s+)?(?:the\s+)?keyword\s+(?!(?:and|or|but|with|without|not|is|are)\b)(?P<keyword>[^\s,()\":]+)",
    r"(?:limit|(?<=,\s)max|max(?=\s+[0-9]+\s+(?:photos|pictures|images|results)\b))\s+(?P<limit>[0-9]{1,4})\b(?=\s*(?:$|[,)]|photos?\b|pictures?\b|images?\b|results?\b))(?:\s+\w+)?",
    r"(?:the\s+)?(?P<end>last|first)\s+(?:photo|picture|pic|image|shot)(?:\s+taken)?(?!\w)",
)
_TOLD = re.compile("|".join(f"(?:{form})" for form in _FORMS))
OPENERS = frozenset(
    {
        "f",
        "aperture",
        "at",
        "file",
        "files",
        "photo",
        "photos",
        "between",
        "from",
        "over",
        "more",
        "under",
        "less",
    }
    | {
        "exposure",
        "shutter",
        "slower",
        "faster",
        "longer",
        "shorter",
        "named",
        "called",
        "filename",
        "with",
        "the",
    }
    | {"keyword", "limit", "max", "last", "first", *_STARS, *(name.split()[0] for name in _NAMES)}
)
"""The words with which such a fact can begin; besides, it may begin with a number, or f and a number."""

_AND = re.compile(r"[0-9a-z]\s+and\s+(?:f\s?/?\s?)?[0-9]")

Part = Mapping[str, str]


def told(text: str, start: int, now: datetime) -> tuple[Told, int] | None:
    """What running text in normal form tells of from ``start`` on, and where that ends; None for nothing.

    Raises ValueError with a sentence for a value that does not fit."""
    found = _TOLD.match(text, start)
    if found is None:
        return None
    if _AND.search(found.group()) and "between" not in found.group():
        return None  # "50mm and 85mm"
    part = {name: said for name, said in found.groupdict().items() if said is not None}
    if "either" in part and (part["u_unit"][:4] != "star" or float(part["u2"]) - float(part["u1"]) != 1):
        return None  # "50mm or 85mm"
    name, value = next(maker for key, maker in _MAKERS.items() if key in part)(part)
    match name:
        case "limit":
            return Told(limit=int(value)), found.end()
        case "sort":
            return Told(sort=fields.sort_of(value, lambda word: None), limit=1), found.end()
    return Told(fields.filter_of(name, value, now)), found.end()


def _of_unit(part: Part) -> tuple[str, str]:
    units = part.get("u1_unit", part["u_unit"]), part["u_unit"]
    name = _FIELDS.get(units[1], "size")
    return name, _range(part["u1"], part["u2"], *map(_written, units) if name == "size" else ())


def _of_name(part: Part) -> tuple[str, str]:
    name, unit = _NAMES[" ".join(part["name"].split())], part.get("n_unit", "")
    return name, _range(part["n1"], part["n2"], *[_written(unit)] * 2 if name == "size" and unit else ())


def _range(low: str, high: str, low_unit: str = "", high_unit: str = "") -> str:
    return f"{low}{low_unit}..{high}{high_unit}"


def _written(unit: str) -> str:
    return {"megabyte": "MB", "kilobyte": "kB", "gigabyte": "GB"}.get(unit.rstrip("s"), unit.upper())


def _pixels(part: Part) -> tuple[str, str]:
    least = " ".join(part.get("least", "").split())
    sign = {"at least": ">=", "at most": "<=", "": ""}.get(
        least, ">" if least in {"over", "more than"} else "<"
    )
    return "width" if part["side"] == "wide" else "height", f"{sign}{part['pixels']}"


def _speed(part: Part) -> tuple[str, str]:
    sign = ">" if part["speed"] in {"slower", "longer"} else "<"
    return "exposure", sign + part["than"].replace(" ", "")


_MAKERS: Mapping[str, Callable[[Part], tuple[str, str]]] = {
    "f1": lambda part: ("f_number", _range(part["f1"], part["f2"])),
    "name": _of_name,
    "u_unit": _of_unit,
    "star": lambda part: ("rating", str(_STARS[part["star"]])),
    "f": lambda part: ("f_number", part["f"]),
    "pixels": _pixels,
    "speed": _speed,
    "shutter": lambda part: ("exposure", part["shutter"].replace(" ", "")),
    "called": lambda part: ("name", part["called"]),
    "containing": lambda part: ("name", part["containing"]),
    "keyword": lambda part: ("keyword", part["keyword"]),
    "limit": lambda part: ("limit", part["limit"]),
    "end": lambda part: ("sort", "-taken" if part["end"] == "last" else "taken"),
}
