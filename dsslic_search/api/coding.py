"""``encode`` and ``decode``: photos to .dsslic bytes and back, without an archive; and what a user may ask of
the encoder. From file to file: `api.coding_files`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from dsslic_search.api.arguments import text_of
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import FormatError, PhotoError, UsageError
from dsslic_search.core.files import LARGEST_FILE_BYTES
from dsslic_search.core.output import STANDARD
from dsslic_search.core.settings import DEFAULT_QUALITY, LOSSLESS, Settings

if TYPE_CHECKING:
    from PIL import Image

    from dsslic_search.codec.decoder import Decoded
    from dsslic_search.codec.options import EncodeOptions
    from dsslic_search.networks.segmenter import Segmenter


class EncodeWishes(TypedDict, total=False):
    """What may be asked of the encoder, by keyword; whatever is left out is as `EncodeOptions` has it. At
    most one of ``quality``, ``bpp``, ``psnr`` and ``max_bytes``."""

    quality: int | str | None
    """1 (smallest files) .. 100 (best picture), or "lossless" (or LOSSLESS): every pixel exact."""
    keep: str
    """"layers", "exact" (with the original file, bit-exact), "reference" (without it: it stays where it is)
    or "coarse" (no residual: previews are all there is)."""
    effort: int
    """1 (fastest) .. 9 (smallest files)."""
    importance: Mapping[str, float] | str | None
    """How much the squared error of classes counts, by their words as in queries, 1 for those not named:
    {"person": 4, "sky": 0.25}, or "person=4,sky=0.25"."""
    bpp: float | None
    """In place of a quality: the best one of at most so many bits a pixel."""
    psnr: float | None
    """In place of a quality: the smallest file of at least so many dB."""
    max_bytes: int | None
    """In place of a quality: the best one of at most so many bytes in all."""
    strip: str
    """Which metadata are left out: "location" or "metadata"; else "nothing"."""
    profile: str
    """How layers are coded: "default", "paper" (FLIF and BPG files as in arXiv 1806.03348) or "paper-444"."""
    tune: str
    """What the residual's bits are spent on: "psnr", the least squared error, or "ssim", what an eye compares
    by."""
    segmenter: Segmenter | str | None
    """What makes the label map, itself or by name: see `networks.segmenter`."""


def encode_options(**wishes: Unpack[EncodeWishes]) -> EncodeOptions:
    """What the encoder is to do, as one value that `encode` and `Archive.ingest` take in place of the
    keywords. UsageError for what cannot be, WeightsError for a segmenter that cannot be used."""
    from dsslic_search.codec.options import EncodeOptions, Target
    from dsslic_search.networks.segmenter import chosen
    from dsslic_search.query.language.weights import importance_of

    if unknown := wishes.keys() - EncodeWishes.__annotations__.keys():
        raise TypeError(f"{min(unknown)!r} is none of: {', '.join(EncodeWishes.__annotations__)}")
    quality = wishes.get("quality")
    targets = [
        Target(kind, value)
        for kind, value in (
            ("bpp", wishes.get("bpp")),
            ("psnr", wishes.get("psnr")),
            ("bytes", wishes.get("max_bytes")),
        )
        if value is not None
    ]
    if len(targets) + (quality is not None) > 1:
        raise UsageError(
            "a quality, bits a pixel, a PSNR and a number of bytes exclude each other; ask for one of them"
        )
    wanted = DEFAULT_QUALITY if quality is None else LOSSLESS if quality == "lossless" else quality
    return EncodeOptions(
        wanted,  # type: ignore[arg-type]  # EncodeOptions says what is wrong with a text
        wishes.get("keep", EncodeOptions.keep),
        segmenter=chosen(wishes.get("segmenter")),
        effort=wishes.get("effort", EncodeOptions.effort),
        importance=importance_of(wishes.get("importance") or {}, vocabulary.built_in()),
        target=targets[0] if targets else None,
        strip=wishes.get("strip", EncodeOptions.strip),
        profile=wishes.get("profile", EncodeOptions.profile),
        tune=wishes.get("tune", EncodeOptions.tune),
    )


def options_or(options: EncodeOptions | None, wishes: EncodeWishes) -> EncodeOptions:
    """The options given, or those that keywords ask for; UsageError for both at once."""
    if options is None:
        return encode_options(**wishes)
    if wishes:
        raise UsageError(f"give encoder options as one value or by keyword ({', '.join(wishes)}), not both")
    return options


def encode(
    image: Path | str | bytes | Image.Image | NDArray[np.uint8],
    options: EncodeOptions | None = None,
    **wishes: Unpack[EncodeWishes],
) -> bytes:
    """The bytes of a .dsslic file.

    ``image``: a file's path or its bytes, a PIL image, or uint8 [H, W], [H, W, 3] or [H, W, 4] sRGB; keep
    modes "exact" and "reference" need a path or bytes. ``options``: see `encode_options`; or the same by
    keyword, `EncodeWishes`: ``encode("photo.jpg", quality=60)``. Raises PhotoError when it cannot be read,
    UsageError for impossible options and targets that this photo cannot meet, WeightsError for a segmenter
    that cannot be used.
    """
    from dsslic_search.codec.encoder import encode_photo
    from dsslic_search.codec.reduction import open_for

    options = options_or(options, wishes)
    if isinstance(image, (str, Path, bytes, bytearray, memoryview)):
        name, original = named_bytes(image)
    elif options.mode.needs_original:
        raise UsageError(f'keep mode "{options.keep}" needs the original file: give its path or its bytes')
    else:
        name, original = "the photo", _as_png(image)
    photo = open_for(original, name, Settings().max_pixels, options)
    return encode_photo(photo, options, original).data


def decode(data: bytes, stage: str = "full") -> Image.Image:
    """One stage of a .dsslic file, from its bytes or from the prefix of them that holds the stage.

    "map": a palette image of the photo's size whose values are class ids of the file's vocabulary. "compact":
    an eighth of each side. "coarse", "full": the photo's size; RGB or L, with A where the photo had it.
    Raises FormatError when the bytes are damaged, StageError when the stage is not there or cannot be decoded
    here.
    """
    from dsslic_search.codec.decoder import decode_stage

    return to_image(decode_stage(data, stage, max_pixels=Settings().max_pixels), stage)


def without(original: bytes, strip: str) -> bytes:
    """A photo's file without some of its metadata, the pixels untouched: see `stripping.file_without`."""
    from dsslic_search.codec.picture.stripping import Strip, file_without

    return file_without(original, Strip.named(text_of(strip, "strip")))


@contextmanager
def about(name: Path | str) -> Iterator[None]:
    """Puts a file's name in front of what is wrong with its bytes."""
    try:
        yield
    except FormatError as e:
        raise type(e)(f"{name}: {e}") from e


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
    """A file's bytes, of "-" those of standard input; PhotoError in one sentence when it cannot be read, or
    does not end before any photo would."""
    try:
        if path == STANDARD:
            data = sys.stdin.buffer.read(LARGEST_FILE_BYTES + 1)
        else:
            with path.open("rb") as f:
                data = f.read(LARGEST_FILE_BYTES + 1)
    except OSError as e:
        raise PhotoError(f"{path}: cannot be read ({e.strerror}); check the path and its permissions") from e
    if len(data) > LARGEST_FILE_BYTES:
        raise PhotoError(
            f"{path}: has more than {LARGEST_FILE_BYTES} bytes, the most that are read of a file"
        )
    return data


def named_bytes(source: Path | str | bytes) -> tuple[str, bytes]:
    """What to call a file in messages, and its bytes: of a path, or of bytes without a name."""
    if isinstance(source, (str, Path)):
        return str(source), read_file(Path(source))
    return "the photo", bytes(source)


def _as_png(image: Image.Image | NDArray[np.uint8]) -> bytes:
    """A PIL image or array as the bytes of an uncompressed PNG, so that there is one way into the codec."""
    from io import BytesIO

    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

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
    exif = image.info.get("exif") or image.getexif().tobytes()  # Pillow writes texts in ASCII alone
    try:
        plain = image if image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else image.convert("RGB")
    except ValueError as e:
        raise UsageError(
            f"cannot encode an image of mode {image.mode} ({e}); convert it to RGB or RGBA first"
        ) from e
    profile = image.info.get("icc_profile") if plain is image else None
    out = BytesIO()
    texts = PngInfo()
    if isinstance(packet := image.info.get("xmp"), bytes):
        texts.add_itxt("XML:com.adobe.xmp", packet.decode(errors="replace"))
    plain.save(out, "PNG", compress_level=0, exif=exif, icc_profile=profile, pnginfo=texts)
    return out.getvalue()
