"""The layers of a .dsslic file, one module each: both directions, the kind of its chunk and its codec ids."""
