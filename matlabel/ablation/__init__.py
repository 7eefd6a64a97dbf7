"""Stage ablation: all variants and seeds in one table."""
