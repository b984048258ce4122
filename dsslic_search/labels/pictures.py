"""PNG files of numbers, and JSON files, for the formats that are made of them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from dsslic_search.core.errors import FormatError, PhotoError
from dsslic_search.core.files import path_to_text
from dsslic_search.core.text import printable
from dsslic_search.labels.scene import check_size

Files = list[tuple[str, bytes]]
"""Names, with slashes between folders, and contents."""


def png(pixels: NDArray[Any], palette: bytes | None = None) -> bytes:
    """A PNG of uint8[h, w] (with ``palette``, r g b each, as indices), uint16[h, w], bool[h, w] or
    uint8[h, w, 3]."""
    picture = Image.fromarray(pixels)
    if palette is not None:
        picture.putpalette(palette)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=False)
    return buffer.getvalue()


def read_png(data: bytes, most: int, where: str) -> NDArray[Any]:
    """The pixels of a PNG as they are stored: indices of a palette, grey levels of 8 or 16 bits (bits as 0
    and 1), or r g b. FormatError for what is none, or has more than ``most`` pixels."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            check_size(picture.width, picture.height, most, where)
            plain = {"RGBA": "RGB", "LA": "L"}.get(picture.mode)
            pixels = np.asarray(picture if plain is None else picture.convert(plain))
    except UnidentifiedImageError as e:  # which only tells of an object of Python's
        raise FormatError(f"{where}: not a PNG that can be read") from e
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as e:
        raise FormatError(f"{where}: not a PNG that can be read ({printable(str(e))})") from e
    return pixels.astype(np.uint16) if pixels.dtype == np.int32 else pixels


def to_json(value: Any) -> bytes:
    """JSON in UTF-8, one line."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def read_json(path: Path) -> Any:
    """The value in a JSON file. FormatError where it is none."""
    try:
        return json.loads(read(path))
    except (ValueError, RecursionError) as e:
        raise FormatError(f"{said(path)}: not JSON ({printable(str(e))})") from e


def read(path: Path) -> bytes:
    """A file's bytes. PhotoError where it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError as e:
        raise PhotoError(f"{said(path)}: there is no such file, and label maps of this format have it") from e
    except OSError as e:
        raise PhotoError(f"{said(path)}: {e.strerror or e}") from e
    except ValueError as e:  # a name that no file can have
        raise PhotoError(f"{said(path)}: {printable(str(e))}") from e


def check_there(path: Path) -> None:
    """PhotoError where there is neither a file nor a folder, so that a name mistyped is not told as the lack
    of what a format has in it."""
    try:
        path.stat()
    except FileNotFoundError as e:
        raise PhotoError(f"{said(path)}: there is no such file or folder") from e
    except (OSError, ValueError):
        pass  # which reading it tells


def said(path: Path) -> str:
    """A path for messages."""
    return printable(path_to_text(path))


def field(value: Any, name: str, kind: type | tuple[type, ...], where: str) -> Any:
    """A field of an object out of JSON. FormatError where it is not there, or of another kind."""
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
        raise FormatError(f'{where}: "{name}" is missing or not as it should be')
    return found


def corners(flat: Any, where: str) -> list[tuple[float, float]]:
    """Corners out of numbers x, y, x, y … FormatError for anything else."""
    numbers = [n for n in flat if isinstance(n, (int, float)) and not isinstance(n, bool) and abs(n) < 1e9]
    if len(numbers) != len(flat) or len(flat) % 2 or len(flat) < 6:
        raise FormatError(f"{where}: a polygon takes three corners or more, x and y of each")
    return list(zip(numbers[::2], numbers[1::2], strict=True))
