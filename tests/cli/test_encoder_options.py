"""What encode and ingest may be asked for, and what info tells of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive, decode, encode
from dsslic_search.api import coding
from dsslic_search.archive.schema import Photo
from dsslic_search.codec import container
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.core.settings import LOSSLESS

FAST = ("--effort", 1)
SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small, as it is encoded some ninety times, and often decoded."""
    path = tmp_path_factory.mktemp("photo") / "dogs.jpg"
    with Image.open(SAMPLES / path.name) as opened:
        opened.thumbnail((120, 120))
        opened.save(path, quality=92)
    return path


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        return np.array(opened.convert("RGB"))


def shown_class(photo: Path) -> str:
    """The class that the photo shows most of."""
    labels = np.asarray(decode(encode(photo, quality=5, effort=1), "map"))
    return vocabulary.default().classes[int(np.bincount(labels.reshape(-1)).argmax())].name


def test_lossless_is_the_photo(run, photo: Path, tmp_path: Path):
    out = tmp_path / "p.dsslic"
    assert run("encode", photo, out, "--quality", "lossless", *FAST).code == 0
    assert run("decode", out, tmp_path / "p.png").code == 0
    assert np.array_equal(pixels(tmp_path / "p.png"), pixels(photo))
    ran = run("info", out)
    assert "keep mode layers, lossless" in ran.out
    assert "lossless: the photo itself as JPEG XL" in ran.out
    described = run("info", out, "--json").json
    assert described["residual"] == {"codec": 3, "kind": "jpeg-xl", "lossless": True}
    assert described["quality"] == LOSSLESS
    assert (
        out.read_bytes()
        == encode(photo, quality="lossless", effort=1)
        == encode(photo, quality=LOSSLESS, effort=1)
    )


@pytest.mark.parametrize(
    ("options", "largest"),
    [
        (("--bpp", 0.5), None),
        (("--max-bytes", "2.5k"), 2500),
        (("--max-bytes", 3000), 3000),
        (("--psnr", 33), None),
    ],
)
def test_targets_are_met(run, photo: Path, tmp_path: Path, options, largest):
    out = tmp_path / "p.dsslic"
    assert run("encode", photo, out, *options, *FAST).code == 0
    wanted = pixels(photo)
    if options[0] == "--psnr":
        error = np.square(np.asarray(decode(out.read_bytes())).astype(float) - wanted).mean()
        assert 33 <= 10 * np.log10(255**2 / error) < 35
    else:
        most = largest or 0.5 * wanted.size / 3 / 8
        assert 0.7 * most < out.stat().st_size <= most


def test_importances_are_taken_by_word_and_told_by_name(run, photo: Path, tmp_path: Path):
    out, name = tmp_path / "p.dsslic", shown_class(photo)
    assert run("encode", photo, out, "--importance", f"{name}=0.25", *FAST).code == 0
    ran = run("info", out)
    assert f"importance: residual of {name} ×0.50, others ×1.00" in ran.out
    assert "trust in the coarse image 1.00" in ran.out
    assert "the picture depends on FineNet" in ran.out
    assert run("info", out, "--json").json["residual"]["gains"] == {name: 0.5, "others": 1.0}
    ran = run("encode", photo, out, "--importance", "persn=4")
    assert ran.code == 2
    assert 'did you mean "person"' in ran.message


def test_stage_coarse_and_keep_coarse_are_one(run, photo: Path, tmp_path: Path):
    first, second = tmp_path / "1.dsslic", tmp_path / "2.dsslic"
    assert run("encode", photo, first, "--stage", "coarse").code == 0
    assert run("encode", photo, second, "--keep", "coarse").code == 0
    assert first.read_bytes() == second.read_bytes() == encode(photo, keep="coarse")
    header = container.read(first.read_bytes()).header
    assert header.keep == "coarse"
    assert f"depends on FineNet {header.finenet}" in run("info", first).out
    assert run("info", first, "--json").json["residual"] is None
    assert run("decode", first, tmp_path / "p.png").code == 0  # the best there is
    assert np.array_equal(pixels(tmp_path / "p.png"), np.asarray(decode(first.read_bytes(), "coarse")))
    ran = run("decode", first, tmp_path / "full.png", "--stage", "full")
    assert ran.code == 1
    assert "made without a residual" in ran.message


def test_info_tells_how_the_residual_is_coded(run, photo: Path, tmp_path: Path):
    out = tmp_path / "p.dsslic"
    assert run("encode", photo, out).code == 0
    described = run("info", out, "--json").json["residual"]
    assert (described["codec"], described["kind"], described["gains"], described["lossless"]) == (
        2,
        "bpg",
        None,
        False,
    )
    assert np.shape(described["colour_axes"]) == (3, 3)
    text = run("info", out).out
    assert "along the photo's own colour axes" in text
    assert ("restoration: strength" in text) == (described["restoration"] is not None)
    first = Path(__file__).parents[1] / "data" / "golden" / "first"
    assert "residual: BPG (codec 1)" in run("info", first / "dogs.q30.dsslic").out
    assert "codec 1" not in run("info", first / "dogs.exact.dsslic").out


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--quality", 101), "nor lossless"),
        (("--quality", "best"), "nor lossless"),
        (("--effort", 10), "effort 10"),
        (("--bpp", 1, "--psnr", 30), "exclude each other"),
        (("--quality", 75, "--max-bytes", "9k"), "exclude each other"),
        (("--bpp", -1), "cannot be met"),
        (("--max-bytes", "9q"), "not a number of bytes"),
        (("--max-bytes", "k"), "not a number of bytes"),
        (("--psnr", 95), "no quality from 1 to 100 gives this photo 95 dB; try --quality lossless"),
        (("--max-bytes", 50), "no quality from 1 to 100 gives this photo 50 bytes"),
        (("--stage", "coarse", "--keep", "exact"), "does not go with --keep exact"),
        (("--stage", "map"), "not one of: coarse, full"),
        (("--keep", "exact", "--bpp", 1), "has no residual"),
        (("--quality", "lossless", "--importance", "sky=2"), "every pixel is exact"),
        (("--importance", "sky"), "person=4,sky=0.25"),
        (("--tune", "vmaf"), 'tune "vmaf" is not one of: psnr, ssim'),
        (("--importance", "sky=1000"), "importances are numbers from"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(run, photo: Path, tmp_path: Path, options, reason):
    ran = run("encode", photo, tmp_path / "p.dsslic", *options)
    assert ran.code == 2
    assert reason in ran.message
    assert not (tmp_path / "p.dsslic").exists()


def test_the_library_takes_the_same(photo: Path):
    assert encode(photo, bpp=0.5, effort=1) == encode(
        photo, quality=container.read(encode(photo, bpp=0.5, effort=1)).header.quality, effort=1
    )
    name = shown_class(photo)
    assert encode(photo, quality=30, effort=1, importance={name: 0.5}) != encode(photo, quality=30, effort=1)
    assert encode(np.asarray(Image.open(photo)), keep="coarse") == encode(photo, keep="coarse")
    with pytest.raises(UsageError, match="exclude each other"):
        encode(photo, bpp=1, psnr=30)
    with pytest.raises(UsageError, match="quality best"):
        encode(photo, quality="best")
    with pytest.raises(UsageError, match='called "nothing much"'):
        coding.encode_options(importance={"nothing much": 2})


def rows(place: Path) -> dict[str, Photo]:
    with Archive(place) as opened, opened.catalog.session() as session:
        return {Path(p.path).stem: p for p in session.query(Photo)}


def test_ingest_takes_the_same_and_lists_photos_that_cannot_meet_a_target(run, photo: Path, tmp_path: Path):
    folder, place = tmp_path / "photos", tmp_path / "archive"
    folder.mkdir()
    (folder / "dogs.jpg").write_bytes(photo.read_bytes())
    Image.new("RGB", (40, 30), (90, 120, 200)).save(folder / "plain.png")
    ran = run("ingest", folder, "--archive", place, "--psnr", 70, *FAST)
    assert ran.code == 3
    assert "dogs.jpg: no quality from 1 to 100 gives this photo 70 dB; try --quality lossless" in ran.err
    assert set(rows(place)) == {"plain"}
    assert run("ingest", folder, "--archive", place, "--max-bytes", "6k", *FAST).code == 0
    kept = rows(place)["dogs"]
    assert 4000 < kept.stored_bytes <= 6000
    assert 1 <= kept.quality <= 100
    # What is there is left alone unless another quality or keep mode is asked for.
    for options in (
        ("--psnr", 30),
        ("--quality", kept.quality, "--effort", 3),
        ("--quality", kept.quality, "--importance", "sky=4"),
        ("--quality", kept.quality, "--tune", "ssim"),
    ):
        assert run("ingest", folder / "dogs.jpg", "--archive", place, "--json", *options).json["present"] == 1
    assert (
        run("ingest", folder, "--archive", place, "--quality", "lossless", "--json", *FAST).json["updated"]
        == 2
    )
    assert rows(place)["dogs"].quality == LOSSLESS
    shown = run("show", kept.id, "--archive", place)
    assert "keep mode layers, lossless" in shown.out
    assert run("ingest", folder, "--archive", place, "--stage", "coarse", "--json").json["updated"] == 2
    assert (
        run("ingest", folder, "--archive", place, "--keep", "coarse", "--quality", 30, "--json").json[
            "updated"
        ]
        == 2
    )
    assert {p.keep for p in rows(place).values()} == {"coarse"}
    assert run("check", "--read-data", "--archive", place).code == 0


def test_photos_kept_exactly_stay_so_whatever_is_asked_for(run, photo: Path, tmp_path: Path):
    place = tmp_path / "archive"
    assert run("ingest", photo, "--archive", place, "--keep", "exact").code == 0
    for options in (
        ("--quality", "lossless"),
        ("--bpp", 1),
        ("--importance", "sky=2"),
        ("--tune", "ssim"),
        ("--stage", "coarse"),
    ):
        ran = run("ingest", photo, "--archive", place, *options)
        assert ran.code == 0
        assert "kept exactly already" in ran.err
    assert rows(place)["dogs"].keep == "exact"
