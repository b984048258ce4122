"""The table of how far classes can be trusted, out of what `bench search` measured."""

from __future__ import annotations

import json
from pathlib import Path

from dsslic_search.core.errors import UsageError
from dsslic_search.core.files import write_atomically
from dsslic_search.core.vocabulary import default


def make(results: Path, path: Path) -> int:
    """Write what ``results``, a file of `bench search`, say of asking for each class alone; returns how many
    classes that are. UsageError for another file."""
    try:
        measured = json.loads(results.read_text("utf-8"))
        by_query = measured["predicates"]["by_query"]
        rows = {each.name: by_query[each.name] for each in default().classes if each.name in by_query}
        classes = {
            name: {"precision": row["precision"], "recall": row["recall"], "photos": row["wanted"]}
            for name, row in rows.items()
        }
        segmenter = measured["weights"]["segnet"]
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise UsageError(f"{results}: not results of bench search ({e}); give its JSON file") from e
    text = json.dumps({"segmenter": segmenter, "classes": classes}, indent=1)
    write_atomically(path, f"{text}\n".encode())
    return len(classes)
