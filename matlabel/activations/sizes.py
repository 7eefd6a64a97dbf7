"""Sizes of the stored activations and of the images that a network is given."""


def grid(height: int, width: int) -> tuple[int, int]:
    """Size of the stored activations: a quarter of the image's, rounded up."""
    return -(-height // 4), -(-width // 4)


def scaled_size(height: int, width: int, long_side: float) -> tuple[int, int]:
    """Sides of an image whose long side becomes `long_side`; at least 32 pixels each, as the backbone needs."""
    factor = long_side / max(height, width)
    return max(32, round(height * factor)), max(32, round(width * factor))
