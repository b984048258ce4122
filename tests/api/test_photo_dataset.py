"""Photos of an archive as a dataset of PyTorch."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from dsslic_search import Archive
from dsslic_search.api.photo_dataset import HOLDINGS, PhotoDataset
from dsslic_search.core.errors import StageError, UsageError

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Two colour photos, one of them grey in a file of its own, and one left at its place."""
    folder = tmp_path_factory.mktemp("photos")
    for name, mode in (("picos.jpg", "RGB"), ("sunset.jpg", "L")):
        picture = Image.open(SAMPLES / name).convert(mode)
        picture.thumbnail((160, 160))
        picture.save(folder / name)
    with Archive(tmp_path_factory.mktemp("archives") / "a") as opened:
        opened.ingest([folder])
        yield opened


def test_an_item_holds_what_the_archive_shows(archive: Archive) -> None:
    dataset = archive.dataset("everything, sort:id", HOLDINGS)
    assert (len(dataset), dataset.ids) == (2, (1, 2))
    for item in dataset:
        photo = archive.photo(item["id"])
        assert list(item) == list(HOLDINGS)
        assert {type(key) for key in item} == {str}
        assert item["path"] == photo.path
        labels = archive.label_map(photo.id)
        np.testing.assert_array_equal(item["map"], labels)
        for stage in ("compact", "coarse", "full"):
            shown = np.asarray(archive.preview(photo.id, stage).image.convert("RGB"))
            np.testing.assert_array_equal(item[stage].permute(1, 2, 0), shown)
        assert item["full"].shape == (3, photo.height, photo.width)
        known = archive.info(photo.id)
        named = dict(zip(dataset.classes, item["coverages"].tolist(), strict=True))
        assert {n: v for n, v in named.items() if v} == pytest.approx(known["coverage"])
        words = dict(zip(dataset.words, item["words"].tolist(), strict=True))
        assert {n: round(v, 3) for n, v in words.items() if v} == pytest.approx(known["words"])
    whole = archive.dataset("id:1", "map", size="photo")[0]["map"]
    assert whole.shape == (archive.photo(1).height, archive.photo(1).width)


def test_it_goes_to_workers_and_through_pickle(archive: Archive) -> None:
    dataset = archive.dataset("everything, sort:id", ("id", "coverages"), transform=_as_pair)
    _ = dataset[0]  # opened here, before workers are forked
    [batch] = DataLoader(dataset, batch_size=2, num_workers=1)
    assert batch[0].tolist() == [1, 2]
    assert batch[1].sum(1) == pytest.approx(torch.ones(2), abs=1e-5)
    again = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(again[1][1], dataset[1][1])
    again.close()
    assert torch.equal(again[1][1], dataset[1][1])


def test_what_it_opened_is_closed_when_it_goes(archive: Archive) -> None:
    opened: list[Archive] = []

    def again() -> Archive:
        opened.append(Archive(archive.folder.root))
        return opened[0]

    dataset = PhotoDataset(again, [1], ["id"])
    assert dataset[0] == {"id": 1}
    assert {"_lookup", "catalog"} & set(vars(opened[0]))
    del dataset
    assert not {"_lookup", "catalog"} & set(vars(opened[0]))


def _as_pair(item: dict) -> tuple:
    return item["id"], item["coverages"]


def test_what_no_item_can_hold_is_told(archive: Archive) -> None:
    with pytest.raises(UsageError, match='cannot hold "maps": did you mean map'):
        archive.dataset("everything", ["maps"])
    with pytest.raises(IndexError):
        archive.dataset("everything", "id")[2]


def test_stages_that_a_photo_has_not_are_told(archive: Archive, tmp_path: Path) -> None:
    odd = tmp_path / "odd.jpg"
    odd.write_bytes((SAMPLES / "picos.jpg").read_bytes()[:300])
    with Archive(tmp_path / "a") as other:
        other.ingest([odd], keep="exact", even_undecoded=True)
        with pytest.raises(StageError):
            other.dataset("everything", "map")[0]
