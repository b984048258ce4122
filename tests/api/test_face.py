"""The API is the library's face: the command line needs nothing behind it, and nothing behind it speaks
command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dsslic_search
from dsslic_search import api
from dsslic_search.cli import reference
from dsslic_search.cli.wording import COMMANDS, OTHERS, in_commands
from dsslic_search.core.errors import ArchiveError, DSSError, Remedy

PACKAGE = Path(dsslic_search.__file__).parent
LIBRARY = ("core", "codec", "networks", "features", "index", "archive", "query", "api")
BEHIND = {"codec", "networks", "features", "index", "archive", "query"}
FIRST_WORDS = {command[0] for command in reference.commands() if command}
SPOKEN = re.compile(rf"dss-search (?:{'|'.join(sorted(FIRST_WORDS))})\b|(?<![\w-])--[a-z][a-z-]+")


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the text of every string that is no documentation, parts of f-strings joined."""
    tree = ast.parse(path.read_text())
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {id(part) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for part in n.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(p.value if isinstance(p, ast.Constant) else "…" for p in node.values)
        elif isinstance(node, ast.Constant) and id(node) not in documentation | inside:
            yield node.lineno, str(node.value)


@pytest.mark.parametrize(
    "path",
    [p for part in LIBRARY for p in sorted((PACKAGE / part).rglob("*.py"))],
    ids=lambda p: str(p.relative_to(PACKAGE)),
)
def test_the_library_does_not_speak_command_line(path: Path) -> None:
    assert {"ingest", "check", "reindex", "classes", "train"} <= FIRST_WORDS
    said = [f"{path.name}:{line}: {text!r}" for line, text in strings(path) if SPOKEN.search(text)]
    assert not said


def test_commands_and_options_in_strings_are_noticed(tmp_path: Path) -> None:
    code = tmp_path / "said.py"
    code.write_text(
        '"""Documentation may name dss-search check."""\n'
        'a = f"{x}; see dss-search " "check"\n'
        'b = f"replace it with {x} --force"\n'
        'c = "another dss-search is writing", "--", "a -- b", "x--y"\n'
        'd = "--own-classes"\n'
    )
    assert [line for line, text in strings(code) if SPOKEN.search(text)] == [2, 3, 5]


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=lambda p: p.stem)
def test_the_command_line_asks_the_api_alone(path: Path) -> None:
    imported = {
        module.split(".")[1]
        for node in ast.walk(ast.parse(path.read_text()))
        for module in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [n.name for n in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        if module.startswith("dsslic_search.")
    }
    assert not imported & BEHIND


def test_every_name_of_the_api_is_there() -> None:
    assert dir(api) == api.__all__ == sorted(api.__all__)
    for name in api.__all__:
        assert getattr(api, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        api.Nothing  # noqa: B018 (the access is what is tried)


def test_the_command_line_has_words_for_every_remedy() -> None:
    assert {*COMMANDS, *OTHERS} == set(Remedy)
    assert not {*COMMANDS} & {*OTHERS}
    assert {words.split()[0] for words in COMMANDS.values()} <= FIRST_WORDS
    for remedy, command in (
        OTHERS | {each: f"dss-search {words}" for each, words in COMMANDS.items()}
    ).items():
        assert in_commands(f"try {remedy}, or not") == f"try {command}, or not"
        assert not [other for other in Remedy if other != remedy and other in remedy]


def test_an_error_tells_its_remedy() -> None:
    assert ArchiveError(f"described by another version; try {Remedy.REINDEX}").remedy is Remedy.REINDEX
    assert DSSError("no such photo").remedy is None


@pytest.mark.parametrize("remedy", Remedy, ids=lambda r: r.name)
def test_remedies_are_python_that_there_is(remedy: Remedy) -> None:
    """A method of `Archive` with keywords that it takes, or a keyword of one of the functions."""
    import inspect

    expression = ast.parse(f"f({remedy})" if remedy.isidentifier() or "=" in remedy.split("(")[0] else remedy)
    calls = [node for node in ast.walk(expression) if isinstance(node, ast.Call)]
    functions = [api.Archive.ingest, api.Archive.watch, api.Archive.save, api.Archive.rebuild]
    functions += [api.open_segmenter, api.Archive, api.Archive.query]
    keywords = set(api.EncodeWishes.__annotations__)
    keywords |= {name for each in functions for name in inspect.signature(each).parameters}
    for call in calls:
        if isinstance(call.func, ast.Attribute):
            method = getattr(api.Archive, call.func.attr)
            inspect.signature(method).bind(None, *call.args, **{k.arg: None for k in call.keywords if k.arg})
        else:
            assert {keyword.arg for keyword in call.keywords} <= keywords
