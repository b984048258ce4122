#!/bin/sh
# Expected: a tensor that was read from a safetensors file and let go leaves nothing behind, in whichever framework it is
# read. Guessed before running: what grew was ours, or torch's.
# Happens: each read as torch's tensor keeps two of Python's numbers for good, where the tensor begins and ends in the file
# (bytes; those up to 256, which Python keeps anyway, cost nothing), some 28 to 64 bytes a read, by get_tensor, by a slice
# and by load_file. NumPy's tensors of the same file, and load from bytes, keep none. Seen with safetensors 0.8.0 and torch
# 2.13.0; found because a million damaged files of weights, read one after the other, grew a process by 128 MB. Others have
# seen memory grow in proportion to such reads, by the size of the tensors, without naming what stays.
# Matters: weights are read once, but files of this format also hold embeddings, a small tensor a photo, that a training
# or a server reads at random for weeks: a gigabyte is gone after some twenty million reads, and no collector finds it.
# Where the file is at rest, one view per tensor can be kept; else read as NumPy's arrays and hand these to torch.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
pip="$place/venv/bin/python -m pip install --quiet"
$pip "torch==2.13.0+cpu" 2>/dev/null || $pip --extra-index-url https://download.pytorch.org/whl/cpu "torch==2.13.0+cpu" || $pip "torch==2.13.0"
$pip "safetensors==0.8.0" "numpy==2.4.6"
"$place/venv/bin/python" - "$place/vectors.safetensors" <<'PYTHON'
import gc
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
from safetensors.torch import load, load_file

READS = 3000
path = Path(sys.argv[1])
save_file({name: np.zeros(size, np.float16) for name, size in (("a", 100), ("b", 200), ("c", 300))}, path)


def kept(read: Callable[[], object]) -> float:
    """Blocks of Python's memory that stay for each read."""
    read()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(READS):
        read()
    gc.collect()
    return (sys.getallocatedblocks() - before) / READS


print(*(f"{name} {version(name)}" for name in ("safetensors", "torch", "numpy")), sep=", ")
found = {}
with safe_open(path, "pt") as file, safe_open(path, "np") as plain:
    for name in "abc":
        found[name] = kept(lambda: file.get_tensor(name))
        found[f"slice of {name}"] = kept(lambda: file.get_slice(name)[:])
        found[f"{name} as NumPy's"] = kept(lambda: plain.get_tensor(name))
found["load_file"] = kept(lambda: load_file(path))
found["load, of bytes"] = kept(lambda: load(path.read_bytes()))
for way, count in found.items():
    print(f"{way}: {count:.2f} blocks stay for each of {READS} reads")
header = 8 + int.from_bytes(path.read_bytes()[:8], "little")
said = json.loads(path.read_bytes()[8:header])
expected: dict[str, float] = {"c as NumPy's": 0, "load, of bytes": 0}
for name in "abc":
    places = [header + place for place in said[name]["data_offsets"]]
    print(f"{name} is at the bytes {places} of the file")
    expected[name] = sum(place > 256 for place in places)
sys.exit(not all(abs(found[way] - count) < 0.2 for way, count in expected.items()))
PYTHON
