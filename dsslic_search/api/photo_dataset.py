"""Photos of an archive as a dataset of PyTorch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from dsslic_search.core.errors import UsageError
from dsslic_search.core.kinds import Stage
from dsslic_search.core.text import closest, did_you_mean, quoted

if TYPE_CHECKING:
    from dsslic_search.api.showing import Preview
    from dsslic_search.archive.schema import Photo
    from dsslic_search.core.vocabulary import Vocabulary

PICTURES = (Stage.COMPACT, Stage.COARSE, Stage.FULL)
HOLDINGS = ("id", "path", *map(str, Stage), "coverages", "words")
"""What an item may hold, see `PhotoDataset`; plain text, as an item's keys are read and printed."""


class Photos(Protocol):
    """What a dataset needs of an archive; see `api.archive.Archive`."""

    vocabulary: Vocabulary

    def photo(self, photo_id: int) -> Photo:
        """Its row."""

    def label_map(self, photo_id: int, size: str) -> NDArray[np.uint8]:
        """Its label map."""

    def progressive(self, photo_id: int, stages: Sequence[str]) -> Iterator[Preview]:
        """Some stages."""

    def close(self) -> None:
        """At the end."""


class PhotoDataset(Dataset[dict[str, Any]]):
    """Photos by number, as a query found them when the dataset was made (`Archive.dataset`).

    An item is a dict of what was chosen of `HOLDINGS`, in that order:

    - ``id``, ``path``: int, and where the original lay when it was ingested, as text;
    - ``map``: uint8 [h, w] of the archive's class ids, by people where they labelled the photo, with ``size``
      "map" at the scale at which it is coded, with "photo" at the photo's;
    - ``compact``, ``coarse``, ``full``: uint8 [3, h, w] sRGB, grey photos too, opacity left out;
    - ``coverages``: float32 [classes], the share of each class, in the order of `classes`;
    - ``words``: float32 [words], the probability of each image word, in the order of `words`, 0 for those
      that are not stored; all NaN where the file has none.

    ``transform`` is given each item and returns what is handed out. Photos are of many sizes: batches need a
    transform that makes them one, or a ``collate_fn`` that leaves them. Items raise what `Archive.preview`
    does. It can be pickled as long as ``transform`` can, and each process opens the archive for itself, so
    that it goes to the workers of a DataLoader however these start."""

    _opened: tuple[int, Photos] | None = None

    def __init__(
        self,
        archive: Callable[[], Photos],
        ids: Sequence[int],
        holds: Sequence[str],
        *,
        size: str = "map",
        transform: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        """Of the photos of ``ids`` in what ``archive``, which can be pickled, opens. UsageError for what no
        item can hold."""
        self.archive = archive
        self.ids = tuple(map(int, ids))
        self.holds = holdings(holds)
        self.size, self.transform = size, transform

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, number: int) -> Any:
        archive = self._archive()
        photo = archive.photo(self.ids[number])
        item: dict[str, Any] = {}
        wanted = [Stage(name) for name in self.holds if name in PICTURES]
        pictures: Mapping[str, Any] = (
            {shown.stage: shown.image for shown in archive.progressive(photo.id, wanted)} if wanted else {}
        )
        for name in self.holds:
            match name:
                case "id":
                    item[name] = photo.id
                case "path":
                    item[name] = photo.path
                case "map":
                    item[name] = torch.from_numpy(archive.label_map(photo.id, self.size))
                case "coverages":
                    item[name] = torch.from_numpy(_coverages(photo, len(archive.vocabulary)))
                case "words":
                    item[name] = torch.from_numpy(_words(photo.stored_words))
                case _:
                    item[name] = torch.from_numpy(
                        np.asarray(pictures[name].convert("RGB")).transpose(2, 0, 1).copy()
                    )
        return item if self.transform is None else self.transform(item)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, by the ids that maps hold."""
        return tuple(c.name for c in self._archive().vocabulary.classes)

    @property
    def words(self) -> tuple[str, ...]:
        """The image words, by their place in ``words``."""
        from dsslic_search.core.wordnet import image_words

        table = image_words()
        return tuple(table.name_of_leaf(number) for number in range(len(table.leaves)))

    def close(self) -> None:
        """Release what this process has opened; the next item opens it again."""
        if self._opened is not None and self._opened[0] == os.getpid():
            self._opened[1].close()
        self._opened = None

    def __del__(self) -> None:
        self.close()  # whoever reads items does not know that something was opened

    def _archive(self) -> Photos:
        """The archive, opened by this process: what a forked one was left by its parent is not its own."""
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = os.getpid(), self.archive()
        return self._opened[1]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}


def holdings(names: Sequence[str]) -> tuple[str, ...]:
    """Those of `HOLDINGS` that are named, in its order. UsageError for another name, and for none."""
    for name in names:
        if name not in HOLDINGS:
            close = closest(name, HOLDINGS)
            more = did_you_mean(close) if close else f"there are {', '.join(HOLDINGS)}"
            raise UsageError(f"an item of a dataset cannot hold {quoted(name)}: {more}")
    if not names:
        raise UsageError(f"say what an item of the dataset holds: some of {', '.join(HOLDINGS)}")
    return tuple(name for name in HOLDINGS if name in names)


def _coverages(photo: Photo, classes: int) -> NDArray[np.float32]:
    found = np.zeros(classes, np.float32)
    for each in photo.coverages:
        found[each.class_id] = each.fraction
    return found


def _words(stored: bytes | None) -> NDArray[np.float32]:
    from dsslic_search.features.image_words import LEAVES, PARTS, ImageWords

    if stored is None:
        return np.full(LEAVES, np.nan, np.float32)
    found = np.zeros(LEAVES, np.float32)
    for leaf, parts in ImageWords.from_bytes(stored).words:
        found[leaf] = parts / PARTS
    return found
