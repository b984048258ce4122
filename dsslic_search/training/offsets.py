"""What is added to the scores of single classes, chosen on the calibration part.

Training sees classes that are rare more often than photos show them, and in some sets what people marked
counts for more than what is around it: so a class may be said too far around what is of it, or, as ``other``,
of which each photo shows something else, and poles, hardly ever. The loss, which has the same weights, does
not tell; how far a class overlaps what people marked does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsslic_search.core.vocabulary import OTHER, UNKNOWN
from dsslic_search.networks.segnets import AnySegNet, Together

OFFSETS = (-3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 2.5)
LEAST_PHOTOS = 6  # that show a class, for an offset of it
LEAST_GAIN = 0.02  # of the class's IoU, or of one that is below 0.2, as those of thin things are, a tenth
MOST_LOST = 0.0025  # of the accuracy of all pixels
ELSE = UNKNOWN - 1  # a pixel of which is known that it is of no class that people marked in its photo

Photo = tuple[Tensor, Tensor]
TopTwo = torch.return_types.topk


def chosen(photos: Sequence[Photo], learned: Sequence[Photo] = ()) -> NDArray[np.float32]:
    """The offset of each class, float32 [classes], 0 for most. ``photos``: scores float32 [classes, h, w] and
    what people say, int64 [h, w]: ids, ELSE, or others for unknown. ``learned``: the same of photos that were
    trained on; they tell of classes that too few of the others show, and are rather too sure than not.

    Of each class that enough photos show, the one by which it overlaps what people marked best, the others
    unchanged; taken where that gains enough and costs all pixels little. Nobody asks for ``other``: of that
    one, the one by which all classes do."""
    offsets = torch.zeros(photos[0][0].shape[0])
    for some, told in ((photos, _shown(photos)), (learned, of_learned_alone(photos, learned))):
        likeliest = [scores.topk(2, dim=0) for scores, _ in some] if told else []
        for class_id in told:
            offsets[class_id] = _best(some, likeliest, class_id)
    return offsets.numpy()


def of_learned_alone(photos: Sequence[Photo], learned: Sequence[Photo]) -> list[int]:
    """The classes that enough of the photos show that were trained on, and too few of the others."""
    known = _shown(photos)
    return [class_id for class_id in _shown(learned) if class_id not in known]


def _best(photos: Sequence[Photo], likeliest: Sequence[TopTwo], class_id: int) -> float:
    """The offset of a class. ``likeliest``: of each photo the two greatest scores of each pixel, and which
    classes have them; so no offset needs another look at all classes."""
    before = _counted(photos, likeliest, class_id, 0.0)
    counting = np.flatnonzero(before[:-1].any(1)).tolist() if class_id == OTHER else [class_id]
    least = min(LEAST_GAIN, _overlap(before, class_id) / 10)
    tried = [(0.0, 0.0)]
    for offset in OFFSETS:
        now = _counted(photos, likeliest, class_id, offset)
        lost = _accuracy(before) - _accuracy(now)
        gain = sum(_overlap(now, c) - _overlap(before, c) for c in counting)
        if gain > 0 and gain >= least and lost <= MOST_LOST:
            tried.append((gain, offset))
    return max(tried, key=lambda each: (each[0], -abs(each[1])))[1]


def _shown(photos: Sequence[Photo]) -> list[int]:
    """The classes that enough photos show."""
    counts = torch.zeros(UNKNOWN + 1, dtype=torch.int64)
    for _, truth in photos:
        counts += torch.bincount(truth.flatten(), minlength=UNKNOWN + 1) > 0
    classes = photos[0][0].shape[0] if photos else 0
    return torch.nonzero(counts[:classes] >= LEAST_PHOTOS).flatten().tolist()


def add(net: AnySegNet, offsets: NDArray[np.float32]) -> None:
    """Have a network say its classes with these offsets from now on."""
    for member in net.members if isinstance(net, Together) else [net]:
        member.classifier.bias.data += torch.from_numpy(offsets)  # type: ignore[operator, union-attr]


def _counted(
    photos: Sequence[Photo], likeliest: Sequence[TopTwo], class_id: int, offset: float
) -> NDArray[np.int64]:
    """Pixels of each class that people say (row; the last: ELSE, where a class that they marked is said) by
    the class that is said (column) where one has an offset."""
    classes = photos[0][0].shape[0]
    table = np.zeros((classes + 1, classes), np.int64)
    for (scores, truth), (best, ids) in zip(photos, likeliest, strict=True):
        is_first = ids[0] == class_id
        rival, other = torch.where(is_first, best[1], best[0]), torch.where(is_first, ids[1], ids[0])
        said = other.masked_fill(scores[class_id] + offset > rival, class_id)
        marked = torch.bincount(truth.flatten(), minlength=256)[:classes] > 0
        known = (truth < classes) | ((truth == ELSE) & marked[said])
        rows = truth[known].clamp(max=classes)
        counts = torch.bincount(rows * classes + said[known], minlength=table.size)
        table += counts.numpy().reshape(table.shape)
    return table


def _accuracy(table: NDArray[np.int64]) -> float:
    return float(np.diag(table).sum() / max(1, table[:-1].sum()))


def _overlap(table: NDArray[np.int64], class_id: int) -> float:
    """IoU of a class."""
    right = int(table[class_id, class_id])
    return right / max(1, int(table[class_id].sum() + table[:, class_id].sum()) - right)
