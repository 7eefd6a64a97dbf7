"""Stage labels: the pseudo-label of every image."""
