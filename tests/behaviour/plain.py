"""Plain values: what is recorded, as JSON holds it, without what changes from run to run or from machine to
machine."""

from __future__ import annotations

import calendar
import hashlib
import itertools
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from PIL import Image

import dsslic_search

PHOTO_FOLDER = "behaviour-photos"  # where every photo lies that is ingested; its own place is left out
SOURCE = Path(dsslic_search.__file__).resolve().parents[1]  # the tree of the program that is recorded
CHANGING_KEYS = {"seconds", "added_at", "cursor", "milliseconds"}  # of JSON
CHANGING_TEXT = (
    (re.compile(rf"(?:/[^\s\"'/\0]+)*/{PHOTO_FOLDER}"), "<photos>"),
    (re.compile(r"\b\d+(?:\.\d+)? ms\b"), "<n> ms"),
    (re.compile(r"\bin \d+(?:\.\d+)? s\b"), "in <n> s"),
    (re.compile(r"\badded \d{4}-\d\d-\d\d \d\d:\d\d UTC"), "added <now> UTC"),
    (re.compile(r"--page [\w-]{20,}(\.\d+)"), r"--page <cursor>\1"),
    # a row of `preview --progressive`: stage, bytes, share of the file; milliseconds
    (re.compile(r"(?m)^((?:map|compact|coarse|full) +\d+ +[\d.]+%) +[\d.]+$"), r"\1 <ms>"),
)
MONTHS = "|".join(calendar.month_name[1:]).lower()
DATE = re.compile(rf"\b\d{{4}}(?:-\d\d(?:-\d\d)?)?\b|\b(?:{MONTHS})\b")


def plain_text(text: str) -> str:
    """A text without times and without the folders of this machine."""
    for pattern, shown in CHANGING_TEXT:
        text = pattern.sub(shown, text)
    for folder, shown in ((str(Path.cwd()), "<work>"), (str(SOURCE), "<source>"), (sys.prefix, "<python>")):
        text = text.replace(folder, shown)
    return text


def lines(text: str) -> list[str]:
    """The lines of a text without times and folders, so that differences can be told line by line."""
    return plain_text(text).split("\n")


def plain(value: Any) -> Any:
    """A value as JSON holds it: dataclasses as mappings, numbers as they are, anything else as its text."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {
            str(k): f"<{k}>" if k in CHANGING_KEYS and v is not None else plain(v) for k, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    return plain_text(str(value))


def undated(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer to a query about today, with the dates of today left out of its explanation or complaint."""
    for key in ("explanation", "says"):
        if key in answer:
            answer[key] = [DATE.sub("<date>", line) for line in answer[key]]
    return answer


def digest(data: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def picture(image: Image.Image) -> str:
    """Mode, size and hash of the pixels; of a palette image also of its palette."""
    palette = f" palette {digest(bytes(image.getpalette() or []))[:16]}" if image.mode == "P" else ""
    return f"{image.mode} {image.width}×{image.height} {digest(image.tobytes())}{palette}"


def failure(error: Exception) -> dict[str, Any]:
    """What an error says, everything it is besides an Exception, and what a query's error points at."""
    kinds = itertools.takewhile(lambda kind: kind is not Exception, type(error).__mro__)
    told: dict[str, Any] = {"error": [kind.__name__ for kind in kinds], "says": lines(str(error))}
    for name in ("text", "position", "suggestions"):
        if hasattr(error, name):
            told[name] = plain(getattr(error, name))
    return told


def attempt(step: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What a call gives, or the error that it ends with."""
    try:
        return step(*arguments, **options)
    except Exception as error:
        return failure(error)
