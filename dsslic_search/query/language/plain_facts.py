"""Facts of files in plain words: "larger than 5 MB", "wider than 4000 pixels", "jpg", "taken with a Canon",
"5 stars", "*.png", "without a date"; and how many photos, and in which order: "top 10", "sorted by date"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from dsslic_search.core.text import listed
from dsslic_search.query.ast import Leaf, Sort, Unknown
from dsslic_search.query.language import fields

FORMATS = ("jpg", "jpeg", "png", "tiff", "tif", "heic", "webp", "gif", "bmp", "avif")
"""Words that are a format whatever stands beside them."""
CAMERAS = (
    "canon", "nikon", "sony", "fujifilm", "fuji", "olympus", "panasonic", "leica", "pentax", "samsung",
    "iphone",
    "gopro", "huawei", "xiaomi", "dji", "kodak", "ricoh", "hasselblad", "lumix", "minolta",
)  # fmt: skip
"""Makers and models of which photos say so."""
LENSES = ("sigma", "tamron", "tokina", "zeiss", "samyang", "voigtlander", "laowa", "viltrox")
"""Makers of lenses alone."""

_SIGN = (
    r"(?P<{0}>>=|<=|>|<|=|at\s+least|at\s+most|more\s+than|less\s+than|over|above|under|below|exactly|"
    r"(?:larger|bigger|greater|wider|higher|taller|smaller|narrower|shorter|faster|slower|longer)\s+than)"
)
_SIGNS = {
    "at least": ">=", "at most": "<=", "more than": ">", "less than": "<", "over": ">", "above": ">",
    "under": "<", "below": "<", "exactly": "=", "smaller than": "<", "narrower than": "<",
    "shorter than": "<",
    "slower than": "<",
}  # fmt: skip
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_UPWARDS = r"more|better|higher|greater|larger|bigger|longer|wider|faster|above|over|up|upwards?"
_DOWNWARDS = r"less|lower|fewer|smaller|shorter|narrower|slower|below|under|down"
_OR_SO = rf"(?:\s*(?P<{{0}}>\+(?!\w)|(?:or|and)\s+(?:{_UPWARDS}|{_DOWNWARDS})\b))?"
"""Behind a number what makes a bound of it: "or more", "and above"."""
_NAMES = {
    "size": "size", "file size": "size", "width": "width", "height": "height", "iso": "iso",
    "rating": "rating",
    "megapixels": "megapixels", "focal length": "focal_length", "aperture": "f_number",
    "f number": "f_number",
    "exposure": "exposure", "bit depth": "bit_depth", "stars": "rating",
}  # fmt: skip
_UNITS = {
    "megapixels": "megapixels", "megapixel": "megapixels", "mp": "megapixels", "stars": "rating",
    "star": "rating", "mm": "focal_length",
}  # fmt: skip
_OF_AN_APERTURE = {"wider": "<", "larger": "<", "bigger": "<", "faster": "<", "smaller": ">", "narrower": ">"}
_BYTES = r"(?:[kmg]i?b|megabytes?|kilobytes?|gigabytes?)"
_MISSING = {
    "date": "taken", "dates": "taken", "gps": "place", "location": "place", "place": "place",
    "camera": "camera",
    "lens": "lens", "title": "title", "rating": "rating", "keywords": "keyword", "keyword": "keyword",
    "description": "description", "caption": "description",
}  # fmt: skip
_SORTED_BY = {
    "date": "taken", "time": "taken", "age": "-taken", "size": "size", "file size": "size",
    "date taken": "taken", "relevance": "relevance", "name": "name", "filename": "name", "path": "path",
    "rating": "rating", "stars": "rating", "width": "width", "height": "height", "resolution": "megapixels",
    "iso": "iso", "id": "id",
    "date added": "added", "exposure": "exposure",
}  # fmt: skip
_PHOTO = r"(?:photos?|pictures?|pics?|images?|files?|shots?|ones?)"
_PHOTOS = rf"(?:\s+{_PHOTO})?"
_COUNTED = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "a dozen": 12, "twenty": 20}
_MODEL = (
    r"(?:(?:eos|coolpix|alpha|powershot|galaxy)\s+)?(?![0-9]+mm\b|iso)(?=[a-z-]*[0-9])(?=[0-9-]*[a-z])[a-z0-9-]+"
    r"(?!\s*%)|hero\s*[0-9]+|(?:[3-9]|1[0-9]|x[sr]?|se)(?:\s+(?:pro|max|mini|plus))+|1[0-9](?=\s*(?:$|,))"
)
"""What a camera is called behind its maker: letters and digits, "d750", "eos 5d"."""
_PER = {
    "year": "year",
    "month": "month",
    "camera": "camera",
    "lens": "lens",
    "format": "format",
}
_FORMS = (
    rf"(?:files?\s+|photos?\s+)?{_SIGN.format('bytes_sign')}\s*(?P<bytes>{_NUMBER})"
    rf"\s*(?P<bytes_unit>{_BYTES})\b",
    r"(?P<side>wider|taller|higher|narrower|shorter)\s+than\s+(?P<side_pixels>[0-9]+)(?:\s*"
    r"(?:px|pixels?))?\b",
    rf"(?P<name>file\s+size|size|width|height|iso|rating|megapixels|focal\s+length|aperture|f\s+number|exposure|"
    rf""
    rf"bit\s+depth|stars)\s*{_SIGN.format('name_sign')}?\s*(?P<name_value>(?:f?/)?{_NUMBER}(?:/[0-9]+)?)"
    rf"\s*(?P<name_unit>[kmg]i?b|mm|s|px|pixels)?{_OR_SO.format('name_more')}(?![\w.%])",
    rf"(?:{_SIGN.format('unit_sign')}\s*)?(?P<unit_value>{_NUMBER})(?P<plus>\s*\+)?"
    rf"\s*(?P<unit>megapixels?|mp|stars?|mm)(?:\s+lens(?:es)?)?"
    rf"{_OR_SO.format('unit_more')}\b",
    rf"(?P<seconds>1\s?/\s?[0-9]{{1,5}})\s?s(?:ec(?:onds?)?)?{_OR_SO.format('seconds_more')}\b",
    rf"rated\s+(?:{_SIGN.format('rated_sign')}\s*)?(?P<rated>[1-5])(?:\s+stars?)?{_OR_SO.format('rated_more')}"
    r"(?:\s+stars?)?\b",
    rf"f\s?/\s?(?P<f>[0-9]+(?:\.[0-9]+)?){_OR_SO.format('f_more')}(?![\w.])",
    rf"(?:(?:(?:taken|shot|made|photographed)\s+)?(?:with|on|by|from)\s+(?:a\s+|an\s+|the\s+|my\s+)?)?"
    rf"(?P<lens_maker>{'|'.join((*CAMERAS, *LENSES))})\s+lens(?:es)?\b(?!:)",
    rf"(?P<format>{'|'.join(FORMATS)})(?:s|\s+files?)?\b(?![.:*])",
    rf"(?:(?:(?:taken|shot|made|photographed)\s+)?(?:with|on|by|from)\s+(?:a\s+|an\s+|the\s+|my\s+)?)?"
    rf"(?P<camera>(?:{'|'.join(CAMERAS)})(?:\s+(?P<model>{_MODEL}))?)s?\b(?![.:*])",
    r"shot\s+(?:with|on)\s+(?:a\s+|an\s+|the\s+|my\s+)?(?!(?:a|an|the|my)\b)(?P<other_camera>[a-z][\w-]*)\b",
    r"(?:tagged(?:\s+(?:as|with))?|with\s+(?:the\s+)?tag)\s+(?P<tag>[^\s,()]+)",
    r"(?P<untagged>untagged|(?:without|with\s+no|no)\s+(?:any\s+)?tags)\b(?!:)",
    r"(?:in\s+)?(?:the\s+|my\s+)?(?:album|folder|directory)\s+(?P<folder>[^\s,()]+)",
    rf"(?:without|no|with\s+no)\s+(?:a\s+|any\s+)?(?P<missing>{'|'.join(_MISSING)})\b(?!:)",
    r"(?P<screenshots>screen\s?shots?)\b",
    r"(?:sort|sorted|order|ordered|arranged)\s+by\s+(?P<by>file\s+size|date\s+(?:added|taken)|[a-z]+)"
    r"(?:\s*,?\s*(?P<falling>descending|reversed?|desc|newest\s+first|largest\s+first)|\s+"
    r"(?:ascending|asc))?\b",
    rf"(?:the\s+)?(?P<ten>[0-9]{{1,4}}|{'|'.join(_COUNTED)})?"
    r"\s*(?P<newest>newest|latest|most\s+recent|oldest|earliest)(?:\s+(?P<ten2>[0-9]{1,4}))?"
    rf"(?P<newest_photos>{_PHOTOS})\b",
    rf"(?:the\s+|my\s+)?last\s+(?P<last>[0-9]{{1,4}})\s+{_PHOTO}\b",
    rf"(?P<some>[0-9]{{1,4}}|{'|'.join(_COUNTED)})\s+{_PHOTO}\b(?=\s+(?:of|with|from|showing|taken)\b)",
    rf"(?:the\s+)?(?:(?P<top>[0-9]{{1,4}})\s+best|(?:top|first)\s+(?P<top2>[0-9]{{1,4}}))\b{_PHOTOS}",
    rf"(?:the\s+)?(?P<best>(?:best|highest|top)\s+rated|best(?!-))(?:\s+(?P<best_count>[0-9]{{1,4}}))?\b"
    rf"(?P<best_photos>\s+{_PHOTO})?",
    r"(?:the\s+)?(?P<extreme>largest|biggest|smallest)(?:\s+(?:files?|photos?|pictures?|images?)\b|(?=\s+first\b))",
    rf"(?:the\s+)?(?P<light>brightest|darkest)\b{_PHOTOS}",
    r"(?:the\s+)?(?P<resolution>highest|lowest)\s+resolution\b",
    r"which\s+(?P<most>camera|lens|year|month|format)\s+(?:took|made|has|had|with|shot)\s+(?:the\s+)?most\s+"
    rf"{_PHOTO}\b",
    r"(?:how\s+many|number\s+of|count(?:\s+of)?)(?:\s+different)?\s+(?P<kinds>cameras|lenses|formats)\b",
    rf"(?P<tally>how\s+many(?:\s+different)?|number\s+of(?!\s+\w+\s*(?:[<>=≤≥]|is\b|are\b|(?:more|less|"
    rf"fewer|greater)\s+than\b|at\s+(?:least|most)\b))|count(?:\s+of)?)\b(?!:){_PHOTOS}",
    rf"(?:(?:per|by|for\s+each|for\s+every|in\s+each|each|every)\s+)(?P<per>day|week|hour|{'|'.join(_PER)})\b(?!:|\s+(?:except|but)\b)",
    r"(?P<pattern>(?=[\w.-]{0,80}\*)(?=[*.-]{0,80}\w)[\w*?.-]{1,255}+)(?=$|[\s,()])",
    r"(?P<numbered>(?:[a-z]{2,5}[_-][0-9]{3,10}|(?:img|dsc[nf]?|pxl|gopr|mvimg)[0-9]{3,8})(?:[_-][0-9]{3,9})?)(?![\w.])",
    r"(?P<file>[\w-]+\.(?:jpe?g|png|tiff?|heic|webp|gif|dng|cr2|nef|arw|dsslic|bmp|avif))\b",
)
_YEAR = re.compile("(?:19|20)[0-9]{2}")
AHEAD = r"\s+first\b(?!\s+(?:[0-9]|days?\b|half\b|week|month))"
"""Behind an order: "largest first"; the first week of june is none."""
_TOLD = re.compile(f"(?:{'|'.join(f'(?:{form})' for form in _FORMS)})(?P<ahead>{AHEAD})?")
OPENERS = frozenset(
    {"file", "files", "photo", "photos", "at", "more", "less", "over", "above", "under", "below", "exactly"}
    | {"larger", "bigger", "greater", "wider", "higher", "taller", "smaller", "narrower", "shorter", "faster"}
    | {"slower", "longer", "size", "width", "height", "iso", "rating", "megapixels", "focal", "aperture", "f"}
    | {
        "exposure",
        "bit",
        "stars",
        "rated",
        "taken",
        "from",
        "on",
        "shot",
        "made",
        "photographed",
        "tagged",
        "untagged",
        "with",
        "in",
    }
    | {"the", "my", "album", "folder", "directory", "without", "no", "screenshot", "screenshots", "screen"}
    | {
        "sort",
        "sorted",
        "order",
        "ordered",
        "arranged",
        "newest",
        "latest",
        "most",
        "oldest",
        "earliest",
        "top",
        "last",
        *(count.split()[0] for count in _COUNTED),
    }
    | {
        "first",
        "best",
        "highest",
        "lowest",
        "largest",
        "biggest",
        "smallest",
        "how",
        "number",
        "count",
        "per",
    }
    | {
        "brightest",
        "darkest",
        "which",
        "by",
        "for",
        "each",
        "every",
        *FORMATS,
        *CAMERAS,
        *LENSES,
        *(f"{word}s" for word in (*FORMATS, *CAMERAS)),
    }
)
"""The words with which a fact in plain words can begin; besides, it may begin with a number or a pattern."""


@dataclass(frozen=True)
class Told:
    """What was told: a predicate, an order, the most photos to show, or what to count by ("" for nothing but
    their number)."""

    node: Leaf | None = None
    sort: Sort | None = None
    limit: int | None = None
    tally: str | None = None


def told(text: str, start: int, now: datetime) -> tuple[Told, int] | None:
    """What running text in normal form tells of from ``start`` on, and where that ends; None for nothing.

    Raises ValueError with a sentence for a value that does not fit."""
    found = _TOLD.match(text, start)
    if found is None:
        return None
    part = {name: said for name, said in found.groupdict().items() if said is not None}
    if "ahead" in part and _YEAR.fullmatch(part.get("ten") or part.get("top") or ""):
        return None  # "dogs 2021 newest first"
    made = next(maker for name, maker in _MAKERS.items() if name in part)(part, now)
    if made is None:
        return None
    return made, found.start("ahead") if "ahead" in part and made.sort is None else found.end()


Part = Mapping[str, str]


def _field(name: str, value: str, now: datetime) -> Told:
    return Told(fields.filter_of(name, value, now))


def _sign(part: Part, name: str, more: str = "") -> str:
    """The sign for how a bound is said."""
    if more in part:
        return "<=" if _DOWN.search(part[more]) else ">="
    said = " ".join(part.get(name, "").split())
    if said in {"", "=", "exactly"}:
        return ""
    return said if said[0] in "<>" else _SIGNS.get(said, ">")


_OF_A_SPEED = re.compile("slower|faster")  # the faster, the shorter it is exposed
_OF_A_VIEW = re.compile("wider|narrower")
_DOWN = re.compile(_DOWNWARDS)
_OF_A_NARROW_F_NUMBER = re.compile("narrower|smaller|slower|higher|greater|above|over|up|more|[+]")


def _f_number(part: Part, now: datetime) -> Told:
    """ "f/2.8 or wider" is a lower number, "or narrower" a higher one."""
    more = part.get("f_more")
    sign = "" if more is None else ">=" if _OF_A_NARROW_F_NUMBER.search(more) else "<="
    return _field("f_number", f"{sign}{part['f']}", now)


def _seconds(part: Part, now: datetime) -> Told:
    """ "1/1000 s or faster" is a shorter time."""
    more = part.get("seconds_more")
    longer = more is not None and re.search("longer|slower|more|above|over|greater|[+]", more)
    sign = "" if more is None else ">=" if longer else "<="
    return _field("exposure", sign + part["seconds"].replace(" ", ""), now)


def _bytes(part: Part, now: datetime) -> Told:
    unit = part["bytes_unit"]
    short = {"megabyte": "mb", "kilobyte": "kb", "gigabyte": "gb"}.get(unit.rstrip("s"), unit)
    written = short[0] + short[1:].upper() if short[0] == "k" else short.upper()
    return _field("size", f"{_sign(part, 'bytes_sign')}{part['bytes']}{written}", now)


def _side(part: Part, now: datetime) -> Told:
    name = "width" if part["side"] in {"wider", "narrower"} else "height"
    sign = "<" if part["side"] in {"narrower", "shorter"} else ">"
    return _field(name, f"{sign}{part['side_pixels']}", now)


def _named(part: Part, now: datetime) -> Told | None:
    name = _NAMES[" ".join(part["name"].split())]
    if "name_sign" not in part and name in {"size", "width", "height", "stars"}:
        return None  # "size 3" asks nothing that is clear
    unit = part.get("name_unit", "")
    unit = "" if unit in {"px", "pixels"} else unit.upper() if unit.endswith("b") else unit
    sign = _sign(part, "name_sign", "name_more")
    if name == "exposure" and (
        turned := _OF_A_SPEED.search(part.get("name_more", part.get("name_sign", "")))
    ):
        sign = (">" if turned[0] == "slower" else "<") + "=" * ("name_more" in part)
    if part["name"] == "aperture" and "name_more" in part:
        return _f_number({"f": part["name_value"].lstrip("f/"), "f_more": part["name_more"]}, now)
    if part["name"] == "aperture":  # the wider it is, the less its number
        sign = _OF_AN_APERTURE.get(part.get("name_sign", "").split(" ")[0], sign)
    return _field(name, f"{sign}{part['name_value'].lstrip('f/')}{unit}", now)


def _of_unit(part: Part, now: datetime) -> Told:
    name = _UNITS[part["unit"]]
    sign = ">=" if "plus" in part else _sign(part, "unit_sign", "unit_more")
    said = part.get("unit_more", "") + part.get("unit_sign", "")
    if name == "focal_length" and (
        turned := _OF_A_VIEW.search(said)
    ):  # the wider it is, the shorter the lens
        bound = "<" if turned[0] == "wider" else ">"
        sign = bound + "=" * ("unit_more" in part)
    return _field(name, f"{sign}{part['unit_value']}{'mm' if name == 'focal_length' else ''}", now)


def _sorted(part: Part, now: datetime) -> Told | None:
    word = " ".join(part["by"].split())
    if word not in _SORTED_BY:
        return None
    key = _SORTED_BY[word]
    return _order(f"-{key}".replace("--", "") if "falling" in part else key)


def _order(key: str, limit: int | None = None) -> Told:
    return Told(sort=fields.sort_of(key, lambda word: None), limit=limit)


def _newest(part: Part, now: datetime) -> Told:
    key = "taken" if part["newest"] in {"oldest", "earliest"} else "-taken"
    single = "ahead" not in part and part.get("newest_photos", "").strip() in {
        "photo",
        "picture",
        "pic",
        "image",
        "file",
        "shot",
        "one",
    }
    ten = part.get("ten") or part.get("ten2")
    return _order(key, (_COUNTED.get(ten) or int(ten)) if ten else 1 if single else None)


def _best(part: Part, now: datetime) -> Told:
    """Of photos the best are those rated highest; "best first" is the order that answers have anyway."""
    if (
        part["best"] == "best"
        and part.get("ahead")
        and "best_count" not in part
        and "best_photos" not in part
    ):
        return _order("relevance")
    return _order("-rating", int(part["best_count"]) if "best_count" in part else None)


def _top(part: Part, now: datetime) -> Told:
    limit = int(part.get("top") or part["top2"])
    return (
        Told(sort=fields.sort_of("-rating", lambda word: None), limit=limit)
        if "top" in part
        else Told(limit=limit)
    )


def _per(part: Part, now: datetime) -> Told:
    if part["per"] not in _PER:
        raise ValueError(f"photos are counted by {listed(tuple(_PER))}: write per month")
    return Told(tally=_PER[part["per"]])


_MAKERS: Mapping[str, Callable[[Part, datetime], Told | None]] = {
    "bytes": _bytes,
    "side": _side,
    "name": _named,
    "unit": _of_unit,
    "rated": lambda part, now: _field(
        "rating", f"{_sign(part, 'rated_sign', 'rated_more')}{part['rated']}", now
    ),
    "f": _f_number,
    "lens_maker": lambda part, now: _field("lens", part["lens_maker"], now),
    "format": lambda part, now: _field(
        "format", {"jpg": "jpeg", "tif": "tiff"}.get(part["format"], part["format"]), now
    ),
    "camera": lambda part, now: _field("camera", part["camera"], now),
    "other_camera": lambda part, now: _field("camera", part["other_camera"], now),
    "tag": lambda part, now: _field("tag", part["tag"], now),
    "untagged": lambda part, now: Told(Unknown("tag")),  # tag:unknown is a tag that is called so
    "folder": lambda part, now: _field("path", part["folder"], now),
    "missing": lambda part, now: _field(_MISSING[part["missing"]], "unknown", now),
    "screenshots": lambda part, now: _field("text", "screenshot", now),
    "by": _sorted,
    "newest": _newest,
    "last": lambda part, now: _order("-taken", int(part["last"])),
    "some": lambda part, now: Told(limit=_COUNTED.get(part["some"]) or int(part["some"])),
    "top": _top,
    "top2": _top,
    "best": _best,
    "extreme": lambda part, now: _order("size" if part["extreme"] == "smallest" else "-size"),
    "light": lambda part, now: _order("-brightness" if part["light"] == "brightest" else "brightness"),
    "seconds": _seconds,
    "resolution": lambda part, now: _order("megapixels" if part["resolution"] == "lowest" else "-megapixels"),
    "kinds": lambda part, now: Told(
        tally={"lenses": "lens"}.get(part["kinds"], part["kinds"].removesuffix("s"))
    ),
    "most": lambda part, now: Told(tally=part["most"]),
    "tally": lambda part, now: Told(tally=""),
    "per": _per,
    "pattern": lambda part, now: _field("name", part["pattern"], now),
    "numbered": lambda part, now: _field("name", part["numbered"], now),
    "file": lambda part, now: _field("name", part["file"], now),
}
