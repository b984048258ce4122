"""Nothing is overwritten: every command that writes a file that people name, against every kind of thing that
can be where it is to go."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search import Archive, encode
from dsslic_search.api import export_layers
from dsslic_search.cli.reference import commands, help_of
from dsslic_search.networks import weights
from tests.cli.conftest import Run

IN, OUT, ARCHIVE, DATA = "<in>", "<out>", "<archive>", "<data>"  # what a row of the table leaves open


@dataclass(frozen=True)
class Row:
    """A command that writes one file. ``reads``: of what it reads, "photo" or "file", what stands for IN.
    ``runs``: whether it can do its work here, and does so with --force; else it begins and finds no data."""

    words: tuple[Any, ...]
    ending: str
    reads: str | None = None
    runs: bool = True

    def of(self, world: dict[str, Path], out: Path, *more: str) -> list[Any]:
        blanks = {OUT: out, ARCHIVE: world["archive"], DATA: world["data"], IN: world.get(self.reads or "")}
        return [blanks.get(word, word) for word in self.words] + list(more)


def bench(*words: Any) -> Row:
    return Row(("bench", *words, "--out", OUT), ".json", runs=False)


def train(*words: Any, ending: str = ".safetensors") -> Row:
    return Row(("train", *words, "--out", OUT), ending, runs=False)


ROWS = {
    "query": Row(("query", "sky", "--out", OUT, "--archive", ARCHIVE), ".csv"),
    "palette": Row(("palette", OUT), ".gpl"),
    "palette .png": Row(("palette", OUT), ".png"),
    "preview": Row(
        ("preview", 1, "--stage", "full", "--out", OUT, "--archive", ARCHIVE), ".png", reads="photo"
    ),
    "preview --progressive": Row(
        ("preview", 1, "--progressive", "--out", OUT, "--archive", ARCHIVE), ".png", reads="photo"
    ),
    "preview --overlay": Row(
        ("preview", 1, "--overlay", "--out", OUT, "--archive", ARCHIVE), ".png", reads="photo"
    ),
    "sheet": Row(("sheet", OUT, "--archive", ARCHIVE), ".png"),
    "original": Row(("original", 1, "--out", OUT, "--archive", ARCHIVE), ".jpg", reads="photo"),
    "encode": Row(("encode", IN, OUT, "--effort", 1), ".dsslic", reads="photo"),
    "decode": Row(("decode", IN, OUT, "--stage", "compact"), ".png", reads="file"),
    "decode --stage map": Row(("decode", IN, OUT, "--stage", "map"), ".png", reads="file"),
    "decode --original": Row(("decode", IN, OUT, "--original"), ".jpg", reads="file"),
    "import-layers": Row(("import-layers", IN, OUT), ".dsslic", reads="layers"),
    "encode-layer": Row(("encode-layer", "map", IN, OUT), ".flif", reads="labels"),
    "encode-layer residual": Row(("encode-layer", "residual", IN, OUT), ".bpg", reads="numbers"),
    "decode-layer": Row(("decode-layer", "map", IN, OUT), ".png", reads="map"),
    "train pack": train("pack", "--data", DATA, ending=".zip"),
    "train segnet": train("segnet", "--data", DATA, "--run", "run", "--steps", 1),
    "train ensemble": train("ensemble", f"{DATA}/a.safetensors", f"{DATA}/b.safetensors"),
    "train compact-scales": train("compact-scales", "--data", DATA, "--run", "run", ending=".json"),
    "train image-words": train("image-words", "--data", DATA),
    "train word-thresholds": train("word-thresholds", "--data", DATA, ending=".json"),
    "train wordnet": train("wordnet", "--wordnet", DATA, ending=".txt"),
    "train trust": train("trust", "--results", f"{DATA}/search.json", ending=".json"),
    "train nouns": train("nouns", "--wordnet", DATA, ending=".txt"),
    "train presence": train(
        "presence", "--data", DATA, weights.folder() / "segnet.safetensors", ending=".json"
    ),
    "train objections": train("objections", "--data", DATA, ending=".json"),
    "train layout": train("layout", "--data", DATA, ending=".json"),
    "train lpips": train("lpips", "--package", DATA),
    "bench ingest": bench("ingest", "--images", DATA),
    "bench levers": bench("levers", "--data", DATA),
    "bench duplicates": bench("duplicates", "--data", DATA),
    "bench image-words": bench("image-words", "--data", DATA),
    "bench importance": bench("importance", f"{DATA}=sky"),
    "bench reindex": bench("reindex", "--images", DATA),
    "bench label-map": bench("label-map", "--table", DATA, "--data", DATA),
    "bench flif": bench("flif", "--vectors", DATA, "--maps", DATA),
    "bench bpg": bench("bpg", "--vectors", DATA),
    "bench paper": bench("paper", "--images", DATA),
    "bench compare": bench("compare", DATA, DATA),
    "bench protocols": bench("protocols", "--results", DATA),
    "bench hevc-models": bench("hevc-models", "--data", DATA),
    "bench map-scale": bench("map-scale", "--data", DATA, "--images", DATA),
    "bench segmentation": bench("segmentation", "--data", DATA),
    "bench objections": bench("objections", "--data", DATA),
    "bench speed": bench("speed", "--maps", DATA),
    "bench machines": bench("machines", "--maps", DATA, "--database", "postgresql:///empty"),
    "bench cluster": bench("cluster", "--maps", DATA),
    "bench scale": bench("scale", "--maps", DATA),
    "bench catalog": bench("catalog", "--maps", DATA),
    "bench colours": bench("colours", "--data", DATA),
    "bench search": bench("search", "--data", DATA),
    "bench retrieval": bench("retrieval", "--data", DATA),
    "bench likeness": bench("likeness", "--data", DATA),
    "bench vectors": bench("vectors", "--data", DATA),
    "bench startup": bench("startup", "--images", DATA),
    "bench serve": bench("serve", "--maps", DATA, "--images", DATA),
    "bench page": bench("page", "--maps", DATA, "--images", DATA),
}
FOLDERS = {
    "encode --out": (("encode", IN, "--effort", 1, "--out", OUT), "photo", "photo.dsslic", True),
    "decode --out": (("decode", IN, "--stage", "compact", "--out", OUT), "file", "file.png", True),
    "export-layers": (("export-layers", IN, "--out", OUT), "file", "layers.json", True),
    "export-stages": (("export-stages", IN, "--out", OUT), "file", "full.png", True),
    "segment": (("segment", IN, "--out", OUT), "png", "png.png", True),
    "originals": (("originals", 1, "--out", OUT, "--archive", ARCHIVE), "photo", "photo.jpg", True),
    "labels export": (
        ("labels", "export", 1, "--out", OUT, "--archive", ARCHIVE),
        "photo",
        "legend.json",
        True,
    ),
    "previews": (("previews", 1, "--out", OUT, "--archive", ARCHIVE), "photo", "photo.png", True),
    "train codec": (("train", "codec", "--data", DATA, "--out", OUT), None, "compnet.safetensors", False),
    "train codec --paper": (
        ("train", "codec", "--paper", "--steps", 1, "--data", DATA, "--out", OUT),
        None,
        "paper_finenet.safetensors",
        False,
    ),
    "train restoration": (
        ("train", "restoration", "--data", DATA, "--out", OUT),
        None,
        "restorer.safetensors",
        False,
    ),
    "bench rd": (
        ("bench", "rd", "--images", DATA, "--codecs", "jpeg", "--no-plots", "--out", OUT),
        None,
        "comparison.json",
        False,
    ),
}
"""Commands that write into a folder: what is read, a file that is written, and whether it can be here."""
SAYS_OTHERWISE = {"save", "backup"}  # --force is about a saved query, or a whole backup


def test_every_command_that_writes_a_file_is_in_the_table() -> None:
    writes = set()
    for command in commands():
        text = help_of(command) if command else ""
        if any(word in text for word in ("--out", "--force", "OUT")):
            writes.add(" ".join(command))
    named = {" ".join(c) for c in commands()}
    tried = {max((n for n in named if n and row.startswith(n)), key=len) for row in (*ROWS, *FOLDERS)}
    assert writes == tried | SAYS_OTHERWISE


@pytest.fixture(scope="module")
def made(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo, it by reference in an archive, a .dsslic file and a label map's photo."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("made")
    with Image.open(sorted(photos.glob("*.jpg"))[0]) as photo:
        photo.resize((64, 48)).save(folder / "photo.jpg", quality=90)
        photo.resize((32, 32)).save(folder / "png.png")
        photo.resize((32, 32)).convert("L").save(folder / "labels.png")
    np.save(folder / "numbers.npy", np.arange(-99, 93, dtype=np.int16).reshape(8, 8, 3))
    (folder / "file.dsslic").write_bytes(encode(folder / "photo.jpg", keep="exact", effort=1))
    export_layers(folder / "file.dsslic", folder / "layers")
    with Archive(folder / "archive") as opened:
        opened.ingest([folder / "photo.jpg"], keep="reference", effort=1)
    return folder


@pytest.fixture
def world(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A copy of it, whose photo is the one that the archive refers to."""
    folder = tmp_path / "world"
    shutil.copytree(made, folder)
    with closing(sqlite3.connect(folder / "archive" / "catalog.sqlite")) as catalog, catalog:
        catalog.execute("PRAGMA synchronous = OFF")  # a copy that no power cut has to be survived by
        for table in ("photo", "path"):
            catalog.execute(f"UPDATE {table} SET path = ?", (str(folder / "photo.jpg"),))
    work = folder / "work"
    (work / "folder").mkdir(parents=True)
    monkeypatch.chdir(work)
    return {
        "folder": folder,
        "work": work,
        "archive": folder / "archive",
        "photo": folder / "photo.jpg",
        "file": folder / "file.dsslic",
        "png": folder / "png.png",
        "labels": folder / "labels.png",
        "numbers": folder / "numbers.npy",
        "map": folder / "layers" / "s.map",
        "layers": folder / "layers" / "layers.json",
        "data": folder / "no data",
    }


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Kind and content of all that lies in a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        content = b""
        if stat.S_ISLNK(mode):
            content = os.fsencode(path.readlink())
        elif stat.S_ISREG(mode) and path.name not in (
            "lock",
            "lock.next",
            "catalog.sqlite-shm",
            "catalog.sqlite-wal",
        ):
            content = path.read_bytes()
        found[str(path)] = (mode, content)
    return {p: k for p, k in found.items() if "/archive/index" not in p and "catalog.sqlite-" not in p}


def fifo(work: Path, name: str) -> Path:
    os.mkfifo(work / name)
    return work / name


def plain(work: Path, name: str) -> Path:
    (work / name).write_bytes(b"precious")
    return work / name


def linked(path: Path, target: Path) -> Path:
    path.symlink_to(target)
    return path


def hard(path: Path, target: Path) -> Path:
    os.link(target, path)
    return path


PLACES: dict[str, tuple[Callable[[dict[str, Path], str], Path], str]] = {
    "exists": (lambda w, e: plain(w["work"], f"x{e}"), "is there already"),
    "a link to what exists": (
        lambda w, e: linked(w["work"] / f"l{e}", plain(w["work"], f"x{e}")),
        "is there already",
    ),
    "catalog": (
        lambda w, e: linked(w["work"] / f"l{e}", w["archive"] / "catalog.sqlite"),
        "inside the archive",
    ),
    "object": (
        lambda w, e: plain(next((w["archive"] / "objects").iterdir()), f"x{e}"),
        "inside the archive",
    ),
    "lock": (lambda w, e: linked(w["work"] / f"l{e}", w["archive"] / "lock"), "inside the archive"),
    "a new name in the archive": (lambda w, e: w["archive"] / f"new{e}", "inside the archive"),
    "pipe": (lambda w, e: fifo(w["work"], f"f{e}"), "is a device or a pipe"),
    "device": (lambda w, e: linked(w["work"] / f"null{e}", Path("/dev/null")), "is a device"),
    "folder": (lambda w, e: linked(w["work"] / f"folder{e}", w["work"] / "folder"), "is a folder"),
    "no folder": (lambda w, e: w["work"] / "none" / f"x{e}", "there is no folder"),
}
MAY_BE_REPLACED = {"exists", "a link to what exists"}
INPUTS: dict[str, Callable[[Path, Path], Path]] = {"hard link": hard, "symbolic link": linked}


def refused(ran: Any, said: str) -> None:
    assert ran.code == 2, ran.err
    assert said in ran.message
    assert len(ran.err.strip().splitlines()) == 1
    assert ran.out == ""


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ROWS)
def test_what_is_there_stays_as_it_is(run: Run, world: dict[str, Path], name: str, place: str) -> None:
    row = ROWS[name]
    make, said = PLACES[place]
    out = make(world, row.ending)
    before = everything(world["folder"])
    refused(run(*row.of(world, out)), said)
    assert everything(world["folder"]) == before
    if place in MAY_BE_REPLACED:
        if row.runs:
            assert run(*row.of(world, out, "--force")).code == 0
            assert out.read_bytes() != b"precious"
            assert out.is_symlink() == (place != "exists")
        else:
            ran = run(*row.of(world, out, "--force"))
            assert ran.code in (1, 2)
            assert said not in ran.err
            assert everything(world["folder"]) == before
    else:
        refused(run(*row.of(world, out, "--force")), said)
        assert everything(world["folder"]) == before


@pytest.mark.parametrize("link", INPUTS)
@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.reads])
def test_what_is_read_is_never_written(run: Run, world: dict[str, Path], name: str, link: str) -> None:
    row = ROWS[name]
    out = INPUTS[link](world["work"] / f"same{row.ending}", world[row.reads or ""])
    before = everything(world["folder"])
    refused(run(*row.of(world, out)), "is")
    ran = run(*row.of(world, out, "--force"))
    assert ran.code == 2
    assert "is what is read; choose another name" in ran.message
    assert everything(world["folder"]) == before


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_files(run: Run, world: dict[str, Path], name: str) -> None:
    words, reads, written, runs = FOLDERS[name]
    row = Row(words, "", reads)
    for out, said in (
        (plain(world["work"], "plain"), "is a file; name a folder"),
        (fifo(world["work"], "pipe"), "is a file; name a folder"),
        (world["archive"], "inside the archive"),
        (world["archive"] / "new", "inside the archive"),
        (linked(world["work"] / "way", world["archive"] / "objects"), "inside the archive"),
    ):
        before = everything(world["folder"])
        for force in ((), ("--force",)):
            ran = run(*row.of(world, out, *force))
            assert (ran.code, said in ran.message) == (2, True), ran.err
            assert everything(world["folder"]) == before
    out = world["work"] / "out"
    out.mkdir()
    plain(out, written)
    before = everything(world["folder"])
    ran = run(*row.of(world, out))
    assert ran.code in (1, 2)
    assert "is there already; replace it with --force" in ran.err
    assert everything(world["folder"]) == before
    ran = run(*row.of(world, out, "--force"))
    assert "is there already" not in ran.err
    assert ran.code == 0 or not runs
    assert ((out / written).read_bytes() != b"precious") == runs
    if reads is not None:
        for link in INPUTS.values():
            (out / written).unlink()
            link(out / written, world[reads])
            before = everything(world["folder"])
            ran = run(*row.of(world, out, "--force"))
            if (name, link) == ("originals", hard):  # the very bytes are there
                assert (ran.code, "1 already there" in ran.err) == (0, True)
            else:
                assert ran.code in (1, 2)
                assert "is what is read; choose another name" in ran.err
            assert everything(world["folder"]) == before


def test_the_class_list_of_a_segmenter_is_read_too(run: Run, world: dict[str, Path]) -> None:
    classes = world["work"] / "png.png"
    classes.write_text("{}")
    ran = run(
        "segment",
        world["png"],
        "--out",
        world["work"],
        "--segmenter",
        world["work"],
        "--classes",
        classes,
        "--force",
    )
    refused(ran, "is what is read")


def test_what_an_archive_gives_is_not_written_over_what_is_there(world: dict[str, Path]) -> None:
    from dsslic_search.core.errors import UsageError

    out = plain(world["work"], "x.png")
    with Archive(world["archive"]) as opened:
        shown = opened.preview(1, "full")
        with pytest.raises(UsageError, match=r"replace it with replace=True"):
            shown.save(out)
        shown.save(out, replace=True)
        table = plain(world["work"], "x.csv")
        with pytest.raises(UsageError, match=r"replace it with replace=True"):
            opened.export("sky", table)
        assert opened.export("sky", table, replace=True) <= 1
        with pytest.raises(UsageError, match="inside the archive"):
            opened.export("sky", world["archive"] / "x.csv", replace=True)
        original = linked(world["work"] / "o.png", world["photo"])
        with pytest.raises(UsageError, match="is what is read"):
            shown.save(original, replace=True)
    assert out.read_bytes()[:4] == b"\x89PNG"
    assert table.read_bytes().startswith(b"rank,")
