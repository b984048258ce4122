"""Options that the commands of training share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path,
    typer.Option(
        "--data", metavar="DIR", help="Folder with scenes/, photos/ and codec/ sets; see docs/training.md."
    ),
]
Run = Annotated[
    Path,
    typer.Option("--run", metavar="DIR", help="Where checkpoints go; a run there is resumed."),
]
Steps = Annotated[
    int | None, typer.Option(min=1, help="Steps in all; else as in the model cards.", show_default=False)
]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; else one a core.", show_default=False)]


def set_threads(count: int | None) -> None:
    """Let torch use so many."""
    import torch

    if count is not None:
        torch.set_num_threads(count)
