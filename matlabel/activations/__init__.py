"""Stage activations: per-image class probabilities from the trained classifier."""
