"""The documents as a site: built with warnings as errors, without anything from elsewhere; a link that leads
nowhere fails."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def build(tree: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=tree, env=quiet, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    built = build(ROOT, out)
    assert built.returncode == 0, built.stderr
    return out


def test_pages_are_there_and_the_python_page_is_of_docstrings(site: Path):
    assert "<title>dsslic-search</title>" in (site / "index.html").read_text()
    for name in (
        "weights/segnet",
        "CHANGELOG",
        "decisions/0003-residual-does-not-lean",
        "tutorials/family-photos",
    ):
        assert (site / f"{name}.html").is_file()
    text = (site / "python.html").read_text()
    for name in ("ingest", "query", "preview", "export_labels", "backup"):  # of several base classes
        assert f'id="dsslic_search.api.Archive.{name}"' in text


def test_nothing_comes_from_elsewhere(site: Path):
    """No script, style, picture or font that a browser would fetch by itself."""
    fetched = (
        r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=[\"']?(https?:|//)"
        r"|<link\b[^>]*\bhref=[\"']?(https?:|//)"
    )
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        assert re.search(fetched, page.read_text()) is None, page.name
    for style in site.rglob("*.css"):
        assert re.search(r"url\([\"']?(https?:|//)|@import", style.read_text()) is None, style.name


BROKEN = {
    "[x](photoss.md)": "docs/broken.md links to photoss.md, which is not there",
    "[x](photos.md#no-such-heading)": "no-such-heading",
}
"""What a page says wrongly, and what is said of it."""


def test_what_leads_nowhere_fails(tmp_path: Path):
    """In a small tree with one page that is broken."""
    tree = tmp_path / "tree"
    (tree / "docs").mkdir(parents=True)
    (tree / "samples").mkdir()
    (tree / "dsslic_search").symlink_to(ROOT / "dsslic_search")
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "samples/ATTRIBUTION.md"):
        (tree / name).write_text("# Page\n")
    shutil.copytree(ROOT / "docs" / "making", tree / "docs" / "making")
    (tree / "docs" / "photos.md").write_text("# Photos\n")
    (tree / "docs" / "broken.md").write_text("\n\n".join(["# Broken", *BROKEN]))
    setting = (ROOT / "mkdocs.yml").read_text()
    head = setting[: setting.index("\nnav:")]
    (tree / "mkdocs.yml").write_text(head)
    built = build(tree, tmp_path / "out")
    assert built.returncode != 0
    for said in BROKEN.values():
        assert said in built.stderr + built.stdout
