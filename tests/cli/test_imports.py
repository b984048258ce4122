"""What a command does not need is not imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from dsslic_search import Archive
from dsslic_search.cli.main import command

HEAVY = (
    "numpy", "sqlalchemy", "alembic", "PIL", "av", "imagecodecs", "faiss", "llvmlite", "numba", "torch",
    "safetensors", "transformers", "rich", "scipy", "pyarrow", "pandas", "fastapi",
    "starlette", "uvicorn", "obstore", "psycopg",
)  # fmt: skip
NETWORKS_OF_INGEST = {"dsslic_search.networks.segnet", "dsslic_search.networks.image_words"}
"""What looks at photos when they are ingested. Weights are read by safetensors, so that none are loaded where
it is not."""

ONE_AFTER_THE_OTHER = """
import json, sys
from dsslic_search.cli.main import main

heavy, commands = json.loads(sys.argv[1])
for words, code in commands:
    sys.argv = ["dss-search", *words]
    try:
        main()
    except SystemExit as end:
        assert (end.code or 0) == code, words
    print("loaded", json.dumps([name for name in heavy if name in sys.modules]))
"""

INDEXES = {"numpy"}
CATALOG = INDEXES | {"sqlalchemy"}
NEEDED = [
    ("--help", set()),
    ("query --help", set()),
    ("serve --help", set()),
    ("palette", set()),
    ("classes --archive {archive}", INDEXES),
    ("query sky --archive {archive}", INDEXES),
    (
        "query two+people,+sky+over+20%,+no+dog+or+taken:2023 --explain --format json --archive {archive}",
        INDEXES,
    ),
    ("query pizza+or+golden+retriever --archive {archive}", INDEXES),  # image words are kept
    ("query red+car,+not+dark --archive {archive}", INDEXES),
    ("stats --archive {archive}", INDEXES),
    ("query two+people,+sky+over+20%,+like+#1 --explain --archive {archive}", CATALOG),
    ("show 1 --archive {archive}", CATALOG),
    ("info {file}", CATALOG | {"llvmlite"}),  # how sure the segmenter was is told by the label map's classes
    ("palette {out}/colours.gpl", CATALOG | {"PIL", "llvmlite"}),
    (
        "preview 1 --stage compact -o {out}/compact.png --archive {archive}",
        CATALOG | {"PIL", "av", "llvmlite"},
    ),
    ("preview 1 --stage map -o {out}/map.png --archive {archive}", CATALOG | {"PIL", "av", "llvmlite"}),
    # two files that are no photos
    ("ingest {broken} --archive {archive}", CATALOG | {"PIL", "av", "llvmlite", "imagecodecs"}),
    (
        "preview 1 --stage full -o {out}/full.png --archive {archive}",
        # every network's class is there with any of them
        CATALOG | {"PIL", "av", "llvmlite", "imagecodecs", "torch", "safetensors"} | NETWORKS_OF_INGEST,
    ),
]
"""Commands, from the one that needs least on, and what they have loaded between them."""


def test_a_command_loads_what_it_needs_and_no_more(photos: Path, archive: Path, tmp_path: Path) -> None:
    with Archive(archive) as opened:
        opened.reindex()  # an index that has to be made asks all of the catalog
        opened.classes()
    file = max(archive.glob("objects/*/*.dsslic"), key=lambda path: path.stat().st_size)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "cut.jpg").write_bytes(next(photos.glob("*.jpg")).read_bytes()[:-500])
    (broken / "none.png").write_bytes(b"no picture")
    names = {"archive": archive, "file": file, "broken": broken, "out": tmp_path}
    commands = [
        (
            [word.replace("+", " ").format(**names) for word in command.split()],
            1 if command.startswith("ingest") else 0,
        )
        for command, _ in NEEDED
    ]
    ran = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_THE_OTHER, json.dumps([[*HEAVY, *NETWORKS_OF_INGEST], commands])],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    loaded = [json.loads(line[7:]) for line in ran.stdout.splitlines() if line.startswith("loaded ")]
    found = [(command, set(names)) for (command, _), names in zip(NEEDED, loaded, strict=True)]
    assert found == NEEDED


def test_what_is_called_is_made_once_and_alone() -> None:
    def names(*words: str) -> dict[str, list[str]]:
        made = vars(command(*words))["commands"]
        return {name: sorted(getattr(of, "commands", ())) for name, of in made.items()}

    assert names("query", "sky") == {"query": []}
    assert command("query", "sky") is command("query", "sea")
    assert names("bench", "scale") == {"bench": ["scale"]}
    assert names("bench") == names("bench", "scales")
    assert len(names("bench")["bench"]) > 10
    assert names("tag", "list") == {"tag": ["list"]}
    assert len(names()) == len(names("nothing", "list")) > 30
