"""One picture: a place, its clutter, one to three classes of objects, light, lens and sensor; and its true mask."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from matlabel.artifacts.label_image import VOID
from matlabel.dataset.shapes import CLASSES, clutter, objects, textures
from matlabel.dataset.shapes.canvas import Canvas

# A pixel of which no label fills more than this share is nobody's.
SURE = 0.55

_DRAW = {name: getattr(objects, name) for name in CLASSES}
_PLACES = {
    "meadow": (textures.meadow, clutter.grass),
    "forest": (textures.forest, clutter.pebbles),
    "water": (textures.water, clutter.bubbles),
    "sand": (textures.sand, clutter.pebbles),
    "room": (textures.room, clutter.books),
}
# Where a class is at home: its surroundings are evidence of it, so a classifier is tempted to look at them.
_HOME = {"fern": "forest", "fish": "water", "furball": "meadow", "pot": "room", "urchin": "sand"}
_AT_HOME = 0.3


@dataclass
class Placed:
    """An object of class `name` at `centre` (x, y) with `radius`, in pixels."""

    name: str
    centre: np.ndarray
    radius: float


def compose(rng: np.random.Generator, names: tuple[str, ...], height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Photograph objects of the given classes.

    Args:
        rng: all that is random in the picture.
        names: distinct members of `CLASSES`; the first one chooses the place.
        height: of the picture in pixels.
        width: of the picture in pixels.

    Returns:
        image: uint8[height, width, 3].
        mask: uint8[height, width], 0 background, 1..K as in `CLASSES`, `VOID` on mixed pixels of contours. A class of
            `names` may be hidden by another one: the caller checks.
    """
    size = max(height, width)
    place = _HOME[names[0]] if rng.random() < _AT_HOME else str(rng.choice(sorted(_PLACES)))
    light = rng.uniform(-0.9, 0.9) - np.pi / 2
    picture = _surroundings(rng, place, height, width)
    shares = np.zeros((len(CLASSES) + 1, height, width), dtype=np.float32)
    shares[0] = 1

    lens = size / 128 * rng.uniform(0.3, 0.55)
    for item in _arrange(rng, names, height, width):
        canvas = Canvas(height, width)
        _DRAW[item.name](rng, canvas, item.centre, item.radius)
        layer = canvas.layer(lens)
        layer[..., :3] *= _shading(rng, item, light, height, width)[..., None]
        picture *= 1 - _shadow(rng, layer[..., 3], item.radius, light)[..., None]
        picture = _over(layer, picture)
        shares *= 1 - layer[..., 3]
        shares[CLASSES.index(item.name) + 1] += layer[..., 3]

    if place != "room" and rng.random() < 0.3:
        # Something before the objects: it takes pixels from them and is background.
        canvas = Canvas(height, width)
        (clutter.twigs if place != "water" else clutter.bubbles)(rng, canvas, height, width)
        layer = canvas.layer(lens * 1.5)
        picture = _over(layer, picture)
        shares *= 1 - layer[..., 3]
        shares[0] += layer[..., 3]

    mask = np.where(shares.max(axis=0) > SURE, shares.argmax(axis=0), VOID).astype(np.uint8)
    return _develop(rng, picture, light), mask


def _arrange(rng: np.random.Generator, names: tuple[str, ...], height: int, width: int) -> list[Placed]:
    """Where the objects are and how large, from the farthest to the nearest."""
    short, count = min(height, width), len(names)
    low, high = {1: (0.26, 0.46), 2: (0.24, 0.36), 3: (0.22, 0.29)}[count]
    turn, spread = rng.uniform(0, 2 * np.pi), {1: 0.1, 2: 0.27, 3: 0.31}[count]
    placed = []
    for number, name in enumerate(names):
        radius = short * rng.uniform(low, high)
        angle = turn + 2 * np.pi * number / count
        centre = np.array([0.5, 0.5]) + spread * np.array([np.cos(angle), np.sin(angle)]) + rng.normal(0, 0.05, 2)
        margin = 0.7 * radius
        centre = np.clip(centre * [width, height], margin, [width - margin, height - margin])
        placed.append(Placed(name, centre, radius))
    by_name = {item.name: item for item in placed}
    if set(by_name) == {"fern", "pot"} and rng.random() < 0.6:
        # A potted fern: the foot of the fern is in the mouth of the pot, and the pot stands before it.
        plant, vessel = by_name["fern"], by_name["pot"]
        vessel.centre = np.array([width * rng.uniform(0.35, 0.65), height - 0.85 * vessel.radius])
        plant.centre = vessel.centre - [0, 0.75 * vessel.radius + 0.75 * plant.radius]
        return [plant, vessel]
    if count == 1 and rng.random() < 0.25:
        # Two of a kind, the second one smaller and elsewhere.
        first = placed[0]
        first.radius *= 0.8
        placed.append(Placed(first.name, rng.uniform(0.2, 0.8, 2) * [width, height], first.radius * 0.75))
    return [placed[i] for i in rng.permutation(len(placed))]


def _surroundings(rng: np.random.Generator, place: str, height: int, width: int) -> np.ndarray:
    """The background with its clutter, out of focus: float32[height, width, 3]."""
    paint, litter = _PLACES[place]
    picture = paint(rng, height, width)
    canvas = Canvas(height, width)
    if rng.random() < 0.8:
        litter(rng, canvas, height, width)
    if place not in ("water", "room") and rng.random() < 0.4:
        clutter.twigs(rng, canvas, height, width)
    layer = canvas.layer(0)
    blur = max(height, width) / 128 * rng.uniform(0.4, 1.8)
    return gaussian_filter(_over(layer, picture), (blur, blur, 0), truncate=2.5)


def _over(layer: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """The premultiplied layer float32[H, W, 4] laid over the picture float32[H, W, 3]."""
    return layer[..., :3] + (1 - layer[..., 3:]) * picture


def _shading(rng: np.random.Generator, item: Placed, light: float, height: int, width: int) -> np.ndarray:
    """Brightness of a round body lit from one side, with a slightly uneven surface: float32[height, width]."""
    x = (np.arange(width, dtype=np.float32) - item.centre[0]) / item.radius
    y = (np.arange(height, dtype=np.float32)[:, None] - item.centre[1]) / item.radius
    towards = x * np.float32(np.cos(light)) + y * np.float32(np.sin(light))
    return np.clip(1.0 + 0.38 * towards, 0.5, 1.5) * (1 + 0.06 * textures.fractal(rng, height, width, height / 9))


def _shadow(rng: np.random.Generator, alpha: np.ndarray, radius: float, light: float) -> np.ndarray:
    """Soft shadow of a layer, cast away from the light: share of light taken away, float32[H, W]."""
    away = np.rint(-0.22 * radius * np.array([np.sin(light), np.cos(light)])).astype(int)
    height, width = alpha.shape
    padded = np.pad(alpha, ((abs(away[0]),) * 2, (abs(away[1]),) * 2))
    top, left = abs(away[0]) - away[0], abs(away[1]) - away[1]
    moved = padded[top : top + height, left : left + width]
    return rng.uniform(0.15, 0.5) * gaussian_filter(moved, 0.12 * radius, truncate=2)


def _develop(rng: np.random.Generator, picture: np.ndarray, light: float) -> np.ndarray:
    """Uneven light, colour cast, exposure and sensor noise: uint8[H, W, 3]."""
    height, width, _ = picture.shape
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    slope = 1 + rng.uniform(0, 0.25) * (x * np.float32(np.cos(light)) + y * np.float32(np.sin(light)))
    vignette = 1 - rng.uniform(0, 0.14) * (x**2 + y**2)
    cast = rng.normal(1, 0.05, 3).astype(np.float32) * np.float32(rng.uniform(0.8, 1.2))
    exposed = np.clip(picture * (slope * vignette)[..., None] * cast, 0, 1)
    grain = rng.standard_normal(exposed.shape, dtype=np.float32) * np.float32(rng.uniform(0.006, 0.018))
    # Photon noise grows with the square root of the light.
    return np.clip(255 * (exposed + grain * (0.4 + np.sqrt(exposed))) + 0.5, 0, 255).astype(np.uint8)
