"""stats: all photos, and those of a query."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from dsslic_search import Archive
from dsslic_search.cli.statistics import BAR_CHARACTERS, EMPTY_BIN, LEVELS, bar, sparkline
from dsslic_search.core import vocabulary
from dsslic_search.core.fields import FACTS

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.parametrize("query", ["sky", "no sky", "tag:best", "format:jpeg and portrait"])
def test_statistics_of_a_query_are_those_of_its_photos(run, archive: Path, tmp_path: Path, query: str):
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy)
    run("tag", "add", "best", 1, 2, 5, "--archive", copy)
    found = run("query", query, "--all", "--archive", copy, "--json").json["results"]
    shown = [run("show", r["id"], "--archive", copy, "--json").json for r in found]
    stats = run("stats", query, "--archive", copy, "--json").json
    assert stats["query"] == query
    assert stats["photos"] == len(found) > 0
    for name in ("stored_bytes", "map_bytes"):
        assert stats[name] == sum(s[name] for s in shown)
    assert stats["original_bytes"] == sum(s["file_size"] for s in shown)
    assert stats["pixels"] == sum(s["width"] * s["height"] for s in shown)
    assert stats["formats"] == {"JPEG": len(found)}
    assert stats["tags"].get("best", 0) == sum("best" in s["tags"] for s in shown)
    assert stats["undated"] + sum(stats["months"].values()) == len(found)
    for count in stats["classes"]:
        least = vocabulary.default().classes[vocabulary.default().id_of(count["name"])].presence
        covered = [s["coverage"].get(count["name"], 0) for s in shown]
        having = [coverage for coverage in covered if coverage >= least]
        assert count["photos"] == len(having) == sum(count["histogram"])
        assert count["mean_coverage"] == pytest.approx(sum(having) / len(having) if having else 0, abs=2e-5)
    lines = run("stats", query, "--archive", copy).out
    assert f"{len(found)} photos of: {query}" in lines


def test_every_fact_of_the_registry_is_in_json(run, archive: Path):
    stats = run("stats", "--archive", archive, "--json").json
    shown = run("query", "everything", "--all", "--archive", archive, "--json").json["results"]
    facts = stats["facts"]
    assert list(facts) == [fact.name for fact in FACTS]
    assert facts["width"]["greatest"] == max(each["width"] for each in shown)
    assert facts["brightness"]["photos"] == sum(each["brightness"] is not None for each in shown)
    assert facts["format"] == {"photos": len(shown), "values": {"JPEG": len(shown)}}
    assert facts["word"]["values"] == stats["words"]
    with Archive(archive) as opened:
        assert opened.statistics().facts == {}  # they take their time, so only who asks has them


def test_one_photo_is_one(run, archive: Path):
    assert run("stats", "id:1", "--archive", archive).out.splitlines()[0].endswith(": 1 photo of: id:1")


def test_no_photos_are_counted_as_none(run, archive: Path):
    ran = run("stats", "bus", "--archive", archive)
    assert ran.code == 0
    assert ran.out.endswith("0 photos of: bus\n")
    stats = run("stats", "bus", "--archive", archive, "--json").json
    assert (stats["photos"], stats["stored_bytes"], stats["formats"], stats["months"]) == (0, 0, {}, {})


def test_a_wrong_query_is_explained(run, archive: Path):
    for text in ("skyy", "", "sky and"):
        ran = run("stats", text, "--archive", archive)
        assert ran.code == 2
        assert "Traceback" not in ran.err
        assert ran.out == ""


def test_bars_and_sparklines():
    assert sparkline([0, 1, 4, 8]) == f"{EMPTY_BIN}{LEVELS[0]}{LEVELS[3]}{LEVELS[7]}"
    assert sparkline([1, 1000, 126]) == f"{LEVELS[0]}{LEVELS[7]}{LEVELS[1]}"
    assert bar(10, 10) == "█" * BAR_CHARACTERS
    assert bar(1, 1000) == "█"


def test_months_and_years(capsys: pytest.CaptureFixture[str]):
    from dsslic_search.cli.statistics import _show_months

    _show_months({"2022-12": 1, "2023-01": 2}, 3)
    assert capsys.readouterr().out.splitlines() == [
        "taken",
        f"  2022-12         1  {'█' * 12}",
        f"  2023-01         2  {'█' * 24}",
        "  no date         3",
    ]
    _show_months({f"{year}-{month:02}": 1 for year in (2020, 2021, 2022) for month in range(1, 13)}, 0)
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["2020", "12"],
        ["2021", "12"],
        ["2022", "12"],
    ]


def test_what_is_not_as_it_should_be_is_counted(run, archive: Path, photos: Path, tmp_path: Path):
    place, folder = tmp_path / "copy", tmp_path / "photos"
    shutil.copytree(archive, place)
    assert run("stats", "--archive", place, "--json").json["states"].keys() == {"here"}
    everyone = run("query", "everything", "--all", "--json", "--archive", place).json["results"]
    shutil.copytree(photos, folder)
    assert run("relink", photos, folder, "--archive", place).code == 0
    by_id = {each["id"]: folder / Path(each["path"]).relative_to(photos) for each in everyone}
    by_id[2].unlink()
    shutil.copyfile(next(iter(SAMPLES.glob("*.jpg"))), by_id[4])
    run("sync", folder, "--archive", place)
    run("remove", 1, 3, "--archive", place)
    states = run("stats", "--archive", place, "--json").json["states"]
    assert {state: totals["photos"] for state, totals in states.items()} == {
        "here": len(everyone) - 3,
        "missing": 1,
        "removed": 2,
        "replaced": 1,
    }
    stored = [run("show", number, "--archive", place, "--json").json["stored_bytes"] for number in (1, 3)]
    assert states["removed"]["stored_bytes"] == sum(stored)
    lines = run("stats", "--archive", place).out.splitlines()[1:4]
    assert [line.split(":")[0] for line in lines] == [
        "missing",
        "replaced by later versions",
        "in the bin",
    ]
    assert ": 2 photos, " in lines[2]
    assert run("stats", "sky", "--archive", place, "--json").json["states"] == {}
    later = len(everyone) + 1
    assert "earlier version: #4" in run("show", later, "--archive", place).out.splitlines()
    assert run("show", later, "--archive", place, "--json").json["earlier_versions"] == [4]
    with Archive(place) as archive:
        for written in (f"#{later}", np.int64(later)):
            assert archive.info(written)["earlier_versions"] == [4]
    assert f", replaced by #{later})" in run("show", 4, "--archive", place).out
