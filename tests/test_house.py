"""The house stands as docs/architecture.md draws it: imports point downward and never in a circle."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "dsslic_search"
FLOORS = (
    ("core",),
    ("features", "networks"),
    ("codec", "index"),
    ("archive",),
    ("query",),
    ("api",),
    ("training",),
    ("bench",),
    ("cli",),
)
"""From the ground up. Packages of one floor know nothing of each other."""
FLOOR_OF = {package: floor for floor, packages in enumerate(FLOORS) for package in packages}


def module_name(path: Path) -> str:
    """ "codec.layers.residual" of a file in the package; a package's own file has the package's name."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports, wherever in it, and for type checking too; "" is the root."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {n.name.partition(".")[2] for n in node.names if n.name.startswith("dsslic_search.")}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "dsslic_search":
            module = (node.module or "").partition(".")[2]
            for n in node.names:
                inner = f"{module}.{n.name}".lstrip(".")
                found.add(inner if inner in MODULES else module)
    return found


IMPORTS = {module: imported(path) for module, path in MODULES.items() if module}


def test_every_package_has_a_floor() -> None:
    assert {module.partition(".")[0] for module in MODULES if module} == set(FLOOR_OF)


@pytest.mark.parametrize("module", IMPORTS)
def test_imports_point_downward(module: str) -> None:
    own = module.partition(".")[0]
    for other in {each.partition(".")[0] for each in IMPORTS[module] if each} - {own}:
        assert FLOOR_OF[other] < FLOOR_OF[own], f"{module} imports {other}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))
