"""Archives, answers and photos in notebooks: they show themselves, have a length, and become tables."""

from __future__ import annotations

import base64
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.core.errors import MissingExtraError, NotThereError, UsageError

SAMPLES = Path(__file__).parents[2] / "samples"
NAME = '"><script>alert(1)</script>.jpg'


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Three real photos, one under a name that is markup."""
    folder = tmp_path_factory.mktemp("photos")
    for name, to in (("picos.jpg", NAME), ("sunset.jpg", "sunset.jpg"), ("bridge.jpg", "bridge.jpg")):
        picture = Image.open(SAMPLES / name)
        picture.thumbnail((160, 160))
        picture.save(folder / to.replace("/", "_"), "JPEG")
    with Archive(tmp_path_factory.mktemp("archives") / "a") as opened:
        opened.ingest([folder], keep="exact")
        yield opened


def pictures_in(html: str) -> list[Image.Image]:
    return [
        Image.open(io.BytesIO(base64.b64decode(data)))
        for data in re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    ]


def test_an_archive_is_a_collection_of_photos(archive: Archive) -> None:
    assert len(archive) == 3
    assert sorted(photo.id for photo in archive) == [1, 2, 3]
    assert archive[2].info["id"] == archive["#2"].id == 2  # type: ignore[index]
    assert (1 in archive, 9 in archive, "x" in archive) == (True, False, False)
    assert archive[1].original == archive.original(1)
    assert archive[1].preview("map").stage == "map"
    with pytest.raises(NotThereError):
        archive[9]
    archive.remove([3])
    assert len(archive) == 2
    assert [photo.id for photo in archive if photo.id == 3] == []
    archive.restore(None)


def test_an_archive_without_photos_is_one(tmp_path: Path) -> None:
    assert Archive(tmp_path / "none")


def test_answers_have_a_length_and_are_gone_through(archive: Archive) -> None:
    answer = archive.query("sky", limit=1)
    assert len(answer) == 1 < answer.total
    assert [hit.id for hit in answer] == [answer.hits[0].id]
    nothing = archive.query("sky and no sky")
    assert len(nothing) == 0
    assert nothing


def test_answers_become_tables_with_the_same_columns(archive: Archive) -> None:
    answer = archive.query("sky and >1% mountain", limit=None)
    frame, table = answer.to_pandas(), answer.to_arrow()
    assert list(frame.columns) == table.column_names
    assert len(frame) == table.num_rows == len(answer)
    assert frame["id"].tolist() == table["id"].to_pylist() == [hit.id for hit in answer]
    assert frame["coverage_sky"].tolist() == [hit.coverage["sky"] for hit in answer]
    assert str(frame["taken"].dtype).startswith("datetime64")
    assert str(frame["width"].dtype) == "int64"
    assert str(frame["iso"].dtype) == "float64"
    none = archive.query("sky and no sky")
    assert len(none.to_pandas()) == none.to_arrow().num_rows == 0
    assert list(none.to_pandas().columns) == none.to_arrow().column_names


def test_a_table_of_a_query_has_what_is_asked_for(archive: Archive) -> None:
    every, some = archive.table("everything"), archive.table("sky", ["id", "facts"])
    assert every.num_rows == 3
    assert {"regions", "tags", "hash", "count_sky", "coverage_sky", "added"} <= set(every.column_names)
    assert every["hash"].to_pylist() == [archive.info(i)["content_hash"] for i in every["id"].to_pylist()]
    assert some.column_names[:2] == ["id", "taken"]
    answer = archive.query("sky", limit=None)
    polars, pandas = answer.to_polars(["all"]), answer.to_pandas(["all"])
    assert polars.columns == list(pandas.columns) == every.column_names
    assert polars["regions"].to_list() == [archive.info(hit.id)["regions"] for hit in answer]
    assert pandas["count_sky"].tolist() == polars["count_sky"].to_list()
    with pytest.raises(UsageError, match="no column is called"):
        archive.table("sky", ["nothing"])


def test_without_the_packages_one_sentence_says_what_to_install(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = archive.query("sky")
    for package, method in (
        ("pandas", answer.to_pandas),
        ("pyarrow", answer.to_arrow),
        ("polars", answer.to_polars),
    ):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingExtraError, match="pip install"):
            method()


def test_everything_shows_itself(archive: Archive) -> None:
    answer = archive.query("everything")
    html = answer._repr_html_()
    assert len(pictures_in(html)) == 3
    assert "3 photos" in html
    assert "sky" in archive._repr_html_()
    for photo in archive:
        shown = photo._repr_html_()
        [picture] = pictures_in(shown)
        assert picture.size == archive.preview(photo.id, "compact").image.size
        assert "<td>shows</td>" in shown
    for stage in ("map", "full"):
        preview = archive.preview(1, stage)
        drawn = Image.open(io.BytesIO(preview._repr_png_()))
        assert drawn.convert("RGB").tobytes() == preview.image.convert("RGB").tobytes()


def test_names_are_text(archive: Archive) -> None:
    shown = [archive.query("everything")._repr_html_(), *(photo._repr_html_() for photo in archive)]
    told = "".join(shown)
    assert "<script" not in told
    assert "&lt;script&gt;" in told
    assert 'title="&' not in told or "&quot;&gt;" in told


def test_a_photo_without_a_picture_shows_what_is_known(archive: Archive) -> None:
    path = archive.stored_path(2)
    data = path.read_bytes()
    path.unlink()
    try:
        html = archive.query("id:2")._repr_html_()
        assert "#2" in html
        assert not pictures_in(html)
    finally:
        path.write_bytes(data)
