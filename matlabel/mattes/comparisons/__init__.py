"""Other matting methods, to compare the product with."""
