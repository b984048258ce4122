"""What the teacher thought of every training photo, kept once so that training can distil from it again and
again.

The teacher is a folder with ``fused_teacher.py``: ``FusedTeacher()(image)`` gives probabilities [classes, H,
W] in the order of the vocabulary. Kept is, for each photo, ``<kind>/<set>/<stem>.npz`` with the GUESSES
likeliest classes at about 160 pixels a side: ``ids`` uint8 [GUESSES, h, w], likeliest first, and ``share``
uint8 of the same shape, their probabilities × 255.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from dsslic_search.core.errors import UsageError
from dsslic_search.core.files import write_atomically
from dsslic_search.training.dataset import GUESSES, scene_samples, teacher_samples

TEACHER_SIDE = 448  # pixels a side that the teacher is shown
KEPT_SIDE = 160  # pixels a side that are kept

Teacher = Callable[[Image.Image], tuple[Any, Any]]


def load_teacher(folder: Path) -> Teacher:
    """The teacher in a folder. UsageError when there is none, or when what it needs is not installed."""
    if not (folder / "fused_teacher.py").is_file():
        raise UsageError(
            f"{folder}: no teacher here: fused_teacher.py is missing; name the folder that holds it"
        )
    sys.path.insert(0, str(folder))
    try:
        teacher: Teacher = importlib.import_module("fused_teacher").FusedTeacher()
    except ImportError as e:
        raise UsageError(f"{folder}: the teacher needs {e.name}: pip install it") from e
    finally:
        sys.path.remove(str(folder))
    return teacher


def soften(data: Path, teacher: Teacher, out: Path) -> int:
    """Ask the teacher about every training photo that ``out`` does not have yet; returns how many those
    were."""
    made = 0
    for sample in scene_samples(data, validation=False) + teacher_samples(data):
        kept = out / sample.soft
        if kept.exists():
            continue
        image = Image.open(sample.image).convert("RGB")
        image.thumbnail((TEACHER_SIDE, TEACHER_SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0)
        probabilities = torch.from_numpy(np.asarray(teacher(image)[0], np.float32))[None]
        size = [max(8, round(n * KEPT_SIDE / max(probabilities.shape[2:]))) for n in probabilities.shape[2:]]
        share, ids = F.interpolate(probabilities, size, mode="area")[0].topk(GUESSES, 0)
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(
            kept, _packed(ids.to(torch.uint8).numpy(), (share * 255).round().to(torch.uint8).numpy())
        )
        made += 1
    return made


def _packed(ids: np.ndarray[Any, Any], share: np.ndarray[Any, Any]) -> bytes:
    import io

    buffer = io.BytesIO()
    np.savez_compressed(buffer, ids=ids, share=share)
    return buffer.getvalue()
