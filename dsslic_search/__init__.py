"""dsslic-search: store photos small, and ask exactly what is in them.

>>> from dsslic_search import Archive, encode, decode
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dsslic_search.api import Archive
    from dsslic_search.api.coding import decode, encode

__all__ = ["Archive", "decode", "encode"]


def __getattr__(name: str) -> Any:
    """Load the API when it is first asked for, so that importing a submodule costs nothing more."""
    if name in __all__:
        from importlib import import_module

        return getattr(
            import_module("dsslic_search.api" if name == "Archive" else "dsslic_search.api.coding"), name
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
