"""Keywords that name where a photo was taken, as catalogues of photos write them: within a list that is
called "Places", and as machine tags ("geo:lat=48.9").

A word alone does not tell that it is of a place. Programs that have lists within lists write a photo's
keywords twice, as paths ("Places|France|Paris") and as plain words ("Paris"): what the paths name counts as a
place wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAMES_OF_LISTS = """
Place Places Location Locations Geography Geo GPS Geotag Geotags Where Country Countries City Cities Continent
Continents Ort Orte Länder Geografie Geographie Lieu Lieux Pays Villes Géographie Lugar Lugares
Países Ciudades Geografía Luogo Luoghi Paesi Plaats Plaatsen Locaties Locais Platser Plats Steder Paikat
Miejsca Miejsce Místa Yerler Место Места 地点 地點 場所 撮影地 장소
"""
LISTS_OF_PLACES = frozenset(_NAMES_OF_LISTS.casefold().split())
"""What such a list is called, in any letters."""

_BETWEEN_LEVELS = re.compile(r"[|/\\>]")
_MACHINE_TAG = re.compile(r"geo(?::\w+)?[:=]|geotagged$|iso3166", re.IGNORECASE)


class PlaceWords:
    """The words that name places in the metadata of one photo, of all its keywords wherever they stand."""

    def __init__(self, keywords: Iterable[str] = ()) -> None:
        self._named: set[str] = set()
        self.learn(keywords)

    def learn(self, keywords: Iterable[str]) -> None:
        """Take what is below a list of places among ``keywords``, of which some may be paths."""
        for keyword in keywords:
            levels = _levels(keyword)
            top = next((at for at, level in enumerate(levels) if level in LISTS_OF_PLACES), len(levels))
            if top < len(levels) - 1:
                self._named.update(levels[top:])

    def names(self, keyword: str) -> bool:
        """Whether a keyword, or a level of a path, is of a place."""
        if _MACHINE_TAG.match(keyword.strip()):
            return True
        levels = _levels(keyword)
        return any(level in self._named for level in levels) or any(
            level in LISTS_OF_PLACES for level in levels[:-1]
        )


def _levels(keyword: str) -> list[str]:
    return [level.strip().casefold() for level in _BETWEEN_LEVELS.split(keyword)]
