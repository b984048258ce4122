"""What is known of a photo, as plain values that JSON can hold: what a .dsslic file says of itself, and what
an archive has of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsslic_search.api import coding
from dsslic_search.core.certainty import probability
from dsslic_search.core.colour_terms import named
from dsslic_search.core.errors import StageError
from dsslic_search.core.fields import COLUMNS
from dsslic_search.core.vocabulary import OTHER

if TYPE_CHECKING:
    from dsslic_search.archive.schema import KnownPath, Photo
    from dsslic_search.archive.store import Store
    from dsslic_search.codec.container import Contents
    from dsslic_search.codec.syntax import Element
    from dsslic_search.core.dialect import Dialect
    from dsslic_search.core.vocabulary import Vocabulary

UNKNOWN_VOCABULARY = "not known here"
RESIDUAL_KINDS = {1: "bpg-first", 2: "bpg", 3: "jpeg-xl", 4: "bpg-normalised"}  # by codec id
_COLOURS = tuple(column.name for column in COLUMNS if column.values == "colours")
_WORDS = tuple(column.name for column in COLUMNS if column.values == "words")
LAYER_NAMES = {
    "voca": "class list",
    "SMAP": "label map",
    "hand": "people's label map",
    "sure": "certainty",
    "word": "words",
    "COMP": "compact",
    "RESI": "residual",
    "ALPH": "alpha",
    "ORIG": "original",
    "iccp": "ICC",
    "exif": "EXIF",
    "xmpp": "XMP",
    "iptc": "IPTC",
    "hash": "hash",
    "srce": "source",
}


def file_info(source: Path | str | bytes, *, elements: bool = False) -> dict[str, Any]:
    """What a whole .dsslic file says of itself, after all of it was checked: its header's fields, its layers
    and stages with their bytes, the name of its vocabulary, how sure the segmenter was, what the whole photo
    shows, what its residual is made of, the bits of each part of its syntax, and what the metadata kept in it
    tell of the photo, by the catalog's columns; if ``elements``, also what each syntax element of HEVC takes
    in its layers (`codec.syntax.elements_of`). Raises FormatError when it is damaged, PhotoError when it
    cannot be read."""
    from dsslic_search.codec import container, decoder, syntax
    from dsslic_search.codec.picture.facts import facts_of
    from dsslic_search.features.image_words import named as named_words

    name, data = coding.named_bytes(source)
    with coding.about(name):
        contents = container.read(data)
        spoken = _vocabulary_name(contents, lambda: decoder.read_dialect(data, contents))
        residual = _residual(data)
        bits, remarks = decoder.read_source(data, contents)
        certainty = decoder.read_certainty(data, contents) if contents.header.keep.is_seen else None
        told = facts_of(decoder.read_embedded(data))
        seen = decoder.read_words(data, contents)
        parts = syntax.parts_of(data)
        told_apart = syntax.elements_of(data) if elements else []
    facts = {name: value for name, value in _plain(told).items() if value not in (None, [])}
    return {
        **describe_contents(contents),
        "vocabulary_name": spoken,
        "certainty": certainty,
        "words": None if seen is None else named_words(seen.to_bytes()),
        "residual": residual,
        "syntax": [{**p._asdict(), "layer": LAYER_NAMES.get(p.kind, p.kind or "header")} for p in parts],
        **({"elements": [_element(e) for e in told_apart]} if elements else {}),
        "facts": facts,
        "source_bits": bits,
        "source_remarks": list(remarks),
    }


def _element(element: Element) -> dict[str, Any]:
    return {**element._asdict(), "layer": LAYER_NAMES[element.kind]}


def photo_info(store: Store, photo: Photo, vocabulary: Vocabulary, tags: list[str]) -> dict[str, Any]:
    """What the catalog knows of a photo, and the layers of its file: the columns of its row by name;
    coverage, certainty and colours by class; words with their probabilities (None when its file has none);
    regions (None when an older version described it), tags, vocabulary and layers."""
    from dsslic_search.api.showing import read_contents, read_dialect, read_remarks

    contents = read_contents(store, photo)
    return {
        **_row(photo, [c.name for c in vocabulary.classes]),
        "tags": tags,
        "vocabulary_name": _vocabulary_name(contents, lambda: read_dialect(store, photo)),
        "source_remarks": list(read_remarks(store, photo)),
        "layers": describe_contents(contents)["layers"],
    }


def _vocabulary_name(contents: Contents, read: Callable[[], Dialect]) -> str | None:
    if not contents.header.keep.is_seen:
        return None
    try:
        return read().vocabulary.name
    except StageError:
        return UNKNOWN_VOCABULARY


def describe_contents(contents: Contents) -> dict[str, Any]:
    """A file's parameters, and its layers with bytes and bits per pixel, as plain values."""
    from dataclasses import asdict

    from dsslic_search.core.kinds import Stage

    header = contents.header
    bits = 8 / (header.width * header.height or 1)
    layers = [{"name": "header", "kind": "", "codec": 0, "bytes": contents.header_bytes}]
    layers += [
        {"name": LAYER_NAMES.get(e.kind, e.kind), "kind": e.kind, "codec": e.codec, "bytes": e.length}
        for e in contents.entries
    ]
    stages: dict[str, int] = {}
    for stage in Stage:
        try:
            stages[stage] = contents.stage_bytes(stage)
        except StageError:
            continue
    return {
        **asdict(header),
        "bytes": contents.total,
        "bpp": round(contents.total * bits, 6),
        "layers": [{**layer, "bpp": round(int(str(layer["bytes"])) * bits, 6)} for layer in layers],
        "stages": stages,
    }


def _residual(data: bytes) -> dict[str, Any] | None:
    """What the last layer of a whole file says before its picture, as plain values; None where the file has
    no such layer.

    ``gains``: by class name, and "others", or None; ``colour_axes``: 3 × 3 whole numbers or None.
    """
    from dsslic_search.codec import container
    from dsslic_search.codec.layers import normalised, residual
    from dsslic_search.codec.layers.terms import SIXTY_FOURTHS, read_terms
    from dsslic_search.core import vocabulary

    contents = container.read_contents(data)
    chunk = container.read_chunk(data, contents, residual.LAYER.kind)
    if chunk is None:
        return None
    lossless = chunk.codec == residual.JPEG_XL
    said: dict[str, Any] = {
        "codec": chunk.codec,
        "kind": RESIDUAL_KINDS.get(chunk.codec, "unknown"),
        "lossless": lossless,
    }
    if chunk.codec == residual.FIRST_BPG:
        return {**said, "trust": 1.0, "colour_axes": None, "gains": None, "restoration": None}
    if chunk.codec == residual.NORMALISED:
        mapping, _ = normalised.read_mapping(chunk.data)
        name = normalised.NAMES[mapping.kind]
        return {**said, "mapping": name, "least": mapping.least, "greatest": mapping.greatest}
    if chunk.codec != residual.BPG:
        return said
    terms, _ = read_terms(chunk.data, contents.header.grey)
    gains = None
    if terms.gains is not None:
        classes = vocabulary.built_in().classes
        gains = {
            classes[i].name if i < len(classes) else f"class {i}": gain / SIXTY_FOURTHS
            for i, gain in terms.gains.of
        }
        gains["others"] = terms.gains.others / SIXTY_FOURTHS
    restoration = (
        {"strength": terms.strength / SIXTY_FOURTHS, "weights": terms.restorer} if terms.strength else None
    )
    axes = None if terms.axes is None else [list(row) for row in terms.axes.rows]
    return {
        **said,
        "trust": terms.trust / SIXTY_FOURTHS,
        "colour_axes": axes,
        "gains": gains,
        "restoration": restoration,
    }


def _row(photo: Photo, names: list[str]) -> dict[str, Any]:
    columns = [
        c.key for c in photo.__table__.columns if c.key not in ("embedding", "regions", "words", "coverages")
    ]
    plain = _plain({name: getattr(photo, name) for name in columns})
    plain["paths"] = [row.path + row.part for row in photo.paths if row.ended_at is None]
    plain["earlier_paths"] = [_ended(row) for row in photo.paths if row.ended_at is not None]
    plain["coverage"] = {
        names[c.class_id]: c.fraction for c in sorted(photo.coverages, key=lambda c: -c.fraction)
    }
    # archives described before have a number for what the segmenter did not know
    plain["certainty"] = {
        names[c.class_id]: probability(None if c.class_id == OTHER else c.certainty) for c in photo.coverages
    }
    plain["class_colours"] = {names[c.class_id]: list(named(c.colours)) for c in photo.coverages}
    plain["words"] = None if photo.stored_words is None else photo.words
    plain["regions"] = None if photo.regions is None else regions_of(photo.regions, names)
    return plain


def _ended(row: KnownPath) -> dict[str, Any]:
    """A path at which a photo lay: until when, and which photo replaced it there, if one did."""
    until = None if row.ended_at is None else row.ended_at.isoformat()
    return {"path": row.path + row.part, "until": until, "replaced_by": row.replaced_by}


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts by column as JSON has them: dates as ISO 8601 has them, several words as a list."""
    plain = {name: v.isoformat() if hasattr(v, "isoformat") else v for name, v in facts.items()}
    plain |= {name: list(named(plain[name])) for name in _COLOURS if name in plain}
    return plain | {name: plain[name].split("\n") if plain[name] else [] for name in _WORDS}


def regions_of(stored: bytes, names: list[str]) -> list[dict[str, Any]]:
    """Stored regions as plain values, largest first: class, area, bounds and centre, and the classes that
    each touches; places and shares as fractions."""
    from dsslic_search.features.region_numbers import SHARES, UNITS
    from dsslic_search.features.scene import SceneRegions

    scene = SceneRegions.from_bytes(stored)
    places = ("area", "left", "top", "right", "bottom", "x", "y")
    plain: list[dict[str, Any]] = [
        {"class": names[r["class_id"]], **{p: round(int(r[p]) / UNITS, 5) for p in places}, "touches": []}
        for r in scene.regions
    ]
    for region, class_id, under, border in scene.contacts.tolist():
        if class_id >= len(names):
            continue  # a group, whose classes are there
        shares = {"under": round(under / SHARES, 4), "border": round(border / SHARES, 4)}
        plain[region]["touches"].append({"class": names[class_id], **shares})
    return plain
