#!/bin/sh
# Expected: a config.json that has names for its classes (id2label) and a num_labels that does not fit them, as after a
# name was added by hand, is opened with its names, or refused.
# Happens: it opens with a warning that speaks of two numbers, and every name is thrown away: the classes are called
# LABEL_0, LABEL_1 and so on, as many as num_labels says. And where the numbers of id2label have a gap (0, 1, 3),
# nothing is said at all: num_labels, by which models make their last layer, is the count of names, so that output 2
# has no name and the name 3 no output. Seen with transformers 5.23.0; the code is that of every configuration.
# Matters: maps of classes are written and stored under numbers that nobody can read any more, or under the wrong names.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "transformers==5.23.0"
"$place/venv/bin/python" - "$place" <<'PYTHON'
import json
import sys
from pathlib import Path

import transformers

folder = Path(sys.argv[1])
names = {0: "sky", 1: "road", 2: "tree"}


def opened(**more: object) -> tuple[int, dict[int, str]]:
    """How many classes a model has, and their names, when its config.json says this."""
    (folder / "config.json").write_text(json.dumps({"model_type": "segformer", "id2label": names, **more}))
    config = transformers.AutoConfig.from_pretrained(folder)
    return config.num_labels, config.id2label


print("transformers", transformers.__version__)
plain = opened()
more = opened(num_labels=4)
gap = opened(id2label={0: "sky", 1: "road", 3: "tree"})
for what, (classes, found) in (("three names", plain), ("and num_labels 4", more), ("numbers 0, 1, 3", gap)):
    print(f"{what}: {classes} classes, named {found}")
lost = more[0] == 4 and set(more[1].values()).isdisjoint(names.values())
shifted = gap[0] == 3 and 2 not in gap[1]
strange = plain == (3, names) and lost and shifted
print("names are lost" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
