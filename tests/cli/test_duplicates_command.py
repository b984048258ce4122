"""duplicates, on real photos that were altered as people and programs alter them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance

from dsslic_search import Archive
from dsslic_search.cli.lines import shown_path
from tests import painted

SAMPLES = Path(__file__).parents[2] / "samples"
NAMES = ("picos", "dogs", "sunset")
OTHERS = 8
COPIES = ("small", "poor", "bright", "cut")


def alter(picture: Image.Image, folder: Path, name: str) -> None:
    width, height = picture.size
    picture.save(folder / f"{name}.jpg", quality=95)
    picture.resize((width // 2, height // 2)).save(folder / f"{name}-small.png")
    picture.save(folder / f"{name}-poor.jpg", quality=30)
    ImageEnhance.Brightness(picture).enhance(1.3).save(folder / f"{name}-bright.jpg")
    picture.crop((width // 50, 0, width - width // 50, height - height // 25)).save(
        folder / f"{name}-cut.jpg"
    )


@pytest.fixture(scope="module")
def place(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of three pictures, each in five versions, of eight others, and of one of these mirrored.
    What they show has no part in whether they are the same, so that SegNet is not asked."""
    folder = tmp_path_factory.mktemp("altered")
    for path in photos.rglob("*.jpg"):  # in which other tests' archives have looked for things, too
        if path.stem in NAMES:
            alter(Image.open(SAMPLES / path.name).convert("RGB").reduce(2), folder, path.stem)
        else:
            shutil.copy(path, folder)
    with Image.open(folder / "bridge.jpg") as bridge:
        bridge.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "bridge-mirrored.jpg")
    archive = tmp_path_factory.mktemp("archive") / "a"
    with Archive(archive) as opened:
        report = opened.ingest([folder], keep="reference", effort=1, segmenter=painted.COARSE)
    assert report.added == 5 * len(NAMES) + OTHERS + 1
    return archive


def names(group: list[dict]) -> list[str]:
    return [Path(copy["path"]).stem for copy in group]


def test_every_copy_is_found_and_nothing_else(run, place: Path):
    ran = run("duplicates", "--archive", place, "--json")
    assert ran.code == 0
    found = {names(group)[0].split("-")[0]: set(names(group)) for group in ran.json["groups"]}
    assert found == {name: {name, *(f"{name}-{how}" for how in COPIES)} for name in NAMES}
    assert ran.json["photos"] == 5 * len(NAMES) + OTHERS + 1
    assert ran.json["failed"] == []
    surest = [max(copy["likeness"] for copy in group) for group in ran.json["groups"]]
    assert surest == sorted(surest, reverse=True)
    for group in ran.json["groups"]:
        sizes = [(copy["width"] * copy["height"], copy["bytes"]) for copy in group]
        assert sizes == sorted(sizes, reverse=True)
        assert all(0.65 <= copy["likeness"] <= 1 and not copy["mirrored"] for copy in group)
    assert f"{len(NAMES)} groups; beside the first of each, {4 * len(NAMES)} photos" in ran.message


def test_mirror_images_are_found_when_asked_for(run, place: Path):
    plain, mirrored = (
        run("duplicates", "--archive", place, "--json", *more).json["groups"]
        for more in ((), ("--mirrored",))
    )
    assert len(mirrored) == len(plain) + 1
    (new,) = [group for group in mirrored if any(name.endswith("-mirrored") for name in names(group))]
    assert set(names(new)) == {"bridge", "bridge-mirrored"}
    assert all(copy["mirrored"] for copy in new)
    assert "(mirrored)" in run("duplicates", "--archive", place, "--mirrored").out


def test_lines_for_people(run, place: Path):
    ran = run("duplicates", "--archive", place)
    blocks = [block.splitlines() for block in ran.out.strip().split("\n\n")]
    assert [len(block) for block in blocks] == [5] * len(NAMES)
    assert all(line.startswith("#") and line.endswith((".jpg", ".png")) for block in blocks for line in block)


def test_a_higher_threshold_finds_less(run, place: Path):
    groups = run("duplicates", "--archive", place, "--threshold", 0.995, "--json").json["groups"]
    assert sum(map(len, groups)) < 5 * len(NAMES)
    assert all(copy["likeness"] >= 0.995 for group in groups for copy in group)
    assert run("duplicates", "--archive", place, "--threshold", 1).message == "no duplicates"


@pytest.mark.parametrize("threshold", ["0.4", "1.1", "-1", "nan", "much"])
def test_impossible_thresholds(run, place: Path, threshold: str):
    ran = run("duplicates", "--archive", place, "--threshold", threshold)
    assert ran.code == 2
    assert "threshold" in ran.message


def test_only_the_bytes_up_to_the_compact_image_are_read_and_only_once(
    run, place: Path, tmp_path: Path, monkeypatch
):
    from dsslic_search.archive.store import Store

    copy = tmp_path / "copy"
    shutil.copytree(place, copy)
    shutil.rmtree(copy / "index")
    furthest: dict[str, int] = {}
    read_prefix = Store.read_prefix

    def watched(self: Store, content_hash: str, n: int, *, start: int = 0) -> bytes:
        furthest[content_hash] = max(n, furthest.get(content_hash, 0))
        return read_prefix(self, content_hash, n, start=start)

    monkeypatch.setattr(Store, "read_prefix", watched)
    monkeypatch.setattr(Store, "read", None)
    first = run("duplicates", "--archive", copy, "--json").json
    with Archive(copy) as opened:
        seen = dict(furthest)
        assert len(seen) == first["photos"]
        for photo_id in opened.ids(50):
            photo = opened.photo(photo_id)
            assert seen[photo.content_hash] == opened.contents(photo).stage_bytes("compact")
    furthest.clear()
    assert run("duplicates", "--archive", copy, "--json").json == first
    assert not furthest


def test_a_damaged_file_is_named_and_the_rest_is_found(run, place: Path, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(place, copy)
    shutil.rmtree(copy / "index")
    with Archive(copy) as opened:
        photos = {Path(opened.photo(i).path).stem: opened.photo(i) for i in opened.ids(50)}
        victim = opened.folder.store.path_of(photos["picos-small"].content_hash)
    victim.write_bytes(b"damage" * 200)
    ran = run("duplicates", "--archive", copy, "--json")
    assert ran.code == 3
    assert f"skipped: photo {photos['picos-small'].id}: " in ran.err
    assert [failed["id"] for failed in ran.json["failed"]] == [photos["picos-small"].id]
    assert sum(map(len, ran.json["groups"])) == 5 * len(NAMES) - 1


def test_an_archive_without_photos_twice(run, archive: Path, tmp_path: Path):
    assert run("duplicates", "--archive", archive).message == "no duplicates"
    ran = run("duplicates", "--archive", tmp_path / "nowhere")
    assert ran.code == 1
    assert "dss-search ingest" in ran.message


@pytest.fixture
def copied(run, archive: Path, photos: Path, tmp_path: Path) -> tuple[Path, list[Path]]:
    """A copy of the archive, in which one photo lies at a path more, and a link to that at another."""
    place = tmp_path / "copy"
    shutil.copytree(archive, place)
    original = min(photos.glob("*.jpg"))
    copy, link = tmp_path / "x.jpg", tmp_path / "y.jpg"
    shutil.copyfile(original, copy)
    link.hardlink_to(copy)
    assert "(2 copies)" in run("ingest", copy, link, "--archive", place).err
    return place, [original, copy, link]


def test_byte_identical_copies_are_listed_with_what_they_take(run, copied: tuple[Path, list[Path]]):
    place, paths = copied
    size = paths[0].stat().st_size
    ran = run("duplicates", "--exact", "--archive", place, "--json")
    (group,) = ran.json["groups"]
    assert [each["path"] for each in group["paths"]] == list(map(str, paths))
    assert [each["same_file_as"] for each in group["paths"]] == [None, None, str(paths[1])]
    assert (group["bytes"], group["to_be_had"], ran.json["to_be_had"]) == (size, size, size)
    assert ran.message.startswith("1 group; 1 copy takes ")
    lines = run("duplicates", "--exact", "--archive", place).out.splitlines()
    shown = [shown_path(str(path)) for path in paths]
    assert lines[0].startswith(f"#{group['id']} ")
    assert "3 copies of" in lines[0]
    assert [line.strip() for line in lines[1:]] == [*shown[:2], f"{shown[2]}  (link)"]
    assert "1 byte-identical copy beside these" in run("duplicates", "--archive", place).message


def test_copies_that_are_gone_or_changed_are_marked(run, copied: tuple[Path, list[Path]]):
    place, (_, copy, link) = copied
    copy.unlink()
    link.write_bytes(b"something else")
    ran = run("duplicates", "--exact", "--archive", place)
    assert [line.partition("  (")[2] for line in ran.out.splitlines()[-2:]] == [
        "not there)",
        "changed since: dss-search sync)",
    ]
    assert ran.message == "1 group; 0 copies take 0 B beside the first of each"


def test_exact_copies_where_there_are_none_and_with_options_that_say_nothing(run, archive: Path):
    ran = run("duplicates", "--exact", "--archive", archive)
    assert (ran.code, ran.message) == (0, "no byte-identical copies")
    for more in (("--threshold", 0.9), ("--mirrored",)):
        ran = run("duplicates", "--exact", *more, "--archive", archive)
        assert ran.code == 2
        assert "--exact is about identical bytes" in ran.message


def test_photos_without_colour_are_compared_too(run, tmp_path: Path):
    folder = tmp_path / "photos"
    folder.mkdir()
    grey = Image.open(SAMPLES / "picos.jpg").convert("L").reduce(2)
    grey.save(folder / "grey.png")
    grey.save(folder / "poor.jpg", quality=40)
    Image.open(SAMPLES / "fig.jpg").convert("L").reduce(2).save(folder / "other.png")
    assert run("ingest", folder, "--archive", tmp_path / "a", "--keep", "coarse", "--effort", 1).code == 0
    (group,) = run("duplicates", "--archive", tmp_path / "a", "--json").json["groups"]
    assert sorted(names(group)) == ["grey", "poor"]
