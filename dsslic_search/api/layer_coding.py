"""One layer by itself, from file to file: a label map, a compact image or a residual coded, and decoded."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.api import coding
from dsslic_search.api.arguments import check_flags, count_of, path_of, text_of
from dsslic_search.api.stage_files import as_npy, as_png
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import FormatError, UsageError
from dsslic_search.core.output import Outputs
from dsslic_search.core.settings import Settings

NPY, PNG = ".npy", ".png"
_QPS = range(52)


def encode_layer(
    layer: str,
    source: Path | str,
    target: Path | str,
    *,
    qp: int | None = None,
    mapping: str | None = None,
    replace: bool = False,
) -> dict[str, Any]:
    """Write one layer as `export_layers` would. ``layer``: "map", "compact" or "residual". ``source``: an
    array (.npy), a PNG of class ids, any picture for a compact image. ``target``'s ending says how it is
    coded: .map or .flif a label map, .bpg or .flif a compact image, .bpg a residual.

    A residual is differences, int16 in −255..255, mapped as in the paper's profile: ``mapping`` "min-max",
    by default, "fixed", or two ends such as "-37,41". Where a ``layers.json`` beside ``target`` names it, it
    is coded as is said there; under one of the default profile a photo is coded, uint8. ``qp``: 0..51, as for
    coding the photo directly; by default those of quality 75.

    Returns "bytes", and of a residual that was mapped "mapping", for `decode_layer`. PhotoError where
    ``source`` cannot be read, FormatError where it is damaged, UsageError for what does not go together and
    where nothing may be written."""
    from dsslic_search.codec import layer_alone

    check_flags(replace=replace)
    layer, source, target = _known(layer), path_of(source), path_of(target)
    form = target.suffix.lower().removeprefix(".")
    if form not in layer_alone.FORMS[layer]:
        known = " or ".join(f".{each}" for each in layer_alone.FORMS[layer])
        raise UsageError(f"{target}: the file of a {layer} ends in {known}, which says how it is coded")
    if qp is not None and (form != "bpg" or count_of(qp, "qp") not in _QPS):
        raise UsageError(f"qp {qp} is for .bpg files, a whole number from 0 (best) to 51")
    if mapping is not None and layer != layer_alone.RESIDUAL:
        raise UsageError(f"a mapping is of residuals, not of a {layer}")
    outputs = Outputs(replace, (source, target.parent / "layers.json"))
    outputs.check(target)
    told = _beside(target) if layer == layer_alone.RESIDUAL else None
    if told is not None and mapping is not None:
        raise UsageError(
            f"{target.parent / 'layers.json'}: says how this residual is mapped; give no mapping"
        )
    said: dict[str, Any] = {}
    with coding.about(source):
        pixels = _read(source, layer)
        if layer == layer_alone.MAP:
            data = layer_alone.encode_map(pixels, form)
        elif layer == layer_alone.COMPACT:
            data = layer_alone.encode_compact(pixels, form, qp)
        else:
            data, used = layer_alone.encode_residual(pixels, qp, mapping or "min-max", told)
            if used is not None:
                said["mapping"] = "fixed" if used.kind else f"{used.least},{used.greatest}"
    outputs.write(target, data)
    return {"bytes": len(data), **said}


def decode_layer(
    layer: str,
    source: Path | str,
    target: Path | str,
    *,
    mapping: str | None = None,
    replace: bool = False,
) -> tuple[int, ...]:
    """Write what one layer's file holds as an array (.npy) or a picture (.png), by the ending of ``target``;
    returns its shape. A label map is class ids, in the palette of the class list in use; a residual is what
    `codec.layer_alone.decode_residual` gives: differences, int16, as a picture halves of them about 128, or
    the photo itself, uint8. ``mapping``: of a residual of which no ``layers.json`` beside it tells, "fixed"
    or its two ends. Raises as `encode_layer`."""
    from dsslic_search.codec import layer_alone

    check_flags(replace=replace)
    layer, source, target = _known(layer), path_of(source), path_of(target)
    if target.suffix.lower() not in (NPY, PNG):
        raise UsageError(f"{target}: a layer is decoded to an array (.npy) or a picture (.png)")
    outputs = Outputs(replace, (source,))
    outputs.check(target)
    pixels: NDArray[Any]
    with coding.about(source):
        data = coding.read_file(source)
        if layer == layer_alone.MAP:
            pixels = layer_alone.decode_map(data)
        elif layer == layer_alone.COMPACT:
            pixels = layer_alone.decode_compact(data)
        else:
            given = None if mapping is None else layer_alone.mapping_of(mapping)
            pixels = layer_alone.decode_residual(data, given, None if given else _beside(source))
    if target.suffix.lower() == NPY:
        outputs.write(target, as_npy(pixels))
    else:
        palette = vocabulary.default().palette() if layer == layer_alone.MAP else None
        outputs.write(target, as_png(pixels, palette))
    return pixels.shape


def _known(layer: str) -> str:
    from dsslic_search.codec.layer_alone import LAYERS

    if text_of(layer, "layer") not in LAYERS:
        raise UsageError(f'layer "{layer}" is not one of: {", ".join(LAYERS)}')
    return layer


def _beside(path: Path) -> Any:
    """What ``layers.json`` in the same folder says of a residual's file; None where it names none."""
    from dsslic_search.codec import layer_alone, layer_files

    description = path.parent / layer_files.DESCRIPTION
    if not description.is_file():
        return None
    with coding.about(description):
        return layer_alone.beside(coding.read_file(description), path.name)


def _read(source: Path, layer: str) -> NDArray[Any]:
    """The numbers of a file, checked to be what the layer takes."""
    from dsslic_search.codec import layer_alone

    data = coding.read_file(source)
    if source.suffix.lower() == NPY:
        pixels = _of_npy(data)
    elif layer == layer_alone.MAP:
        from dsslic_search.labels.pictures import read_png
        from dsslic_search.labels.scene import MAX_PIXELS

        pixels = read_png(data, MAX_PIXELS, "the label map")
    else:
        from dsslic_search.codec.picture.open import open_photo

        photo = open_photo(data, source.name, Settings().max_pixels)
        pixels = photo.pixels[..., 0] if photo.grey else photo.pixels
    planes = pixels.shape[2:]
    if (
        not pixels.size
        or planes not in ((), (3,))
        or pixels.ndim < 2
        or (planes and layer == layer_alone.MAP)
    ):
        wanted = "[h, w]" if layer == layer_alone.MAP else "[h, w, 3] or [h, w]"
        raise UsageError(f"{source}: is {list(pixels.shape)} where a {layer} is {wanted}, not empty")
    if pixels.dtype != np.uint8 and layer != layer_alone.RESIDUAL:
        raise UsageError(f"{source}: holds {pixels.dtype} where a {layer} is uint8, 0..255")
    if pixels.shape[0] * pixels.shape[1] > Settings().max_pixels:
        raise UsageError(f"{source}: has more than {Settings().max_pixels} pixels, which are allowed")
    return pixels


def _of_npy(data: bytes) -> NDArray[Any]:
    """An array of uint8 or int16. FormatError for any other, and where its bytes are not all there."""
    from numpy.lib import format as npy

    stream = io.BytesIO(data)
    try:
        with warnings.catch_warnings(action="ignore"):  # of headers that Python 2 wrote
            version = npy.read_magic(stream)
            head = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, in_columns, kind = head(stream)
    except (ValueError, TypeError, OverflowError, RecursionError, MemoryError, TokenError) as e:
        raise FormatError("not an array that NumPy wrote") from e
    body = data[stream.tell() :]
    if kind not in (np.dtype(np.uint8), np.dtype("<i2"), np.dtype(">i2")):
        raise FormatError(f"an array of {kind}; uint8 is needed, or int16 for a residual")
    count = 1
    for side in shape:
        count *= side
    if len(body) != count * kind.itemsize or any(side < 0 for side in shape):
        raise FormatError("the array is cut short, or longer than it says")
    found: NDArray[Any] = np.frombuffer(body, kind).reshape(shape, order="F" if in_columns else "C")
    return np.ascontiguousarray(found.astype(kind.newbyteorder("="), copy=False))
