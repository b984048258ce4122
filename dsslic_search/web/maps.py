"""Label maps as they go with answers: the first bytes of photos' files, in our own coding whatever the files
hold."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import TYPE_CHECKING

from dsslic_search.core.errors import FormatError

if TYPE_CHECKING:
    from dsslic_search.api.browsing import Card
    from dsslic_search.web.site import Site


def coded_maps(site: Site, cards: Iterable[Card]) -> dict[int, str]:
    """For each photo that has a label map the first bytes of its .dsslic file, which hold header and label
    map, in base64. A map that is a FLIF file (the paper's profile) comes with the same labels in our own
    coding, behind a header of its own."""
    versions = {card.id: card.version for card in cards}
    prefixes = site.archive.map_prefixes(list(versions))
    return {
        photo_id: b64encode(_plain(site, f"{versions[photo_id]}-map.dsslic", prefix)).decode()
        for photo_id, prefix in prefixes.items()
        if prefix
    }


def _plain(site: Site, name: str, prefix: bytes) -> bytes:
    """First bytes of a file with their label map as docs/label-map.md codes it; as they are where they are
    damaged, which who reads them will find."""
    from dsslic_search.codec import plain_map

    try:
        if plain_map.is_plain(prefix):
            return prefix
        if (made := site.pictures.get(name)) is None:
            made = plain_map.plain(prefix)
            site.pictures.put(name, made)
    except FormatError:
        return prefix
    return made
