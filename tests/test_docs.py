"""The documentation says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dsslic_search.cli import reference
from dsslic_search.codec import container
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.header import Header
from dsslic_search.core import vocabulary
from dsslic_search.core.settings import DEFAULT_PRESENCE
from dsslic_search.query.language.parse import parse

ROOT = Path(__file__).parents[1]
SHOWN = [ROOT / "README.md", ROOT / "docs" / "use.md", *sorted((ROOT / "docs" / "tutorials").glob("*.md"))]
"""Pages that show commands."""
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "weights").glob("*.md")])


def test_the_command_reference_is_current():
    assert (ROOT / "docs" / "cli.md").read_text() == reference.reference(), "run: make docs"


def test_every_command_that_pages_show_exists_with_its_options():
    known = {" ".join(c): reference.help_of(c) for c in reference.commands()}
    text = "\n".join(page.read_text() for page in SHOWN)
    used = re.findall(r"^(?:\$ )?(?:\.venv/bin/)?dss-search ([a-z-]+)(.*)$", text, re.MULTILINE)
    assert len(used) > 10
    for command, rest in used:
        command = command if command in known else f"{command} {rest.split()[0]}"  # of a group
        assert command in known
        for option in re.findall(r"(?<=\s|\[)--[a-z-]+", rest.split("#")[0]):
            assert option in known[command], f"{command} {option}"


def test_the_thresholds_of_presence_are_told_as_they_are():
    """The whole that are chosen, and none besides."""
    ours = vocabulary.built_in()
    own = {
        c.name: 100 * least
        for number, c in enumerate(ours.classes)
        if (least := ours.presence((number,))) != DEFAULT_PRESENCE
    }
    text = (ROOT / "docs" / "query-language.md").read_text()
    told = re.search(r"`dss-search classes` tells: ([^)]+)\)", text)
    assert told and told[1] == ", ".join(f"{name} {least:g} %" for name, least in own.items())


MISSPELT = "flwers and sky"


def test_every_query_that_pages_and_the_help_show_is_one():
    texts = *(page.read_text() for page in SHOWN), reference.help_of(("query",))
    asked = [
        found
        for text in texts
        for found in re.findall(r'dss-search (?:query|save \w+|tag .*--query) "([^"]+)"', text)
    ]
    assert len(asked) > 10
    for text in asked:
        if text == MISSPELT:
            continue
        parse(text, vocabulary.default(), saved={"peaks": "mountain"}.__getitem__)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tables_have_a_head(page: Path):
    """Rows without one are shown as a paragraph of bars."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
        rows = table.splitlines()
        assert len(rows) > 2, rows
        assert re.fullmatch(r"\|(?: *:?-+:? *\|)+", rows[1]), rows[0]
        columns = [re.sub(r"`[^`]*`|\\\|", "", row).count("|") for row in rows]
        assert len(set(columns)) == 1, rows[columns.index(max(columns))]


def test_the_format_page_names_every_field_and_chunk():
    text = (ROOT / "docs" / "format.md").read_text()
    for kind in container.ORDER:
        assert f"`{kind}`" in text
    offsets = [int(n) for n in re.findall(r"^\| (\d+) \| \d+(?: each)? \|", text, re.MULTILINE)]
    assert offsets == [0, 8, 9, 11, 15, 19, 20, 22, 23, 24, 25, 26, 34, 42, 50, 51]
    header = container.pack(
        Header(5, 6, True, "exact", 7, 8, 9, 10, 11, "12" * 8, "34" * 8, "56" * 8),
        [Chunk("SMAP", 1, b"x")],
    )
    assert (header[11], header[15], header[19], header[20], header[22], header[23]) == (
        5,
        6,
        1 | 1 << 1,
        7,
        8,
        9,
    )
    assert (header[24], header[25], header[26], header[34], header[42], header[50]) == (
        10,
        11,
        0x12,
        0x34,
        0x56,
        1,
    )
    assert len(header) == 55 + 13 + 1


def test_the_page_of_decisions_lists_each_once_and_by_its_title():
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(
        r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \|$", (folder / "README.md").read_text(), re.MULTILINE
    )
    pages = sorted(page for page in folder.glob("*.md") if page.name != "README.md")
    assert [name for _, name, _ in listed] == [page.name for page in pages]
    for (number, _, title), page in zip(listed, pages, strict=True):
        assert page.name.startswith(number)
        assert page.read_text().partition("\n")[0] == f"# {number} {title}"
    assert [number for number, _, _ in listed] == [f"{n:04}" for n in range(1, len(pages) + 1)]


def test_every_page_is_in_the_navigation_of_the_site():
    named = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    pages = {page for page in pages if not page.startswith("decisions/0")}  # the page of decisions lists them
    pages |= {str(page.relative_to(ROOT)) for page in (ROOT / "weights").glob("*.md")}
    assert len(named) == len(set(named))
    assert pages - set(named) == set(), "name it in mkdocs.yml"


@pytest.mark.parametrize("card", sorted((ROOT / "weights").glob("*.md")), ids=lambda p: p.name)
def test_no_model_card_says_a_paragraph_twice(card: Path):
    paragraphs = [" ".join(each.split()) for each in re.split(r"\n\s*\n", card.read_text())]
    long = [each for each in paragraphs if len(each) > 40]
    assert len(long) > 3
    assert len(set(long)) == len(long)
