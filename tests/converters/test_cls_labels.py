"""cls_labels.npy to labels.csv: ids as the photographs are named, splits as the lists say."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from matlabel import cli
from matlabel.artifacts.errors import UserError
from matlabel.dataset.readers.folder import read_labels

CLASSES = ["aeroplane", "cat", "dog"]


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "voc").mkdir()
    (tmp_path / "voc/classes.txt").write_text("\n".join(CLASSES))
    return tmp_path


def save(found):
    np.save("cls_labels.npy", found, allow_pickle=True)


def convert(*arguments):
    return CliRunner().invoke(
        cli.app,
        ["convert", "cls-labels", "cls_labels.npy", "--classes", "voc/classes.txt", "-o", "labels.csv", *arguments],
    )


def rows(*arguments):
    result = convert(*arguments)
    assert result.exit_code == 0, result.output
    found = read_labels(Path(), {})
    Path("labels.csv").unlink()
    return [(image.id, image.split, ";".join(image.tags)) for image in found]


def refused(*arguments):
    result = convert(*arguments)
    assert isinstance(result.exception, UserError), result.output
    assert not Path("labels.csv").exists()
    return str(result.exception)


def hot(*places, kind=np.float32, count=3):
    labels = np.zeros(count, kind)
    labels[list(places)] = 1
    return labels


def photographs(*names):
    Path("voc/images").mkdir()
    for name in names:
        Image.new("RGB", (4, 4)).save(f"voc/images/{name}.png")


def test_numbers_and_texts_become_the_names_of_voc(data):
    save({2007000032: hot(0, 2), np.int64(2008000001): hot(1), "2009_000017": [0, 0, 1], "2010000001.jpg": hot(2)})
    assert rows() == [
        ("2007_000032", "train", "aeroplane;dog"),
        ("2008_000001", "train", "cat"),
        ("2009_000017", "train", "dog"),
        ("2010_000001", "train", "dog"),
    ]


def test_numbers_are_matched_with_the_photographs_there_are(data):
    photographs("COCO_train2014_000000000009", "000000000025", "2007000032", "2008_000001")
    save({9: hot(0), 25: hot(1), 2007000032: hot(2), 2008000001: hot(2), 77: hot(1)})
    assert [row[0] for row in rows()] == [
        "COCO_train2014_000000000009", "000000000025", "2007000032", "2008_000001", "77",
    ]  # fmt: skip
    assert "no photograph in voc/images for 77" in convert().output
    Path("labels.csv").unlink()
    Image.new("RGB", (4, 4)).save("voc/images/other_9.png")
    assert "9: may be COCO_train2014_000000000009 or other_9: two photographs end in this number" in refused()


def test_lists_say_the_splits_and_which_images(data):
    save({"a": hot(0), "b": hot(1), "c": hot(), "d": hot(2)})
    Path("train.txt").write_text("a\n\nc\n")
    Path("val.txt").write_text("/JPEGImages/b.jpg /SegmentationClass/b.png\n")
    assert rows("--list", "train.txt", "--list", "val.txt") == [
        ("a", "train", "aeroplane"), ("b", "val", "cat"), ("c", "train", ""),
    ]  # fmt: skip
    assert rows("--list", "val.txt", "--split", "held out") == [("b", "held out", "cat")]
    assert {row[1] for row in rows("--split", "all")} == {"all"}
    assert "several lists" in refused("--list", "train.txt", "--list", "val.txt", "--split", "all")
    Path("val.txt").write_text("a\nx\n")
    assert "val.txt: a is of split train already" in refused("--list", "train.txt", "--list", "val.txt")
    assert "does not know x, of val.txt" in refused("--list", "val.txt")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([1, 2], "holds an array and not a dictionary"),
        ({}, "holds no image"),
        ({"a": hot(0, count=4)}, "a: has 4 labels, and there are 3 classes; its first one may be the background"),
        (
            {"a": hot(0, count=20), "b": hot(0, count=20)},
            "a: has 20 labels, and there are 3 classes; likewise b",
        ),
        ({"a": np.array([0.0, 2, 1])}, "a: has labels other than 0 and 1"),
        ({"a": np.array([0.0, np.nan, 1])}, "a: has labels other than 0 and 1"),
        ({"a": np.eye(3)}, "a: has labels that are no list of numbers"),
        ({"a": "cat"}, "a: has labels that are no list of numbers"),
        ({"../a": hot(0)}, "the id '../a' must be a plain file stem"),
        ({2007000032: hot(0), "2007_000032": hot(1)}, "is 2007_000032, as 2007000032 is"),
        ({2.5: hot(0)}, "2.5: is no image id"),
    ],
)
def test_what_is_no_such_file_is_refused_by_its_kind(data, found, message):
    save(found)
    assert message in refused()


def test_a_file_of_other_content_is_never_replaced(data):
    save({"a": hot(0)})
    assert convert().exit_code == 0
    assert convert().exit_code == 0
    Path("labels.csv").write_text("mine")
    assert "labels.csv: is there with other content" in str(convert().exception)
    assert Path("labels.csv").read_text() == "mine"
