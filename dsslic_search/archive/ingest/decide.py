"""What an ingest does with a photo, given what the archive has of it already."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import Fault, examine, stored_metadata
from dsslic_search.core.fields import METADATA_COLUMNS
from dsslic_search.core.kinds import KeepMode, Tune
from dsslic_search.core.settings import DEFAULT_QUALITY, LOSSLESS

if TYPE_CHECKING:
    from dsslic_search.codec.options import EncodeOptions


_TELLING = {*METADATA_COLUMNS, "turn"} - {"taken_at", "taken_from"}
NOTHING = "nothing"  # of metadata is left out


@dataclass(frozen=True)
class Choice:
    """``action``: "add" a new photo; "update" one that is there, with ``photo_id``, storing it anew; or
    nothing: it is "present", or it "cannot" be stored for a ``reason``. ``options``: how to encode it.
    ``stays_exact``: other options were asked for, but what is there may be the only copy of the original.
    ``even_undecoded``: if it cannot be decoded it is kept as it is; ``stays_undecoded``: so it is there, and
    stays."""

    action: Literal["add", "update", "present", "cannot"]
    options: EncodeOptions
    photo_id: int | None = None
    stays_exact: bool = False
    even_undecoded: bool = False
    stays_undecoded: bool = False
    reason: str = ""


def choose(
    catalog: Catalog,
    store: Store,
    content_hash: str,
    options: EncodeOptions,
    even_undecoded: bool = False,
) -> Choice:
    """A photo that is there is stored anew when ``options`` has another keep mode or, in modes layers and
    coarse, another quality, or names another segmenter; and when its object file is not what it should be, as
    far as its length and header tell. Another effort, importances or a target alone are no reason: how a file
    was made to be what it is, it does not say. A photo of which metadata are to be left out is stored anew
    where it has them. A photo kept exactly stays so, and one that could not be decoded is tried again."""
    known = catalog.known(content_hash)
    if known is None:
        return Choice("add", options, even_undecoded=even_undecoded)
    photo_id, row = known
    found = examine(store, content_hash, row)
    if found.fault is Fault.UNREADABLE:
        return Choice("cannot", options, photo_id, reason=found.detail)
    stays_exact = options.keep != "exact" and found.may_be_only_copy(row)
    if stays_exact and options.strip != NOTHING:
        reason = "it is kept exactly, so none of its metadata can be left out"
        return Choice("cannot", options, photo_id, reason=reason)
    if stays_exact:
        quality = DEFAULT_QUALITY if options.quality == LOSSLESS else options.quality
        options = replace(options, keep="exact", quality=quality, target=None, importance=(), tune=Tune.PSNR)
    by_quality = options.keep in ("layers", "coarse") and not options.target
    other = row.keep != options.keep or (by_quality and row.quality != options.quality)
    other |= options.segmenter is not None and row.segmenter != options.segmenter.identity
    other |= options.strip != NOTHING and _tells_more(catalog, store, photo_id, content_hash, options.strip)
    undecoded = row.keep == KeepMode.UNDECODED
    return Choice(
        "update" if other or found.fault else "present",
        options,
        photo_id,
        stays_exact and not undecoded,
        even_undecoded=found.fault is not None and (undecoded or even_undecoded),
        stays_undecoded=found.fault is None and undecoded,
    )


def _tells_more(catalog: Catalog, store: Store, photo_id: int, content_hash: str, strip: str) -> bool:
    """Whether a photo's row or file has metadata that are to be left out."""
    from dsslic_search.codec.picture.facts import NAME_SOURCE, PLACELESS
    from dsslic_search.codec.picture.stripping import Strip, stripped

    photo = catalog.photo(photo_id)
    if photo is None:
        return False
    if Strip(strip) is Strip.LOCATION:
        told = any(getattr(photo, name) is not None for name in PLACELESS)
    else:
        dated = photo.taken_at is not None and vars(photo)["taken_from"] != NAME_SOURCE
        told = dated or any(getattr(photo, name) is not None for name in _TELLING)
    kept, _ = stored_metadata(store, content_hash)
    return told or stripped(kept, Strip(strip)) != kept
