"""Anti-aliased drawing of many strokes and polygons, as a premultiplied colour layer."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

# Strokes are drawn this many times larger and averaged down: a hair gets a fraction of its pixels, as in a photograph.
SCALE = 2


class Canvas:
    """A transparent sheet of the size of the picture. Coordinates are (x, y) in pixels of the picture."""

    def __init__(self, height: int, width: int):
        self.sheet = Image.new("RGBA", (width * SCALE, height * SCALE))
        self.pen = ImageDraw.Draw(self.sheet)

    def polygons(self, points: np.ndarray, colours: np.ndarray) -> None:
        """Fill polygons, later ones over earlier ones.

        Args:
            points: float[n, corners, 2].
            colours: float[n, 3] or float[3], clipped to [0, 1].
        """
        for corners, fill in zip(_flat(points), _fills(colours, len(points)), strict=True):
            self.pen.polygon(corners, fill=fill)

    def strokes(self, points: np.ndarray, colours: np.ndarray, thickness: float) -> None:
        """Draw open lines, later ones over earlier ones.

        Args:
            points: float[n, corners, 2].
            colours: float[n, 3] or float[3], clipped to [0, 1].
            thickness: in pixels of the picture; at least half a pixel is drawn.
        """
        wide = max(1, round(thickness * SCALE))
        for corners, fill in zip(_flat(points), _fills(colours, len(points)), strict=True):
            self.pen.line(corners, fill=fill, width=wide)

    def discs(self, centres: np.ndarray, radii: np.ndarray, colours: np.ndarray, squash: float = 1.0) -> None:
        """Fill ellipses: centres float[n, 2], horizontal radii float[n], vertical radii `squash` times those."""
        half = np.stack([radii, squash * radii], axis=-1)
        boxes = np.concatenate([centres - half, centres + half], axis=-1)
        for box, fill in zip(_flat(boxes), _fills(colours, len(boxes)), strict=True):
            self.pen.ellipse(box, fill=fill)

    def layer(self, blur: float) -> np.ndarray:
        """The layer at the size of the picture, blurred by `blur` pixels.

        Returns:
            float32[H, W, 4] in [0, 1]: red, green and blue already multiplied by alpha, then alpha.
        """
        # Premultiply before averaging: otherwise the black of empty pixels bleeds into the contour.
        small = self.sheet.convert("RGBa").reduce(SCALE)
        if blur > 0:
            small = small.filter(ImageFilter.GaussianBlur(blur))
        return np.asarray(small, dtype=np.float32) / 255


def _flat(points: np.ndarray) -> list[list[float]]:
    return (points.reshape(len(points), -1) * SCALE).tolist()


def _fills(colours: np.ndarray, count: int) -> list[tuple[int, int, int]]:
    bytes_ = np.broadcast_to(np.clip(np.asarray(colours) * 255, 0, 255).astype(int), (count, 3))
    return [tuple(fill) for fill in bytes_.tolist()]
