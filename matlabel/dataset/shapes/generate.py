"""Write the `shapes` data set to disk, in the layout that the `folder` reader takes."""

import zlib
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image

from matlabel.artifacts.label_image import write_label_image
from matlabel.dataset.shapes import CLASSES
from matlabel.dataset.shapes.scene import compose

# A class that is in a picture fills at least this share of it.
MIN_SHARE = 0.03
JPEG_QUALITY = 92
_ASPECTS = ((1, 1), (4, 3), (3, 4), (5, 4), (4, 5))
_ALONE = 0.62
_THIRD = 0.15
# Who is seen with whom, in percent: plants stand in pots, fish swim over urchins.
_COMPANIONS = {
    "fern": {"fish": 10, "furball": 15, "pot": 65, "urchin": 10},
    "fish": {"fern": 10, "furball": 10, "pot": 20, "urchin": 60},
    "furball": {"fern": 30, "fish": 20, "pot": 30, "urchin": 20},
    "pot": {"fern": 60, "fish": 15, "furball": 15, "urchin": 10},
    "urchin": {"fern": 10, "fish": 50, "furball": 20, "pot": 20},
}


def generate(folder: Path, *, seed: int, splits: dict[str, int], size: int) -> None:
    """Write images, masks, `classes.txt` and, last, `labels.csv`; the same arguments always give the same bytes.

    Args:
        folder: where to write; made if missing, files of the same names are replaced.
        seed: any integer from 0; another seed is another data set.
        splits: number of images by split name; an image does not depend on how many others there are.
        size: long side of every image in pixels, at least 32.

    Raises:
        ValueError: the seed is negative, the size below 32, a count negative, or a split name not made of letters,
            digits and underscores.
    """
    if seed < 0 or size < 32 or any(number < 0 for number in splits.values()):
        raise ValueError(f"shapes: seed {seed} and counts {splits} must not be negative, size {size} be at least 32")
    if strange := [name for name in splits if not name.replace("_", "a").isalnum()]:
        raise ValueError(f"shapes: split names are letters, digits and underscores, not {strange}")
    folder = Path(folder)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    # Gone first and written last: an interrupted run leaves a folder that no reader takes for a data set.
    (folder / "labels.csv").unlink(missing_ok=True)
    rows = ["id,split,classes"]
    for split, number in splits.items():
        for index in range(number):
            name = f"{split}-{index:04d}"
            image, mask, classes = draw(seed, split, index, size)
            Image.fromarray(image).save(folder / "images" / f"{name}.jpg", quality=JPEG_QUALITY)
            write_label_image(folder / "masks" / f"{name}.png", mask)
            rows.append(f"{name},{split},{';'.join(classes)}")
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in CLASSES), encoding="utf-8")
    (folder / "labels.csv").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def draw(seed: int, split: str, index: int, size: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Image number `index` of a split.

    Returns:
        image: uint8[H, W, 3], the longer side is `size`.
        mask: uint8[H, W], see `scene.compose`.
        classes: names of the classes in the mask, in the order of `CLASSES`, each at least `MIN_SHARE` of the picture.
    """
    for attempt in count():
        rng = np.random.default_rng([seed, zlib.crc32(split.encode()), index, attempt])
        names = _cast(rng, index)
        across, down = _ASPECTS[rng.integers(len(_ASPECTS))]
        height, width = (round(size * side / max(across, down)) for side in (down, across))
        image, mask = compose(rng, names, height, width)
        pixels = np.bincount(mask.ravel(), minlength=256)
        # One class can hide another: then the tags would lie, so the picture is taken again.
        if all(pixels[CLASSES.index(name) + 1] >= MIN_SHARE * mask.size for name in names):
            return image, mask, sorted(names, key=CLASSES.index)


def _cast(rng: np.random.Generator, index: int) -> tuple[str, ...]:
    """The classes of picture number `index`, the leading one first."""
    # Leading classes take turns: a split of a few images has them all.
    names = [CLASSES[index % len(CLASSES)]]
    if rng.random() >= _ALONE:
        chances = _COMPANIONS[names[0]]
        names.append(str(rng.choice(list(chances), p=[chance / 100 for chance in chances.values()])))
        if rng.random() < _THIRD:
            names.append(str(rng.choice([name for name in CLASSES if name not in names])))
    return tuple(names)
