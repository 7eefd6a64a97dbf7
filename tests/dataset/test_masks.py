"""Masks are held against photographs, classes and tags before anything runs: a line a kind, refused or noted."""

import shutil

import numpy as np
import pytest
from animals import write_folder
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import read_label_image, write_label_image
from matlabel.dataset.manifest import read_files
from matlabel.dataset.mask_order import order_by_tags
from matlabel.dataset.readers.folder import list_folder, read_classes
from matlabel.dataset.scan import scan
from matlabel.settings.dataset import DatasetSettings

ROWS = {f"a{number}": ("train", ("cat", "dog", "cat;dog")[number % 3]) for number in range(9)}


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "animals", ROWS)


def scanned(folder, **changes):
    options = DatasetSettings(format="folder", path=str(folder), shard_size=4, **changes)
    return scan(list_folder(folder), folder.parent / "root", options, read_classes(folder), write=True)


def change(folder, function, names=tuple(ROWS)):
    for name in names:
        path = folder / f"masks/{name}.png"
        write_label_image(path, function(read_label_image(path)))


def test_sound_masks_are_silent(folder):
    assert scanned(folder).notes == []


def refusal(folder):
    with pytest.raises(UserError) as error:
        scanned(folder)
    assert str(error.value).endswith("or set dataset.masks: note, which leaves those out that cannot be used")
    return str(error.value)


def test_masks_that_cannot_be_used_are_counted_with_three_examples(folder):
    change(folder, lambda mask: mask[:, :-1], ["a0", "a1"])
    change(folder, lambda mask: mask.T, ["a2"])
    change(folder, lambda mask: np.where(mask, mask + 30, 0).astype(np.uint8), ["a3"])
    (folder / "masks/a4.png").write_bytes((folder / "masks/a4.png").read_bytes()[:60])
    Image.new("RGB", (48, 40)).save(folder / "masks/a5.png")
    text = refusal(folder)
    assert "3 of 9 masks are not of the size of their photograph" in text
    assert "a0 (47 × 40, not 48 × 40), a1 (47 × 40, not 48 × 40), a2 (40 × 48, not 48 × 40, its sides swapped)" in text
    assert "1 of 9 masks hold other values than 0 to 2 and 255 (void): a3 (31)" in text
    assert "2 of 9 masks cannot be read" in text
    assert "a5 (a mask must be a palette or grey PNG of label values, not mode RGB)" in text
    found = scanned(folder, masks="note")
    assert [line in "\n".join(found.notes) for line in text.splitlines()[:-1]] == [True] * 3
    left = {image for shard in found.shards.values() for image in read_files(shard.masks)}
    assert left == {"a6", "a7", "a8"}


def test_void_in_place_of_a_class_is_refused_where_it_is_the_rule_and_noted_where_it_is_not(folder):
    change(folder, lambda mask: np.where(mask, 255, 0).astype(np.uint8), ["a0"])
    (note,) = scanned(folder).notes
    assert "1 of 9 masks hold 255 (void) beside nothing but 0" in note
    change(folder, lambda mask: np.where(mask, 255, 0).astype(np.uint8))
    assert "9 of 9 masks hold 255 beside nothing but 0" in refusal(folder)


def test_masks_of_other_images_are_refused_and_single_contradictions_noted(folder):
    change(folder, lambda mask: np.where(mask == 1, 2, mask).astype(np.uint8), ["a0"])
    notes = "\n".join(scanned(folder).notes)
    assert "1 of 9 masks lack a class that their image is tagged with: a0 (cat)" in notes
    assert "1 of 9 masks show a class that their image is not tagged with: a0 (dog)" in notes
    change(folder, lambda mask: np.zeros_like(mask), ["a0", "a1", "a2", "a3", "a4"])
    assert "5 of 9 masks show none of the classes that their images are tagged with; do the masks belong" in (
        refusal(folder)
    )


def test_values_in_another_order_are_named_in_the_right_one(folder):
    change(folder, lambda mask: np.uint8([0, 2, 1])[mask])
    assert "by the tags, 1 is dog, 2 is cat; write classes.txt in that order" in refusal(folder)


def test_values_that_count_from_zero_are_known(folder):
    change(folder, lambda mask: np.uint8([255, 0, 1])[mask])
    assert "0 is cat, 1 is dog (they count from 0: add 1" in refusal(folder)


@given(
    st.integers(2, 8).flatmap(lambda k: st.tuples(st.just(k), st.permutations(range(1, k + 1)))),
    st.integers(0, 1000),
)
def test_an_order_is_named_if_and_only_if_it_is_another(order, seed):
    classes, values = order
    random = np.random.default_rng(seed)
    tags = [np.flatnonzero(random.random(classes) < 0.4) + 1 for _ in range(60)]
    names = [f"c{n}" for n in range(1, classes + 1)]
    masks = [(tuple(tag), (0, *(values[value - 1] for value in tag))) for tag in tags]
    said = order_by_tags(masks, names)
    if list(values) == list(range(1, classes + 1)):
        assert said is None
    else:
        wrong = [place for place, value in enumerate(values, 1) if place != value]
        assert all(f"{values[place - 1]} is c{place}" in said for place in wrong)


def test_tags_that_tell_nothing_give_no_order():
    assert order_by_tags([((1,), (0, 2))] * 9, ["cat", "dog"]) is None
    assert order_by_tags([((1, 2), (0, 1, 2))] * 9, ["cat", "dog"]) is None
    assert order_by_tags([], ["cat", "dog"]) is None


def test_a_photograph_that_is_stored_turned_is_noted_where_the_size_does_not_tell(folder):
    exif = Image.Exif()
    exif[0x0112] = 3
    with Image.open(folder / "images/a3.png") as image:
        image.save(folder / "images/a3.png", exif=exif)
    (note,) = scanned(folder).notes
    assert "1 of 9 masks belong to photographs that are stored turned" in note


def renamed(folder, suffix, extension=".png"):
    for path in (folder / "masks").iterdir():
        path.rename(path.with_name(f"{path.stem}{suffix}{extension}"))


def test_masks_of_other_names_are_named_with_what_they_have_in_common(folder):
    renamed(folder, "_gt")
    with pytest.raises(UserError, match=r'9 files are called as no image in images/: a0_gt\.png.*they end in "_gt"'):
        scanned(folder)
    shutil.move(folder / "masks/a0_gt.png", folder / "masks/a0.png")
    (note,) = scanned(folder).notes
    assert "8 files are called as no image in images/: a1_gt.png, a2_gt.png, a3_gt.png and 5 more" in note


def test_masks_of_another_format_or_folder_are_named(folder):
    renamed(folder, "", ".tif")
    with pytest.raises(UserError, match=r"9 entries are no PNG and are not looked at: a0\.tif"):
        scanned(folder)
    shutil.move(folder / "masks", folder / "SegmentationClass")
    (note,) = scanned(folder).notes
    assert "SegmentationClass: not looked at; true masks belong in" in note


def test_letter_case_and_padding_do_not_part_a_mask_from_its_image(folder):
    for number in range(9):
        (folder / f"masks/a{number}.png").rename(folder / f"masks/A00{number}.png")
    found = scanned(folder)
    assert found.notes == []
    assert all(shard.masks for shard in found.shards.values())


def test_what_was_seen_is_not_opened_again(folder, monkeypatch):
    scanned(folder)
    monkeypatch.setattr("matlabel.dataset.mask_facts.read_facts", None)
    assert scanned(folder).notes == []
