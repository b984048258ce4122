"""Label maps in the formats of other programs, both ways."""
