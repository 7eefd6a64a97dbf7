"""The CAM classifier itself: what its training and its read-out share."""
