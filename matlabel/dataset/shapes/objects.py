"""The five classes: how one object of each is drawn on a canvas.

Every function takes (rng, canvas, centre float[2] as (x, y), radius) in pixels, draws an object that reaches about one
radius from its centre, and has the object's own colours, proportions and fine structure drawn from `rng`.
"""

import numpy as np

from matlabel.dataset.shapes.canvas import Canvas
from matlabel.dataset.shapes.textures import tint

Point = np.ndarray


def _rays(angles: np.ndarray) -> np.ndarray:
    """Unit vectors float[..., 2] of angles, clockwise on the screen from the right."""
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def fern(rng: np.random.Generator, canvas: Canvas, centre: Point, radius: float) -> None:
    """Arched fronds from one foot, each feathered with pairs of leaflets; light shows through between them."""
    foot = centre + radius * np.array([0.0, 0.75])
    green = tint(rng, ((0.36, 0.58, 0.20), (0.24, 0.48, 0.26), (0.50, 0.60, 0.22))[rng.integers(3)], 0.2)
    fronds, pairs = int(rng.integers(6, 10)), 15
    aims = rng.permutation(np.linspace(-1.25, 1.25, fronds)) + rng.normal(0, 0.1, fronds) - np.pi / 2
    along = np.linspace(0.06, 1, pairs)
    for aim in aims:
        length, droop = radius * rng.uniform(1.3, 1.75), rng.uniform(0.25, 0.6)
        # Gravity bends a frond the more, the farther it leans to the side.
        bend = droop * np.cos(aim) * along**1.5
        direction = _rays(aim + bend)
        stem = foot + length * along[:, None] * _rays(aim + 0.5 * bend)
        colour = green * rng.uniform(0.65, 1.25)
        size = 0.30 * length * np.minimum(4 * along, 1.15 - along)[:, None] * rng.uniform(0.85, 1.1, (pairs, 1))
        for side in (-1, 1):
            leaf = _rays(aim + bend + side * 1.05)
            tip, middle, half = stem + size * leaf, stem + 0.45 * size * leaf, 0.036 * length * direction
            shades = colour * rng.uniform(0.85, 1.15, (pairs, 1)) * (1.0 if side < 0 else 0.82)
            canvas.polygons(np.stack([stem, middle - half, tip, middle + half], axis=1), shades)
        canvas.strokes(stem[None], colour * [0.8, 0.7, 0.6], 0.03 * radius)


def fish(rng: np.random.Generator, canvas: Canvas, centre: Point, radius: float) -> None:
    """A banded fish from the side, with frayed fins of single rays."""
    tilt, facing, depth = rng.normal(0, 0.25), rng.choice([-1, 1]), rng.uniform(0.42, 0.62)
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])

    def place(x, y):
        return centre + radius * (np.stack([facing * np.asarray(x), np.asarray(y)], axis=-1) @ turn)

    def thickness(x):
        return depth * np.clip(1 - ((x - 0.2) / 0.8) ** 2, 0, 1) ** 0.6

    skins = ((0.88, 0.46, 0.14), (0.86, 0.72, 0.22), (0.30, 0.44, 0.66), (0.74, 0.74, 0.70), (0.72, 0.28, 0.22))
    skin = tint(rng, skins[rng.integers(5)], 0.15)
    band = tint(rng, ((0.10, 0.10, 0.16), (0.92, 0.90, 0.84))[rng.integers(2)], 0.15)
    # Fins first, the body hides their roots: tail, back and belly, each a fan of rays from root to rim.
    share = np.linspace(0, 1, 16)
    fins = (
        ((np.full(16, -0.5), (share - 0.5) * 0.2), (-0.98 + 0.22 * np.sin(np.pi * share), (share - 0.5) * 1.15)),
        ((0.55 - 0.9 * share, np.full(16, -0.1)), (0.38 - 0.95 * share, -depth - 0.28 * np.sin(np.pi * share) ** 0.5)),
        ((0.40 - 0.6 * share, np.full(16, 0.1)), (0.20 - 0.70 * share, depth + 0.25 * np.sin(np.pi * share) ** 0.5)),
    )
    for (root_x, root_y), (rim_x, rim_y) in fins:
        root, rim = place(root_x, root_y), place(rim_x, rim_y)
        web = np.concatenate([root, root[::-1] + 0.72 * (rim - root)[::-1]])
        canvas.polygons(web[None], skin * 0.72)
        tips = root + (rim - root) * rng.uniform(0.85, 1.12, (16, 1))
        canvas.strokes(np.stack([root, tips], axis=1), skin * rng.uniform(0.7, 1.15, (16, 1)), 0.03 * radius)
    x = np.linspace(-0.6, 1.0, 33)
    canvas.polygons(place(np.r_[x, x[::-1]], np.r_[thickness(x), -thickness(x[::-1])])[None], skin)
    for at in np.linspace(-0.38, 0.42, int(rng.integers(3, 6))):
        stripe = at + np.linspace(0, rng.uniform(0.07, 0.12), 5)
        wave = 0.96 * thickness(stripe)
        canvas.polygons(place(np.r_[stripe, stripe[::-1]], np.r_[wave, -wave[::-1]])[None], band)
    eye = place(0.70, -0.12 * depth)[None]
    canvas.discs(eye, np.array([0.085 * radius]), np.array([0.9, 0.88, 0.8]))
    canvas.discs(eye, np.array([0.05 * radius]), np.array([0.05, 0.05, 0.06]))


def furball(rng: np.random.Generator, canvas: Canvas, centre: Point, radius: float) -> None:
    """A round animal of long hair: every hair is a bent stroke, and the rim is nothing but hair."""
    coats = ((0.58, 0.42, 0.27), (0.46, 0.45, 0.44), (0.80, 0.76, 0.68), (0.70, 0.44, 0.22), (0.24, 0.20, 0.18))
    coat = tint(rng, coats[rng.integers(5)], 0.2)
    squash, lobes = rng.uniform(0.8, 1.0), rng.uniform(0, 2 * np.pi, 2)
    count = 620

    def rim(angles):
        reach = 0.68 + 0.05 * np.sin(2 * angles + lobes[0]) + 0.04 * np.sin(3 * angles + lobes[1])
        return radius * reach[:, None] * _rays(angles) * [1, squash]

    canvas.polygons((centre + rim(np.linspace(0, 2 * np.pi, 40)))[None], coat * 0.6)
    # Hair lies like shingles: the outermost first, each inner one over the roots of the next.
    inward = np.sort(np.sqrt(rng.uniform(0, 1, count)))[::-1]
    angles = rng.uniform(0, 2 * np.pi, count)
    root = centre + inward[:, None] * rim(angles)
    comb = angles + rng.normal(0.25, 0.15) + rng.normal(0, 0.4, count)
    length = radius * rng.uniform(0.14, 0.36, (count, 1))
    middle = root + 0.55 * length * _rays(comb)
    tip = middle + 0.45 * length * _rays(comb + rng.normal(0.3, 0.4, count))
    colours = coat * rng.uniform(0.6, 1.35, (count, 1))
    canvas.strokes(np.stack([root, middle, tip], axis=1), colours, 0.026 * radius)
    face = centre + radius * rng.normal(0, 0.08, 2)
    eyes = face + radius * np.array([[-0.17, -0.08], [0.17, -0.08]])
    canvas.discs(eyes, np.full(2, 0.075 * radius), np.array([0.04, 0.03, 0.03]))
    canvas.discs(eyes - 0.025 * radius, np.full(2, 0.022 * radius), np.array([0.95, 0.95, 0.95]))


def pot(rng: np.random.Generator, canvas: Canvas, centre: Point, radius: float) -> None:
    """A thrown pot: smooth outline, glazed bands, sometimes two handles with a hole."""
    glazes = ((0.70, 0.38, 0.24), (0.26, 0.36, 0.56), (0.76, 0.72, 0.62), (0.30, 0.44, 0.38), (0.50, 0.30, 0.22))
    glaze, other = (tint(rng, glazes[i], 0.2) for i in rng.choice(5, 2, replace=False))
    belly, swell, mouth = rng.uniform(0.55, 0.75), rng.uniform(0.35, 0.65), rng.uniform(0.38, 0.6)
    foot = rng.uniform(0.3, 0.45)
    knots = np.array([0.0, swell, 0.88, 1.0])
    down = np.linspace(0, 1, 41)
    # Cubic through mouth, belly and foot: a potter's wheel makes no corners.
    curve = np.polynomial.Polynomial.fit(knots, [mouth, belly, 0.5 * (belly + foot), foot], 3)(down)
    half = radius * np.maximum(curve, 0.25)
    heights = centre[1] + radius * (1.7 * down - 0.85)

    def wall(rows):
        left, right = centre[0] - half[rows], centre[0] + half[rows]
        return np.concatenate([np.stack([left, heights[rows]], -1), np.stack([right, heights[rows]], -1)[::-1]])

    if rng.random() < 0.45:
        arc = np.linspace(-1.35, 1.35, 12)
        for side in (-1, 1):
            root = np.array([centre[0] + side * half[14] * 0.9, heights[14]])
            canvas.strokes((root + 0.30 * radius * _rays(arc) * [side * 1.1, 1.1])[None], glaze * 0.9, 0.10 * radius)
    canvas.polygons(wall(np.arange(41))[None], glaze)
    for start in rng.choice(np.arange(5, 34), int(rng.integers(1, 4)), replace=False):
        canvas.polygons(wall(np.arange(start, start + int(rng.integers(2, 6))))[None], other)
    lip = np.array([[centre[0], heights[0]]])
    canvas.discs(lip, half[:1] * 1.06, glaze * 1.15, squash=0.2)
    canvas.discs(lip, half[:1] * 0.92, glaze * 0.3, squash=0.17)


def urchin(rng: np.random.Generator, canvas: Canvas, centre: Point, radius: float) -> None:
    """A sea urchin: needles in all directions, dark at the root and paler at the tip."""
    shells = ((0.26, 0.13, 0.30), (0.14, 0.12, 0.16), (0.46, 0.16, 0.18), (0.32, 0.28, 0.16))
    shell = tint(rng, shells[rng.integers(4)], 0.25)
    pale = np.clip(shell * 1.5 + rng.uniform(0.08, 0.25), 0, 1)
    canvas.discs(centre[None], np.array([0.52 * radius]), shell * 0.6, squash=0.92)
    # Needles at the rim first; those that point at the viewer are short and lie over them.
    count = int(rng.integers(130, 190))
    inward = np.sort(np.sqrt(rng.uniform(0, 1, count)))[::-1]
    angles = rng.uniform(0, 2 * np.pi, count)
    aim, across = _rays(angles + rng.normal(0, 0.12, count)), _rays(angles + np.pi / 2)
    root = centre + 0.45 * radius * inward[:, None] * _rays(angles)
    length = radius * (0.12 + 0.42 * inward * rng.uniform(0.75, 1.1, count))[:, None]
    half = 0.032 * radius * across
    light = rng.uniform(0.75, 1.25, (count, 1))
    waist = root + 0.55 * length * aim
    needles = np.stack([root - half, root + length * aim, root + half], axis=1)
    tips = np.stack([waist - 0.45 * half, root + length * aim, waist + 0.45 * half], axis=1)
    # Root and tip of a needle alternate in the order of drawing, so that no tip shows through a nearer needle.
    both = np.stack([needles, tips], axis=1).reshape(2 * count, 3, 2)
    canvas.polygons(both, np.stack([shell * light, pale * light], axis=1).reshape(2 * count, 3))
