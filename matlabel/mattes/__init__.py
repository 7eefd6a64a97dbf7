"""Mattes: from sure labels and colours to the alpha of every label at every pixel."""
