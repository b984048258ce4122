"""The networks are asked each time."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def networks_are_asked(each_time: None) -> None:
    """See `tests/once.py`."""
