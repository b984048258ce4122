"""The house stands as docs/architecture.md draws it: imports point downward and never in a circle."""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "dsslic_search"
FLOORS = (
    ("core",),
    ("features", "labels", "networks"),
    ("codec", "index"),
    ("archive",),
    ("query",),
    ("api",),
    ("training", "web"),
    ("bench",),
    ("cli",),
    ("__main__",),
)
"""From the ground up. Packages of one floor know nothing of each other."""
FLOOR_OF = {package: floor for floor, packages in enumerate(FLOORS) for package in packages}


def module_name(path: Path) -> str:
    """ "codec.layers.residual" of a file in the package; a package's own file has the package's name."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")


LINES_OF_A_MODULE = 420
"""That no module may exceed: one idea takes fewer."""

SCRIPTS = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.js"))}
"""Modules of the page."""

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


@cache
def imports() -> dict[str, set[str]]:
    """What each module imports; the package's own file aside."""
    return {module: imported(path) for module, path in MODULES.items() if module}


def test_every_package_has_a_floor() -> None:
    assert {module.partition(".")[0] for module in MODULES if module} == set(FLOOR_OF)


@pytest.mark.parametrize("module", [module for module in MODULES if module])
def test_imports_point_downward(module: str) -> None:
    own = module.partition(".")[0]
    for other in {each.partition(".")[0] for each in imports()[module] if each} - {own}:
        assert FLOOR_OF[other] < FLOOR_OF[own], f"{module} imports {other}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(imports()).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@pytest.mark.parametrize("module", list(MODULES))
def test_no_module_is_longer_than_one_idea(module: str) -> None:
    assert len(MODULES[module].read_text().splitlines()) <= LINES_OF_A_MODULE


@pytest.mark.parametrize("script", list(SCRIPTS))
def test_no_module_of_the_page_is_longer_than_one_idea_or_asks_for_what_is_not_ours(script: str) -> None:
    text = SCRIPTS[script].read_text()
    assert len(text.splitlines()) <= LINES_OF_A_MODULE
    assert max(map(len, text.splitlines())) <= 110
    for wanted in re.findall(r'^(?:import|export)\b[^;]*?\bfrom "([^"]+)"', text, re.MULTILINE):
        assert wanted.startswith("."), wanted
        assert (SCRIPTS[script].parent / wanted).is_file(), wanted


def test_no_modules_of_the_page_import_each_other_in_a_circle() -> None:
    imports = {
        path.resolve(): {
            (path.parent / wanted).resolve() for wanted in re.findall(r'\bfrom "(\.[^"]+)"', path.read_text())
        }
        for path in SCRIPTS.values()
    }
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(path.name for path in reversed(error.args[1])))


def drawn_on_the_map() -> list[str]:
    """The paths that the map names, a package's with "/" behind it, from a tree in which two spaces are a
    step down."""
    tree = (PACKAGE.parent / "docs" / "architecture.md").read_text().split("```\ndsslic_search/\n")[1]
    found: list[str] = []
    above: list[str] = []
    for line in tree.split("```")[0].splitlines():
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip(" "))) // 2
        assert name != line.strip(), f"the map says nothing of {name}"
        above = [*above[: depth - 1], name]
        found.append("".join(above))
    return found


def test_every_module_is_on_the_map() -> None:
    packages = {f"{path.parent.relative_to(PACKAGE)}/" for path in PACKAGE.glob("*/**/__init__.py")}
    modules = {str(path.relative_to(PACKAGE)) for path in MODULES.values() if path.name != "__init__.py"}
    assert (packages | modules) - set(drawn_on_the_map()) == set()


def test_the_map_names_nothing_that_is_not_there_and_nothing_twice() -> None:
    drawn = drawn_on_the_map()
    assert [path for path in drawn if not (PACKAGE / path).exists()] == []
    assert len(drawn) == len(set(drawn))
