"""Another layout is a file, a line in READERS and its name in the settings: here a list of paths and tags."""

import types
import typing
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image

from matlabel.artifacts.errors import UserError
from matlabel.dataset.checks import check_images
from matlabel.dataset.listing import Listing, Tagged
from matlabel.dataset.manifest import read_entries, read_files
from matlabel.dataset.readers import READERS
from matlabel.runs.data_set import class_names, scanned
from matlabel.settings.dataset import DatasetSettings


def classes(settings):
    return (Path(settings.path) / "names").read_text().split()


def listing(settings, root):
    folder = Path(settings.path)
    rows = [line.split() for line in (folder / "train.lst").read_text().splitlines()]
    images = {path.stem: f"pictures/{path.name}" for path in sorted((folder / "pictures").iterdir())}
    tagged = [
        Tagged(number, Path(path).stem, "train", tuple(tags), images.get(Path(path).stem), Path(path).stem)
        for number, (path, *tags) in enumerate(rows, 1)
    ]
    masks = {path.stem: f"truth/{path.name}" for path in (folder / "truth").iterdir()}
    return Listing(folder, folder / "train.lst", tagged, images, masks, images_in="pictures", masks_in="truth")


class ListedSettings(DatasetSettings):
    format: Literal["listed"] = "listed"


@pytest.fixture
def listed(tmp_path, monkeypatch):
    folder = tmp_path / "listed"
    for place in ("pictures", "truth"):
        (folder / place).mkdir(parents=True)
    (folder / "names").write_text("cat dog")
    (folder / "train.lst").write_text("pictures/a.png cat\npictures/b.png dog cat\n")
    for number, name in enumerate("ab", 1):
        Image.new("RGB", (24, 20), (90 * number, 20, 20)).save(folder / f"pictures/{name}.png")
    truth = Image.new("L", (24, 20))
    truth.paste(1, (4, 4, 12, 12))
    truth.save(folder / "truth/a.png")
    monkeypatch.setitem(READERS, "listed", types.SimpleNamespace(classes=classes, listing=listing))
    return ListedSettings(path=str(folder), untagged="background")


def test_a_reader_of_another_layout_gives_shards_tags_and_masks(listed, tmp_path):
    names = class_names(listed)
    found = scanned(listed, tmp_path / "root", names, write=True)
    (shard,) = found.shards.values()
    entries = read_entries(shard.csv)
    assert [(entry.id, entry.path, entry.tags) for entry in entries] == [
        ("a", "pictures/a.png", ("cat",)),
        ("b", "pictures/b.png", ("cat", "dog")),
    ]
    sizes, rejected, _ = check_images(Path(listed.path), entries, names, listed)
    assert sizes == {"a": [20, 24], "b": [20, 24]}
    assert not rejected
    assert list(read_files(shard.masks)) == ["a"]


def test_messages_name_the_table_and_the_folder_of_another_layout(listed, tmp_path):
    (Path(listed.path) / "pictures/b.png").unlink()
    with pytest.raises(UserError, match=r"train\.lst: no image in pictures/ for b \(line 2"):
        scanned(listed, tmp_path / "root", class_names(listed), write=True)
    table = Path(listed.path) / "train.lst"
    table.write_text(table.read_text().replace("dog", "dgo"))
    with pytest.raises(UserError, match=r'train\.lst, line 2: class "dgo" is not'):
        scanned(listed, tmp_path / "root", class_names(listed), write=True)


def test_every_format_that_a_config_may_name_has_a_reader():
    assert set(READERS) == set(typing.get_args(DatasetSettings.model_fields["format"].annotation))
