"""The command line: help, and commands rightly and wrongly used, on an archive and on files alone."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image

from dsslic_search import Archive, encode
from tests.behaviour.photos import reduced
from tests.behaviour.runs import called, helps, run
from tests.behaviour.texts import listed

ARCHIVE = ("--archive", "made/photos")
ENCODED: dict[str, dict[str, Any]] = {  # options of each file, which is named for them
    "layers": {},
    "exact": {"keep": "exact"},
    "coarse": {"keep": "coarse"},
    "reference": {"keep": "reference"},
    "lossless": {"quality": "lossless"},
    "important": {"importance": "nature=2,person=4"},
}
IN_OTHER_ENVIRONMENTS = (
    ({"DSS_PRESENCE": "2"}, "query sky --archive made/photos"),
    ({"DSS_PRESENCE": "0.2"}, "query sky --archive made/photos"),
    ({"DSS_PRESENCE": "0"}, "query no sky --archive made/photos --explain"),
    ({"DSS_MAX_PIXELS": "10"}, "encode photo.jpg out/few.dsslic"),
    ({"DSS_MAX_PIXELS": "x"}, "encode photo.jpg out/none.dsslic"),
    ({"DSS_ARCHIVE": "made/painted"}, "stats"),
    ({"DSS_VOCABULARIES": "nowhere"}, "info layers.dsslic"),
)


def prepare(photo: Path) -> None:
    """The files that commands name, in the working folder."""
    Path("empty").mkdir()
    Path("bad.jpg").write_bytes(b"no photo")
    Path("photo.jpg").write_bytes(reduced(photo, 240))
    with Image.open("photo.jpg") as opened:
        opened.convert("L").save("grey.png")
    for name, options in ENCODED.items():
        Path(f"{name}.dsslic").write_bytes(encode("photo.jpg", **options))
    Path("grey.dsslic").write_bytes(encode("grey.png", quality=30))
    Path("cut.dsslic").write_bytes(Path("layers.dsslic").read_bytes()[:1500])
    run("segment", "photo.jpg", "--out", "segmented")
    shutil.copy(Path("segmented") / "photo.png", "painted.png")


def pages() -> list[dict[str, Any]]:
    """The first page of an answer, the second, and the second of another query."""
    with Archive(ARCHIVE[1]) as archive:
        cursor = archive.query("sky", limit=5).cursor
    return [
        run("query", "sky", "-n", 5, "--json", *ARCHIVE),
        run("query", "sky", "-n", 5, "--page", cursor, *ARCHIVE),
        run("query", "sea", "--page", cursor, *ARCHIVE),
    ]


def commands(photos: Sequence[Path]) -> dict[str, Any]:
    """Everything that is asked of the command line; those that change the archive last."""
    prepare(photos[8])
    reading, loose = listed("calls/reading"), listed("calls/loose")
    found: dict[str, Any] = {}
    with ThreadPoolExecutor(2) as pool:
        asked_for_help = pool.submit(helps)
        found["reading"] = dict(zip(reading, pool.map(lambda c: called(c, *ARCHIVE), reading), strict=True))
        found["loose"] = dict(zip(loose, pool.map(called, loose), strict=True))
        found["help"] = asked_for_help.result()
    found["no arguments"] = run()
    found["wrong"] = {command: called(command, *ARCHIVE) for command in listed("calls/wrong")}
    found["environment"] = {f"{e} {c}": called(c, environment=e) for e, c in IN_OTHER_ENVIRONMENTS}
    found["pages"] = pages()
    found["unwritable"] = run("query", "sky", "-o", "empty", "--format", "csv", *ARCHIVE)
    found["changing"] = {command: called(command, *ARCHIVE) for command in listed("calls/changing")}
    return found
