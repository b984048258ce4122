"""What a .dsslic file says of itself, as plain values and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dsslic_search.core.errors import StageError

if TYPE_CHECKING:
    from dsslic_search.codec.container import Contents

UNKNOWN_VOCABULARY = "not known here"
NAMES = {
    "voca": "class list",
    "SMAP": "label map",
    "COMP": "compact",
    "RESI": "residual",
    "ALPH": "alpha",
    "ORIG": "original",
    "iccp": "ICC",
    "exif": "EXIF",
    "hash": "hash",
}


def describe(contents: Contents) -> dict[str, Any]:
    """A file's parameters, and its layers with bytes and bits per pixel, as plain values."""
    from dataclasses import asdict

    from dsslic_search.core.kinds import Stage

    header = contents.header
    bits = 8 / (header.width * header.height)
    layers = [{"name": "header", "kind": "", "codec": 0, "bytes": contents.header_bytes}]
    layers += [
        {"name": NAMES.get(e.kind, e.kind), "kind": e.kind, "codec": e.codec, "bytes": e.length}
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


KINDS = {1: "bpg-first", 2: "bpg", 3: "jpeg-xl"}


def describe_residual(data: bytes) -> dict[str, Any] | None:
    """What the last layer of a whole file says before its picture, as plain values; None where the file has
    no such layer.

    ``gains``: by class name, and "others", or None; ``colour_axes``: 3 × 3 whole numbers or None.
    """
    from dsslic_search.codec import container
    from dsslic_search.codec.layers import residual
    from dsslic_search.codec.layers.terms import SIXTY_FOURTHS, read_terms
    from dsslic_search.core import vocabulary

    contents = container.read_contents(data)
    chunk = container.read_chunk(data, contents, residual.LAYER.kind)
    if chunk is None:
        return None
    lossless = chunk.codec == residual.JPEG_XL
    said: dict[str, Any] = {
        "codec": chunk.codec,
        "kind": KINDS.get(chunk.codec, "unknown"),
        "lossless": lossless,
    }
    if chunk.codec == residual.FIRST_BPG:
        return {**said, "trust": 1.0, "colour_axes": None, "gains": None, "restoration": None}
    if chunk.codec != residual.BPG:
        return said
    terms, _ = read_terms(chunk.data, contents.header.grey)
    gains = None
    if terms.gains is not None:
        classes = vocabulary.default().classes
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


def residual_lines(said: dict[str, Any] | None, qp: int) -> list[str]:
    """The same in words."""
    if said is None:
        return []
    if said["lossless"]:
        return ["lossless: the photo itself as JPEG XL, every pixel exact"]
    if said["kind"] == "unknown":
        return [f"residual of a kind not known here ({said['codec']})"]
    planes = (
        "along the photo's own colour axes"
        if said["colour_axes"]
        else "BT.601"
        if said["kind"] == "bpg-first"
        else "grey"
    )
    lines = [
        f"residual: BPG (codec {said['codec']}), QP {qp}, planes {planes}, trust in the coarse image "
        f"{said['trust']:.2f}"
    ]
    if said["gains"]:
        lines.append(
            "importance: residual of "
            + ", ".join(f"{name} ×{gain:.2f}" for name, gain in said["gains"].items())
        )
    if said["restoration"]:
        lines.append(
            f"restoration: strength {said['restoration']['strength']:.2f}, weights "
            f"{said['restoration']['weights']}"
        )
    return lines
