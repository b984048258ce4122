"""BPG: HEVC intra pictures in a small container (libbpg's specification of the BPG image format)."""
