from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive, decode, encode
from tests.cli.conftest import Run


@pytest.fixture(scope="module")
def made(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .dsslic file of a small photo, and an archive with it."""
    folder = tmp_path_factory.mktemp("layers")
    with Image.open(sorted(photos.glob("*.jpg"))[0]) as photo:
        photo.resize((96, 64)).save(folder / "photo.jpg", quality=90)
    (folder / "file.dsslic").write_bytes(encode(folder / "photo.jpg", effort=1))
    with Archive(folder / "archive") as opened:
        opened.ingest([folder / "photo.jpg"], effort=1)
    return folder


def test_a_file_of_the_archive_goes_out_and_comes_back(made: Path, tmp_path: Path, run: Run) -> None:
    ran = run("export-layers", 1, "--archive", made / "archive", "--out", tmp_path / "one", "--json")
    assert ran.code == 0, ran.err
    assert set(ran.json["files"]) == {"s.map", "c.bpg", "r.bpg", "layers.json"}
    assert {path.name: path.stat().st_size for path in (tmp_path / "one").iterdir()} == ran.json["files"]
    ran = run("import-layers", tmp_path / "one", tmp_path / "back.dsslic")
    assert ran.code == 0, ran.err
    ran = run("export-layers", made / "file.dsslic", "--out", tmp_path / "two")
    assert ran.code == 0
    assert f"{tmp_path / 'two' / 's.map'}: " in ran.out
    assert (tmp_path / "back.dsslic").read_bytes() == (made / "file.dsslic").read_bytes()
    for name in ("s.map", "c.bpg", "r.bpg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_stages_go_out_as_pictures_and_as_numbers(made: Path, tmp_path: Path, run: Run) -> None:
    file = made / "file.dsslic"
    ran = run("export-stages", file, "--out", tmp_path / "npy", "--format", "npy", "--json")
    assert ran.code == 0, ran.err
    arrays = {path.stem: np.load(path) for path in (tmp_path / "npy").iterdir()}
    assert {f"{name}.npy": list(each.shape) for name, each in arrays.items()} == ran.json["files"]
    assert set(arrays) == {"map", "compact", "coarse", "full", "residual"}
    assert (arrays["full"].dtype, arrays["residual"].dtype) == (np.uint8, np.int16)
    np.testing.assert_array_equal(arrays["coarse"] + arrays["residual"], arrays["full"])
    for stage in ("map", "compact", "coarse", "full"):
        np.testing.assert_array_equal(arrays[stage], np.asarray(decode(file.read_bytes(), stage)))
    ran = run("export-stages", 1, "--archive", made / "archive", "--out", tmp_path / "png")
    assert f"{tmp_path / 'png' / 'residual.png'}: 96×64\n" in ran.out  # as show tells sizes
    ran = run("export-stages", file, "--out", tmp_path / "arrays", "--format", "npy")
    assert f"{tmp_path / 'arrays' / 'residual.npy'}: 64 × 96 × 3\n" in ran.out  # as NumPy tells shapes
    for name, each in arrays.items():
        shown = np.asarray(Image.open(tmp_path / "png" / f"{name}.png"))
        wanted = np.clip(128 + each // 2, 0, 255) if name == "residual" else each
        np.testing.assert_array_equal(shown, wanted)
    assert run("export-stages", file, "--out", tmp_path / "x", "--format", "gif").code == 2
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "wishes",
    [
        {"effort": 1},
        {"quality": "lossless", "effort": 1},
        {"keep": "exact", "effort": 1},
        {"importance": "sky=4", "effort": 1},
    ],
)
def test_every_bit_of_a_file_is_of_a_part(made: Path, wishes: dict, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "file.dsslic"
    path.write_bytes(encode(made / "photo.jpg", **wishes))
    said = run("info", path, "--json").json
    assert sum(part["bits"] for part in said["syntax"]) == 8 * path.stat().st_size
    for layer in said["layers"]:
        parts = {p["part"]: p["bits"] for p in said["syntax"] if p["kind"] == layer["kind"]}
        assert sum(parts.values()) == 8 * layer["bytes"]
        if (layer["kind"], layer["codec"]) in {("COMP", 1), ("RESI", 2)}:
            assert parts["HEVC data"] > parts["HEVC header"] > 0
        if layer["kind"] == "word":
            assert set(parts) == {"header", "vector", "words"}


@pytest.mark.parametrize("wishes", [{"effort": 1}, {"profile": "paper", "effort": 1}])
def test_every_bit_of_a_picture_is_of_a_syntax_element(
    made: Path, wishes: dict, tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "file.dsslic"
    path.write_bytes(encode(made / "photo.jpg", **wishes))
    assert "elements" not in run("info", path, "--json").json
    said = run("info", path, "--json", "--elements").json
    parts = {(p["layer"], p["part"]): p["bits"] for p in said["syntax"]}
    layers = {each["layer"] for each in said["elements"]}
    assert "residual" in layers
    for layer in layers:
        own = [each for each in said["elements"] if each["layer"] == layer]
        assert sum(each["bits"] for each in own) == parts[layer, "HEVC data"]
    shown = run("info", path, "--elements").out
    assert "residual by element" in shown
    assert "sig_coeff_flag" in shown


def test_what_is_missing_is_said_in_one_line(made: Path, tmp_path: Path, run: Run) -> None:
    ran = run("import-layers", tmp_path, tmp_path / "x.dsslic")
    assert ran.code == 1
    assert "layers.json: cannot be read" in ran.message
    assert run("export-layers", made / "file.dsslic", "--out", tmp_path).code == 0
    (tmp_path / "r.bpg").unlink()
    ran = run("import-layers", tmp_path, tmp_path / "x.dsslic")
    assert ran.code == 1
    assert "r.bpg: cannot be read" in ran.message
    (tmp_path / "layers.json").write_text(json.dumps({"format": "dsslic layers", "version": 7}))
    ran = run("import-layers", tmp_path / "layers.json", tmp_path / "x.dsslic")
    assert (ran.code, "another version" in ran.message) == (1, True)
    assert not (tmp_path / "x.dsslic").exists()
    ran = run("export-layers", 7, "--archive", made / "archive", "--out", tmp_path / "none")
    assert ran.code in (1, 2)
    assert not (tmp_path / "none").exists()


def test_an_archive_may_hold_both_profiles_and_remembers_how_photos_are_kept(
    photos: Path, tmp_path: Path, run: Run
) -> None:
    folder, archive = tmp_path / "photos", tmp_path / "archive"
    folder.mkdir()
    for number, path in enumerate(sorted(photos.rglob("*.jpg"))[:3]):
        with Image.open(path) as photo:
            photo.resize((120, 90)).save(tmp_path / f"{number}.jpg", quality=90)

    def come(number: int, *words: object) -> None:
        (tmp_path / f"{number}.jpg").rename(folder / f"{number}.jpg")
        ran = run(*words, "--archive", archive)
        assert ran.code == 0, ran.err

    come(0, "ingest", folder, "--effort", 1)
    come(1, "ingest", folder, "--effort", 1, "--profile", "paper")
    come(2, "sync", folder)
    for photo_id, codecs in ((1, [1, 1, 2]), (2, [2, 2, 4]), (3, [2, 2, 4])):
        layers = run("show", photo_id, "--archive", archive, "--json").json["layers"]
        assert [layer["codec"] for layer in layers if layer["kind"] in ("SMAP", "COMP", "RESI")] == codecs
    before = run("query", "not volcano", "--archive", archive, "--json").json["results"]
    assert run("reindex", "--archive", archive).code == 0
    assert run("query", "not volcano", "--archive", archive, "--json").json["results"] == before
    assert len(before) > 1
    assert run("check", "--read-data", "--archive", archive).code == 0
    assert run("preview", 2, "--out", tmp_path / "x.png", "--archive", archive).code == 0
    assert run("export-layers", 2, "--out", tmp_path / "layers", "--archive", archive).code == 0
    assert {path.name for path in (tmp_path / "layers").iterdir()} == {
        "s.flif",
        "c.flif",
        "r.bpg",
        "layers.json",
    }


def test_what_a_paper_file_is_made_of_is_said(made: Path, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "paper.dsslic"
    assert run("encode", made / "photo.jpg", out, "--profile", "paper", "--effort", 1).code == 0
    told = run("info", out).out
    assert "compact 1/8 (FLIF)" in told
    assert "residual: BPG (codec 4), QP " in told
    assert "min-max mapping of -" in told
    ran = run("encode", made / "photo.jpg", out, "--profile", "newspaper", "--force")
    assert (ran.code, "default, paper, paper-444" in ran.message) == (2, True)


@pytest.mark.parametrize("profile", ["default", "paper"])
def test_a_layer_alone_is_decoded_changed_and_put_back(
    made: Path, profile: str, tmp_path: Path, run: Run
) -> None:
    source, layers = tmp_path / "a.dsslic", tmp_path / "layers"
    source.write_bytes(encode(made / "photo.jpg", effort=1, profile=profile))
    assert run("export-layers", source, "--out", layers).code == 0
    label_map, compact = ("s.map", "c.bpg") if profile == "default" else ("s.flif", "c.flif")
    for layer, name, ending in (
        ("map", label_map, "png"),
        ("compact", compact, "png"),
        ("residual", "r.bpg", "npy"),
    ):
        ran = run("decode-layer", layer, layers / name, tmp_path / f"{layer}.{ending}", "--json")
        assert ran.code == 0, ran.err
        size = (
            " × ".join(map(str, ran.json["shape"]))
            if ending == "npy"
            else "{1}×{0}".format(*ran.json["shape"])
        )
        again = run("decode-layer", layer, layers / name, tmp_path / f"{layer}.{ending}", "--force")
        assert again.out == f"{tmp_path / layer}.{ending}: {size}\n"
    # a label map and a compact image in FLIF come back to the byte; all fit where they came from
    for layer, name, ending in (
        ("map", label_map, "png"),
        ("compact", compact, "png"),
        ("residual", "r.bpg", "npy"),
    ):
        before = (layers / name).read_bytes()
        ran = run("encode-layer", layer, tmp_path / f"{layer}.{ending}", layers / name, "--force", "--json")
        assert ran.code == 0, ran.err
        assert ran.json["bytes"] == (layers / name).stat().st_size
        if layer == "map" or name.endswith(".flif"):
            assert (layers / name).read_bytes() == before
    assert run("import-layers", layers, tmp_path / "b.dsslic").code == 0
    first, second = (np.asarray(decode((tmp_path / f"{x}.dsslic").read_bytes())).astype(int) for x in "ab")
    assert 0 < np.abs(first - second).mean() < 3
    # the paper's residual by itself: its mapping is told when it is coded, and needed when it is read
    np.save(tmp_path / "r.npy", (first - first[::-1]).clip(-60, 50).astype(np.int16))
    ran = run("encode-layer", "residual", tmp_path / "r.npy", tmp_path / "r.bpg", "--qp", 8)
    assert ran.out.endswith("mapping -60,50\n"), ran.err
    out = tmp_path / "back.npy"
    refused = run("decode-layer", "residual", tmp_path / "r.bpg", out)
    assert (refused.code, "nothing says how" in refused.message) == (2, True)
    assert run("decode-layer", "residual", tmp_path / "r.bpg", out, "--mapping", "-60,50").code == 0
    assert np.abs(np.load(out) - np.load(tmp_path / "r.npy")).mean() < 20


def test_what_is_no_layer_is_told_in_one_line(made: Path, tmp_path: Path, run: Run) -> None:
    np.save(tmp_path / "floats.npy", np.zeros((4, 4)))
    np.save(tmp_path / "map.npy", np.zeros((4, 4), np.uint8))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "map.npy").read_bytes()[:-1])
    (tmp_path / "none.npy").write_bytes(b"\x93NUMPY\x01\x00")
    whole = (tmp_path / "map.npy").read_bytes()
    (tmp_path / "odd.npy").write_bytes(whole.replace(b"(4, 4)", b"(4,(4)"))
    (tmp_path / "less.npy").write_bytes(whole.replace(b"(4, 4), } ", b"(-4,-4), }"))
    for words, said in (
        (("encode-layer", "words", "map.npy", "s.map"), "not one of: map, compact, residual"),
        (("encode-layer", "map", "map.npy", "s.bpg"), "ends in .map or .flif"),
        (("encode-layer", "map", "map.npy", "s.map", "--qp", 5), "qp 5 is for .bpg files"),
        (("encode-layer", "compact", "map.npy", "c.bpg", "--qp", 52), "qp 52"),
        (("encode-layer", "map", "map.npy", "s.map", "--mapping", "fixed"), "of residuals"),
        (("encode-layer", "map", "floats.npy", "s.map"), "an array of float64"),
        (("encode-layer", "map", "cut.npy", "s.map"), "cut short"),
        (("encode-layer", "map", "none.npy", "s.map"), "not an array"),
        (("encode-layer", "map", "odd.npy", "s.map"), "not an array"),
        (("encode-layer", "map", "less.npy", "s.map"), "cut short, or longer"),
        (("encode-layer", "map", "absent.npy", "s.map"), "cannot be read"),
        (("encode-layer", "residual", "map.npy", "r.bpg"), "int16"),
        (("encode-layer", "map", made / "photo.jpg", "s.map"), "not a PNG"),
        (("decode-layer", "map", "map.npy", "x.png"), "map.npy: "),
        (("decode-layer", "map", "map.npy", "x.jpg"), "array (.npy) or a picture (.png)"),
        (("decode-layer", "compact", made / "file.dsslic", "x.png"), "file.dsslic: "),
    ):
        ran = run(*(tmp_path / w if isinstance(w, str) and "." in w and "-" not in w else w for w in words))
        assert ran.code in (1, 2), words
        assert said in ran.message, ran.err
        assert len(ran.err.strip().splitlines()) == 1
    assert {p.suffix for p in tmp_path.iterdir()} == {".npy"}
