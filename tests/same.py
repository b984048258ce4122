"""What a build makes under other threads and instruction sets; `python -m tests.same` compares them one by
one.

A process of each environment encodes sample photos and decodes a kept file, and tells what came out; the
first environment is what the others are compared with. Switches are those of the libraries: PyTorch's own
kernels (ATEN_CPU_CAPABILITY), oneDNN's (ONEDNN_MAX_CPU_ISA), numpy's (NPY_DISABLE_CPU_FEATURES), OpenBLAS's
(OPENBLAS_CORETYPE), and numba's target (NUMBA_CPU_NAME). x265 and FFmpeg have none that reaches through PyAV.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[1] / "samples"
KEPT = Path(__file__).parent / "data" / "dsslic" / "picos.dsslic"
PHOTOS = ("picos", "sunset", "dogs")
SIDE = 160
STAGES = ("coarse", "full")
EXACT = ("SMAP", "COMP", "word", "sure")

AVX512 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"
AVX2 = f"AVX F16C FMA3 AVX2 X86_V3 {AVX512}"
AT_MOST_AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "NPY_DISABLE_CPU_FEATURES": AVX512,
    "OPENBLAS_CORETYPE": "Haswell",
}
AT_MOST_SSE = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "NPY_DISABLE_CPU_FEATURES": AVX2,
    "OPENBLAS_CORETYPE": "Nehalem",
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
}


def threads(count: int) -> dict[str, str]:
    return {f"{pool}_NUM_THREADS": str(count) for pool in ("OMP", "MKL", "OPENBLAS", "NUMBA")}


ENVIRONMENTS: dict[str, dict[str, str]] = {
    "one thread": threads(1),
    "one thread again": threads(1),
    "two threads": threads(2),
    "four threads": threads(4),
    "AVX2": threads(1) | AT_MOST_AVX2,
    "no AVX": threads(1) | AT_MOST_SSE,
    "AVX2, four threads": threads(4) | AT_MOST_AVX2,
    "no AVX, two threads": threads(2) | AT_MOST_SSE,
}


def made(photos: Sequence[str]) -> dict[str, Any]:
    """What this process makes of samples: hashes of what has to be the same to the bit, and the pixels of the
    stages that need not be."""
    from PIL import Image

    from dsslic_search.codec import container, decoder
    from dsslic_search.codec.encoder import encode_photo
    from dsslic_search.codec.options import EncodeOptions
    from dsslic_search.codec.picture.open import open_photo
    from dsslic_search.features.embedding import embed

    told: dict[str, Any] = {"exact": {}, "pixels": {}}
    for name in photos:
        original = (SAMPLES / f"{name}.jpg").read_bytes()
        photo = open_photo(original, name, 1 << 28, shrink=1)
        small = Image.fromarray(photo.pixels)
        small.thumbnail((SIDE, SIDE))
        written = _png(small)
        data = encode_photo(open_photo(written, name, 1 << 24), EncodeOptions(), written).data
        contents = container.read(data)
        for entry in contents.entries:
            chunk = data[entry.offset : entry.offset + entry.length]
            told["exact"][f"{name} {entry.kind}"] = hashlib.sha256(chunk).hexdigest()
        told["exact"][f"{name} file"] = hashlib.sha256(data).hexdigest()
        base = decoder.read_base(data)
        vector = embed(base.label_map, decoder.read_dialect(data).vocabulary)
        told["exact"][f"{name} layout"] = hashlib.sha256(vector.tobytes()).hexdigest()
    kept = KEPT.read_bytes()
    for stage in ("map", "compact"):
        pixels = decoder.decode_stage(kept, stage).pixels
        told["exact"][f"kept {stage}"] = hashlib.sha256(pixels.tobytes()).hexdigest()
    for stage in STAGES:
        pixels = decoder.decode_stage(kept, stage).pixels
        packed = base64.b85encode(zlib.compress(pixels.tobytes(), 1)).decode()
        told["pixels"][stage] = [pixels.shape, packed]
    return told


def _png(picture: Any) -> bytes:
    import io

    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def under(environment: dict[str, str], photos: Sequence[str] = PHOTOS) -> dict[str, Any]:
    """What a process of an environment makes."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.same", "made", *photos],
        env=os.environ | environment,
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[1],
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def differences(first: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """``differ``: names of what is not the same to the bit; ``levels``: by stage, the greatest difference in
    grey levels, and the share of samples that differ."""
    import numpy as np

    levels = {}
    for stage, (shape, packed) in first["pixels"].items():
        pair = []
        for each in (packed, other["pixels"][stage][1]):
            pair.append(np.frombuffer(zlib.decompress(base64.b85decode(each)), np.uint8).astype(int))
        assert other["pixels"][stage][0] == shape
        apart = np.abs(pair[0] - pair[1])
        levels[stage] = {"most": int(apart.max()), "share": float((apart > 0).mean())}
    differ = sorted(name for name, told in first["exact"].items() if other["exact"].get(name) != told)
    return {"differ": differ, "levels": levels}


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["made"]:
        print(json.dumps(made(arguments[1:])))  # noqa: T201 (what this process was started for)
        return
    first: dict[str, Any] | None = None
    compared = {}
    for name, environment in ENVIRONMENTS.items():
        found = under(environment)
        first = first or found
        compared[name] = differences(first, found)
        print(name, json.dumps(compared[name]), flush=True)  # noqa: T201 (the command's output)
    text = json.dumps({"photos": list(PHOTOS), "side": SIDE, "environments": compared}, indent=1) + "\n"
    if arguments:
        Path(arguments[0]).write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
