"""What a user asks of the encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsslic_search.codec.layers.importance import MAX_IMPORTANCE, MIN_IMPORTANCE, Importance
from dsslic_search.codec.picture.stripping import Strip
from dsslic_search.codec.quality import effort, quantisers
from dsslic_search.core.errors import UsageError
from dsslic_search.core.kinds import KeepMode, Profile, Tune
from dsslic_search.core.settings import DEFAULT_EFFORT, DEFAULT_QUALITY, LOSSLESS

if TYPE_CHECKING:
    from dsslic_search.networks.segmenter import Segmenter

UNITS = {"bpp": "bits a pixel", "psnr": "dB", "bytes": "bytes"}


@dataclass(frozen=True)
class Target:
    """What to meet instead of a quality: the best one with at most ``value`` bits a pixel ("bpp") or bytes in
    all ("bytes"), or the smallest file of at least ``value`` dB ("psnr", of RGB)."""

    kind: str
    value: float

    def __post_init__(self) -> None:
        if self.kind not in UNITS:
            raise UsageError(f'target "{self.kind}" is not one of: {", ".join(UNITS)}')
        if not isinstance(self.value, (int, float)) or not 0 < self.value < float("inf"):
            raise UsageError(
                f"a target of {self.value!r} {UNITS[self.kind]} cannot be met; give a number above 0"
            )


@dataclass(frozen=True)
class EncodeOptions:
    """``quality``: 1..100 or LOSSLESS. ``keep``: a keep mode or its name. ``map_scale``: photo pixels per
    label, each way; None for the rule of :func:`dsslic_search.codec.encoder.map_scale_for`. ``segmenter``:
    what makes the label map; None for SegNet. ``effort``: 1 (fastest) .. 9 (smallest). ``importance``: how
    much classes of the shipped vocabulary matter. ``target``: what to meet in place of ``quality``.
    ``strip``: which metadata are left out, by a name of `codec.picture.stripping.Strip`. ``profile``: how
    layers are coded, by a name of `core.kinds.Profile`. ``tune``: what the residual's bits are spent on, by a
    name of `core.kinds.Tune`."""

    quality: int = DEFAULT_QUALITY
    keep: str = KeepMode.LAYERS
    map_scale: int | None = None
    segmenter: Segmenter | None = None
    effort: int = DEFAULT_EFFORT
    importance: Importance = ()
    target: Target | None = None
    strip: str = Strip.NOTHING
    profile: str = Profile.DEFAULT
    tune: str = Tune.PSNR

    def __post_init__(self) -> None:
        quantisers(self.quality)
        effort(self.effort)
        mode = KeepMode.named(self.keep)
        if self.map_scale is not None and not 1 <= self.map_scale <= 0xFFFF:
            raise UsageError(f"map scale {self.map_scale} is not from 1 to 65535")
        if any(
            not isinstance(value, (int, float)) or not MIN_IMPORTANCE <= value <= MAX_IMPORTANCE
            for _, value in self.importance
        ):
            raise UsageError(f"importances are numbers from {MIN_IMPORTANCE:g} to {MAX_IMPORTANCE:g}")
        if not mode.has_residual and (self.target or self.importance or self.quality == LOSSLESS):
            raise UsageError(
                f'keep mode "{self.keep}" has no residual that a target, importances or lossless could be '
                "about"
            )
        if Strip.named(self.strip) is not Strip.NOTHING and mode.needs_original:
            raise UsageError(
                f'keep mode "{self.keep}" is about the original file as it is, so no metadata can be left '
                "out of it; choose layers or coarse"
            )
        if self.quality == LOSSLESS and (self.target or self.importance):
            raise UsageError("a lossless file has no target and no importances: every pixel is exact")
        if Tune.named(self.tune) is not Tune.PSNR:
            self._check_tuned(mode)

        if Profile.named(self.profile).is_paper and (self.importance or self.quality == LOSSLESS):
            raise UsageError(
                f'profile "{self.profile}" codes the residual as the paper does, without importances and '
                f'never losslessly; leave them out, or choose profile "{Profile.DEFAULT}"'
            )

    def _check_tuned(self, mode: KeepMode) -> None:
        """UsageError where nothing could be tuned, or something else says where bits go."""
        if not mode.has_residual or self.quality == LOSSLESS:
            what = "a lossless file" if self.quality == LOSSLESS else f'keep mode "{self.keep}"'
            raise UsageError(f'tune "{self.tune}" is about a residual, which {what} has not; leave it out')
        if self.importance or Profile(self.profile).is_paper:
            what = "importances say" if self.importance else f'profile "{self.profile}" says'
            raise UsageError(f'{what} where the bits go, so tune "{self.tune}" cannot too; choose one')

    def chosen_segmenter(self) -> Segmenter:
        """What makes the label map: the segmenter asked for, else SegNet as closely as the effort says."""
        if self.segmenter is not None:
            return self.segmenter
        from dsslic_search.networks.segmenter import SegNetSegmenter

        return SegNetSegmenter(effort(self.effort).look)

    @property
    def mode(self) -> KeepMode:
        """The keep mode that ``keep`` names."""
        return KeepMode(self.keep)
