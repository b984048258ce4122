"""A class list of one's own in use: from label maps to queries, by names, synonyms, groups and colours.

The list is chosen once for a process, so each of these is one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dsslic_search.codec.decoder import decode_stage, read_dialect
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, UsageError
from dsslic_search.training.own_pack import read_classes

CLASSES = {
    "name": "street",
    "classes": [
        {"id": 0, "name": "other", "colour": "#000000"},
        {"id": 1, "name": "carriageway", "colour": "#6e6478", "synonyms": ["road", "street"]},
        {"id": 2, "name": "zorb", "colour": "#ff0080", "synonyms": ["bubble"], "plural": "zorbs"},
        {"id": 3, "name": "heaven above", "colour": "#0000ff", "synonyms": ["sky"]},
    ],
    "groups": [{"name": "toys", "classes": ["zorb"], "synonyms": ["plaything"]}],
}
MADE = """
import json, sys
import numpy as np
from PIL import Image
from dsslic_search import Archive
from dsslic_search.core import dialect, vocabulary
from dsslic_search.core.errors import QueryError

class Thirds:
    identity, dialect = "00112233aabbccdd", dialect.shipped()
    def segment(self, pixels, map_size):
        labels = np.full(map_size, 3, np.uint8)
        labels[map_size[0] // 2 :] = 1
        labels[-map_size[0] // 4 :, : map_size[1] // 2] = 2
        return labels

rng = np.random.default_rng(1)
Image.fromarray(rng.integers(0, 255, (80, 96, 3)).astype(np.uint8)).save("photo.png")
Image.fromarray(np.full((80, 96, 3), 90, np.uint8)).save("plain.png")
asked = {}
with Archive("a") as archive:
    archive.ingest(["photo.png"], segmenter=Thirds())
    archive.ingest(["plain.png"])
    for text in sys.argv[1:]:
        try:
            asked[text] = archive.matching(text).tolist()
        except QueryError as e:
            asked[text] = str(e).splitlines()[0]
    print(json.dumps({"asked": asked, "palette": archive.palette(), "info": archive.info(1)["coverage"]}))
"""


def run(
    folder: Path, *asked: str, classes: Path | str | None, code: str = MADE
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "DSS_CLASSES"}
    if classes is not None:
        environment["DSS_CLASSES"] = str(classes)
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-c", code, *asked],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_names_synonyms_groups_and_colours_go_to_queries_and_files_explain_themselves(tmp_path: Path):
    classes = tmp_path / "classes.json"
    classes.write_text(json.dumps(CLASSES))
    texts = [
        "zorb", "bubbles", "toys", "street", "zorb below sky", "between 10% and 15% zorb", "like #1",
        "no carriageway", "cow", "puppy",
    ]  # fmt: skip
    ran = run(tmp_path, *texts, classes=classes)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    asked = told["asked"]
    for text in texts[:6]:
        assert asked[text] == [1], text
    assert 1 in asked["like #1"]
    assert asked["no carriageway"] in ([], [2])
    assert '"cow"' in asked["cow"]
    assert told["palette"]["zorb"] == "#ff0080"
    assert told["info"]["zorb"] == pytest.approx(0.125)

    described = []
    for path in (tmp_path / "a" / "objects").rglob("*.dsslic"):
        data = path.read_bytes()
        spoken = read_dialect(data)
        described.append([c.name for c in spoken.vocabulary.classes])
        assert decode_stage(data, "full").pixels.shape[:2] == (80, 96)
        if "zorb" in described[-1]:
            ours = vocabulary.default()
            assert spoken.meanings == (0, ours.id_of("road"), 0, ours.id_of("sky"))
    assert ["other", "carriageway", "zorb", "heaven above"] in described
    assert [c.name for c in vocabulary.default().classes] in described  # what SegNet made says so still

    from dsslic_search import Archive

    # this process has spoken another list already
    with Archive(tmp_path / "a") as archive, pytest.raises(ArchiveError, match='list than "scene-51"'):
        archive.matching("sky")

    # one that has not speaks the archive's, also by a command; one that was told another does not
    asked = """
import sys
from dsslic_search.cli.main import main
sys.argv = ["x", "query", "zorb below sky", "--archive", "a", "--limit", "1"]
main()
"""
    for named, code, said in (
        (None, 0, "zorb 12.5%"),
        ("", 1, "another class list than"),
        (classes, 0, "zorb"),
    ):
        ran = run(tmp_path, classes=named, code=asked)
        assert (ran.returncode, said in ran.stdout + ran.stderr) == (code, True), ran.stderr
    came_later = """
import numpy as np
from PIL import Image
from dsslic_search import Archive
Image.fromarray(np.full((90, 96, 3), 70, np.uint8)).save("later.png")
with Archive("a") as archive:
    archive.ingest(["later.png"], effort=1)
    print(archive.matching("zorb").tolist(), sorted(archive.palette()))
"""
    ran = run(tmp_path, classes=None, code=came_later)
    assert ran.stdout.startswith("[1] ['carriageway', 'heaven above', 'other', 'zorb']"), ran.stderr


def test_a_class_list_that_is_none_is_told(tmp_path: Path):
    for text, says in (
        ("{", "not a class list"),
        (None, "cannot be read"),
        ('{"name": "x", "classes": []}', "not a"),
    ):
        path = tmp_path / "c.json"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        command = "import sys; from dsslic_search.cli.main import main; sys.argv = ['x', 'classes']; main()"
        ran = run(tmp_path, classes=path, code=command)
        assert ran.returncode == 2
        assert says in ran.stderr
        assert "Traceback" not in ran.stderr


ALL_THAT_DESCRIBE = """
from dsslic_search import Archive
from dsslic_search.core.errors import UsageError
b = Archive("b")
for take in b.init, lambda: b.ingest("."), lambda: b.sync("."), lambda: b.watch("."), b.reindex:
    try:
        take()
    except UsageError as e:
        print(e)
"""


def test_a_list_with_a_word_of_the_query_language_is_refused_before_anything_is_made(tmp_path: Path):
    green = {"id": 1, "name": "green", "colour": "#00ff00"}
    classes = tmp_path / "classes.json"
    classes.write_text(json.dumps({"name": "mine", "classes": [CLASSES["classes"][0], green]}))
    ran = run(tmp_path, classes=classes, code=ALL_THAT_DESCRIBE)
    said = (
        'class list "mine": "green" cannot name "green", as it is a word of the query language; write '
        "another word there\n"
    )
    assert (ran.stdout, ran.stderr) == (5 * said, "")
    assert not (tmp_path / "b").exists()
    with pytest.raises(UsageError, match="word of the query language"):
        read_classes(classes)
