import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
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


def indexed(path, indices, palette, **options):
    image = Image.fromarray(np.asarray(indices, np.uint8)).convert("P")
    image.putpalette(bytes(np.asarray(palette, np.uint8).ravel()))
    image.save(path, **options)


@given(order=st.permutations(range(1, 20)), seed=st.integers(0, 99))
def test_a_palette_that_an_editor_sorted_is_read_by_colour(tmp_path_factory, order, seed):
    labels = np.random.default_rng(seed).choice([0, 1, 5, 19, 255], (6, 7)).astype(np.uint8)
    # Index i of the file stands for value `values[i]`.
    values = np.array([*order, 0, 255])
    where = np.argsort(values)[np.searchsorted(np.sort(values), labels)]
    path = tmp_path_factory.mktemp("sorted") / "a.png"
    indexed(path, where, voc_palette()[values])
    np.testing.assert_array_equal(read_label_image(path, 19), labels)


@pytest.mark.parametrize(
    "palette",
    [
        np.arange(256)[:, None].repeat(3, 1),  # grey
        np.zeros((256, 3)),  # none
        np.random.default_rng(0).integers(1, 255, (256, 3)) | 1,  # somebody's own
        [(0, 0, 0), (0, 0, 128), (128, 128, 128)],  # VOC's colours, but not of two classes
    ],
)
def test_any_other_palette_is_only_for_the_eye(tmp_path, palette):
    labels = np.array([[0, 1], [2, 2]], np.uint8)
    indexed(tmp_path / "a.png", labels, palette)
    np.testing.assert_array_equal(read_label_image(tmp_path / "a.png", 2), labels)


def test_a_mask_is_turned_upright_and_held_against_its_images_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3
    labels = np.array([[0, 1, 2]], np.uint8)
    indexed(tmp_path / "a.png", labels, voc_palette(), exif=exif)
    np.testing.assert_array_equal(read_label_image(tmp_path / "a.png", 2, (1, 3)), labels[:, ::-1])
    with pytest.raises(UserError, match="3 × 1 pixels, but its image has 1 × 3"):
        read_label_image(tmp_path / "a.png", 2, (3, 1))
