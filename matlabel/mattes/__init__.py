"""Stage mattes: image matting from trimaps to the alpha of every label at every pixel."""
