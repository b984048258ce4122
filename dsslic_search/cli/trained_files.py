"""The files that training writes, and whether it may."""

from __future__ import annotations

from pathlib import Path

from dsslic_search.core.output import Outputs

OWN_FILES = (
    *(
        Path("weights") / f"{name}.safetensors"
        for name in (
            "segnet",
            "image_words",
            "restorer",
            "compnet",
            "finenet",
            "finenet_perceptual",
            "lpips",
        )
    ),
    Path("dsslic_search/features/layout_codes.json"),
    Path("dsslic_search/core/presence.json"),
    Path("dsslic_search/networks/objections.json"),
    Path("dsslic_search/core/wordnet.txt"),
    Path("dsslic_search/core/nouns.txt"),
    Path("dsslic_search/core/trust.json"),
    Path("dsslic_search/core/word_thresholds.json"),
)
"""The package's own files, which training is for: they are written anew without --force."""


def may_write(force: bool, *files: Path) -> Outputs:
    """How trained files are written; UsageError before the training, not after it."""
    for file in files:
        Outputs(force or file in OWN_FILES).check(file)
    return Outputs(force)
