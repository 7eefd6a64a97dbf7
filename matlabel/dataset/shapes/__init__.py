"""The built-in demo data set: generated, photograph-like scenes of five classes with tags and true masks."""

# Label values are 1, 2, … in this order; 0 is background.
CLASSES = ("fern", "fish", "furball", "pot", "urchin")
