"""JSON that anybody may have written."""

from __future__ import annotations

import json
from typing import Any


def parsed(data: bytes | str) -> Any:
    """What a JSON text says. ValueError for what is no JSON, and for what is nested too deep to be read."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deep") from None
