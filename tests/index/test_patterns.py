"""Patterns against a slow reading of the same rules."""

import fnmatch
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsslic_search.core.text import folded_name
from dsslic_search.index.patterns import name_test, path_test, split, text_test

PATHS = st.lists(st.text("abA.é*?", min_size=1, max_size=4), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
PATTERNS = st.lists(
    st.sampled_from(["a", "b", "A", ".", "é", "/", "*", "**", "?"]), min_size=1, max_size=7
).map("".join)


@cache
def matches(pattern: str, text: str) -> bool:
    """The whole of the text, character by character."""
    if not pattern:
        return not text
    if pattern.startswith("**"):
        return matches(pattern[2:].lstrip("*"), text) or (text != "" and matches(pattern, text[1:]))
    if pattern[0] == "*":
        return matches(pattern[1:], text) or (text != "" and text[0] != "/" and matches(pattern, text[1:]))
    return (
        text != ""
        and (text[0] != "/" if pattern[0] == "?" else text[0] == pattern[0])
        and matches(pattern[1:], text[1:])
    )


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
    assert test.path(folded_name(path)) == holds
    assert test.folder(split(folded_name(path))[0]) in (None, holds)
    assert not holds or not path.isascii() or test.letters in path.lower()


@settings(max_examples=250)
@given(PATTERNS, PATHS)
def test_names_match_as_the_rules_say(pattern: str, path: str) -> None:
    name, pattern = path.casefold().rpartition("/")[2], pattern.casefold()
    holds = matches(pattern, name) if set("*?") & set(pattern) else pattern in name
    test = name_test(pattern)
    assert test.path(folded_name(path)) == holds
    assert not holds or not path.isascii() or test.letters in path.lower()


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
    assert path_test(pattern).path(folded_name(path)) == holds


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


@pytest.mark.parametrize(
    "pattern", ["*a" * 30 + "b", "**a" * 30 + "b", "a*/" * 10 + "**a?*" * 20 + "b", "?*" * 40 + "/b"]
)
def test_many_wildcards_are_decided(pattern: str) -> None:
    """A matcher that tries every way to share out the text among the wildcards would never end."""
    assert not path_test(pattern).path("/" + "a" * 250 + "/" + "a/" * 50 + "a" * 250)


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("canon", "Canon EOS R5", True),
        ("eos", "Canon EOS R5", True),
        ("nikon", "Canon EOS R5", False),
        ("canon*", "Canon EOS R5", True),
        ("eos*", "Canon EOS R5", False),
        ("*r5", "Canon EOS R5", True),
        ("sigma*art", "SIGMA 24-70mm f/2.8 DG | Art", True),
        ("sigma*f?2.8*", "SIGMA 24-70mm f/2.8 DG", True),
        ("?igma", "sigma", True),
        ("?igma", "a sigma", False),
        ("*", "", True),
        ("cafe\u0301*", "CAFÉ 1", True),
    ],
)
def test_texts(pattern: str, text: str, holds: bool) -> None:
    assert text_test(pattern)(text) == holds


@given(st.text("ab/", max_size=8), st.text("ab/*?", min_size=1, max_size=6))
def test_globs_of_texts_are_those_of_the_shell(text: str, pattern: str) -> None:
    wanted = fnmatch.fnmatchcase(text, pattern) if set("*?") & set(pattern) else pattern in text
    assert text_test(pattern)(text) == wanted


def test_many_wildcards_of_a_text_are_decided() -> None:
    assert not text_test("*a" * 60 + "b")("a" * 5000)


@pytest.mark.parametrize(
    ("pattern", "letters"),
    [
        ("IMG_0123", "0123"),
        ("a b", "a"),
        ("café 2023", "2023"),
        ("é", ""),
        ("", ""),
        ("img*", ""),
        ("i?g", ""),
    ],
)
def test_letters_by_which_a_database_leaves_out_most(pattern: str, letters: str) -> None:
    assert (name_test(pattern).letters, path_test(pattern).letters) == (letters, letters)
