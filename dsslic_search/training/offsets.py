"""What is added to the scores of single classes, chosen on the calibration part.

Training sees classes that are rare more often than photos show them, and in some sets what people marked
counts for more than what is around it: so a class may be said too far around what is of it. The loss, which
has the same weights, does not tell; how far a class overlaps what people marked does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsslic_search.core.vocabulary import UNKNOWN
from dsslic_search.networks.segnets import AnySegNet, Together

OFFSETS = (-3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.5, 1.0)
LEAST_PHOTOS = 8  # that show a class, for an offset of it
LEAST_GAIN = 0.02  # of the class's IoU
MOST_LOST = 0.0025  # of the accuracy of all pixels
ELSE = UNKNOWN - 1  # a pixel of which is known that it is of no class that people marked in its photo

Photo = tuple[Tensor, Tensor]


def chosen(photos: Sequence[Photo]) -> NDArray[np.float32]:
    """The offset of each class, float32 [classes], 0 for most. ``photos``: scores float32 [classes, h, w] and
    what people say, int64 [h, w]: ids, ELSE, or others for unknown.

    Of each class that enough photos show, the one by which it overlaps what people marked best, the others
    unchanged; taken where that gains enough and costs all pixels little."""
    classes = photos[0][0].shape[0]
    offsets = torch.zeros(classes)
    shown = torch.stack([torch.bincount(t.flatten(), minlength=256)[:classes] > 0 for _, t in photos]).sum(0)
    before = _counted(photos, offsets)
    for class_id in torch.nonzero(shown >= LEAST_PHOTOS).flatten().tolist():
        tried = []
        for offset in OFFSETS:
            moved = torch.zeros(classes)
            moved[class_id] = offset
            now = _counted(photos, moved)
            lost = _accuracy(before) - _accuracy(now)
            gain = _overlap(now, class_id) - _overlap(before, class_id)
            if gain >= LEAST_GAIN and lost <= MOST_LOST:
                tried.append((gain, offset))
        if tried:
            offsets[class_id] = max(tried)[1]
    return offsets.numpy()


def add(net: AnySegNet, offsets: NDArray[np.float32]) -> None:
    """Have a network say its classes with these offsets from now on."""
    for member in net.members if isinstance(net, Together) else [net]:
        member.classifier.bias.data += torch.from_numpy(offsets)  # type: ignore[operator, union-attr]


def _counted(photos: Sequence[Photo], offsets: Tensor) -> NDArray[np.int64]:
    """Pixels of each class that people say (row; the last: ELSE, where a class that they marked is said) by
    the class that is said (column)."""
    classes = len(offsets)
    table = np.zeros((classes + 1, classes), np.int64)
    for scores, truth in photos:
        said = (scores + offsets[:, None, None]).argmax(0)
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
