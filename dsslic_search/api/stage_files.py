"""The stages of a .dsslic file, and what lies between the last two, as pictures or arrays of numbers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.api import coding
from dsslic_search.api.arguments import check_flags, path_of, text_of
from dsslic_search.core.errors import StageError, UsageError
from dsslic_search.core.kinds import Stage
from dsslic_search.core.output import Outputs
from dsslic_search.core.settings import Settings

if TYPE_CHECKING:
    from dsslic_search.api.archive import Archive
    from dsslic_search.codec.decoder import Decoded

FORMATS = ("png", "npy")
RESIDUAL, ALPHA = "residual", "alpha"
MIDDLE = 128  # grey of no difference, in a picture of it


def export_stages(
    source: Path | str | bytes, folder: Path | str, form: str = "png", *, replace: bool = False
) -> dict[str, tuple[int, ...]]:
    """Write every stage that a .dsslic file holds, given by its path or its bytes, into ``folder``, which is
    made: ``map``, ``compact``, ``coarse`` and ``full``, its opacity as ``alpha``, and ``residual``, what full
    is beside coarse. Returns the shape of each by its file's name.

    ``form``: "npy" for arrays, uint8 [H, W] (class ids of the file's vocabulary, at the photo's size) or
    [h, w, 3] sRGB, grey photos [h, w], and int16 full − coarse; "png" for pictures of these, of the residual
    halves of it about MIDDLE. FormatError when the file is damaged, PhotoError when it cannot be read,
    UsageError for another form and where nothing may be written."""
    from dsslic_search.codec import decoder

    check_flags(replace=replace)
    folder = path_of(folder)
    if text_of(form, "form") not in FORMATS:
        raise UsageError(f'form "{form}" is not one of: {", ".join(FORMATS)}')
    outputs = Outputs(replace, () if isinstance(source, bytes) else (Path(source),))
    name, data = coding.named_bytes(source)
    shown: dict[str, Decoded] = {}
    with coding.about(name):
        for stage in Stage:
            try:
                shown[stage] = decoder.decode_stage(data, stage, max_pixels=Settings().max_pixels)
            except StageError:
                if stage is Stage.MAP:
                    raise
    arrays: dict[str, NDArray[Any]] = {stage: decoded.pixels for stage, decoded in shown.items()}
    if Stage.FULL in shown:
        opacity = shown[Stage.FULL].alpha
        arrays |= {} if opacity is None else {ALPHA: opacity}
        arrays |= _residual(arrays) if Stage.COARSE in arrays else {}
    outputs.folder(folder)
    files = {f"{each}.{form}": pixels for each, pixels in arrays.items()}
    for each in files:
        outputs.check(folder / each)
    for each, pixels in files.items():
        spoken = shown[Stage.MAP].vocabulary if each == f"{Stage.MAP}.png" else None
        palette = None if spoken is None else spoken.palette()
        outputs.write(folder / each, as_npy(pixels) if form == "npy" else as_png(pixels, palette))
    return {each: pixels.shape for each, pixels in files.items()}


def export_photo_stages(
    archive: Archive, photo_id: int, folder: Path | str, form: str = "png", *, replace: bool = False
) -> dict[str, tuple[int, ...]]:
    """The same of a photo of an archive, by its id."""
    from dsslic_search.api.showing import stored_file

    data = stored_file(archive.folder.store, archive.photo(photo_id))
    return export_stages(data, folder, form, replace=replace)


def _residual(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.int16]]:
    """What full is beside coarse, both of the same planes."""
    full, coarse = arrays[Stage.FULL], arrays[Stage.COARSE]
    if full.shape != coarse.shape:
        return {}
    return {RESIDUAL: full.astype(np.int16) - coarse}


def as_npy(pixels: NDArray[np.generic]) -> bytes:
    """An array as NumPy's file of it."""
    buffer = io.BytesIO()
    np.save(buffer, pixels, allow_pickle=False)
    return buffer.getvalue()


def as_png(pixels: NDArray[Any], palette: bytes | None = None) -> bytes:
    """A picture of uint8 [H, W] or [H, W, 3], with a palette of indices, or of int16 differences: halves of
    them about MIDDLE."""
    from dsslic_search.labels.pictures import png

    if pixels.dtype == np.int16:
        pixels = np.clip(MIDDLE + np.floor_divide(pixels, 2), 0, 255).astype(np.uint8)
    return png(pixels, palette)
