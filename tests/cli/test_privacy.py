"""What is left out of metadata is nowhere; nothing is asked of the network; files are as the umask says."""

from __future__ import annotations

import io
import os
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from dsslic_search.codec import container
from dsslic_search.core.errors import FormatError
from tests.cli.conftest import Run
from tests.clips import clip, marked

SAMPLES = Path(__file__).parents[2] / "samples"
CAMERA, AUTHOR, TITLE, CITY, KEYWORD, SERIAL = (
    f"Qx{word}Zv" for word in ("camera", "author", "title", "city", "keyword", "serial")
)
SECRETS = tuple(word.encode() for word in (CAMERA, AUTHOR, TITLE, CITY, KEYWORD, SERIAL))
PLACES = (CITY.encode(),)
LATITUDE, LONGITUDE = (59.7713, 17.3849)
XMP = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:City="{CITY}"><dc:title><rdf:Alt><rdf:li
xml:lang="x-default">{TITLE}</rdf:li></rdf:Alt></dc:title><dc:subject><rdf:Bag><rdf:li>{KEYWORD}</rdf:li
></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"""


def telling_photo(path: Path) -> None:
    """A photo that tells who took it, with what, where, of what, and has a thumbnail of its own."""
    with Image.open(SAMPLES / "picos.jpg") as photo:
        photo.thumbnail((96, 96))
        exif = photo.getexif()
        exif[0x010F], exif[0x0110], exif[0x013B] = CAMERA, CAMERA, AUTHOR
        exif.get_ifd(0x8769)[0xA431] = SERIAL
        places = {1: "N", 3: "E"}
        for tag, value in ((2, LATITUDE), (4, LONGITUDE)):
            degrees, minutes = int(value), int(value % 1 * 60)
            seconds = IFDRational(round((value * 3600) % 60 * 1000), 1000)
            places[tag] = (degrees, minutes, seconds)  # type: ignore[assignment]
        exif.get_ifd(0x8825).update(places)
        photo.save(path, "JPEG", quality=85, exif=exif, xmp=XMP.encode())


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """All bytes below a folder, names among them; what is deflated in files of ours as it was before, too,
    and every value of databases."""
    for path in sorted(folder.rglob("*")):
        yield "name", os.fsencode(path.name)
        if not path.is_file():
            continue
        data = path.read_bytes()
        yield path.name, data
        try:
            contents = container.read(data)
        except FormatError:
            contents = None
        for entry in contents.entries if contents else ():
            try:
                yield path.name, zlib.decompress(data[entry.offset : entry.offset + entry.length])
            except zlib.error:
                continue
        if data.startswith(b"SQLite format 3"):
            with closing(sqlite3.connect(path)) as catalog:
                yield path.name, "\n".join(catalog.iterdump()).encode()


def coordinates() -> tuple[bytes, ...]:
    """The place as text, as doubles, and as EXIF writes it."""
    found = [str(LATITUDE)[:6].encode(), str(LONGITUDE)[:6].encode()]
    for value in (LATITUDE, LONGITUDE):
        for order in "<>":
            found.append(struct.pack(f"{order}IIII", int(value), 1, int(value % 1 * 60), 1))
            found.append(struct.pack(f"{order}d", value)[2 if order == "<" else 0 :][:6])
    return tuple(found)


def found_in(folder: Path, secrets: tuple[bytes, ...]) -> set[tuple[str, bytes]]:
    wide = {secret.decode("latin-1").encode("utf-16-le"): secret for secret in secrets}
    return {
        (name, secret)
        for name, data in everything(folder)
        for secret in (*secrets, *wide)
        if secret in data or secret.hex().encode() in data
    }


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("telling") / "photos"
    folder.mkdir()
    telling_photo(folder / "a.jpg")
    return folder


def gone_through(run: Run, archive: Path, out: Path) -> None:
    """Everything that an archive is asked for, and everything that it gives out."""
    out.mkdir()
    assert run("query", "*", "--archive", archive, "--out", out / "answer.json", "--all").code == 0
    assert run("duplicates", "--archive", archive, "--json").code in (0, 1)
    for stage in ("map", "compact", "coarse", "full"):
        name = out / f"{stage}.png"
        assert run("preview", 1, "--stage", stage, "--out", name, "--archive", archive).code == 0
    assert run("sheet", out / "sheet.png", "--archive", archive).code == 0
    assert run("previews", 1, "--out", out / "previews", "--archive", archive).code == 0
    assert run("export-layers", 1, "--out", out / "layers", "--archive", archive).code == 0
    assert run("reindex", "--archive", archive).code == 0
    assert run("save", "mine", "sky", "--archive", archive).code == 0


@pytest.mark.parametrize("profile", ["default", "paper"])
def test_metadata_left_out_are_nowhere(run: Run, telling: Path, tmp_path: Path, profile: str) -> None:
    archive = tmp_path / "archive"
    assert found_in(telling, SECRETS), "the photo tells nothing"
    words = ("ingest", telling, "--archive", archive, "--strip-metadata", "--effort", 1, "--profile", profile)
    assert run(*words).code == 0
    gone_through(run, archive, tmp_path / "out")
    for folder in (archive, tmp_path / "out"):
        assert not found_in(folder, (*SECRETS, *coordinates()))


def test_places_left_out_are_nowhere_and_the_rest_is_there(run: Run, telling: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    assert run("ingest", telling, "--archive", archive, "--strip-location", "--effort", 1).code == 0
    gone_through(run, archive, tmp_path / "out")
    for folder in (archive, tmp_path / "out"):
        assert not found_in(folder, (*PLACES, *coordinates()))
    assert {secret for _, secret in found_in(archive, SECRETS)} >= {CAMERA.encode(), TITLE.encode()}


def test_originals_go_out_without_metadata(run: Run, telling: Path, tmp_path: Path) -> None:
    archive, out = tmp_path / "archive", tmp_path / "out"
    assert run("ingest", telling, "--archive", archive, "--keep", "exact", "--effort", 1).code == 0
    assert found_in(archive, SECRETS), "what is searched for is not found where it is"
    assert {name for name, _ in found_in(archive, coordinates())} >= {"catalog.sqlite"}
    for option, secrets in (("--strip-metadata", SECRETS), ("--strip-location", PLACES)):
        to = out / option
        assert run("originals", 1, "--out", to, option, "--archive", archive).code == 0
        assert any(to.rglob("*.jpg"))
        assert not found_in(to, (*secrets, *coordinates()))


COMMANDS: tuple[tuple[Any, ...], ...] = (
    ("doctor", "--archive", "A"),
    ("query", "sky", "--archive", "A"),
    ("query", "like #1", "--archive", "A"),
    ("stats", "--archive", "A"),
    ("classes", "--archive", "A"),
    ("show", 1, "--archive", "A"),
    ("check", "--read-data", "--archive", "A"),
    ("duplicates", "--archive", "A"),
    ("tag", "add", "mine", 1, "--archive", "A"),
    ("save", "sea", "sea", "--archive", "A"),
    ("preview", 1, "--out", "O/p.png", "--archive", "A"),
    ("sheet", "O/s.png", "--archive", "A"),
    ("original", 1, "--out", "O/o.jpg", "--archive", "A"),
    ("originals", 1, "--out", "O/originals", "--archive", "A"),
    ("previews", 1, "--out", "O/previews", "--archive", "A"),
    ("query", "*", "--out", "O/q.csv", "--archive", "A"),
    ("export-layers", 1, "--out", "O/layers", "--archive", "A"),
    ("import-layers", "O/layers", "O/again.dsslic"),
    ("encode", "P/a.jpg", "O/e.dsslic", "--effort", 1),
    ("decode", "O/e.dsslic", "O/d.png"),
    ("info", "O/e.dsslic"),
    ("segment", "P/a.jpg", "--out", "O/maps"),
    ("palette", "O/colours.gpl"),
    ("backup", "O/backup", "--archive", "A"),
    ("restore-backup", "O/backup", "O/restored"),
    ("reindex", "--archive", "A"),
    ("describe", "--archive", "A"),
    ("sync", "--archive", "A"),
    ("ingest", "V/", "--archive", "A", "--keep", "coarse", "--frames", "1s"),
    ("relink", "P/a.jpg", "P/gone.jpg", "--unchecked", "--archive", "A"),
    ("relink", "P/gone.jpg", "P/a.jpg", "--archive", "A"),
    ("parity", "5%", "--archive", "A"),
    ("labels", "export", 1, "--out", "O/labels", "--archive", "A"),
    ("labels", "import", "O/labels", "--archive", "A"),
    ("labels", "list", "--archive", "A"),
    ("rebuild", "--archive", "A"),
    ("check", "--repair", "--read-data", "--archive", "A"),
    ("shell", "--archive", "A"),
    ("remove", 1, "--archive", "A"),
    ("bin", "--archive", "A"),
    ("restore", 1, "--archive", "A"),
)
"""As people use them, one after the other; A is an archive, O a folder for what comes out, P the photos, V a
video."""


@pytest.mark.parametrize("mask", [0o027, 0o077])
def test_no_command_asks_the_network_and_files_are_as_the_umask_says(
    run: Run, telling: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: int
) -> None:
    asked: list[object] = []

    def refused(*where: object) -> None:
        asked.append(where)
        raise OSError("no network here")

    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refused)
    (tmp_path / "videos").mkdir()
    clip(tmp_path / "videos" / "clip.mp4", [marked(1)])
    monkeypatch.setattr(sys, "stdin", io.StringIO("sky\nno sky\n"))
    places = {"A": tmp_path / "archive", "O": tmp_path / "out", "P": telling, "V": tmp_path / "videos"}
    before = os.umask(mask)
    try:
        places["O"].mkdir()
        assert run("ingest", telling, "--archive", places["A"], "--keep", "exact", "--effort", 1).code == 0
        for words in COMMANDS if mask == 0o027 else COMMANDS[10:13]:
            named = [
                places[word] / ""
                if word in places
                else places[word[0]] / word[2:]
                if word[1:2] == "/"
                else word
                for word in map(str, words)
            ]
            done = run(*named)
            assert done.code == 0, (words, done.err)
    finally:
        os.umask(before)
    assert asked == []
    for folder in (places["A"], places["O"]):
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                wrong = path.stat().st_mode & mask
                assert not wrong, f"{path.relative_to(tmp_path)} is {path.stat().st_mode:o}"


PROGRAM = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.umask(0o077)

SENT = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}
NAMED = {"socket.getaddrinfo", "socket.gethostbyname"}

def heard(event, arguments):
    if event in SENT | NAMED:
        where = arguments[1 if event in SENT else 0]
        with open(os.environ["ASKED"], "a") as asked:
            asked.write(f"{event} {where[0] if isinstance(where, tuple) else where}\\n")

sys.addaudithook(heard)
from dsslic_search.cli.main import main
main()
"""
"""The command line in a process that writes down whom it asks, or who may ask it."""


@contextmanager
def going_on(asked: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PROGRAM, *map(str, words)]
    environment = os.environ | {"ASKED": str(asked)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as running:
        try:
            yield running
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=120)
            assert running.returncode in (0, 130)
            assert "Traceback" not in said
        finally:
            running.kill()


def watched_archive(run: Run, telling: Path, place: Path) -> Path:
    """An archive that is its owner's alone; the folder that it follows."""
    photos = Path(shutil.copytree(telling, place / "photos"))
    before = os.umask(0o077)
    try:
        words = ("ingest", photos, "--archive", place / "archive", "--effort", 1, "--keep", "coarse")
        assert run(*words).code == 0
    finally:
        os.umask(before)
    return photos


def private(folder: Path) -> bool:
    return not any(path.stat().st_mode & 0o077 for path in folder.rglob("*"))


def test_a_server_listens_on_this_machine_alone_and_asks_nobody(
    run: Run, telling: Path, tmp_path: Path
) -> None:
    archive, asked = tmp_path / "archive", tmp_path / "asked"
    watched_archive(run, telling, tmp_path)
    (tmp_path / "cache").mkdir(mode=0o700)
    there = "--archive", archive, "--port", 0, "--no-browser", "--watch", "--cache", tmp_path / "cache"
    with going_on(asked, "serve", *there) as running:
        assert running.stdout is not None
        address = running.stdout.readline().strip()
        assert running.stderr is not None
        assert address.startswith("http://127.0.0.1:"), running.stderr.read()
        for path in ("", "api/query?q=sky", "api/photos/1/stages/compact"):
            assert httpx.get(f"{address}{path}", trust_env=False).status_code == 200
    assert asked.read_text().splitlines().count("socket.bind 127.0.0.1") == 1
    hosts = {line.split(" ", 1)[1] for line in asked.read_text().splitlines()}
    assert hosts <= {"127.0.0.1", "localhost"}
    assert any((tmp_path / "cache").rglob("*"))
    assert private(archive)
    assert private(tmp_path / "cache")


def test_watching_asks_nobody(run: Run, telling: Path, tmp_path: Path) -> None:
    archive, asked = tmp_path / "archive", tmp_path / "asked"
    photos = watched_archive(run, telling, tmp_path)
    with going_on(asked, "watch", "--archive", archive) as running:
        assert running.stderr is not None
        lines = iter(running.stderr.readline, "")
        assert any(line.startswith("watching; ") for line in lines)
        (photos / "a.jpg").rename(photos / "b.jpg")
        assert any("1 already there (1 moved)" in line for line in lines)
    assert not asked.exists()
    assert private(archive)


def test_a_model_of_the_hub_is_asked_for_by_name_alone(
    run: Run, telling: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one command that may use the network: a segmenter that is named as those on the hub are."""
    pytest.importorskip("huggingface_hub")
    asked: list[str] = []

    def fetched(name: str, **_how: Any) -> str:
        asked.append(name)
        raise OSError("no network here")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetched)
    shutil.copy(telling / "a.jpg", tmp_path / "a.jpg")
    ran = run("segment", tmp_path / "a.jpg", "--out", tmp_path / "maps", "--segmenter", "nobody/nothing")
    assert ran.code == 1
    assert asked == ["nobody/nothing"]
    assert "cannot be had from the model hub" in ran.err
    assert "huggingface_hub" in sys.modules
