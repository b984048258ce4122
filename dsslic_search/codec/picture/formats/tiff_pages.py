"""The pictures of a TIFF file, and the samples of one through tifffile and imagecodecs. The second is what
processes apart do (:mod:`dsslic_search.codec.picture.apart`), so nothing else of ours is imported."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from tifffile import TiffFile

if TYPE_CHECKING:
    from tifffile import TiffPage

logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it reports damage that is told in a sentence

MAX_PAGES = 1000


def pages_of(file: TiffFile) -> Iterator[TiffPage]:
    """Every picture, those of SubIFDs behind the one that they belong to."""
    for count, page in enumerate(file.pages):
        if count == MAX_PAGES:
            return
        whole = page.aspage()
        yield whole
        for inner in whole.pages or ():
            yield inner.aspage()


def samples(data: bytes, number: int) -> NDArray[Any]:
    """Those of a picture, by its number among `pages_of`. Raises nearly anything for damage, or ends the
    process."""
    with TiffFile(io.BytesIO(data)) as file:
        found: NDArray[Any] = list(pages_of(file))[number].asarray()
    return found
