"""``encode`` and ``decode``: photos to .dsslic bytes and back, without an archive; and what a user may ask of
the encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import PhotoError, UsageError
from dsslic_search.core.settings import DEFAULT_EFFORT, DEFAULT_QUALITY, LOSSLESS, Settings

if TYPE_CHECKING:
    from PIL import Image

    from dsslic_search.codec.decoder import Decoded
    from dsslic_search.codec.options import EncodeOptions
    from dsslic_search.networks.segmenter import Segmenter


def encode(
    image: Path | str | bytes | Image.Image | NDArray[np.uint8],
    *,
    quality: int | str | None = None,
    keep: str = "layers",
    effort: int = DEFAULT_EFFORT,
    importance: Mapping[str, float] | str | None = None,
    bpp: float | None = None,
    psnr: float | None = None,
    max_bytes: int | None = None,
    segmenter: Segmenter | str | None = None,
) -> bytes:
    """The bytes of a .dsslic file.

    ``image``: a file's path or its bytes, a PIL image, or uint8 [H, W], [H, W, 3] or [H, W, 4] sRGB.
    ``keep``: "layers", "exact" (the file itself is packed in, bit-exact), "reference" or "coarse" (both
    without a residual); "exact" and "reference" need a path or bytes. Other arguments as for
    :func:`encode_options`. Raises PhotoError when it cannot be read, UsageError for impossible options and
    targets that this photo cannot meet, WeightsError for a segmenter that cannot be used.
    """
    from dsslic_search.codec.encoder import encode_photo
    from dsslic_search.codec.picture.open import open_photo

    options = encode_options(
        quality=quality,
        keep=keep,
        effort=effort,
        importance=importance,
        bpp=bpp,
        psnr=psnr,
        max_bytes=max_bytes,
        segmenter=segmenter,
    )
    if isinstance(image, (str, Path)):
        name, original = str(image), read_file(Path(image))
    elif isinstance(image, (bytes, bytearray, memoryview)):
        name, original = "the photo", bytes(image)
    elif keep in ("exact", "reference"):
        raise UsageError(f'keep mode "{keep}" needs the original file: give its path or its bytes')
    else:
        name, original = "the photo", _as_png(image)
    photo = open_photo(original, name, Settings().max_pixels)
    return encode_photo(photo, options, original).data


def encode_options(
    *,
    quality: int | str | None = None,
    keep: str = "layers",
    effort: int = DEFAULT_EFFORT,
    importance: Mapping[str, float] | str | None = None,
    bpp: float | None = None,
    psnr: float | None = None,
    max_bytes: int | None = None,
    segmenter: Segmenter | str | None = None,
) -> EncodeOptions:
    """What the encoder is to do.

    ``quality``: 1 (smallest files) .. 100 (best picture), by default 75, or "lossless" (or LOSSLESS): every
    pixel exact. ``effort``: 1 (fastest) .. 9 (smallest files). ``importance``: how much the squared error of
    classes counts, by their words as in queries, 1 for those not named: {"person": 4, "sky": 0.25}. At most
    one of these in place of a quality: ``bpp`` and ``max_bytes``, the best quality of at most so many bits a
    pixel or bytes in all; ``psnr``, the smallest file of at least so many dB. ``segmenter``: what makes the
    label map, see `networks.segmenter`; by default SegNet. UsageError for what cannot be, WeightsError for a
    segmenter that cannot be used.
    """
    from dsslic_search.codec.options import EncodeOptions, Target
    from dsslic_search.core import vocabulary
    from dsslic_search.networks.segmenter import chosen
    from dsslic_search.query.language.weights import importance_of

    targets = [
        Target(kind, value)
        for kind, value in (("bpp", bpp), ("psnr", psnr), ("bytes", max_bytes))
        if value is not None
    ]
    if len(targets) + (quality is not None) > 1:
        raise UsageError(
            "a quality, bits a pixel, a PSNR and a number of bytes exclude each other; ask for one of them"
        )
    wanted = DEFAULT_QUALITY if quality is None else LOSSLESS if quality == "lossless" else quality
    return EncodeOptions(
        wanted,  # type: ignore[arg-type]  # EncodeOptions says what is wrong with a text
        keep,
        segmenter=chosen(segmenter),
        effort=effort,
        importance=importance_of(importance or {}, vocabulary.default()),
        target=targets[0] if targets else None,
    )


def decode(data: bytes, stage: str = "full") -> Image.Image:
    """One stage of a .dsslic file, from its bytes or from the prefix of them that holds the stage.

    "map": a palette image of the photo's size whose values are class ids of the file's vocabulary. "compact":
    an eighth of each side. "coarse", "full": the photo's size; RGB or L, with A where the photo had it.
    Raises FormatError when the bytes are damaged, StageError when the stage is not there or cannot be decoded
    here.
    """
    from dsslic_search.codec.decoder import decode_stage

    return to_image(decode_stage(data, stage, max_pixels=Settings().max_pixels), stage)


def to_image(decoded: Decoded, stage: str) -> Image.Image:
    """A PIL image of a decoded stage."""
    from PIL import Image

    image = Image.fromarray(decoded.pixels)
    if stage == "map":
        image.putpalette((decoded.vocabulary or vocabulary.default()).palette())
    if decoded.alpha is not None:
        image.putalpha(Image.fromarray(decoded.alpha))
    return image


def read_file(path: Path) -> bytes:
    """A file's bytes; PhotoError in one sentence when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as e:
        raise PhotoError(f"{path}: cannot be read ({e.strerror}); check the path and its permissions") from e


def _as_png(image: Image.Image | NDArray[np.uint8]) -> bytes:
    """A PIL image or array as the bytes of an uncompressed PNG, so that there is one way into the codec."""
    from io import BytesIO

    from PIL import Image

    if isinstance(image, np.ndarray):
        channels = image.shape[2] if image.ndim == 3 else 1
        if image.dtype != np.uint8 or image.ndim not in (2, 3) or channels not in (1, 3, 4) or not image.size:
            raise UsageError(
                f"an array to encode must be uint8 [H, W], [H, W, 3] or [H, W, 4], not {image.dtype} "
                f"{list(image.shape)}"
            )
        image = Image.fromarray(image.squeeze(2) if channels == 1 and image.ndim == 3 else image)
    elif not isinstance(image, Image.Image):
        raise UsageError(
            f"cannot encode a {type(image).__name__}; give a path, bytes, a PIL image or an array"
        )
    exif = image.getexif().tobytes()
    try:
        plain = image if image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else image.convert("RGB")
    except ValueError as e:
        raise UsageError(
            f"cannot encode an image of mode {image.mode} ({e}); convert it to RGB or RGBA first"
        ) from e
    profile = image.info.get("icc_profile") if plain is image else None
    out = BytesIO()
    plain.save(out, "PNG", compress_level=0, exif=exif, icc_profile=profile)
    return out.getvalue()
