"""What MkDocs is told beside mkdocs.yml: pages of the tree that lie outside docs/, and links that lead
there."""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import normpath, relpath
from typing import Any

from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).parents[2]
LOG = get_plugin_logger(__name__)
HOME = "index.md"  # is the README
LINK = re.compile(r"(?P<before>!?)\[(?P<text>[^\]\[]*)\]\((?P<target>[^)\s#:]+)(?P<anchor>#[^)\s]*)?\)")
CODE = re.compile(r"(^```.*?^```[^\n]*$|^    [^\n]*$)", re.DOTALL | re.MULTILINE)


def outside() -> dict[str, str]:
    """Pages that lie outside docs/, by their place in the tree, and what they are called in the site."""
    pages = ["CHANGELOG.md", "CONTRIBUTING.md", "samples/ATTRIBUTION.md"]
    pages += [f"weights/{page.name}" for page in sorted((ROOT / "weights").glob("*.md"))]
    return {"README.md": HOME} | {page: page for page in pages}


def on_files(files: Files, config: Any) -> Files:
    """The pages outside docs/ among the others, and no page of numbers that the site does not link."""
    for place, name in outside().items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / place)))
    for number in range(1, 1 + len(list((ROOT / "docs" / "decisions").glob("0*.md")))):
        (page,) = (ROOT / "docs" / "decisions").glob(f"{number:04}-*.md")
        found = files.get_file_from_path(f"decisions/{page.name}")
        assert found is not None
        found.inclusion = InclusionLevel.NOT_IN_NAV  # the page of decisions lists them
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links as they are in the tree become links of the site."""
    name = page.file.src_uri
    place = {name: place for place, name in outside().items()}.get(name, f"docs/{name}")
    pieces = CODE.split(markdown)
    pieces[::2] = [LINK.sub(lambda m: _linked(m, place, name), piece) for piece in pieces[::2]]
    return "".join(pieces)


def _linked(found: re.Match[str], place: str, name: str) -> str:
    """A link of the page at ``place`` in the tree, which the site calls ``name``. What is not in the site, a
    folder or a file of code, is named in place of being linked."""
    text, target = found["text"], found["target"]
    aimed = normpath(str(Path(place).parent / target))
    if not (ROOT / aimed).exists():
        LOG.warning("%s links to %s, which is not there", place, target)
        return text
    if (ROOT / aimed / "README.md").is_file():
        aimed += "/README.md"
    within = outside().get(aimed) or (aimed.removeprefix("docs/") if aimed.startswith("docs/") else None)
    if within is not None and (ROOT / aimed).is_file():
        way = relpath(within, Path(name).parent.as_posix())
        return f"{found['before']}[{text}]({way}{found['anchor'] or ''})"
    return text if aimed in text else f"{text} ({aimed})"
