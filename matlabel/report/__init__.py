"""Stage report: one self-contained page."""
