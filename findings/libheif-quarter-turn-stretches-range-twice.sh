#!/bin/sh
# Expected: a HEIC picture has the same colours whether its `irot` box turns it or not; a turn only moves samples.
# Happens: if its chroma is 4:2:2 and its range is narrow (black 16, white 235), a quarter turn, either way, stretches
# the range twice: a patch of 224, 133, 100 comes out as 241, 137, 99. A half turn, 4:2:0, 4:4:4 and the full range come
# out right, and so does the same file without the turn. Item and stream agree about the range and the matrix; FFmpeg
# finds the same samples in both files. Seen with libheif 1.23.6 as pillow-heif 1.8.1 has it, which also writes the
# files here.
# Guess beforehand: that a turn changes nothing at even sizes (right for 4:2:0 and 4:4:4, wrong for 4:2:2).
# Matters: cameras write HEIF in 4:2:2 of 10 bits, and every portrait photo of theirs has such a turn. Portraits then
# have more contrast than landscapes of the same scene, which biases what is learned from or compared by colour, unseen.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "pillow-heif==1.8.1" "pillow==13.0.0" "av==18.1.0" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import io
import sys

import av
import numpy as np
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
PATCH = (224, 133, 100)
TURNS = {"no turn": 1, "half turn": 3, "quarter turn": 6, "quarter turn back": 8}  # by EXIF's orientation


def written(chroma: str, full: int, orientation: int) -> bytes:
    """A HEIC file of one colour: BT.601's matrix, said in the item and in the stream."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    patch = Image.fromarray(np.full((64, 64, 3), PATCH, np.uint8))
    said = {"color_primaries": 1, "transfer_characteristics": 13, "matrix_coefficients": 6, "full_range_flag": full}
    patch.save(file, "HEIF", quality=95, chroma=chroma, exif=exif.tobytes(), **said)
    return file.getvalue()


print("pillow-heif", pillow_heif.__version__, "with libheif", pillow_heif.libheif_version())
wrong = set()
for chroma in ("420", "422", "444"):
    for full in (0, 1):
        stored = set()
        for name, orientation in TURNS.items():
            file = written(chroma, full, orientation)
            assert (b"irot" in file) == (orientation != 1), "the turn is in the file"
            frame = next(av.open(io.BytesIO(file)).decode(video=0))
            stored.add((int(frame.color_range), frame.to_ndarray().tobytes()))
            shown = np.asarray(Image.open(io.BytesIO(file)))[32, 32].astype(int)
            print(chroma, "full range" if full else "narrow range", name, shown.tolist())
            if abs(shown - PATCH).max() > 2:
                wrong.add((chroma, full, name, tuple(shown.tolist())))
        assert len(stored) == 1, "the turns differ in nothing but the box"
quarter = {("422", 0, name, (241, 137, 99)) for name in ("quarter turn", "quarter turn back")}
print("the range is stretched twice" if wrong == quarter else "the behaviour has changed")
sys.exit(wrong != quarter)
PYTHON
