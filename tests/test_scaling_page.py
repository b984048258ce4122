"""docs/scaling.md follows from what was measured: its rows are worked out here again, from docs/results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "scaling.md").read_text()
SIZES = 10**8, 10**9
HOURS_A_YEAR = 24 * 365

# list prices, US dollars, as the page says them
GB_MONTH, PUTS, CORE_HOUR = 0.023, 0.005 / 1000, 0.05


def result(name: str) -> Any:
    return json.loads((DOCS / "results" / name).read_text())


def number(value: float) -> str:
    """Three digits, which is more than such sums are good for."""
    if value >= 1000:
        digits = len(str(round(value))) - 3
        return f"{round(value, -digits):,.0f}".replace(",", " ")
    return f"{value:.3g}"


def row(name: str, each: float, unit: float, worded: str) -> str:
    return f"| {name} | " + " | ".join(f"{number(each * size / unit)} {worded}" for size in SIZES) + " |"


def expected() -> list[str]:
    ingest, catalog, ten_million = (
        result(name) for name in ("ingest-reference.json", "catalog.json", "speed-10m.json")
    )
    layers = ingest["mean_bytes_by_layer"]
    small = sum(layers.values()) - layers["RESI"]
    seconds = ingest["processes"]["cases"]["layers"]["this"]["processor_seconds_a_further_photo"]
    rows = catalog["builds"]["this"]
    making = rows["making"]["processor_seconds"]["all"] / catalog["photos"]
    mapped = ten_million["memory"]["mapped"] / ten_million["photos"]
    asked = ten_million["milliseconds"]
    return [
        *(row(f"`{name}`", size, 1e12, "TB") for name, size in layers.items()),
        row("files, keep mode layers", sum(layers.values()), 1e12, "TB"),
        row("files without the residual", small, 1e12, "TB"),
        row("catalog, as SQLite has it", rows["bytes_a_photo"]["file"], 1e12, "TB"),
        row("indexes", ten_million["bytes_a_photo"]["all"], 1e9, "GB"),
        row("memory that questions touch", mapped, 1e9, "GB"),
        row("encoding, processor time", seconds, 3600 * HOURS_A_YEAR, "years"),
        row("making all indexes, processor time", making, 3600, "hours"),
        *(
            row(f"a question, {kind}, on two cores", asked[kind]["p50"] / ten_million["photos"], 1000, "s")
            for kind in ("three predicates", "layout", "relation")
        ),
        row("files, a month", sum(layers.values()) * GB_MONTH, 1e9, "dollars"),
        row("files without the residual, a month", small * GB_MONTH, 1e9, "dollars"),
        row("writing the files, once", PUTS, 1, "dollars"),
        row("encoding, once", seconds * CORE_HOUR, 3600, "dollars"),
    ]


def test_every_row_follows_from_what_was_measured() -> None:
    shown = [line for line in PAGE.splitlines() if line.startswith("| ") and line[2:7] != "what "]
    assert shown == expected()
