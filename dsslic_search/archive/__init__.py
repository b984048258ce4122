"""The archive: stored .dsslic files, the catalog that describes them, and the ways in."""
