"""Layout codes of all photos, and the nearest to a layout."""
