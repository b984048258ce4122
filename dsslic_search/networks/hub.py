"""Where a `transformers` model is: in a folder, or on the model hub, from which it is downloaded once."""

from __future__ import annotations

import re
from pathlib import Path

from dsslic_search.core.errors import MissingExtraError, WeightsError

EXTRA = "models of transformers need an extra: pip install 'dsslic-search[transformers]'"
DESCRIPTION = ("*.json", "*.txt")
WEIGHTS = ("*.safetensors",)
OLD_WEIGHTS = ("*.bin",)  # where a model has no others

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def find_model(name: str) -> Path:
    """The folder of a model: ``name`` itself where that is a folder, and nothing is downloaded; else that of
    the hub's model of that name in the hub's cache, downloaded if need be.

    Raises WeightsError when there is none, or the hub cannot be reached; MissingExtraError.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise WeightsError(
            f"{name}: not a folder; give the folder that holds the model's config.json and weights"
        )
    if not _HUB_NAME.fullmatch(name):
        raise WeightsError(
            f"{name}: no such folder; give a folder that holds a model, or a name on the model hub such as "
            "owner/model"
        )
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError
    except ImportError as e:
        raise MissingExtraError(f"{name}: no such folder here, and {EXTRA}") from e
    try:
        found = Path(snapshot_download(name, allow_patterns=[*DESCRIPTION, *WEIGHTS]))
        if not any(found.glob(WEIGHTS[0])):
            found = Path(snapshot_download(name, allow_patterns=[*DESCRIPTION, *OLD_WEIGHTS]))
    except GatedRepoError as e:
        raise WeightsError(
            f"{name}: its owner must grant access to it first; ask for it on the hub, and log in with: hf "
            "auth login"
        ) from e
    except RepositoryNotFoundError as e:
        raise WeightsError(
            f"{name}: no such folder here, and no such model on the hub; check the spelling"
        ) from e
    except LocalEntryNotFoundError as e:
        raise WeightsError(
            f"{name}: no such folder here, and the model hub cannot be reached "
            f"({first_line(e.__cause__ or e)}); check the network, or "
            "download the model elsewhere and give its folder"
        ) from e
    except (OSError, ValueError) as e:
        raise WeightsError(
            f"{name}: cannot be had from the model hub ({first_line(e)}); try again, or give a folder"
        ) from e
    return found


def first_line(error: BaseException) -> str:
    """What an error of another library says, short enough for a sentence of ours."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200].rstrip(".")
