"""Regions of all photos by class, and what is left of, above, in and next to what."""
