"""Patterns against a slow reading of the same rules."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsslic_search.index.names import folded, name_test, path_test, split

PATHS = st.lists(st.text("abA.é*?", min_size=1, max_size=4), min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
PATTERNS = st.lists(st.sampled_from(["a", "b", "A", ".", "é", "/", "*", "**", "?"]), min_size=1, max_size=7).map("".join)


@cache
def matches(pattern: str, text: str) -> bool:
    """The whole of the text, character by character."""
    if not pattern:
        return not text
    if pattern.startswith("**"):
        return matches(pattern[2:].lstrip("*"), text) or (text != "" and matches(pattern, text[1:]))
    if pattern[0] == "*":
        return matches(pattern[1:], text) or (text != "" and text[0] != "/" and matches(pattern, text[1:]))
    return text != "" and (text[0] != "/" if pattern[0] == "?" else text[0] == pattern[0]) and matches(pattern[1:], text[1:])


def path_matches(pattern: str, path: str) -> bool:
    if not set("*?") & set(pattern):
        return pattern in path
    starts = [0] + [i + 1 for i, character in enumerate(path) if character == "/"]
    return any(matches(pattern, path[start:]) for start in starts)


@settings(max_examples=600)
@given(PATTERNS, PATHS)
def test_paths_match_as_the_rules_say(pattern: str, path: str) -> None:
    test = path_test(pattern)
    holds = path_matches(pattern.casefold(), path.casefold())
    assert test.path(folded(path)) == holds
    assert test.folder(split(folded(path))[0]) in (None, holds)


@settings(max_examples=250)
@given(PATTERNS, PATHS)
def test_names_match_as_the_rules_say(pattern: str, path: str) -> None:
    name, pattern = path.casefold().rpartition("/")[2], pattern.casefold()
    holds = matches(pattern, name) if set("*?") & set(pattern) else pattern in name
    assert name_test(pattern).path(folded(path)) == holds


@pytest.mark.parametrize(
    ("pattern", "path", "holds"),
    [
        ("holiday/**", "/home/Holiday/2023/a.jpg", True),
        ("holiday/**", "/home/holidays/a.jpg", False),
        ("holiday/*.jpg", "/home/holiday/2023/a.jpg", False),
        ("holiday/*.jpg", "/home/holiday/a.jpg", True),
        ("**/2023/**", "/home/2023/a.jpg", True),
        ("*.jpg", "/home/2023/a.jpg", True),
        ("oli", "/home/holiday/a.jpg", True),
        ("day/a", "/home/holiday/a.jpg", True),
        ("cafe\u0301", "/home/café.jpg", True),
        ("a*b?/c**d*e", "/x/aab1/c/q/d-/e", False),
        ("a*b?/c**d*e", "/x/aab1/c/q/d-e", True),
    ],
)
def test_examples(pattern: str, path: str, holds: bool) -> None:
    assert path_test(pattern).path(folded(path)) == holds


@pytest.mark.parametrize(
    ("pattern", "folder", "told"),
    [
        ("holiday/**", "/home/holiday/2023/", True),
        ("holiday/**", "/home/", False),
        ("holiday/*.jpg", "/home/holiday/", None),
        ("holiday/*.jpg", "/home/holiday/2023/", False),
        ("holiday", "/home/holiday/2023/", True),
        ("holiday", "/home/", None),
        ("holiday/a", "/home/", False),
        ("holiday/a", "/home/holiday/", None),
    ],
)
def test_whole_folders_are_decided_at_once(pattern: str, folder: str, told: bool | None) -> None:
    assert path_test(pattern).folder(folder) is told


@pytest.mark.parametrize("pattern", ["*a" * 30 + "b", "**a" * 30 + "b", "a*/" * 10 + "**a?*" * 20 + "b", "?*" * 40 + "/b"])
def test_many_wildcards_are_decided(pattern: str) -> None:
    """A matcher that tries every way to share out the text among the wildcards would never end."""
    assert not path_test(pattern).path("/" + "a" * 250 + "/" + "a/" * 50 + "a" * 250)
