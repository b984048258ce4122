"""Pictures are coded each time."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def pictures_are_coded(each_time: None) -> None:
    """See `tests/once.py`."""
