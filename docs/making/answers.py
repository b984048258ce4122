"""An answer for each form of the query language: docs/query-answers.md from the tables of
docs/query-language.md.

python docs/making/answers.py > docs/query-answers.md
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dsslic_search import Archive
from dsslic_search.core.errors import DSSError

ROOT = Path(__file__).parents[2]
FACTS = {
    "aitzgorri": (
        "2021-07-03T10:20:00",
        "Canon EOS 5D",
        "Sigma 24-70mm",
        100,
        5,
        "mountain",
        "42,57.0N",
        "2,19.8W",
    ),
    "bridge": (
        "2023-06-05T19:40:00",
        "Canon EOS 5D",
        "Sigma 24-70mm",
        400,
        4,
        "holiday",
        "48,51.0N",
        "2,21.0E",
    ),
    "dogs": ("2020-05-15T15:00:00", "Apple iPhone 12 Pro", "", 1600, 0, "birthday", "", ""),
    "dragonfly": ("1998-08-01T08:30:00", "Nikon D750", "Nikkor 50mm", 200, 3, "", "", ""),
    "picos": ("2022-12-24T12:05:00", "Nikon D750", "Nikkor 50mm", 3200, 5, "mountain", "43,12.0N", "4,48.0W"),
    "sunset": ("2019-06-02T21:15:00", "Canon EOS 5D", "Sigma 24-70mm", 800, 0, "beach", "", ""),
}
"""Made up, and told to the archive by files beside the copies, as the photos' own are not kept: date, camera,
lens, ISO, stars, keyword, latitude, longitude."""
TAG, SAVED = ("best", "picos", "dogs"), ("beach", "sea or earth next to sea")
PUT = {
    "like beach.jpg": "like samples/picos.jpg",
    "like #12": "like #8",
    "like #12 mirrored": "like #8 mirrored",
    "path:holiday/**": "path:samples/**",
    "folder holiday": "folder samples",
    "IMG_*": "p*",
    "name:IMG_*": "name:p*",
}
"""What is asked in place of an example that names a file or photo which is not there."""
OF_TODAY = {"on this day", "older than 5 years"}  # answers that are others on other days
NAMED = 3
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" {attributes}>{subject}</rdf:Description></rdf:RDF></x:xmpmeta>
"""


def archive(folder: Path) -> Archive:
    """The sample photos, with the facts above, without their residuals, which no query asks."""
    samples = folder / "samples"
    samples.mkdir()
    for photo in sorted((ROOT / "samples").glob("*.jpg")):
        shutil.copy(photo, samples)
        if photo.stem in FACTS:
            (samples / f"{photo.stem}.xmp").write_text(sidecar(*FACTS[photo.stem]))
    opened = Archive(folder / "archive")
    opened.ingest([samples], keep="coarse", workers=1)  # ids in the order of names
    ids = {Path(opened.photo(photo_id).path).stem: photo_id for photo_id in opened.ids(100)}
    opened.tag(TAG[0], [ids[name] for name in TAG[1:]])
    opened.save(*SAVED)
    return opened


def sidecar(
    date: str, camera: str, lens: str, iso: int, stars: int, keyword: str, latitude: str, longitude: str
) -> str:
    """The XMP file that says so."""
    told = {
        "exif:DateTimeOriginal": date,
        "tiff:Model": camera,
        "aux:Lens": lens,
        "exif:ISOSpeedRatings": str(iso),
        "xmp:Rating": str(stars) if stars else "",
        "exif:GPSLatitude": latitude,
        "exif:GPSLongitude": longitude,
    }
    subject = f"<dc:subject><rdf:Bag><rdf:li>{keyword}</rdf:li></rdf:Bag></dc:subject>" if keyword else ""
    attributes = " ".join(f'{name}="{value}"' for name, value in told.items() if value)
    return XMP.format(attributes=attributes, subject=subject)


def forms() -> Iterator[tuple[str, list[str]]]:
    """Each heading of the page that has a table of forms, and the first example of each of its rows."""
    heading, inside, found = "", False, []
    for line in (*(ROOT / "docs" / "query-language.md").read_text().splitlines(), "## "):
        if line.startswith("##"):
            if found:
                yield heading, found
            heading, inside, found = line.strip("# "), False, []
        elif line.startswith("| form |"):
            inside = True
        elif inside and (example := re.match(r"\| `([^`]+)`", line)):
            found.append(example[1])
        elif inside and not line.startswith("|"):
            inside = False


def answer(opened: Archive, example: str, folder: Path) -> tuple[str, str]:
    """What is asked for an example, and what the archive answers, in words."""
    asked = PUT.get(example, example)
    if example in OF_TODAY:
        return asked, "another on each day"
    try:
        found = opened.query(
            asked.replace("samples/", f"{folder}/samples/") if "like" in asked else asked, limit=NAMED
        )
    except DSSError as e:
        return asked, str(e).partition("\n")[0].partition(" (at character")[0]
    if found.tally is not None:
        return asked, f"{found.total}"
    names = ", ".join(Path(hit.path).stem for hit in found.hits)
    return asked, f"{found.total}: {names}{' …' if found.total > len(found.hits) else ''}" if names else "0"


def page(folder: Path) -> str:
    """The whole page."""
    photos = len(list((ROOT / "samples").glob("*.jpg")))
    parts = [
        "# The query language, answered\n\n"
        "Each form of [the query language](query-language.md), asked of the "
        f"{photos} [sample photos](../samples/ATTRIBUTION.md): how many match, and the\nfirst of them. "
        "Dates, cameras, stars, keywords and places were made up for six of them, as the photos "
        "do not tell any; two "
        f"are tagged\n{TAG[0]}. Made by `python docs/making/answers.py`, and compared in the tests.\n"
    ]
    with archive(folder) as opened:
        for heading, examples in forms():
            rows = [answer(opened, example, folder) for example in examples]
            table = "\n".join(f"| `{asked}` | {told} |" for asked, told in rows)
            parts.append(f"## {heading}\n\n| asked | photos |\n|---|---|\n{table}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(page(Path(folder)))
