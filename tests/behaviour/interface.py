"""The Python interface: names, signatures, and the fields of what methods give."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import dsslic_search
from dsslic_search import Archive, decode, encode
from tests.behaviour.plain import attempt


def signature(name: str) -> str:
    """How a public method of archives is called, or what else the name is."""
    member = inspect.getattr_static(Archive, name)
    return str(inspect.signature(member)) if callable(member) else type(member).__name__


def described(give: Callable[[], Any]) -> list[str]:
    """The type of what a call gives, and its fields with their types."""
    value = give()
    return [type(value).__name__, *(f"{field.name}: {field.type}" for field in fields(value))]


def interface(archive: Archive) -> dict[str, Any]:
    """What the package exports, and what an archive with photos gives."""
    signatures = {each.__name__: str(inspect.signature(each)) for each in (encode, decode, Archive.__init__)}
    public = sorted(name for name in dir(Archive) if not name.startswith("_"))
    found: dict[str, Any] = {
        "package": sorted(dsslic_search.__all__),
        "signatures": signatures | {f"Archive.{name}": signature(name) for name in public},
    }
    results: dict[str, Callable[[], Any]] = {
        "query": lambda: archive.query("sky", limit=1),
        "hit": lambda: archive.query("sky", limit=1).hits[0],
        "find": lambda: archive.find("sky"),
        "preview": lambda: archive.preview(1, "map"),
        "statistics": archive.statistics,
        "class": lambda: archive.classes()[0],
        "duplicates": archive.duplicates,
        "copy": lambda: archive.duplicates().groups[0][0],
        "ingest": lambda: archive.ingest([], dry_run=True),
    }
    for name, give in results.items():
        found[f"result of {name}"] = attempt(described, give)
    return found
