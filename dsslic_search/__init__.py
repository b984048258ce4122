"""dsslic-search: store photos small, and ask exactly what is in them.

>>> from dsslic_search import Archive, encode, decode
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dsslic_search.api import Archive
    from dsslic_search.api.coding import decode, encode

__version__ = "0.3.0"
"""The only home of the version: pyproject.toml reads it here, and CHANGELOG.md says what it brought."""

__all__ = ["Archive", "__version__", "decode", "encode"]

_HOME = {"Archive": "api", "decode": "api.coding", "encode": "api.coding"}


def __getattr__(name: str) -> Any:
    """Load the API when it is first asked for, so that importing a submodule costs nothing more."""
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What the package offers, loaded or not."""
    return list(__all__)
