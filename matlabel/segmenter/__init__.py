"""Stage segmenter: a segmentation network trained on the pseudo-labels."""
