"""What clients sent to compare photos with, by tokens: those used last in memory, all in the folder of
pictures as long as there is room, so that an address keeps its meaning when the server starts again."""

from __future__ import annotations

import io
import re
import secrets
import threading
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dsslic_search.web.refusals import Refusal

if TYPE_CHECKING:
    from dsslic_search.api import Canvas, Resembled
    from dsslic_search.web.pictures import Cache

T = TypeVar("T")

TOKENS_KEPT = 1_000
"""In memory."""
_READING = threading.Lock()
"""Of .npz: threads of Python before 3.11.8 that read such headers at once fail now and then (gh-106905)."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


class Tokens(Generic[T]):
    """What tokens stand for. ``write`` makes bytes of it, or None of what is to be kept in memory alone, and
    ``read`` is the way back: ValueError for what it does not know."""

    def __init__(
        self,
        what: str,
        kept: Cache | None = None,
        write: Callable[[T], bytes | None] = lambda value: None,
        read: Callable[[bytes], T] | None = None,
    ) -> None:
        self._what = what
        self._folder, self._write, self._read = kept, write, read
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._turn = threading.Lock()

    def give(self, value: T, token: str | None = None) -> str:
        """A token for a value."""
        token = token or secrets.token_urlsafe(18)
        self._hold(token, value)
        if self._folder is not None and (data := self._write(value)) is not None:
            self._folder.put(self._name(token), data)
        return token

    def _hold(self, token: str, value: T) -> None:
        with self._turn:
            self._kept[token] = value
            self._kept.move_to_end(token)
            if len(self._kept) > TOKENS_KEPT:
                self._kept.popitem(last=False)

    def of(self, token: str) -> T:
        """What a token stands for; Refusal 404 where it is not known any more."""
        with self._turn:
            if token in self._kept:
                self._kept.move_to_end(token)
                return self._kept[token]
        if self._folder is not None and self._read is not None and _TOKEN.fullmatch(token):
            data = self._folder.get(self._name(token))
            if data is not None:
                try:
                    value = self._read(data)
                except ValueError:
                    pass  # of another vocabulary or version, or damaged
                else:
                    self._hold(token, value)
                    return value
        raise Refusal(404, f"{self._what} of that token is not kept any more; send it again")

    def _name(self, token: str) -> str:
        return f"{token}.{self._what.split()[-1]}"


MOST_CELLS = 1 << 20
"""Of a sketch that is kept on disk."""


class Likenesses:
    """The sketches and photos that were sent. ``vocabulary``: the identity of the one that they speak in."""

    def __init__(self, kept: Cache | None = None, vocabulary: str = "") -> None:
        self._vocabulary = vocabulary
        self.sketches: Tokens[Canvas] = Tokens("the sketch", kept, self._of_canvas, self._canvas)
        self.photos: Tokens[Resembled] = Tokens("the photo", kept, self._of_photo, self._photo)

    def _of_canvas(self, canvas: Canvas) -> bytes | None:
        if canvas.label_map.size > MOST_CELLS:
            return None
        return self._packed(labels=canvas.label_map, known=canvas.known)

    def _canvas(self, data: bytes) -> Canvas:
        import numpy as np

        from dsslic_search.api import Canvas

        arrays = self._unpacked(data, "labels", "known")
        labels, known = arrays["labels"], arrays["known"]
        if labels.dtype != np.uint8 or known.dtype != np.bool_ or labels.shape != known.shape:
            raise ValueError("no sketch")
        if labels.ndim != 2 or not known.any():
            raise ValueError("an empty sketch")
        return Canvas(labels, known)

    def _of_photo(self, photo: Resembled) -> bytes | None:
        import numpy as np

        image = b"" if photo.image is None else photo.image.to_bytes()
        return self._packed(embeddings=photo.embeddings, image=np.frombuffer(image, np.uint8))

    def _photo(self, data: bytes) -> Resembled:
        import numpy as np

        from dsslic_search.api import Resembled
        from dsslic_search.core.errors import FormatError
        from dsslic_search.features.embedding import DIMENSION
        from dsslic_search.features.image_words import ImageWords

        arrays = self._unpacked(data, "embeddings", "image")
        embeddings, image = arrays["embeddings"], arrays["image"].tobytes()
        if embeddings.dtype != np.float32 or embeddings.ndim != 2 or embeddings.shape[1] != DIMENSION:
            raise ValueError("layouts of another version")
        try:
            return Resembled(embeddings, ImageWords.from_bytes(image) if image else None)
        except FormatError as e:
            raise ValueError(str(e)) from None

    def _packed(self, **arrays: Any) -> bytes:
        import numpy as np

        out = io.BytesIO()
        np.savez_compressed(out, vocabulary=np.array(self._vocabulary), **arrays)
        return out.getvalue()

    def _unpacked(self, data: bytes, *names: str) -> dict[str, Any]:
        """The arrays of those names. ValueError where they are not there or speak in another vocabulary."""
        import numpy as np

        try:
            with _READING, np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                if str(arrays["vocabulary"]) != self._vocabulary:
                    raise ValueError("of another vocabulary")
                return {name: arrays[name] for name in names}
        except (KeyError, OSError, EOFError, zlib.error, zipfile.BadZipFile) as e:
            raise ValueError(f"not readable: {e}") from None
