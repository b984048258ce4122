"""Every package imports only from its own floor's package and from floors below; see docs/architecture.md."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "dsslic_search"
FLOORS: dict[str, float] = {
    "vocabulary": 0,
    "errors": 0,
    "config": 0,
    "dialect": 0,
    "files": 0,
    "naming": 0,
    "text": 0,
    "networks": 1,
    "codec": 2,
    "features": 2,
    "render": 2.5,
    "archive": 3,
    "index": 3,
    "query": 4,
    "coding": 4.5,
    "api": 5,
    "training": 5,
    "bench": 5.5,
    "cli": 6,
}


def imports(path: Path) -> set[str]:
    """Packages or modules of ours that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {n.name.split(".")[1] for n in node.names if n.name.startswith("dsslic_search.")}
        elif isinstance(node, ast.ImportFrom) and node.module == "dsslic_search":
            found |= {n.name for n in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dsslic_search."):
            found.add((node.module or "").split(".")[1])
    return found


def test_imports_point_downward():
    wrong, seen = [], set()
    for path in sorted(PACKAGE.rglob("*.py")):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        seen.add(own)
        upward = {other for other in imports(path) - {own} if FLOORS[other] >= FLOORS[own] and FLOORS[other] > 0}
        wrong += [f"{path.relative_to(PACKAGE)} imports {other}" for other in upward]
    assert wrong == []
    assert seen == set(FLOORS)
