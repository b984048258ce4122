"""The lowest version of each package that pyproject.toml allows, as constraints for pip (make test-lowest).

pip takes the newest version it may. Held to these it takes the lowest of what the package itself asks for,
and is free in what those packages need in turn. ::

    python tests/lowest.py > constraints-lowest.txt
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?P<extras>\[.*\])?(?:>=(?P<version>[0-9.]+))?")


def lowest(project: str) -> Iterator[tuple[str, str]]:
    """(name, version) of all that a pyproject.toml asks for: to build, to run, and in its extras.

    Raises ValueError for a requirement without a lower bound, or with more than one."""
    told = tomllib.loads(project)
    asked = [*told["build-system"]["requires"], *told["project"]["dependencies"]]
    for extra in told["project"]["optional-dependencies"].values():
        asked += extra
    found: dict[str, str] = {}
    for text in asked:
        requirement = REQUIREMENT.fullmatch(text)
        if requirement is None:
            raise ValueError(f"{text}: write a package and the lowest version that does, as in numpy>=2.0")
        name, version = requirement["name"], requirement["version"]
        if name == told["project"]["name"]:
            continue
        if version is None or found.setdefault(name, version) != version:
            raise ValueError(f"{text}: {name} needs one lowest version, the same wherever it is named")
    yield from found.items()


if __name__ == "__main__":
    for name, version in lowest(PROJECT.read_text()):
        sys.stdout.write(f"{name}=={version}\n")
