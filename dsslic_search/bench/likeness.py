"""How much of a likeness shall be layout, and how much what photos show as a whole
(`features.resemblance`): the figures of every share, and the choice.

The greatest share is chosen that orders the training split nearly as well as the best share does, by the
protocol of `bench.layout` without photos of the same place. There the teacher's maps stand for SegNet's,
which was trained on these photos and is better on them than on others. Judged are the validation split, with
SegNet's maps, and Corel: how many of the ten photos most like one are of its kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.bench import record
from dsslic_search.bench.layout import NDCG_DEPTH, Collection, Map, Matrix, open_collection, segmented
from dsslic_search.bench.retrieval import alike, layouts
from dsslic_search.codec.layers import words
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import Outputs
from dsslic_search.features.resemblance import Mixture, mixture
from dsslic_search.networks import runtime
from dsslic_search.training.dataset import scene_samples
from dsslic_search.training.word_evidence import opened

SHARES = tuple(step / 20 for step in range(21))
ALIKE_PERCENTILE = 90
"""Of the cosines of image embeddings of two photos of the training split, the one that counts as 1."""
NEARLY = 0.002  # of nDCG
MEASURES = ("all", "macro_elsewhere")  # of `bench.layout`; the choice goes by the last
NEIGHBOURS = 10
DIGITS = 4
FITTED_ON_ONE_IN = 4  # photos of the training split: every pair of them is judged
WORDLESS_ONE_IN = 2
"""Of Corel's photos one in so many goes without an image embedding, in the last of the figures."""


def images(paths: Sequence[Path], folder: Path | None) -> Matrix:
    """Image embeddings as ingest makes them, brought to length 1. ``folder``: where they are kept by the
    network's identity."""
    kept = folder and folder / runtime.identity(runtime.IMAGE_WORDS)
    found = np.stack([_image(path, kept) for path in paths]).astype(np.float32)
    lengths = np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1)
    return np.asarray(found / lengths, np.float32)


def _image(path: Path, kept: Path | None) -> NDArray[np.int8]:
    file = kept and kept / path.parts[-3] / f"{path.stem}.npy"
    if file and file.exists():
        stored: NDArray[np.int8] = np.load(file)
        return stored
    made = np.array(words.look(opened(path))[0].embedding, np.int8)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, made)
    return made


def ndcg(collection: Collection, layout: Matrix, image: Matrix, enough: float) -> dict[str, list[float]]:
    """nDCG@10 of a collection with each of SHARES, by MEASURES."""
    rows = [collection.scores(Mixture(share, enough).of(layout, image)) for share in SHARES]
    return {name: [float(row[name]) for row in rows] for name in MEASURES}


def precision(likeness: Matrix, kinds: NDArray[np.int64]) -> float:
    """The mean share of the NEIGHBOURS photos most like each that are of its kind; ``likeness``, [n, n]."""
    others = likeness.copy()
    np.fill_diagonal(others, -np.inf)
    order = np.argsort(-others, axis=1, kind="stable")[:, :NEIGHBOURS]
    return round(float((kinds[order] == kinds[:, None]).mean()), DIGITS)


def chosen_share(scores: Sequence[float]) -> float:
    """The greatest of SHARES whose score is nearly the best."""
    least = max(scores) - NEARLY
    return max(share for share, score in zip(SHARES, scores, strict=True) if score >= least)


def fit(data: Path, folder: Path | None) -> tuple[Mixture, dict[str, Any]]:
    """What the training split says, and its figures."""
    collection = Collection(scene_samples(data, validation=False)[::FITTED_ON_ONE_IN], folder)
    layout = alike(layouts(_teachers(s.image for s in collection.samples)))
    image = alike(images([s.image for s in collection.samples], folder))
    others = image[np.triu_indices(len(image), 1)]
    enough = round(float(np.percentile(others, ALIKE_PERCENTILE)), DIGITS)
    scores = ndcg(collection, layout, image, enough)
    share = chosen_share(scores[MEASURES[-1]])
    found = Mixture(share, enough)
    return found, {"photos": len(collection.samples), f"ndcg@{NDCG_DEPTH}": scores}


def _teachers(photos: Iterable[Path]) -> list[Map]:
    """The teacher's label maps of photos of a set."""
    found = []
    for photo in photos:
        with Image.open(photo.parents[1] / "teacher" / f"{photo.stem}.png") as opened_map:
            found.append(np.asarray(opened_map, np.uint8))
    return found


def _kinds(data: Path, folder: Path | None, mixed: Mixture, teacher: bool) -> dict[str, Any]:
    """Corel: the kind of a photo is its number // 100."""
    paths = sorted((data / "photos" / "corel1k" / "images").glob("*.jpg"), key=lambda p: int(p.stem))
    if not paths:
        raise UsageError(f"{data}: no photos found; expected photos/corel1k/images/<number>.jpg")
    kinds = np.array([int(p.stem) // 100 for p in paths])
    layout = alike(layouts(_teachers(paths) if teacher else [segmented(p, folder) for p in paths]))
    image = alike(images(paths, folder))
    partly = image.copy()
    partly[:, ::WORDLESS_ONE_IN] = np.nan
    without = np.full_like(image, np.nan)
    of_all = [precision(Mixture(share, mixed.enough).of(layout, image), kinds) for share in SHARES]
    return {
        "photos": len(paths),
        f"precision@{NEIGHBOURS}": of_all,
        "as shipped": {
            "all with image embeddings": precision(mixed.of(layout, image), kinds),
            "none with one": precision(mixed.of(layout, without), kinds),
            "every other one without": precision(mixed.of(layout, partly), kinds),
        },
    }


def run(
    data: Path,
    folder: Path | None = None,
    fitted: tuple[Path, Outputs] | None = None,
    teacher: bool = False,
) -> dict[str, Any]:
    """All figures; ``data`` holds scenes/<set> and photos/corel1k, ``folder`` keeps maps and embeddings for
    the next run. With ``fitted``, a file and how it may be written, the choice of the training split is
    written there, and judged; else what ships is. ``teacher``: by the teacher's maps instead of SegNet's,
    which takes no network."""
    results: dict[str, Any] = {"maps": "teacher" if teacher else "segnet", "shares": list(SHARES)}
    mixed = mixture()
    if fitted is not None:
        mixed, results["training"] = fit(data, folder)
        out, outputs = fitted
        outputs.write(out, (json.dumps(vars(mixed), indent=1) + "\n").encode(), text=True)
    collection = open_collection(data, validation=True, folder=folder)
    paths = [s.image for s in collection.samples]
    layout = alike(layouts(_teachers(paths) if teacher else collection.guessed))
    image = alike(images(paths, folder))
    return {
        **results,
        "mixture": vars(mixed),
        "validation": {
            "photos": len(collection.samples),
            f"ndcg@{NDCG_DEPTH}": ndcg(collection, layout, image, mixed.enough),
            "as shipped": collection.scores(mixed.of(layout, image)),
        },
        "corel1k": _kinds(data, folder, mixed, teacher),
    }


def table(results: dict[str, Any]) -> list[str]:
    """The results of :func:`run` as lines for people."""
    splits = [name for name in ("training", "validation") if name in results]
    columns = {
        f"{name}, {measure}": results[name][f"ndcg@{NDCG_DEPTH}"][measure]
        for name in splits
        for measure in MEASURES
    } | {"corel1k": results["corel1k"][f"precision@{NEIGHBOURS}"]}
    rows = [
        (f"{share:.2f}", *(f"{scores[i]:.4f}" for scores in columns.values()))
        for i, share in enumerate(results["shares"])
    ]
    shipped = results["corel1k"]["as shipped"]
    return [
        *record.table(("share", *columns), rows),
        f"as shipped: {results['mixture']}",
        f"validation: {results['validation']['as shipped']['all']:.4f}",
        *(f"corel1k, {name}: {value:.4f}" for name, value in shipped.items()),
    ]
