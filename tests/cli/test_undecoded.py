"""Files that cannot be decoded, on the command line."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from PIL import Image

from tests.clips import chart


def test_they_are_refused_until_the_option_is_given_and_told_of_then(run: Any, tmp_path: Path) -> None:
    folder, archive = tmp_path / "photos", tmp_path / "archive"
    folder.mkdir()
    drawing = b"8BPS\0\1" + bytes(range(200))
    (folder / "a.psd").write_bytes(drawing)
    refused = run("ingest", folder / "a.psd", "--archive", archive, "--keep", "exact")
    assert refused.code == 1
    assert "or have ingest keep it as it is with --keep exact --even-undecoded" in refused.err
    wrong = run("ingest", folder, "--archive", archive, "--even-undecoded")
    assert wrong.code == 2
    assert 'only keep mode "exact" keeps files that cannot be decoded' in wrong.message
    asked = ("ingest", folder, "--archive", archive, "--keep", "exact", "--even-undecoded")
    rehearsed = run(*asked, "--dry-run", "--json")
    assert (rehearsed.code, rehearsed.json["added"]) == (0, 1)
    kept = run(*asked)
    assert kept.code == 0
    assert "1 added, 0 already there, 0 skipped, 1 kept undecoded; " in kept.message
    stats = run("stats", "--archive", archive)
    assert "1 kept undecoded: keep:undecoded finds them" in stats.out
    Image.fromarray(chart()).save(folder / "b.png")
    assert run(*asked, "--json").json["undecoded"] == 0
    shown = run("show", 1, "--archive", archive)
    assert "keep mode undecoded: the original as it is, which could not be decoded" in shown.out
    assert "source: not decoded: PSD files cannot be read here" in shown.out
    assert "or have ingest keep it as it is with --keep exact --even-undecoded\n" in shown.out
    assert shown.out.splitlines()[1].startswith("PSD, 206 B; stored ")  # its sides are not known
    assert "bpp" not in shown.out
    assert "label map" not in shown.out
    assert run("show", 1, "--json", "--archive", archive).json["vocabulary_name"] is None
    (stored,) = (archive / "objects").glob(f"{sha256(drawing).hexdigest()[:2]}/*.dsslic")
    said = run("info", stored)
    assert said.code == 0
    head, columns, *_ = said.out.splitlines()
    assert head == f"{stored}: keep mode undecoded: the original as it is, which could not be decoded"
    assert columns.split() == ["layer", "bytes"]  # no bits a pixel
    assert "source: not decoded: PSD files cannot be read here" in said.out
    assert "label map" not in said.out and "vocabulary" not in said.out
    for more in ((), ("--progressive",), ("--overlay",), ("--stage", "map")):
        preview = run("preview", 1, "-o", tmp_path / "p.png", "--archive", archive, *more)
        assert preview.code == 1
        assert "could not be decoded, and is kept as it is" in preview.message
    pictures = run("previews", "--query", "*.p*", "--out", tmp_path / "all", "--archive", archive)
    assert pictures.code == 3
    assert [path.name for path in (tmp_path / "all").iterdir()] == ["b.png"]
    assert "could not be decoded, and is kept as it is" in pictures.err
    sheet = run("sheet", tmp_path / "s.png", "--archive", archive)
    assert sheet.code == 3
    assert "s.png: 1 photo" in sheet.message
    assert run("original", 1, "-o", tmp_path / "o.psd", "--archive", archive).code == 0
    assert (tmp_path / "o.psd").read_bytes() == drawing
    assert run("check", "--read-data", "--archive", archive).code == 0
    assert run("query", "keep:undecoded", "--out", tmp_path / "t.csv", "--archive", archive).code == 0
    assert run("query", "no people", "--json", "--archive", archive).json["total"] <= 1
