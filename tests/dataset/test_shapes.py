"""The generated demo data set: reproducible to the byte, and its tags say what its masks show."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt

from matlabel.artifacts.label_image import VOID, read_label_image, voc_palette
from matlabel.dataset.shapes import CLASSES
from matlabel.dataset.shapes.generate import MIN_SHARE, generate

SPLITS = {"train": 60, "val": 15}
SIZE = 96


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set, written once for all tests of this file."""
    path = tmp_path_factory.mktemp("shapes")
    generate(path, seed=3, splits=SPLITS, size=SIZE)
    return path


def rows_of(folder: Path) -> list[dict[str, str]]:
    with open(folder / "labels.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_folder_holds_an_image_and_a_mask_of_each_row_and_nothing_else(folder):
    rows = rows_of(folder)
    assert list(rows[0]) == ["id", "split", "classes"]
    assert {split: sum(row["split"] == split for row in rows) for split in SPLITS} == SPLITS
    expected = {"labels.csv", "classes.txt"}
    expected |= {f"images/{row['id']}.jpg" for row in rows} | {f"masks/{row['id']}.png" for row in rows}
    assert set(bytes_of(folder)) == expected
    assert (folder / "classes.txt").read_text().split() == list(CLASSES)


def test_the_same_arguments_write_the_same_bytes(tmp_path):
    for name in ("first", "second"):
        generate(tmp_path / name, seed=3, splits={"train": 6, "val": 3}, size=SIZE)
    assert bytes_of(tmp_path / "first") == bytes_of(tmp_path / "second")


def test_an_image_does_not_depend_on_how_many_others_there_are(folder, tmp_path):
    generate(tmp_path, seed=3, splits={"val": 4}, size=SIZE)
    few, many = bytes_of(tmp_path), bytes_of(folder)
    drawn = [name for name in few if name.startswith(("images", "masks"))]
    assert len(drawn) == 8
    assert all(few[name] == many[name] for name in drawn)


def test_seeds_splits_and_indices_give_different_images(folder, tmp_path):
    generate(tmp_path, seed=4, splits={"train": 5}, size=SIZE)
    images = [(folder / "images" / f"{row['id']}.jpg").read_bytes() for row in rows_of(folder)]
    images += [path.read_bytes() for path in (tmp_path / "images").iterdir()]
    assert len(set(images)) == len(images)


def test_tags_are_the_classes_of_the_mask_in_order(folder):
    for row in rows_of(folder):
        mask = read_label_image(folder / "masks" / f"{row['id']}.png", classes=len(CLASSES))
        shares = np.bincount(mask.ravel(), minlength=256) / mask.size
        visible = [name for value, name in enumerate(CLASSES, 1) if shares[value] > 0]
        assert row["classes"].split(";") == visible, row["id"]
        assert all(shares[CLASSES.index(name) + 1] >= MIN_SHARE for name in visible), row["id"]
        assert shares[0] > 0.1, row["id"]
        assert shares[VOID] < 0.08, row["id"]


def test_void_lies_only_near_contours(folder):
    for row in rows_of(folder):
        mask = read_label_image(folder / "masks" / f"{row['id']}.png")
        # Tips of hairs are mixed too, a few pixels from the nearest pixel that belongs to the object for sure.
        values = [value for value in np.unique(mask) if value != VOID]
        near = sum(distance_transform_edt(mask != value) <= SIZE / 8 for value in values)
        assert (near[mask == VOID] >= 2).all(), row["id"]


def test_images_are_colour_photographs_of_the_size_of_their_masks(folder):
    shapes = set()
    for row in rows_of(folder):
        with Image.open(folder / "images" / f"{row['id']}.jpg") as image:
            with Image.open(folder / "masks" / f"{row['id']}.png") as mask:
                assert (image.format, image.mode, mask.mode) == ("JPEG", "RGB", "P")
                assert image.size == mask.size
                assert mask.getpalette() == voc_palette().ravel().tolist()
            assert max(image.size) == SIZE
            shapes.add(image.size)
            assert np.asarray(image).std() > 10, row["id"]
    assert len(shapes) > 2


def test_every_class_occurs_alone_and_with_others_and_none_dominates(folder):
    tags = [row["classes"].split(";") for row in rows_of(folder)]
    for name in CLASSES:
        assert [name] in tags
        assert any(name in tag and len(tag) > 1 for tag in tags)
        assert 0.15 < np.mean([name in tag for tag in tags]) < 0.5
    assert 0.25 < np.mean([len(tag) > 1 for tag in tags]) < 0.5


def test_even_the_first_images_of_a_split_have_every_class(folder):
    first = [row["classes"].split(";") for row in rows_of(folder) if row["split"] == "val"][: len(CLASSES)]
    assert {name for tag in first for name in tag} == set(CLASSES)


@pytest.mark.parametrize("size", [32, 256])
def test_other_sizes_keep_the_tags_true(tmp_path, size):
    generate(tmp_path, seed=0, splits={"train": 5}, size=size)
    for row in rows_of(tmp_path):
        mask = read_label_image(tmp_path / "masks" / f"{row['id']}.png")
        assert max(mask.shape) == size
        values = set(np.unique(mask).tolist()) - {0, VOID}
        assert values == {CLASSES.index(name) + 1 for name in row["classes"].split(";")}


@pytest.mark.parametrize(
    ("seed", "splits", "size"),
    [(-1, {"train": 1}, 96), (0, {"train": 1}, 31), (0, {"train": -1}, 96), (0, {"../a": 1}, 96), (0, {"": 1}, 96)],
)
def test_arguments_that_make_no_data_set_are_refused_before_anything_is_written(tmp_path, seed, splits, size):
    with pytest.raises(ValueError, match="shapes"):
        generate(tmp_path / "new", seed=seed, splits=splits, size=size)
    assert not (tmp_path / "new").exists()
