"""Normal forms, plurals, lists, spelling mistakes and sizes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.core import text
from dsslic_search.core.text import parse_age
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import Number
from dsslic_search.query.language.parse import parse


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("5000", 5000),
        ("1_000_000", 1_000_000),
        ("2M", 2_000_000),
        ("2m", 2_000_000),
        ("2MB", 2_000_000),
        ("2mb", 2_000_000),
        ("2 MB", 2_000_000),
        ("2MiB", 2 * 1024**2),
        ("2 Mi", 2 * 1024**2),
        ("40k", 40_000),
        ("40kB", 40_000),
        ("40KiB", 40 * 1024),
        ("1.5 GB", 1_500_000_000),
        ("3T", 3 * 10**12),
        ("12 bytes", 12),
        ("12b", 12),
    ],
)
def test_sizes_are_read_alike_everywhere(written: str, size: int) -> None:
    assert text.parse_size(written) == size
    found = parse(f'size:">={written}"', default()).tree
    assert isinstance(found, Number)
    assert (found.low, found.high) == (size, None)
    if " " not in written:
        assert parse(f"size:>={written}", default()).tree == found


@pytest.mark.parametrize(
    "written", ["", "k", "9q", "-5", "1__0", "_1", "1_", "5 5", "2 M B", "inf", "nan", "1e400"]
)
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a number of bytes, as in 5000"):
        text.parse_size(written)


def test_parts_of_a_byte_are_rounded_off() -> None:
    assert [text.parse_size(f"{n}k") for n in ("0.0004", "0.0006", "1.2345", "1.2346", ".5")] == [
        0,
        1,
        1234,
        1235,
        500,
    ]


def test_every_unit_is_a_power_of_1000_or_1024() -> None:
    assert text.BYTE_UNITS["g"] == text.BYTE_UNITS["gb"] == Decimal(1000) ** 3
    assert text.BYTE_UNITS["gi"] == text.BYTE_UNITS["gib"] == Decimal(1024) ** 3
    assert len(text.BYTE_UNITS) == 4 + 4 * 4


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1234, "1.23 kB"),
        (999_999, "1e+03 kB"),
        (2_345_000, "2.35 MB"),
    ]
    + [(4 * 10**9, "4 GB"), (5 * 10**12, "5 TB"), (7 * 10**15, "7e+03 TB")],
)
def test_sizes_are_shown_in_three_digits(size: int, shown: str) -> None:
    assert text.size_text(size) == shown


@given(st.integers(0, 10**14))
def test_a_size_that_is_shown_can_be_read(size: int) -> None:
    shown = text.size_text(size)
    if "e" not in shown:
        assert abs(text.parse_size(shown) - size) <= size * 0.005 + 0.5


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("photo", "photos"),
        ("bus", "buses"),
        ("box", "boxes"),
        ("beach", "beaches"),
        ("bush", "bushes"),
        ("sky", "skies"),
        ("boy", "boys"),
        ("lens", "lenses"),
        ("body of water", "bodies of water"),
        ("row of trees", "rows of trees"),
    ],
)
def test_plurals(one: str, many: str) -> None:
    assert text.plural_of(one) == many
    assert (text.counted(0, one), text.counted(1, one), text.counted(2, one)) == (
        f"0 {many}",
        f"1 {one}",
        f"2 {many}",
    )


def test_lists() -> None:
    assert text.listed(["a"]) == "a"
    assert text.listed(["a", "b"]) == "a or b"
    assert text.listed(["a", "b", "c"], "and") == "a, b and c"


def test_normal_forms() -> None:
    assert text.folded("ＣＡＦÉ") == "café"
    assert text.folded_name("CAFE\u0301 Ａ") == "café ａ"
    assert text.normal("  Dining_table -  O’Neill") == "dining table o'neill"


@given(st.text(st.characters(max_codepoint=0x24F)))
def test_normal_forms_are_final(written: str) -> None:
    for form in (text.folded, text.folded_name, text.normal):
        assert form(form(written)) == form(written)


def test_quotes_are_printable_and_short() -> None:
    assert text.quoted("a\tb\x07") == '"a b\ufffd"'
    assert text.quoted("x" * 40) == f'"{"x" * 40}"'
    assert text.quoted("x" * 41) == f'"{"x" * 39}…"'


def test_the_closest_words_come_best_first() -> None:
    assert text.closest("camra", ["taken", "camera", "cameras"]) == ("camera", "cameras")
    assert text.closest("camra", ["taken", "camera", "cameras"], 1) == ("camera",)
    assert text.closest("x" * 201, ["x" * 201]) == ()
    assert text.did_you_mean(("a", "b")) == "did you mean a or b?"


def test_known_words_are_like_their_misspellings() -> None:
    known = text.KnownWords(["flower", "flour", "body of water", "sky"])
    assert set(known.like("flwer")) == {"flower", "flour"}
    assert known.like("flwer")["flower"] > known.like("flwer")["flour"]
    assert set(known.like("body of watr", phrases_only=True)) == {"body of water"}
    assert known.like("flower", phrases_only=True) == {}
    assert known.like("f" * 41) == {}


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2s", 2),
        ("0.5s", Fraction(1, 2)),
        ("500ms", Fraction(1, 2)),
        ("1m", 60),
        (" 1.5 Min ", 90),
        ("2h", 7200),
    ],
)
def test_durations_are_exact(written: str, seconds: Fraction) -> None:
    assert text.parse_duration(written) == seconds


@pytest.mark.parametrize("written", ["", "2", "s", "0s", "-1s", "1e3s", "2 weeks", "1s2s", ".5s"])
def test_what_is_no_duration(written: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration, as in 2s, 0\.5s, 500ms or 1m"):
        text.parse_duration(written)


@pytest.mark.parametrize(
    ("text", "hours"), [("12h", 12), ("30d", 720), ("8 w", 1344), ("2Y", 17520), ("0d", 0)]
)
def test_ages(text: str, hours: int) -> None:
    assert parse_age(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "30", "d", "1m", "-1d", "1.5d", "99999d"])
def test_what_is_no_age(text: str) -> None:
    with pytest.raises(ValueError, match="is not an age, as in 12h, 30d, 8w or 2y"):
        parse_age(text)
