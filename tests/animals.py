"""A small data set in the folder format, made on the fly."""

from pathlib import Path

import numpy as np
from PIL import Image

from matlabel.artifacts.label_image import write_label_image


def write_folder(folder: Path, rows: dict[str, tuple[str, str]], size=(40, 48), classes=("cat", "dog")) -> Path:
    """A data set in the folder format: id -> (split, tags); each image shows a block of each of its tags."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in classes))
    lines = ["id,split,classes"]
    for number, (image_id, (split, tags)) in enumerate(rows.items()):
        random = np.random.default_rng(number)
        image = random.integers(90, 130, (*size, 3), dtype=np.uint8)
        mask = np.zeros(size, np.uint8)
        for place, tag in enumerate(filter(None, tags.split(";"))):
            value = classes.index(tag) + 1 if tag in classes else 1
            rows_, columns = slice(8, 30), slice(4 + 22 * place, 22 + 22 * place)
            mask[rows_, columns] = value
            image[rows_, columns, value - 1] = 240
        Image.fromarray(image).save(folder / "images" / f"{image_id}.png")
        write_label_image(folder / "masks" / f"{image_id}.png", mask)
        lines.append(f"{image_id},{split},{tags}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder
