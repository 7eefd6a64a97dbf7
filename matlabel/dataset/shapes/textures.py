"""Smooth noise, and the five places in which the scenes are set."""

import numpy as np
from PIL import Image


def noise(rng: np.random.Generator, height: int, width: int, cell: float, stretch: float = 1.0) -> np.ndarray:
    """Smooth random field: independent values about `cell` pixels apart, interpolated by a cubic.

    Args:
        rng: source of the values.
        height: rows of the field.
        width: columns of the field.
        cell: distance of the values in pixels, down the columns.
        stretch: how many times farther apart they are along the rows.

    Returns:
        float32[height, width] with mean about 0 and standard deviation below 1.
    """
    rows, columns = max(2, round(height / cell)), max(2, round(width / (cell * stretch)))
    values = Image.fromarray(rng.standard_normal((rows, columns), dtype=np.float32))
    return np.asarray(values.resize((width, height), Image.Resampling.BICUBIC))


def fractal(rng: np.random.Generator, height: int, width: int, cell: float, stretch: float = 1.0) -> np.ndarray:
    """Sum of four octaves of `noise`, each half as wide and 0.6 times as strong: float32[height, width]."""
    return sum(0.6**octave * noise(rng, height, width, cell / 2**octave, stretch) for octave in range(4))


def mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Blend two colours (float[3] or float[H, W, 3]) by `share` of the second, float[H, W], clipped to [0, 1]."""
    share = np.clip(share, 0, 1)[..., None]
    return (first * (1 - share) + second * share).astype(np.float32)


def tint(rng: np.random.Generator, colour: tuple[float, float, float], spread: float) -> np.ndarray:
    """The colour, up to `spread` brighter or darker and a little shifted in hue: float[3] in [0.02, 0.98]."""
    return np.clip(np.array(colour) * rng.uniform(1 - spread, 1 + spread) + rng.normal(0, spread / 7, 3), 0.02, 0.98)


def meadow(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Grass, with pale sky or bushes above a soft horizon: float32[height, width, 3] in about [0, 1]."""
    grass = mix(
        tint(rng, (0.20, 0.30, 0.10), 0.3),
        tint(rng, (0.52, 0.58, 0.24), 0.3),
        0.5 + 0.3 * fractal(rng, height, width, height / 6, 0.5),
    )
    far = tint(rng, ((0.70, 0.76, 0.80), (0.24, 0.32, 0.20))[rng.integers(2)], 0.2)
    rows = np.linspace(0, 1, height)[:, None]
    horizon = rng.uniform(-0.2, 0.45) + 0.05 * noise(rng, height, width, height / 4)
    return mix(far, grass, (rows - horizon) / 0.12)


def forest(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Forest floor of dead leaves and moss: float32[height, width, 3] in about [0, 1]."""
    litter = mix(
        tint(rng, (0.17, 0.13, 0.09), 0.3),
        tint(rng, (0.50, 0.38, 0.24), 0.3),
        0.45 + 0.35 * fractal(rng, height, width, height / 9),
    )
    return mix(litter, tint(rng, (0.24, 0.32, 0.13), 0.3), 0.8 * noise(rng, height, width, height / 3) - 0.1)


def water(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Clear water, bright above and deep below, with webs of light: float32[height, width, 3] in about [0, 1]."""
    rows = np.linspace(0, 1, height)[:, None] + 0.1 * noise(rng, height, width, height / 2)
    deep = mix(tint(rng, (0.38, 0.66, 0.72), 0.2), tint(rng, (0.05, 0.22, 0.36), 0.35), rows)
    # Light gathers along the zero lines of a smooth field: the webs on the floor of a pool.
    web = np.exp(-(noise(rng, height, width, height / 5, 1.5) ** 2) / 0.04)
    return deep + (rng.uniform(0.03, 0.16) * web * (1.1 - rows))[..., None].astype(np.float32)


def sand(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Rippled sand: float32[height, width, 3] in about [0, 1]."""
    rows = np.linspace(0, 1, height)[:, None]
    ripples = np.sin(2 * np.pi * (rng.uniform(3, 9) * rows + 0.5 * noise(rng, height, width, height / 3, 2)))
    return mix(
        tint(rng, (0.48, 0.40, 0.30), 0.25),
        tint(rng, (0.80, 0.72, 0.56), 0.15),
        0.5 + 0.2 * ripples + 0.22 * fractal(rng, height, width, height / 12),
    )


def room(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Wooden table before a plain wall: float32[height, width, 3] in about [0, 1]."""
    walls = ((0.72, 0.68, 0.60), (0.48, 0.56, 0.60), (0.62, 0.46, 0.40), (0.36, 0.40, 0.32))
    wall = mix(tint(rng, walls[rng.integers(4)], 0.2), np.ones(3), 0.06 * fractal(rng, height, width, height / 2))
    grain = 0.5 + 0.35 * fractal(rng, height, width, height / 14, 7)
    table = mix(tint(rng, (0.30, 0.19, 0.11), 0.3), tint(rng, (0.60, 0.42, 0.26), 0.25), grain)
    rows = np.linspace(0, 1, height)[:, None]
    return mix(wall, table, (rows - rng.uniform(0.3, 0.65)) / 0.02 + np.zeros((1, width)))
