"""Pixel-accurate segmentation labels from image-level tags: class activations, trimaps, image matting."""
