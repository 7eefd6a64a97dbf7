"""Arrays in, arrays out: resizing, contours, regions."""
