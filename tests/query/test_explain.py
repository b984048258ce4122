from __future__ import annotations

import pytest

from dsslic_search.query.explain import _outermost


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("(sky or road)", "sky or road"),
        ("((sky or road) and car)", "(sky or road) and car"),
        ("(sky or road) and (car or bus)", "(sky or road) and (car or bus)"),
        ("sky and (car or bus)", "sky and (car or bus)"),
        ("sky", "sky"),
        ("x", "x"),
    ],
)
def test_only_parentheses_around_everything_are_taken_off(text: str, inside: str) -> None:
    assert _outermost(text) == inside
