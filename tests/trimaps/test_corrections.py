import numpy as np
import pytest
from PIL import Image

from matlabel.artifacts.errors import UserError
from matlabel.trimaps.corrections import read_correction

NAMES = ["cat", "dog"]


@pytest.fixture
def drawing(tmp_path):
    def draw(pixels, size=(8, 6)):
        canvas = np.zeros((*size, 4), np.uint8)
        for (row, column), colour in pixels.items():
            canvas[row, column] = colour
        Image.fromarray(canvas).save(tmp_path / "a.png")
        return tmp_path / "a.png"

    return draw


def test_strokes_are_read_in_the_palettes_colours(drawing):
    path = drawing(
        {
            (0, 0): (128, 0, 0, 255),
            (0, 1): (0, 0, 0, 255),
            (0, 2): (224, 224, 192, 255),
            (0, 3): (140, 10, 5, 200),
            (0, 4): (0, 128, 0, 90),
        }
    )
    opinion = read_correction(path, (8, 6), [1], NAMES)
    assert opinion[0].tolist() == [1, 0, 255, 1, -1, -1]
    assert (opinion[1:] == -1).all()


@pytest.mark.parametrize(
    ("pixels", "size", "message"),
    [
        ({}, (8, 7), r"a\.png: 7 × 8 pixels, the image has 6 × 8"),
        ({(3, 2): (255, 0, 255, 255)}, (8, 6), r"colour #ff00ff at row 3, column 2"),
        ({(3, 2): (0, 128, 0, 255)}, (8, 6), r"dog drawn at row 3, column 2, but the image is tagged cat"),
    ],
)
def test_a_correction_that_does_not_fit_is_refused_with_its_place(drawing, pixels, size, message):
    with pytest.raises(UserError, match=message):
        read_correction(drawing(pixels, size), (8, 6), [1], NAMES)


def test_a_correction_that_is_no_image_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"a\.png: not a readable correction"):
        read_correction(tmp_path / "a.png", (8, 6), [1], NAMES)
