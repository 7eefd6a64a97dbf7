"""Stage dataset: the manifest of images and tags, and the check that every image opens."""
