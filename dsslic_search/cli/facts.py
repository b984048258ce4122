"""What is known of a photo's file, in words for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dsslic_search.core.text import printable

_TEXTS = ("title", "description")
_WORDS = ("keywords", "people", "colours")
SECOND = 0.4  # from so many seconds on an exposure is written in seconds, below as a fraction of one


def lines(said: Mapping[str, Any]) -> list[str]:
    """Of the values of a photo's columns, as `api.info` has them, those that are known."""
    known = {name: value for name, value in said.items() if value not in (None, [])}
    first = [known[name] for name in ("camera", "lens") if name in known]
    if "taken_at" in known:
        source = f" ({known['taken_from']})" if "taken_from" in known else ""
        first.insert(0, f"taken {known['taken_at'].replace('T', ' ')}{source}")
    if "latitude" in known and "longitude" in known:
        first.append(f"at {known['latitude']:.5f}, {known['longitude']:.5f}")
    if "added_at" in known:
        first.append(f"added {known['added_at'].replace('T', ' ')[:16]} UTC")
    second = [form(known[name]) for name, form in _FORMS.items() if name in known]
    told = [", ".join(part) for part in (first, second)]
    told += [f"{name}: {known[name]}" for name in _TEXTS if name in known]
    told += [f"{name}: {', '.join(known[name])}" for name in _WORDS if name in known]
    return [printable(line) for line in told if line]


def number_text(name: str, value: float) -> str:
    """A number of a fact as it is shown: "ISO 400", "50 mm"."""
    return _FORMS[name](value)


def exposure_text(seconds: float) -> str:
    """An exposure as cameras write it: "1/250 s", "2.5 s"."""
    return f"{seconds:g} s" if seconds >= SECOND else f"1/{1 / seconds:.0f} s"


_FORMS: Mapping[str, Callable[[Any], str]] = {
    "iso": "ISO {:.0f}".format,
    "focal_length": "{:g} mm".format,
    "exposure": exposure_text,
    "f_number": "f/{:g}".format,
    "rating": "rated {:g} of 5".format,
    "profile": "profile {}".format,
    "bit_depth": "{} bits a channel".format,
    "brightness": "brightness {} of 255".format,
    "turn": "EXIF orientation {}".format,
}
"""How facts are told, in order."""
