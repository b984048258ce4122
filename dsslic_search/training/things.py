"""Where a photo shows a thing of no class: an ImageNet photo is named after what it shows, and the network of
the image words tells where it sees that.

The map of a word (class activation mapping; Zhou et al. 2016, arXiv 1512.04150) is what the last convolution
says at each place, weighed by the words' layer: rough, but of some 450 kinds of things, where people marked
those of no class in COCO's eighty photos alone.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dsslic_search.core.wordnet import image_words
from dsslic_search.networks import runtime
from dsslic_search.networks.image_words import ImageWordsNet
from dsslic_search.training.dataset import Sample

SIDE = 448  # pixels that a photo is resized to: a place of the map is a fourteenth of its side
KINDS = (
    "animal", "food", "edible fruit", "vegetable", "fungus", "musical instrument", "hand tool", "utensil",
    "crockery", "toy", "ball", "timepiece", "weapon", "footwear", "bag", "computer", "keyboard", "telephone",
    "kitchen appliance", "white goods", "box", "basket", "cosmetic", "candle", "camera", "calculator",
    "printer", "pen", "pot", "cup", "bowl", "vase", "balloon", "bucket", "fan", "space heater", "padlock",
)  # fmt: skip
"""What nobody takes for a class of ours, for somebody's clothes or for a place: words of `core.wordnet`."""
LEAVES = (
    "goblet", "pitcher", "measuring cup", "saltshaker", "tray", "iPod", "mouse", "remote control", "joystick",
    "modem", "hard disc", "loudspeaker", "microphone", "projector", "iron", "sewing machine", "vacuum",
    "washbasin", "toilet seat", "bathtub", "tub", "barrel", "rain barrel", "milk can", "cassette",
    "cassette player", "CD player", "tape player", "binder", "binoculars", "broom", "brass", "ashcan",
    "beaker", "beer glass", "parachute", "ski", "racket", "puck", "paintbrush", "paper towel", "packet",
    "pencil sharpener", "stethoscope", "syringe", "umbrella", "wallet", "whistle", "scale", "shopping cart",
    "corn", "acorn", "ear", "buckeye", "photocopier", "vending machine", "cash machine", "barbell",
    "dumbbell", "punching bag", "teddy", "web site", "can opener", "corkscrew", "Petri dish",
)  # fmt: skip
OURS = (
    "dog", "domestic cat", "sorrel", "bird", "sheep", "ox", "bottle", "piece of furniture", "television",
    "plane", "bow", "cap", "headdress", "clothing", "bathing suit", "bow tie",
)  # fmt: skip
"""Of KINDS, what is a class of ours or what people wear."""
LIKELIEST = 3  # words, among which the photo's has to be for its map to be believed
INSIDE = 0.45  # of the map's greatest value: the thing
AROUND = 0.2  # the same: perhaps the thing, and not what the teacher calls it


@cache
def words() -> frozenset[int]:
    """The numbers of the image words that are things of no class."""
    table = image_words()

    def leaves(names: tuple[str, ...]) -> set[int]:
        return set(table.leaves_of(identity for name in names for identity in table.meanings(name)))

    return frozenset(leaves(KINDS) - leaves(OURS) | {table.number_of(name) for name in LEAVES})


def word_of(sample: Sample) -> int | None:
    """The number of the image word that an ImageNet photo is named after; None for other photos."""
    if sample.dataset != "imagenet_sample":
        return None
    identity = sample.image.stem.partition("_")[0]
    return image_words().leaves.index(identity) if identity in image_words().leaves else None


def map_of(photo: NDArray[np.uint8], word: int) -> Tensor | None:
    """Where the network sees what an image word means: float32 [SIDE/32, SIDE/32], 1 where most, 0 where not;
    None when it takes the photo for something else."""
    net: ImageWordsNet = runtime.network(runtime.IMAGE_WORDS)
    with torch.inference_mode():
        places = net.places(runtime.squashed(photo, SIDE))[0]
        if word not in net.classifier(places.mean((1, 2))).topk(LIKELIEST).indices:
            return None
        found = torch.einsum("c,chw->hw", net.classifier.weight[word], places).clamp(min=0)
        return found / found.max().clamp(min=1e-6)


def seen(sample: Sample, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """The map of the thing of no class that a photo is named after, float32 [H, W] in 0..1; None where there
    is none, or it is not seen."""
    word = word_of(sample)
    if word is None or word not in words():
        return None
    places = map_of(np.array(Image.open(sample.image).convert("RGB")), word)
    if places is None:
        return None
    found: NDArray[np.float32] = F.interpolate(places[None, None], shape, mode="bilinear")[0, 0].numpy()
    return found
