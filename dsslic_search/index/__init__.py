"""Rebuildable caches of the catalog: coverage columns and embedding vectors."""
