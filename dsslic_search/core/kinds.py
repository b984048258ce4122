"""Keep modes, stages and states of photos: the one place that lists them, and what they hold, need or mean.

A *keep mode* is chosen when a photo is encoded and says what is kept of it. A *stage* is chosen when it is
decoded and says how much of it is shown. ::

    keep mode   kept of the photo                                     stages its file holds
    layers      label map, compact image, residual                    map, compact, coarse, full
    exact       label map, compact image, the original file           map, compact, coarse, full
    reference   label map, compact image, the original's SHA-256      map, compact, coarse
    coarse      label map, compact image                              map, compact, coarse
    undecoded   the original file                                     none

Members are strings, so "layers" and "map" may stand for them wherever one is given, compared or stored: in
Python, in the catalog and in JSON.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from dsslic_search.core.errors import UsageError


class _Named(StrEnum):
    """Whose members are asked for by their names."""

    @classmethod
    def named(cls, name: str) -> Self:
        """The member of that name; UsageError, with all names, when there is none."""
        if name not in tuple(cls):
            raise UsageError(f'{cls.__name__.casefold()} "{name}" is not one of: {", ".join(cls)}')
        return cls(name)


class Stage(_Named):
    """What is shown of a photo. In this order each takes more of the file's bytes than the one before."""

    MAP = "map"
    """The label map: class ids at the photo's size."""
    COMPACT = "compact"
    """The compact image at its own size."""
    COARSE = "coarse"
    """FineNet's picture, at the photo's size, from the label map and the compact image."""
    FULL = "full"
    """The photo: from the residual, or from the original file that is packed in."""


class Profile(_Named):
    """How the layers of a photo are coded. A file does not say it: each layer says how it is coded."""

    DEFAULT = "default"
    """The label map by a coder of ours, the compact image in HEVC, the photo along its own colour axes."""
    PAPER = "paper"
    """As arXiv 1806.03348 does: the label map and the compact image as FLIF files, the residual normalised by
    its least and greatest as a BPG file with chroma of half size."""
    PAPER_444 = "paper-444"
    """The same with a fixed mapping of the residual and chroma of full size."""

    @property
    def is_paper(self) -> bool:
        """Whether layers are coded as in the paper."""
        return self is not Profile.DEFAULT


class Tune(_Named):
    """What the bits of a residual are spent on. A file does not say it: HEVC's blocks have own quantisers."""

    PSNR = "psnr"
    """The least squared error: all blocks have the same quantiser."""
    SSIM = "ssim"
    """What an eye compares by: finer where the photo is even, coarser where it is busy and hides errors."""


class PhotoState(StrEnum):
    """How an archive's photo stands: by what was done to it in the archive, else by where its file lies or
    lay."""

    HERE = "here"
    """It lies at a path, as far as is known."""
    MISSING = "missing"
    """Its file is at none of its paths any more."""
    REPLACED = "replaced"
    """Its file was changed, and is another photo now."""
    REMOVED = "removed"
    """Somebody put it into the archive's bin."""
    LOST = "lost"
    """Its file in the archive is missing or damaged."""

    @property
    def flag(self) -> int:
        """The bit by which indexes tell photos that are left out of answers unless a query names their
        state; 0 for others."""
        return _FLAGS.get(self, 0)


_FLAGS = {PhotoState.REPLACED: 1, PhotoState.REMOVED: 2, PhotoState.LOST: 4}
HIDDEN = tuple(_FLAGS)
"""The states of photos that are left out of answers."""
ANY_STATE = "any"
"""What a query names to have photos of every state."""


class KeepMode(StrEnum):
    """What is kept of a photo. A file's header holds a mode as its place in this order, so that new modes go
    to the end."""

    LAYERS = "layers"
    EXACT = "exact"
    REFERENCE = "reference"
    COARSE = "coarse"
    UNDECODED = "undecoded"
    """Of a file that was to be kept exactly and cannot be decoded: nobody chooses it."""

    @classmethod
    def named(cls, name: str) -> KeepMode:
        """The keep mode of that name; UsageError, with all that can be chosen, when it is none of them."""
        if name not in cls.offered():
            raise UsageError(f'keep mode "{name}" is not one of: {", ".join(cls.offered())}')
        return cls(name)

    @classmethod
    def offered(cls) -> tuple[KeepMode, ...]:
        """The modes that can be chosen."""
        return tuple(mode for mode in cls if mode is not cls.UNDECODED)

    @property
    def holds_original(self) -> bool:
        """Whether the file has the original in it, which may be the only copy."""
        return self in (KeepMode.EXACT, KeepMode.UNDECODED)

    @property
    def is_seen(self) -> bool:
        """Whether the file has a label map, by which photos are found."""
        return self is not KeepMode.UNDECODED

    @property
    def needs_original(self) -> bool:
        """Whether encoding takes the bytes of the original file, beside its pixels."""
        return self in (KeepMode.EXACT, KeepMode.REFERENCE)

    @property
    def has_residual(self) -> bool:
        """Whether there is a residual, and so something that quality targets and importances can be about."""
        return self is KeepMode.LAYERS

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that the file alone holds."""
        every = tuple(Stage)
        if not self.is_seen:
            return ()
        return every if self in (KeepMode.LAYERS, KeepMode.EXACT) else every[: every.index(Stage.FULL)]
