"""Stage segmenter: DeepLabV3 trained on the pseudo-labels."""
