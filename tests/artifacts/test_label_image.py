import numpy as np
import pytest
from PIL import Image

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import read_label_image, voc_palette, write_label_image


def test_the_palette_is_that_of_voc():
    palette = voc_palette().tolist()
    # The VOC development kit's first colours and its void.
    assert palette[:4] == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert palette[15] == [192, 128, 128]
    assert palette[255] == [224, 224, 192]


def test_labels_come_back_and_open_in_colour(tmp_path):
    labels = np.array([[0, 1], [2, 255]], np.uint8)
    write_label_image(tmp_path / "a.png", labels)
    np.testing.assert_array_equal(read_label_image(tmp_path / "a.png", 2), labels)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        assert image.convert("RGB").getpixel((1, 0)) == (128, 0, 0)


def test_a_value_that_is_no_class_is_named_with_its_place(tmp_path):
    write_label_image(tmp_path / "a.png", np.array([[0, 0], [7, 0]], np.uint8))
    with pytest.raises(UserError, match="label value 7 at row 1, column 0"):
        read_label_image(tmp_path / "a.png", 2)


def test_a_mask_in_true_colour_is_refused(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match="mode RGB"):
        read_label_image(tmp_path / "a.png")
