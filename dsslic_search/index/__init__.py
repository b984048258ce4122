"""Rebuildable caches of the catalog: coverage columns, regions, embedding vectors."""
