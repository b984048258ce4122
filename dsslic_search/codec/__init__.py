"""The DSSLIC codec: container, layers, and the two verbs `encode` and `decode`."""
