"""Background clutter that belongs to no class: grass, pebbles, bubbles, books, twigs.

Each function draws on a canvas of `height` x `width` pixels; clutter is background in the true masks.
"""

import numpy as np

from matlabel.dataset.shapes.canvas import Canvas
from matlabel.dataset.shapes.textures import tint


def grass(rng: np.random.Generator, canvas: Canvas, height: int, width: int) -> None:
    """Bent blades that rise from the lower part of the picture."""
    count = int(rng.integers(40, 110))
    foot = np.stack([rng.uniform(0, width, count), rng.uniform(0.55, 1.05, count) * height], axis=-1)
    foot = foot[np.argsort(foot[:, 1])]
    rise = rng.uniform(0.10, 0.32, count) * height
    lean = rng.normal(0, 0.35, count) * rise
    points = np.stack([foot, foot - np.stack([0.3 * lean, 0.6 * rise], -1), foot - np.stack([lean, rise], -1)], axis=1)
    colour = tint(rng, (0.40, 0.50, 0.18), 0.3) * rng.uniform(0.6, 1.3, (count, 1))
    canvas.strokes(points, colour, 0.011 * height)


def pebbles(rng: np.random.Generator, canvas: Canvas, height: int, width: int) -> None:
    """Flat stones in the lower part of the picture, each with a lighter upper side."""
    count = int(rng.integers(10, 34))
    centres = np.stack([rng.uniform(0, width, count), rng.uniform(0.5, 1.02, count) * height], axis=-1)
    centres = centres[np.argsort(centres[:, 1])]
    radii = rng.uniform(0.015, 0.06, count) * height
    colours = np.array([tint(rng, (0.46, 0.43, 0.40), 0.35) for _ in range(count)])
    # Shadow, stone and light, one stone after another, so that nearer stones hide farther ones.
    order = np.arange(3 * count) % 3
    shift = np.stack([-0.10 * np.ones(3), [0.25, 0.0, -0.25]], axis=-1)[order] * np.repeat(radii, 3)[:, None]
    size = np.array([1.0, 1.0, 0.6])[order] * np.repeat(radii, 3)
    light = np.array([0.35, 1.0, 1.25])[order][:, None]
    canvas.discs(np.repeat(centres, 3, axis=0) + shift, size, np.repeat(colours, 3, axis=0) * light, squash=0.7)


def bubbles(rng: np.random.Generator, canvas: Canvas, height: int, width: int) -> None:
    """Columns of rising air: bright rings with a pale inside."""
    count = int(rng.integers(8, 30))
    columns = rng.uniform(0, width, 3)[rng.integers(3, size=count)] + rng.normal(0, 0.06 * width, count)
    centres = np.stack([columns, rng.uniform(0, height, count)], axis=-1)
    radii = rng.uniform(0.008, 0.038, count) * height
    ring, inside = tint(rng, (0.78, 0.90, 0.92), 0.1), tint(rng, (0.36, 0.58, 0.66), 0.2)
    for scale, shift, colour in ((1.0, 0.0, ring), (0.75, 0.1, inside), (0.25, -0.35, ring)):
        canvas.discs(centres + shift * radii[:, None], scale * radii, colour)


def books(rng: np.random.Generator, canvas: Canvas, height: int, width: int) -> None:
    """A row of standing books, their feet on the table."""
    floor, left = rng.uniform(0.55, 0.8) * height, rng.uniform(-0.1, 0.7) * width
    for _ in range(int(rng.integers(3, 8))):
        wide, tall = rng.uniform(0.04, 0.09) * width, rng.uniform(0.25, 0.45) * height
        corners = np.array([[left, floor], [left + wide, floor], [left + wide, floor - tall], [left, floor - tall]])
        cover = tint(rng, ((0.50, 0.18, 0.14), (0.16, 0.26, 0.40), (0.62, 0.54, 0.36))[rng.integers(3)], 0.4)
        canvas.polygons(corners[None], cover)
        stripe = corners[:2] - [0, rng.uniform(0.1, 0.3) * tall]
        canvas.strokes(stripe[None], cover * 1.5, 0.01 * height)
        left += wide


def twigs(rng: np.random.Generator, canvas: Canvas, height: int, width: int) -> None:
    """A few long thin twigs across the picture, as fine as the hair of an object but of no class."""
    count = int(rng.integers(2, 6))
    start, end = rng.uniform(-0.1, 1.1, (2, count, 1, 2)) * [width, height]
    bend = rng.normal(0, 0.15 * height, (count, 1, 2))
    along = np.linspace(0, 1, 9)[:, None]
    points = start + along * (end - start) + 4 * along * (1 - along) * bend
    canvas.strokes(points, tint(rng, (0.24, 0.17, 0.11), 0.5), 0.012 * height)
