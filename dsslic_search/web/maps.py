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
    return {
        card.id: b64encode(card.map_prefix if card.has_plain_map else _plain(site, card)).decode()
        for card in cards
        if card.map_prefix
    }


def _plain(site: Site, card: Card) -> bytes:
    """First bytes of a file with their label map as docs/label-map.md codes it; as they are where they are
    damaged, which who reads them will find."""
    from dsslic_search.codec import plain_map

    name = f"{card.version}-map.dsslic"
    if (made := site.pictures.get(name)) is None:
        try:
            made = plain_map.plain(card.map_prefix)
        except FormatError:
            return card.map_prefix
        site.pictures.put(name, made)
    return made
