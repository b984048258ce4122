"""Codecs of photos behind one interface: this package's own, and the peers it is compared with.

Each runs on one thread of its own, from pixels to a file and back. Pixels are uint8 [H, W, 3] sRGB in both
directions.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec import bpg, container, decoder, encoder, options
from dsslic_search.codec.bpg.colour import rescale
from dsslic_search.codec.layers import compact, label_map, residual
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core.errors import MissingExtraError, UsageError
from dsslic_search.core.kinds import Profile, Tune

Pixels = NDArray[np.uint8]

QPS = (51, 46, 42, 38, 34, 30, 26, 22, 18, 14)
_LENGTH = 4  # bytes
_LAYERS = {label_map.LAYER.kind: "map", compact.LAYER.kind: "compact", residual.LAYER.kind: "residual"}


class Takes(NamedTuple):
    """What a codec's settings may be: from ``least`` to ``most``, and ``whole`` numbers or any."""

    least: float
    most: float
    whole: bool = True

    def __contains__(self, setting: object) -> bool:
        return (
            isinstance(setting, (int, float))
            and self.least <= setting <= self.most
            and not (self.whole and setting % 1)
        )

    def __str__(self) -> str:
        kind = "whole numbers" if self.whole else "numbers"
        return f"{kind} from {self.least:g} to {self.most:g}"


QUALITIES = Takes(1, 100)


@dataclass(frozen=True)
class Codec:
    """A codec and the settings it is measured at, from the fewest bytes to the most.

    ``encoder``: what makes the files, for the record. ``encode``: pixels and a setting to a file; codecs with
    the same function and ladder share its work. ``cut``: what is kept of that file. ``decode``: what is kept,
    to pixels. ``layers``: bytes by part of what is kept; all that counts of it. ``takes``: what its settings
    may be.
    """

    name: str
    label: str
    encoder: str
    ladder: tuple[float, ...]
    encode: Callable[[Pixels, float], bytes]
    decode: Callable[[bytes], Pixels]
    cut: Callable[[bytes], bytes] = bytes
    layers: Callable[[bytes], dict[str, int]] = lambda data: {"file": len(data)}
    takes: Takes = QUALITIES


def find(names: Sequence[str]) -> list[Codec]:
    """The codecs of those names. UsageError for one that is not known or is named twice."""
    known = all_codecs()
    for name in names:
        if name not in known:
            raise UsageError(f'codec "{name}" is not one of: {", ".join(known)}')
    if not names or len(set(names)) < len(names):
        raise UsageError("name each codec once, for example: --codecs dsslic,bpg444,jxl")
    return [known[name] for name in names]


def check_settings(codecs: Sequence[Codec], settings: Sequence[float]) -> None:
    """UsageError for a setting that one of the codecs does not take."""
    for codec in codecs:
        for setting in settings:
            if setting not in codec.takes:
                raise UsageError(
                    f'codec "{codec.name}" takes {codec.takes}, not {setting:g}; measure it by itself, with '
                    "settings of its own"
                )


def all_codecs() -> dict[str, Codec]:
    """Every codec, by name. Imports no encoder."""
    ours = "this package, default effort"
    x265 = "x265 (libx265 of PyAV), preset slow, tune psnr, in this package's BPG container"
    ladder = (1, 5, 10, 15, 25, 40, 50, 60, 75, 85, 95)
    coarse = "file cut after the compact image"
    found = (
        Codec("dsslic", "DSSLIC", ours, ladder, _encode_dsslic, _decode_dsslic, layers=_layers_of_dsslic),
        _tuned("dsslic-ssim", "DSSLIC, tuned for SSIM", f"{ours}, tune ssim", Tune.SSIM, ladder),
        Codec(
            "dsslic-coarse",
            "DSSLIC, coarse stage",
            f"{ours}, {coarse}",
            ladder,
            _encode_dsslic,
            _decode_coarse,
            _cut_coarse,
            _layers_of_dsslic,
        ),
        _paper("dsslic-paper", "DSSLIC, coded as in the paper", Profile.PAPER, ladder),
        _paper("dsslic-paper-444", "DSSLIC, coded as in the paper, 4:4:4", Profile.PAPER_444, ladder),
        _bpg("bpg444", "BPG 4:4:4", f"{x265}, 8 bit YCbCr"),
        _bpg("bpg420", "BPG 4:2:0", f"{x265}, 8 bit YCbCr 4:2:0", chroma="420"),
        _bpg("bpgrgb", "RGB-mode BPG (paper's protocol)", f"{x265}, 8 bit planes G, B, R", colour="rgb"),
        _bpg("hevc444-10", "HEVC 4:4:4 10 bit", f"{x265}, 10 bit YCbCr", bit_depth=10),
        _avif("avif", "AVIF", "libavif with libaom (Pillow), speed 6, 4:4:4"),
        _avif(
            "avif-psnr",
            "AVIF, tune=psnr",
            "libavif with libaom (Pillow), speed 6, 4:4:4, tune=psnr",
            tune="psnr",
        ),
        Codec(
            "jxl",
            "JPEG XL",
            "libjxl (imagecodecs), effort 7",
            (25, 15, 10, 7, 5, 3.2, 2, 1.3, 0.8, 0.4, 0.2),
            _encode_jxl,
            _decode_jxl,
            takes=Takes(0, 25, whole=False),  # Butteraugli distances
        ),
        webp := _pillow(
            "webp",
            "WebP",
            "libwebp (Pillow), method 6",
            (0, 10, 30, 50, 70, 84, 92, 97, 100),
            "WEBP",
            method=6,
        ),
        jpeg := _pillow(
            "jpeg",
            "JPEG",
            "libjpeg-turbo (Pillow), 4:4:4, progressive, optimised",
            (1, 5, 10, 20, 35, 55, 75, 85, 92, 97, 99),
            "JPEG",
            subsampling=0,
            progressive=True,
            optimize=True,
        ),
        j2k := _jpeg_2000(),
        *(_in_planes(codec) for codec in (webp, jpeg, j2k)),
    )
    return {codec.name: codec for codec in found}


def _encode_dsslic(pixels: Pixels, quality: float) -> bytes:
    return encoder.encode_photo(SourcePhoto(pixels), options.EncodeOptions(quality=int(quality))).data


def _tuned(name: str, label: str, made: str, tune: Tune, ladder: tuple[float, ...]) -> Codec:
    def encode(pixels: Pixels, quality: float) -> bytes:
        wanted = options.EncodeOptions(quality=int(quality), tune=tune)
        return encoder.encode_photo(SourcePhoto(pixels), wanted).data

    return Codec(name, label, made, ladder, encode, _decode_dsslic, layers=_layers_of_dsslic)


def _paper(name: str, label: str, profile: Profile, ladder: tuple[float, ...]) -> Codec:
    def encode(pixels: Pixels, quality: float) -> bytes:
        # the paper's label map has the photo's size
        wanted = options.EncodeOptions(quality=int(quality), profile=profile, map_scale=1)
        return encoder.encode_photo(SourcePhoto(pixels), wanted).data

    made = f'this package, default effort, profile "{profile}", label map of the photo\'s size'
    return Codec(name, label, made, ladder, encode, _decode_dsslic, layers=_layers_of_dsslic)


def _decode_dsslic(data: bytes) -> Pixels:
    return decoder.decode_stage(data, "full").pixels


def _decode_coarse(prefix: bytes) -> Pixels:
    return decoder.decode_stage(prefix, "coarse").pixels


def _cut_coarse(data: bytes) -> bytes:
    return data[: container.read(data).stage_bytes("coarse")]


def _layers_of_dsslic(data: bytes) -> dict[str, int]:
    """Header and chunks, as many as (a prefix of) the file holds."""
    contents = container.read_contents(data)
    held = (e for e in contents.entries if e.offset + e.length <= len(data))
    return {"header": contents.header_bytes, **{_LAYERS.get(e.kind, e.kind): e.length for e in held}}


def _bpg(
    name: str, label: str, encoder: str, bit_depth: int = 8, chroma: str = "444", colour: str = "ycbcr"
) -> Codec:
    def encode(pixels: Pixels, qp: float) -> bytes:
        samples = rescale(pixels, bit_depth=8, out_depth=bit_depth)
        return bpg.encode(
            samples, qp=int(qp), bit_depth=bit_depth, chroma=chroma, colour=colour, preset="slow"
        )

    return Codec(name, label, encoder, QPS, encode, _decode_bpg, takes=Takes(0, 51))


def _decode_bpg(data: bytes) -> Pixels:
    return bpg.decode(data, max_pixels=1 << 30).rgb8()


def _avif(name: str, label: str, encoder: str, tune: str | None = None) -> Codec:
    options: dict[str, Any] = {"subsampling": "4:4:4", "speed": 6, "max_threads": 1, "range": "full"}
    if tune is not None:
        options["advanced"] = {"tune": tune}
    return _pillow(name, label, encoder, (1, 10, 20, 30, 40, 52, 64, 76, 88, 95), "AVIF", **options)


def _pillow(
    name: str, label: str, encoder: str, qualities: tuple[float, ...], form: str, **options: Any
) -> Codec:
    def encode(pixels: Pixels, quality: float) -> bytes:
        from PIL import Image

        out = io.BytesIO()
        try:
            Image.fromarray(pixels).save(out, form, quality=int(quality), **options)
        except KeyError as e:
            raise MissingExtraError(
                f"this Pillow cannot write {form}; install a newer one: pip install -U pillow"
            ) from e
        return out.getvalue()

    return Codec(name, label, encoder, qualities, encode, _decode_pillow, takes=Takes(0, 100))


def _jpeg_2000() -> Codec:
    """Settings are how many times smaller than the samples the file is to be."""

    def encode(pixels: Pixels, ratio: float) -> bytes:
        from PIL import Image

        out = io.BytesIO()
        Image.fromarray(pixels).save(
            out, "JPEG2000", quality_mode="rates", quality_layers=[ratio], irreversible=True
        )
        return out.getvalue()

    made = "OpenJPEG (Pillow), 9/7 wavelet"
    ratios = (300, 150, 80, 50, 35, 25, 17, 12, 8, 5)
    takes = Takes(1, 1000, whole=False)
    return Codec("j2k", "JPEG 2000", made, ratios, encode, _decode_pillow, takes=takes)


def _in_planes(codec: Codec) -> Codec:
    """Red, green and blue as three grey pictures, as the paper codes its baselines; the lengths by which they
    are kept together here do not count."""

    def encode(pixels: Pixels, setting: float) -> bytes:
        files = [codec.encode(np.ascontiguousarray(pixels[..., plane]), setting) for plane in range(3)]
        return b"".join(len(file).to_bytes(_LENGTH) + file for file in files)

    def decode(data: bytes) -> Pixels:
        return np.stack([codec.decode(file)[..., 0] for file in _planes_of(data)], -1)

    return Codec(
        f"{codec.name}-planes",
        f"{codec.label}, three grey pictures (paper's protocol)",
        codec.encoder,
        codec.ladder,
        encode,
        decode,
        layers=lambda data: dict(zip(("red", "green", "blue"), map(len, _planes_of(data)), strict=True)),
        takes=codec.takes,
    )


def _planes_of(data: bytes) -> list[bytes]:
    files = []
    while data:
        end = _LENGTH + int.from_bytes(data[:_LENGTH])
        files.append(data[_LENGTH:end])
        data = data[end:]
    return files


def _decode_pillow(data: bytes) -> Pixels:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as shown:
        return np.asarray(shown.convert("RGB"))


def _encode_jxl(pixels: Pixels, distance: float) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpegxl_encode(pixels, distance=distance, effort=7, lossless=False, numthreads=1))


def _decode_jxl(data: bytes) -> Pixels:
    import imagecodecs

    return np.asarray(imagecodecs.jpegxl_decode(data, numthreads=1))
