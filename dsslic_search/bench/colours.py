"""How rightly colours are told: of things, of photos without colours, of dark and bright ones.

What a thing's colours are is read off the photo at its full size, within what people labelled: each of its
pixels has the basic term that ends the name of the nearest colour of the XKCD survey ("dull green": green;
2010, the colours that its visitors gave 949 names to, of which 566 end so), by distance in CIELAB; black,
grey and white are told apart by lightness. Nothing of `features.colours` has part in that. It is asked by
people's label maps, which judges colours alone, and by SegNet's, as photos are ingested.

Photos without colours are those of which the colours were taken away. Dark ones are exposed by whole stops
less, in linear light.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.bench import record
from dsslic_search.bench.copies import Picture, as_stored, saved_as_jpeg
from dsslic_search.bench.photos import read_photo
from dsslic_search.codec import encoder
from dsslic_search.core import vocabulary
from dsslic_search.core.colour_terms import BLACK_AND_WHITE, SPELLINGS, TERMS, named
from dsslic_search.core.errors import MissingExtraError
from dsslic_search.features.colours import ColourFeatures, colour_features
from dsslic_search.training.dataset import LATER_SCENES, SCENES, Sample, scene_samples

LEVELS = 32  # of each channel, in which the survey's names are looked up
MIN_CLASS_SHARE = 0.01  # of a photo's pixels; smaller classes are not asked
MAIN_SHARE = 0.5  # of a class's pixels, from which a term is its main one
MIN_THERE = 0.1  # of a class's pixels: a term that fewer have is told wrongly
STOPS = (0, 1, 2, 3)  # less light, by halves
DARK, BRIGHT = 60, 170  # mean luma below and above which a query for dark and for bright asks
GREY_QUALITY = 75  # of the JPEG that a photo without colours is saved as
D65 = (0.95047, 1.0, 1.08883)  # the white of sRGB
TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)

PLAIN_LIGHTNESS = {"black": 0.0, "grey": 61.35, "white": 100.0}
"""L* of the survey's black, grey and white: what is one of them is the nearest. With every name that ends so,
hardly anything would be black or white ("pale grey" is #fdfdfe there)."""
WITHOUT_HUE = frozenset(PLAIN_LIGHTNESS)
ACHROMATIC, HUES = "black, white or grey", "all others"
MAPS = ("people's", "segnet's")
Shares = dict[int, NDArray[np.float64]]


def linear(srgb: NDArray[Any]) -> NDArray[np.float64]:
    """Light, 0..1, of sRGB values in 0..255."""
    value = np.asarray(srgb, np.float64) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def exposed(pixels: Picture, stops: int) -> Picture:
    """The photo with so many halves less light."""
    light = linear(np.arange(256)) / 2**stops
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    taken: Picture = np.rint(curve * 255).astype(np.uint8)[pixels]
    return taken


def cielab(srgb: NDArray[Any]) -> NDArray[np.float64]:
    """L*, a*, b* of sRGB [..., 3] in 0..255, by its own white."""
    ratio = linear(srgb) @ np.array(TO_XYZ).T / D65
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


@cache
def surveyed() -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Colours of the survey whose names end in a basic term, in CIELAB, and the numbers of those terms."""
    try:
        from matplotlib.colors import XKCD_COLORS
    except ImportError as e:
        raise MissingExtraError(
            "the survey's colours come with matplotlib, which is missing: pip install 'dsslic-search[bench]'"
        ) from e
    codes: list[str] = []
    terms: list[int] = []
    for name, code in XKCD_COLORS.items():  # "xkcd:dull green", "#74a662"
        end = name.removeprefix("xkcd:").split()[-1]
        if (term := SPELLINGS.get(end, end)) in TERMS:
            codes.append(code)
            terms.append(TERMS.index(term))
    rgb = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in codes])
    return cielab(rgb), np.array(terms)


@cache
def _nearest() -> NDArray[np.uint8]:
    """The number of the term of sRGB in LEVELS steps of each channel, uint8[LEVELS³]."""
    step = 256 // LEVELS
    axis = np.arange(LEVELS) * step + (step - 1) / 2
    asked = cielab(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3))
    colours, terms = surveyed()
    rows = [
        np.argmin(((part[:, None] - colours) ** 2).sum(2), axis=1) for part in np.array_split(asked, LEVELS)
    ]
    found = terms[np.concatenate(rows)]
    numbers = [TERMS.index(term) for term in PLAIN_LIGHTNESS]
    by_lightness = np.argmin(np.abs(asked[:, :1] - list(PLAIN_LIGHTNESS.values())), axis=1)
    named_so: NDArray[np.uint8] = np.where(
        np.isin(found, numbers), np.take(numbers, by_lightness), found
    ).astype(np.uint8)
    return named_so


def terms_of(pixels: Picture) -> NDArray[np.uint8]:
    """The number of each pixel's term by the survey, uint8 [h, w], of sRGB uint8 [h, w, 3]."""
    levels = pixels.astype(np.intp) // (256 // LEVELS)
    found: NDArray[np.uint8] = _nearest()[levels @ [LEVELS**2, LEVELS, 1]]
    return found


def true_shares(pixels: Picture, labels: NDArray[np.uint8]) -> Shares:
    """Of each class that is large enough, ``other`` aside, the share of its pixels that has each term."""
    classes, terms = len(vocabulary.default()), terms_of(pixels)
    counts = np.bincount(
        labels.ravel().astype(np.intp) * len(TERMS) + terms.ravel(), minlength=256 * len(TERMS)
    )
    table = counts.reshape(256, len(TERMS))[:classes]
    large = np.flatnonzero(table.sum(1) >= MIN_CLASS_SHARE * labels.size)
    return {int(c): table[c] / table[c].sum() for c in large if c}


class Tally:
    """What was told of the colours of things, and how much of it is right; see :meth:`figures`."""

    def __init__(self) -> None:
        self.rows = {name: {"main": 0, "found": 0, "told": 0, "right": 0} for name in (*TERMS, ACHROMATIC)}
        self.asked = self.missing = 0

    def add(self, truth: Shares, told: Mapping[int, int]) -> None:
        """One photo: the truth, and masks of terms by class."""
        for class_id, shares in truth.items():
            self.asked += 1
            if class_id not in told:
                self.missing += 1
                continue
            share_of = dict(zip(TERMS, shares.tolist(), strict=True))
            terms = set(named(told[class_id]))
            for term, share in share_of.items():
                self._count(term, share, term in terms)
            self._count(ACHROMATIC, sum(share_of[each] for each in WITHOUT_HUE), bool(terms & WITHOUT_HUE))

    def _count(self, name: str, share: float, told: bool) -> None:
        row = self.rows[name]
        row["main"] += share >= MAIN_SHARE
        row["found"] += told and share >= MAIN_SHARE
        row["told"] += told
        row["right"] += told and share >= MIN_THERE

    def figures(self) -> dict[str, Any]:
        """``classes`` of photos asked about, ``not_told`` of which no class was there to have a colour; of
        the others by term: those of which it is the ``main`` one and ``found``, and those of which it was
        ``told`` and was ``right``."""
        hues = [row for name, row in self.rows.items() if name not in (*WITHOUT_HUE, ACHROMATIC)]
        together = {key: sum(row[key] for row in hues) for key in hues[0]}
        return {
            "classes": self.asked,
            "not_told": self.missing,
            "by_term": {name: _rated(row) for name, row in {**self.rows, HUES: together}.items()},
        }


def _rated(row: dict[str, int]) -> dict[str, Any]:
    return {
        **row,
        "recall": round(row["found"] / row["main"], 4) if row["main"] else None,
        "precision": round(row["right"] / row["told"], 4) if row["told"] else None,
    }


def run(data: Path, one_in: int = 1) -> dict[str, Any]:
    """All figures, of one in so many of the validation photos that people labelled under ``data``."""
    samples = scene_samples(data, validation=True, sets=(*SCENES, *LATER_SCENES))[::one_in]
    tallies = {name: Tally() for name in MAPS}
    lights: list[tuple[int, int, float]] = []  # stops, brightness as stored, mean luma
    without: dict[str, list[bool]] = {"as they are": [], "without colours": [], "without, saved as JPEG": []}
    for sample in samples:
        pixels = read_photo(sample.image).pixels
        for name, found in _told(sample, pixels).items():
            tallies[name].add(true_shares(pixels, _labels(sample)), found.of_class)
        for stops in STOPS:
            taken = exposed(pixels, stops)
            luma = float(np.asarray(Image.fromarray(taken).convert("L"), np.float64).mean())
            lights.append((stops, seen(taken).brightness, luma))
        grey = Image.fromarray(pixels).convert("L").convert("RGB")
        saved = saved_as_jpeg(grey, GREY_QUALITY)
        for name, shown in zip(without, (pixels, np.asarray(grey), np.asarray(saved)), strict=True):
            without[name].append(BLACK_AND_WHITE in named(seen(shown).photo))
    return {
        "photos": len(samples),
        "things": {name: tally.figures() for name, tally in tallies.items()},
        "called_black_and_white": {name: sum(called) for name, called in without.items()},
        "light": light_figures(lights),
    }


def _labels(sample: Sample) -> NDArray[np.uint8]:
    assert sample.labels is not None
    return np.asarray(Image.open(sample.labels), np.uint8)


def _told(sample: Sample, pixels: Picture) -> dict[str, ColourFeatures]:
    """What is stored of a photo's colours, by people's label map and by SegNet's."""
    guess, scale = encoder.segment_photo(read_photo(sample.image))
    labels = _labels(sample)
    rows, columns = (
        np.minimum(np.arange(n) * scale + scale // 2, size - 1)
        for n, size in zip(guess.shape, labels.shape, strict=True)
    )
    stored = as_stored(pixels, 0, "", "").compact
    maps = labels[np.ix_(rows, columns)], guess
    return {name: colour_features(stored, each, scale) for name, each in zip(MAPS, maps, strict=True)}


def seen(pixels: Picture) -> ColourFeatures:
    """What is stored of the colours of a whole photo."""
    stored = as_stored(pixels, 0, "", "").compact
    return colour_features(stored, np.zeros(stored.shape[:2], np.uint8), 8)


def light_figures(lights: Sequence[tuple[int, int, float]]) -> dict[str, Any]:
    """How many are called dark and bright at each of STOPS, how far the stored brightness is from the mean
    luma of all pixels, and how many photos it takes to the other side of either border."""
    stops, stored, luma = np.array(lights).T
    crossed = ((stored < DARK) != (luma < DARK)) | ((stored > BRIGHT) != (luma > BRIGHT))
    return {
        "by_stops": {
            str(less): {
                "dark": int((stored[stops == less] < DARK).sum()),
                "bright": int((stored[stops == less] > BRIGHT).sum()),
            }
            for less in STOPS
        },
        "asked": len(lights),
        "mean_difference": round(float(np.abs(stored - luma).mean()), 3),
        "greatest_difference": round(float(np.abs(stored - luma).max()), 3),
        "on_the_other_side": int(crossed.sum()),
    }


def table(results: Mapping[str, Any]) -> list[str]:
    """The figures of things as lines for people."""
    names = ("main", "recall", "told", "precision")
    rows = []
    for term in (*TERMS, ACHROMATIC, HUES):
        cells = [results["things"][each]["by_term"][term] for each in MAPS]
        rows.append((term, *("-" if row[n] is None else str(row[n]) for row in cells for n in names)))
    return record.table(("", *(f"{n}, {each}" for each in MAPS for n in names)), rows)
