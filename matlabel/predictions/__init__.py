"""Stage predictions: the segmenter's masks."""
