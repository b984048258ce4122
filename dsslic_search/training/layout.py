"""The class codes of the layout embedding: short stand-ins for classes whose inner products are as alike as
the classes are.

Without codes a cell would need a number for each class. Random signs in their place (Achlioptas,
"Database-friendly random projections", 2003) keep inner products roughly; codes learnt on label maps keep
them better in the same room. They are learnt so that embeddings of label maps made by people and by the
teacher are as alike, pair by pair, as the embeddings would be with a number for each class, related classes
blended by their groups. Codes differ from cell to cell, so that errors cancel.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.core.files import write_atomically
from dsslic_search.core.vocabulary import Vocabulary, default
from dsslic_search.features.embedding import (
    BLOCK_NORM,
    CELL_LENGTH,
    CELL_WEIGHTS,
    CELLS,
    GRID,
    WHOLE_LENGTH,
    cell_roots,
)
from dsslic_search.training.dataset import scene_samples, teacher_samples

RELATED_SHARE = 0.5  # share of relatedness in the likeness of classes; the rest asks for the same class
HELD_OUT = ("corel1k",)  # photos that benchmarks search
MAP_SIDE = 60  # labels a side of the maps learnt from
BATCH = 320
NEAR_LIKENESS, NEAR_PAIR_WEIGHT = 0.5, 4.0  # pairs at least so much alike count so much more
CLASS_SHARE = 0.3  # of the loss: pairs of classes, however rare
LEFT_COLUMNS = GRID // 2 + 1  # of the grid that have codes of their own; those to the right mirror them


def relatedness(vocabulary: Vocabulary) -> NDArray[np.float64]:
    """float64[classes, classes], symmetric: 1 on the diagonal, 1 / sqrt(size of the smallest common group) or
    0 elsewhere."""
    related = np.eye(len(vocabulary))
    for group in vocabulary.groups:
        for one in group.members:
            for other in group.members:
                related[one, other] = max(related[one, other], 1 / np.sqrt(len(group.members)))
    return related


def class_likeness(vocabulary: Vocabulary, related: float = RELATED_SHARE) -> NDArray[np.float64]:
    """How alike two classes count: float64[classes, classes], 1 on the diagonal."""
    return (1 - related) * np.eye(len(vocabulary)) + related * relatedness(vocabulary)


def blending(vocabulary: Vocabulary, related: float = RELATED_SHARE) -> NDArray[np.float64]:
    """The symmetric square root of :func:`class_likeness`, whose few slightly negative eigenvalues, if any,
    count as 0."""
    values, axes = np.linalg.eigh(class_likeness(vocabulary, related))
    root: NDArray[np.float64] = (axes * np.sqrt(np.maximum(values, 0))) @ axes.T
    return root


def all_roots(label_map: NDArray[np.uint8], classes: int) -> NDArray[np.float32]:
    """`features.embedding.cell_roots` with a column for every class: float32[CELLS, classes]; ids that are no
    class are unknown."""
    roots, _shares, present = cell_roots(label_map, label_map < classes, classes)
    found = np.zeros((CELLS, classes), np.float32)
    found[:, present] = roots
    return found


def training_roots(data: Path, classes: int) -> NDArray[np.float32]:
    """Of all label maps learnt from, float32[n, CELLS, classes]: the training split's by people and by the
    teacher, and the teacher's of photos that nobody labelled."""
    samples = scene_samples(data, validation=False)
    paths = [s.labels for s in samples if s.labels is not None] + [s.teacher for s in samples]
    paths += [s.teacher for s in teacher_samples(data, ("photos",)) if s.teacher.parts[-3] not in HELD_OUT]
    found = []
    for path in paths:
        label_map = np.asarray(Image.open(path))
        rows, columns = ((2 * np.arange(MAP_SIDE) + 1) * n // (2 * MAP_SIDE) for n in label_map.shape)
        small = label_map[np.ix_(rows, columns)]
        if (small < classes).any():
            found.append(all_roots(small, classes))
    return np.array(found)


class Codes(torch.nn.Module):
    """Class codes as real numbers: ``whole`` [classes, lengths[0]], ``inner`` [GRID * LEFT_COLUMNS, classes,
    lengths[1]]."""

    def __init__(self, blend: NDArray[np.float64], seed: int, lengths: tuple[int, int]) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)
        self.whole = torch.nn.Parameter(_signs(rng, blend, lengths[0]))
        self.inner = torch.nn.Parameter(
            torch.stack([_signs(rng, blend, lengths[1]) for _ in range(GRID * LEFT_COLUMNS)])
        )
        columns = [row * LEFT_COLUMNS + min(c, GRID - 1 - c) for row in range(GRID) for c in range(GRID)]
        self._place = torch.tensor(columns)

    def forward(self, roots: torch.Tensor) -> torch.Tensor:
        """Embeddings [n, numbers] of cell roots [n, CELLS, classes], before rounding."""
        whole = F.normalize(roots[:, :1] @ self.whole, dim=-1)
        inner = F.normalize(torch.einsum("ncx,cxk->nck", roots[:, 1:], self.inner[self._place]), dim=-1)
        weights = torch.from_numpy(np.sqrt(CELL_WEIGHTS / CELL_WEIGHTS.sum()).astype(np.float32))[:, None]
        return torch.cat([(whole * weights[:1]).flatten(1), (inner * weights[1:]).flatten(1)], 1)


def _signs(rng: np.random.Generator, blend: NDArray[np.float64], length: int) -> torch.Tensor:
    signs = rng.integers(0, 2, (len(blend), length)) * 2 - 1
    return torch.from_numpy((blend @ signs / np.sqrt(length)).astype(np.float32))


def learn(
    roots: NDArray[np.float32],
    vocabulary: Vocabulary,
    *,
    steps: int,
    lengths: tuple[int, int] = (WHOLE_LENGTH, CELL_LENGTH),
    seed: int = 0,
) -> dict[str, list[int]]:
    """The code of each class by its name, as `features.embedding.spread` takes them. ``roots``: of
    :func:`training_roots`. ``lengths``: numbers of the whole and of each cell."""
    torch.manual_seed(seed)
    blend = blending(vocabulary)
    net = Codes(blend, seed, lengths)
    optimiser = torch.optim.Adam(net.parameters(), 0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    weights = torch.from_numpy(np.sqrt(CELL_WEIGHTS / CELL_WEIGHTS.sum()).astype(np.float32))[:, None]
    wanted = F.normalize(torch.from_numpy(roots @ blend.astype(np.float32)), dim=-1) * weights
    likeness = torch.from_numpy(class_likeness(vocabulary).astype(np.float32))
    given = torch.from_numpy(roots)
    for _ in range(steps):
        chosen = torch.randperm(len(given))[:BATCH]
        target = wanted[chosen].flatten(1)
        target = target @ target.T
        made = net(given[chosen])
        errors = (made @ made.T - target) ** 2
        emphasis = 1 + NEAR_PAIR_WEIGHT * (target > NEAR_LIKENESS)
        loss = (errors * emphasis).mean() + CLASS_SHARE * _class_errors(net, likeness)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return _whole_numbers(net, vocabulary)


def _class_errors(net: Codes, likeness: torch.Tensor) -> torch.Tensor:
    """How far the cosines of codes are from the likeness of their classes: of the whole, in the mean of the
    cells, in each cell."""
    whole, inner = F.normalize(net.whole, dim=-1), F.normalize(net.inner, dim=-1)
    cosines = inner @ inner.transpose(1, 2)
    errors = (
        (whole @ whole.T - likeness) ** 2,
        (cosines.mean(0) - likeness) ** 2,
        0.2 * (cosines - likeness) ** 2,
    )
    return torch.stack([e.mean() for e in errors]).sum()


def _whole_numbers(net: Codes, vocabulary: Vocabulary) -> dict[str, list[int]]:
    """Codes scaled, each cell's alike, and rounded to -127..127."""
    with torch.no_grad():
        tables = [net.whole.numpy(), *net.inner.numpy()]
    rounded = [np.rint(table * (BLOCK_NORM / np.abs(table).max())).astype(int) for table in tables]
    return {c.name: np.concatenate([table[c.id] for table in rounded]).tolist() for c in vocabulary.classes}


def train(data: Path, out: Path, steps: int) -> int:
    """Learn codes for the shipped vocabulary and write them as `features.embedding` reads them; returns the
    number of label maps."""
    vocabulary = default()
    roots = training_roots(data, len(vocabulary))
    codes = learn(roots, vocabulary, steps=steps)
    lines = ",\n".join(
        f" {json.dumps(name)}: {json.dumps(code, separators=(',', ':'))}" for name, code in codes.items()
    )
    facts = {"vocabulary": vocabulary.identity, "label_maps": len(roots), "steps": steps}
    write_atomically(out, (json.dumps(facts)[:-1] + f', "classes": {{\n{lines}\n}}}}\n').encode())
    return len(roots)
