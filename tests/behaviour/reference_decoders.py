"""What the reference decoders of FLIF and BPG show of files written here, held against what is shown here.

By hand, outside of continuous integration, since neither decoder comes with the project::

    python -m tests.behaviour.reference_decoders --flif dflif --bpgdec bpgdec [--out FILE]

``flif``, or ``dflif`` that only decodes, is built from https://github.com/FLIF-hub/FLIF (``make -C src
decoder``), ``bpgdec`` from libbpg 0.9.8, https://bellard.org/bpg (``make bpgdec``). The files are pictures of
every kind that is written (FLIF), and the layers of photos in the paper's profiles as ``export-layers``
writes them. Ends with 1 where a picture differs.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.bench import record
from dsslic_search.codec import bpg, flif
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layer_files import exported
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto

SAMPLES = Path(__file__).parents[2] / "samples"
SIZES = ((1, 1), (1, 9), (9, 1), (2, 3), (17, 31), (40, 64))  # (height, width)
PHOTO_SIDES = ((96, 64), (97, 65), (33, 130), (19, 17))  # (width, height)
QUALITIES = (20, 50, 80, 95)
MOST = 10**6
Named = tuple[str, bytes]


def made(height: int, width: int, channels: int, depth: int) -> NDArray[np.integer]:
    """Waves with noise: uint8 or uint16 [height, width] or [height, width, channels]."""
    rng = np.random.default_rng(height * 1000 + width)
    rows, columns = np.mgrid[:height, :width]
    waves = np.stack([np.sin(rows / (3 + n)) + np.cos(columns / (5 - n)) for n in range(channels)], -1)
    largest = 2**depth - 1
    pixels = np.clip((waves / 4 + 0.5 + rng.normal(0, 0.03, waves.shape)) * largest, 0, largest)
    pixels[0, 0], pixels[-1, -1] = 0, largest  # so that the greatest value is what the depth says
    whole = pixels.astype(np.uint8 if depth == 8 else np.uint16)
    return whole[..., 0] if channels == 1 else whole


def flif_files() -> Iterator[Named]:
    """Of every kind that is written."""
    for height, width in SIZES:
        for channels in (1, 3, 4):
            for depth in (8, 16):
                pixels = made(height, width, channels, depth)
                for interlaced in (False, True):
                    name = (
                        f"{width}x{height} of {channels} planes, {depth} bits" + ", interlaced" * interlaced
                    )
                    yield name, flif.encode(pixels, interlaced=interlaced)


def layer_files() -> Iterator[Named]:
    """`s.flif`, `c.flif` and `r.bpg` of photos in colour and grey, in both profiles of the paper."""
    for path, grey in zip(sorted(SAMPLES.glob("*.jpg")), (False, True), strict=False):
        for (width, height), quality in zip(PHOTO_SIDES, QUALITIES, strict=True):
            with Image.open(path) as opened:
                pixels = np.asarray(opened.convert("RGB").resize((width, height)))
            shown = np.repeat(pixels[..., 1:2], 3, 2) if grey else pixels
            for profile in ("paper", "paper-444"):
                options = EncodeOptions(quality, profile=profile, map_scale=1)
                data = encode_photo(SourcePhoto(np.ascontiguousarray(shown), grey=grey), options).data
                what = f"{path.stem} {width}x{height} {profile} {quality}" + " grey" * grey
                for name, layer in exported(data).items():
                    if name != "layers.json":
                        yield f"{what} {name}", layer


def shown_by_flif(program: str, data: bytes) -> NDArray[np.integer]:
    """What the reference decoder makes of a FLIF file."""
    return read_map(_converted([program, "-d", "in.flif", "out.pam"], "in.flif", data, "out.pam"))


def shown_by_bpg(program: str, data: bytes) -> NDArray[np.uint8]:
    """The same of a BPG file, as RGB."""
    png = _converted([program, "-o", "out.png", "in.bpg"], "in.bpg", data, "out.png")
    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened.convert("RGB"))


def _converted(command: list[str], name: str, data: bytes, out: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(data)
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
        return (Path(folder) / out).read_bytes()


def read_map(data: bytes) -> NDArray[np.integer]:
    """A PGM, PPM or PAM of RGBA, as the reference decoder writes them."""
    if data.startswith(b"P7"):
        head, _, body = data.partition(b"ENDHDR\n")
        facts = dict(line.split(maxsplit=1) for line in head.decode().splitlines()[1:])
        width, height, largest, channels = (
            int(facts[name]) for name in ("WIDTH", "HEIGHT", "MAXVAL", "DEPTH")
        )
    else:
        kind, size, most, body = data.split(b"\n", 3)
        width, height = map(int, size.split())
        largest, channels = int(most), 3 if kind == b"P6" else 1
    kind_of = np.dtype(">u2" if largest > 255 else "u1")
    pixels = np.frombuffer(body, kind_of, width * height * channels).reshape(height, width, channels)
    return pixels[..., 0] if channels == 1 else pixels


def differing(program: str, files: Iterator[Named], is_flif: bool) -> tuple[int, list[str]]:
    """How many files were compared, and the names of those that the program shows otherwise, or not."""
    count, wrong = 0, []
    for name, data in files:
        count += 1
        wanted = flif.decode(data).pixels if is_flif else bpg.decode(data, max_pixels=MOST).rgb8()
        try:
            shown = (shown_by_flif if is_flif else shown_by_bpg)(program, data)
        except (subprocess.CalledProcessError, OSError) as e:
            told = getattr(e, "stderr", b"") or str(e).encode()
            wrong.append(f"{name}: {told.decode(errors='replace').strip()}")
            continue
        if not np.array_equal(shown, wanted):
            wrong.append(name)
    return count, wrong


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.behaviour.reference_decoders",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--flif", metavar="PROGRAM", help="flif or dflif, on the path or as a whole path")
    parser.add_argument("--bpgdec", metavar="PROGRAM", help="bpgdec of libbpg, likewise")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the sums as JSON")
    asked = parser.parse_args()
    if asked.flif is None and asked.bpgdec is None:
        parser.error("name a decoder: --flif PROGRAM, --bpgdec PROGRAM, or both")
    layers = list(layer_files())
    found: dict[str, dict[str, object]] = {}
    failed = False
    for option, program in _programs(asked):
        kind = "flif" if option == "flif" else "bpg"
        files = [file for file in layers if file[0].endswith(kind)]
        files += list(flif_files()) if kind == "flif" else []
        count, wrong = differing(program, iter(files), kind == "flif")
        found[kind] = {"files": count, "alike": count - len(wrong), "differing": wrong}
        failed = failed or bool(wrong)
        print(f"{kind}: {count - len(wrong)} of {count} alike", *wrong, sep="\n  ")  # noqa: T201
    if asked.out is not None:
        programs = " ".join(f"--{kind} {name}" for kind, name in _programs(asked))
        command = f"python -m tests.behaviour.reference_decoders {programs} --out {asked.out}"
        record.write(asked.out, {"command": command, **found})
    return int(failed)


def _programs(asked: argparse.Namespace) -> list[tuple[str, str]]:
    """Options and programs that were named."""
    return [(name, named) for name in ("flif", "bpgdec") if (named := getattr(asked, name)) is not None]


if __name__ == "__main__":
    sys.exit(main())
