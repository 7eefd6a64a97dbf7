"""Limits that settings, readers and the command line share."""

# Of a picture; larger ones are mostly mistakes, or decompression bombs.
MAX_PIXELS = 100_000_000
