"""How archives, answers and photos show themselves in notebooks: HTML with small pictures in it, in which
whatever names and metadata hold is text."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from dsslic_search.core.errors import DSSError
from dsslic_search.core.files import name_of
from dsslic_search.core.text import counted, size_text

if TYPE_CHECKING:
    from PIL import Image

PHOTOS_SHOWN = 24
"""Of an answer, with their pictures."""
_CARD = "display:inline-block;margin:4px;vertical-align:top;width:180px;font-size:12px;overflow-wrap:anywhere"
_PICTURE = "display:block;max-width:180px;max-height:135px;margin-bottom:2px"

Thumbnail = Callable[[int], "Image.Image"]
"""A small picture of a photo by its id; may raise DSSError."""


def png_of(image: Image.Image) -> bytes:
    """A picture as the bytes of a PNG file."""
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def picture(photo_id: int, thumbnail: Thumbnail) -> str:
    """An element with a photo's picture in it; empty where it has none."""
    with suppress(DSSError):
        data = base64.b64encode(png_of(thumbnail(photo_id))).decode()
        return f'<img style="{_PICTURE}" alt="photo {photo_id}" src="data:image/png;base64,{data}">'
    return ""


def card(photo_id: int, path: str, told: str, thumbnail: Thumbnail | None) -> str:
    """A photo with its id, its name, and what is told of it."""
    shown = "" if thumbnail is None else picture(photo_id, thumbnail)
    name = escape(name_of(path) or path)
    below = f"<b>#{photo_id}</b> {name}<br>{escape(told)}"
    return f'<div style="{_CARD}" title="{escape(path)}">{shown}{below}</div>'


def coverage_text(coverage: Mapping[str, float]) -> str:
    """Classes with their shares."""
    return ", ".join(f"{name} {share:.1%}" for name, share in coverage.items() if share)


def answer(query: str, reading: str, total: int, cards: Sequence[str], shown: int) -> str:
    """An answer with its first photos."""
    asked = f"<b>{escape(query or reading or 'sketch')}</b>: " if query or reading else ""
    more = "" if shown <= len(cards) else f", the first {len(cards)} of {shown} on this page"
    return f"<div><p>{asked}{counted(total, 'photo')}{more}</p>{''.join(cards)}</div>"


def archive(root: str, photos: int, stored_bytes: int, classes: Iterable[tuple[str, str, int]]) -> str:
    """An archive, with the classes that most photos show: names, colours and photos."""
    rows = "".join(
        f'<tr><td style="background:{escape(colour)};width:1em"></td><td>{escape(name)}</td>'
        f'<td style="text-align:right">{count}</td></tr>'
        for name, colour, count in classes
    )
    return (
        f"<div><p><b>{escape(root)}</b>: {counted(photos, 'photo')}, {size_text(stored_bytes)}</p>"
        f"<table>{rows}</table></div>"
    )


def details(info: Mapping[str, Any], thumbnail: Thumbnail) -> str:
    """What is known of a photo."""
    told = {
        "path": info["path"],
        "size": f"{info['width']} × {info['height']}, {size_text(info['file_size'])}",
        "taken": info["taken_at"],
        "camera": info["camera"],
        "shows": coverage_text(info["coverage"]),
        "words": ", ".join(list(info["words"] or ())[:6]),
        "tags": ", ".join(info["tags"]),
        "kept": f"{info['keep']}, {size_text(info['stored_bytes'])}",
    }
    rows = "".join(
        f'<tr><td>{name}</td><td style="text-align:left">{escape(str(value))}</td></tr>'
        for name, value in told.items()
        if value
    )
    return f"<div>{picture(info['id'], thumbnail)}<b>#{info['id']}</b><table>{rows}</table></div>"
