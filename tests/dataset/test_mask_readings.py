"""Sound masks of every make are silent and read right; sets that are wrong throughout are refused, however they are."""

import struct
import zlib

import numpy as np
import pytest
from animals import write_folder
from PIL import Image

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import read_label_image, voc_palette
from matlabel.artifacts.provenance import Inputs
from matlabel.dataset.readers.folder import list_folder, read_classes
from matlabel.dataset.scan import scan
from matlabel.dataset.true_masks import TrueMasks
from matlabel.settings.dataset import DatasetSettings

TAGS = ("cat", "dog", "cow", "cat;dog", "dog;cow", "")
ROWS = {f"a{number:02d}": ("train", TAGS[number % 6]) for number in range(24)}
CLASSES = ("cat", "dog", "cow")


def png(values, bits, kind, palette=b""):
    """A PNG of few bits, which no library here writes so."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b""
    for row in values:
        bit_row = "".join(f"{value:0{bits}b}" for value in row)
        bit_row += "0" * (-len(bit_row) % 8)
        rows += b"\0" + int(bit_row, 2).to_bytes(len(bit_row) // 8, "big")
    header = struct.pack(">IIBBBBB", len(values[0]), len(values), bits, kind, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + (chunk(b"PLTE", palette) if palette else b"")
    return data + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def with_palette(colours):
    return lambda values: png(values, 8, 3, bytes(np.asarray(colours, np.uint8).ravel()))


def sorted_by_an_editor(values):
    found = np.unique(values)[::-1]
    return with_palette(voc_palette()[found])(np.searchsorted(-found.astype(int), -values.astype(int)))


SOUND = {
    "grey of 2 bits": lambda values: png(values, 2, 0),
    "grey of 4 bits": lambda values: png(values, 4, 0),
    "grey of 8 bits": lambda values: png(values, 8, 0),
    "palette of 2 bits": lambda values: png(values, 2, 3, voc_palette()[:4].tobytes()),
    "VOC's palette, sorted by an editor": sorted_by_an_editor,
    "a palette of one's own": with_palette([(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)]),
    "VOC's colours for other classes": with_palette([(0, 0, 0), (0, 128, 0), (128, 0, 0), (128, 128, 0)]),
    "a black palette": with_palette(np.zeros((4, 3))),
}
WRONG = {
    "inverted": lambda values: png(np.where(values == 0, 1, 0), 8, 0),
    "all object": lambda values: png(np.ones_like(values), 8, 0),
    "255 for background": lambda values: png(np.where(values == 0, 255, values), 8, 0),
    "counting from 0": lambda values: png(np.where(values == 0, 255, values.astype(int) - 1), 8, 0),
    "background last": lambda values: png(np.where(values == 0, 3, values.astype(int) - 1), 8, 0),
    "one too many": lambda values: png(np.where(values, values.astype(int) + 1, 0), 8, 0),
    "numbers of objects": lambda values: png(np.unique(values, return_inverse=True)[1].reshape(values.shape), 8, 0),
    "white first": with_palette([(255, 255, 255), (0, 0, 0), (9, 9, 9), (99, 99, 99)]),
}


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "animals", ROWS, classes=CLASSES)


def scanned(folder):
    options = DatasetSettings(format="folder", path=str(folder), untagged="background")
    return scan(list_folder(folder), folder.parent / "root", options, read_classes(folder), write=True)


def rewrite(folder, encode):
    """Every mask anew, as `encode` writes label values; returns the values."""
    found = {}
    for path in sorted((folder / "masks").iterdir()):
        found[path.stem] = read_label_image(path)
        path.write_bytes(encode(found[path.stem]))
    return found


@pytest.mark.parametrize("make", SOUND)
def test_sound_masks_of_every_make_are_read_right(folder, make):
    values = rewrite(folder, SOUND[make])
    data = scanned(folder)
    assert all("are read by" in note for note in data.notes)
    for shard in data.shards.values():
        truth = TrueMasks(shard.masks, len(CLASSES), Inputs())
        for image_id, expected in values.items():
            np.testing.assert_array_equal(truth.read(image_id, expected.shape), expected)


@pytest.mark.parametrize("make", WRONG)
def test_masks_that_are_wrong_throughout_are_refused(folder, make):
    rewrite(folder, WRONG[make])
    with pytest.raises(UserError, match=r"\d+ of 24 masks .*\ncorrect them, or set dataset\.masks: note"):
        scanned(folder)


def test_one_class_is_held_against_images_without_it(tmp_path):
    rows = {f"a{number}": ("train", "cat" if number % 2 else "") for number in range(12)}
    folder = write_folder(tmp_path / "animals", rows, classes=("cat",))
    assert scanned(folder).notes == []
    rewrite(folder, WRONG["inverted"])
    with pytest.raises(UserError, match="6 of 12 masks show a class, though their images are tagged with none"):
        scanned(folder)


@pytest.mark.parametrize("images", [4, 6, 10, 20])
def test_sound_masks_with_a_tenth_of_the_tags_wrong_are_no_wrong_set(images):
    from pathlib import Path

    from matlabel.dataset.mask_facts import Facts, Pair
    from matlabel.dataset.masks import check_masks

    random = np.random.default_rng(images)
    refused = 0
    for _ in range(300):
        tags = [set(np.flatnonzero(random.random(6) < 0.3) + 1) or {1} for _ in range(images)]
        facts = [Facts(values=(0, *sorted(map(int, found)))) for found in tags]
        noisy = [{int(random.integers(1, 7))} if random.random() < 0.1 else found for found in tags]
        pairs = [Pair(str(n), tuple(sorted(found)), Path(), Path(), "") for n, found in enumerate(noisy)]
        refused += bool(check_masks(pairs, facts, list("abcdef"), Path("masks")).errors)
    assert refused <= 1


def test_a_thumbnail_sized_mask_is_measured_as_what_it_is(folder):
    Image.new("P", (4, 4)).save(folder / "masks/a00.png")
    with pytest.raises(UserError, match=r"1 of 24 masks are not of the size .* a00 \(4 × 4, not 48 × 40\)"):
        scanned(folder)
