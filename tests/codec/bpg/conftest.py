"""Pictures are coded each time."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def pictures_are_coded() -> Iterator[None]:
    """See `tests/once.py`."""
    from tests import once

    with once.coded_anew():
        yield
