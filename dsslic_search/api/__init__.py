"""The library's face: `Archive`, and what it gives."""

from dsslic_search.api.archive import Archive
from dsslic_search.api.showing import STAGES, Preview

__all__ = ["STAGES", "Archive", "Preview"]
