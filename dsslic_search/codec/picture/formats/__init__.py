"""A reader for each format of photos: from a file's bytes to a header, and from that to a raster."""
