"""Putting photos into an archive: walk, decide, encode, record, report."""
