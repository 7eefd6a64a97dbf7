"""Stage evaluation: scores against true masks."""
