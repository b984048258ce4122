"""What the command line says of findings, word for word, and where it says commands for Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsslic_search.archive.findings import Finding, Problem
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.manifest import Manifest
from dsslic_search.archive.stored import Fault
from dsslic_search.cli.wording import finding_sentence, mended_sentence
from dsslic_search.core.errors import Remedy

OF_PHOTO = ("/a/ab.dsslic", "ab", 3, "/photos/x.jpg")
RESTORE = "restore /a/ab.dsslic from a backup"
SET_ASIDE = (
    f"{RESTORE}, or if you have the photo: dss-search check --repair sets file and photo apart, then ingest "
    "the photo again"
)
SENTENCES = [
    (
        Finding(Fault.MISSING, *OF_PHOTO),
        "its file is missing; restore the file from a backup, or set the photo apart until its file or its "
        "original is back with: dss-search check --repair",
    ),
    (Finding(Fault.INVALID, *OF_PHOTO, detail="damaged header"), f"damaged header; {SET_ASIDE}"),
    (
        Finding(Fault.WRONG_LENGTH, *OF_PHOTO, actual_bytes=3, expected_bytes=9),
        f"its file has 3 bytes instead of 9; {SET_ASIDE}",
    ),
    (Finding(Fault.OTHER_PHOTO, *OF_PHOTO), f"its file is that of another photo; {SET_ASIDE}"),
    (
        Finding(Fault.INVALID, *OF_PHOTO, detail="damaged header", only_copy=True),
        f"damaged header; {RESTORE}; it is kept exactly, so repair leaves it, unless its parity gives it "
        "back: dss-search check --read-data --repair. If you have the photo still, delete that file and "
        "ingest the photo again with --keep exact",
    ),
    (
        Finding(Fault.OUTDATED_ROW, *OF_PHOTO),
        "the catalog describes an earlier file of it, since an ingest was interrupted there; mend it with: "
        "dss-search check --repair",
    ),
    (
        Finding(Fault.UNREADABLE, *OF_PHOTO, detail=f"cannot be read; see with: {Remedy.CHECK}"),
        "cannot be read; see with: dss-search check",
    ),
]


@pytest.mark.parametrize(("finding", "sentence"), SENTENCES, ids=[s[0].what for s in SENTENCES])
def test_findings_of_photos(finding: Finding, sentence: str) -> None:
    assert finding_sentence(finding) == f"photo 3 (/photos/x.jpg): {sentence}"


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (
            Finding(Problem.NO_PHOTO, "/a/ab.dsslic", "ab"),
            "/a/ab.dsslic: no photo of the catalog; ingest its original again to use it, or take it up from "
            "the file alone with: dss-search rebuild",
        ),
        (
            Finding(Problem.LEFTOVER, "/a/.x.tmp"),
            "/a/.x.tmp: left by an interrupted write; the next ingest removes it, or: dss-search check "
            "--repair",
        ),
        (
            Finding(Problem.LEFTOVER, "/a/ab.dsslic", "ab"),
            "/a/ab.dsslic: left by an interrupted emptying of the bin; delete it with: dss-search empty-bin, "
            "or: dss-search check --repair",
        ),
        (
            Finding(Problem.INDEX_DAMAGED, "/a/index/ab.files"),
            "/a/index/ab.files: damaged; it is made anew from the catalog when it is needed, or delete it "
            "with: dss-search check --repair",
        ),
        (
            Finding(Problem.JOURNAL, "/a/journal.jsonl", detail="a line is damaged or missing"),
            "/a/journal.jsonl: a line is damaged or missing; begin it anew from the catalog with: dss-search "
            "check --repair",
        ),
        (
            Finding(Problem.RETURNED, *OF_PHOTO),
            "photo 3 (/photos/x.jpg): its file is back; take it up again with: dss-search check --repair",
        ),
        (
            Finding(Problem.DATABASE, "sqlite:///c", detail="row 3 missing"),
            "sqlite:///c: database damaged: row 3 missing; make it anew with: dss-search rebuild",
        ),
        (
            Finding(Problem.OTHERWISE, "sqlite:///c", photos=2),
            "sqlite:///c: says 2 things otherwise than the journal, whose lines are sound; make it anew from "
            "that with: dss-search rebuild",
        ),
        (
            Finding(Problem.DESCRIBED_OTHERWISE, *OF_PHOTO),
            "photo 3 (/photos/x.jpg): what the catalog says of its label map or colours is not what was "
            "written; make it anew from its file with: dss-search check --repair",
        ),
        (
            Finding(Problem.ROWS_OF_NO_PHOTO, "sqlite:///c"),
            "sqlite:///c: paths or tags of photos that are not there; make it anew with: dss-search rebuild",
        ),
        (
            Finding(Problem.EARLIER_DESCRIPTIONS, "sqlite:///c", photos=1),
            "sqlite:///c: 1 photo was described by an older version; describe all anew with: dss-search "
            "reindex",
        ),
        (
            Finding(Problem.EARLIER_DESCRIPTIONS, "sqlite:///c", photos=2),
            "sqlite:///c: 2 photos were described by an older version; describe all anew with: dss-search "
            "reindex",
        ),
    ],
)
def test_findings_of_the_archive(finding: Finding, sentence: str) -> None:
    assert finding_sentence(finding) == sentence


APART = "the photo is set apart with its tags until the file or the original is back"


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (Finding(Fault.MISSING, *OF_PHOTO), f"photo 3 (/photos/x.jpg): its file was missing; {APART}"),
        *(
            (
                Finding(fault, *OF_PHOTO, detail="damaged header"),
                "photo 3 (/photos/x.jpg): its file was damaged and is set aside as /a/ab.dsslic.damaged; "
                + APART,
            )
            for fault in (Fault.INVALID, Fault.WRONG_LENGTH, Fault.OTHER_PHOTO)
        ),
        (
            Finding(Fault.OUTDATED_ROW, *OF_PHOTO),
            "photo 3 (/photos/x.jpg): its row described an earlier file; written anew from the file",
        ),
        (
            Finding(Problem.DESCRIBED_OTHERWISE, *OF_PHOTO),
            "photo 3 (/photos/x.jpg): what the catalog said of its label map or colours was not what was "
            "written; made anew from its file",
        ),
        (
            Finding(Problem.INDEX_DAMAGED, "/a/index/ab.files"),
            "/a/index/ab.files: damaged; deleted, as it is made anew from the catalog",
        ),
        (
            Finding(Problem.RETURNED, *OF_PHOTO),
            "photo 3 (/photos/x.jpg): its file is back; taken up again",
        ),
        (Finding(Problem.LEFTOVER, "/a/.x.tmp"), "/a/.x.tmp: left by an interrupted write; deleted"),
        (
            Finding(Problem.LEFTOVER, "/a/ab.dsslic", "ab"),
            "/a/ab.dsslic: left by an interrupted emptying of the bin; deleted",
        ),
    ],
)
def test_what_was_mended_is_told_as_done(finding: Finding, sentence: str) -> None:
    assert mended_sentence(finding) == sentence
    assert "dss-search" not in sentence


def test_every_finding_has_its_sentence() -> None:
    assert {finding.what for finding, _ in SENTENCES} == set(Fault)


def test_check_prints_json_and_lines(run, tmp_path: Path):
    with ArchiveFolder(tmp_path / "a").writing(create=True):
        pass
    leftover = tmp_path / "a" / "objects" / "ab" / ".x.tmp"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    orphan = leftover.with_name("ab" * 32 + ".dsslic")
    orphan.write_bytes(b"something")
    expected = [
        {
            "kind": "orphan",
            "subject": "ab" * 32,
            "message": f"{orphan}: no photo of the catalog; ingest its original again to use it, or take it "
            f"up from the file alone with: dss-search rebuild --archive {tmp_path / 'a'}",
            "mended": False,
        },
        {
            "kind": "leftover",
            "subject": str(leftover),
            "message": f"{leftover}: left by an interrupted write; the next ingest removes it, or: "
            f"dss-search check --repair --archive {tmp_path / 'a'}",
            "mended": False,
        },
    ]
    ran = run("check", "--json", "--archive", tmp_path / "a")
    assert (ran.code, ran.json) == (1, expected)
    assert ran.err.splitlines() == [
        f"orphan: {expected[0]['message']}",
        f"leftover: {expected[1]['message']}",
        "2 problems, 0 mended",
    ]
    ran = run("check", "--repair", "--archive", tmp_path / "a")
    assert (ran.code, ran.err.splitlines()[1:]) == (
        1,
        [f"mended: {leftover}: left by an interrupted write; deleted", "2 problems, 1 mended"],
    )


def test_a_catalog_elsewhere_is_not_to_be_made_anew(run, tmp_path: Path):
    """As `rebuild` refuses that."""
    root = tmp_path / "a"
    with ArchiveFolder(root, Manifest(catalog=f"sqlite:///{tmp_path}/c.sqlite")).writing(create=True):
        pass
    orphan = root / "objects" / "ab" / ("ab" * 32 + ".dsslic")
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"something")
    sentence = (
        f"{orphan}: no photo of the catalog; ingest its original again to use it, or restore a state of the "
        "database that knows the photo"
    )
    ran = run("check", "--archive", root)
    assert (ran.code, ran.err.splitlines()) == (1, [f"orphan: {sentence}", "1 problem, 0 mended"])
    assert run("check", "--json", "--archive", root).json[0]["message"] == sentence
    assert "restore that database" in run("rebuild", "--archive", root).message
    damaged = finding_sentence(Finding(Problem.DATABASE, "c", detail="row 3 missing"), own_catalog=False)
    assert damaged == "c: database damaged: row 3 missing; restore that database from its backup"


def test_errors_name_commands(run, tmp_path: Path):
    assert run("query", "sky", "--archive", tmp_path / "none").message == (
        f"dss-search: {tmp_path / 'none'}: no archive there; make one with: dss-search ingest PATH… "
        "--archive DIR"
    )
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    (tmp_path / "x.png").touch()
    ran = run("ingest", tmp_path / "x.png", "--archive", tmp_path / "other")
    assert ran.message == (
        f"dss-search: {tmp_path / 'other'}: holds other files and is not an archive; choose a new or empty "
        "directory with --archive"
    )
