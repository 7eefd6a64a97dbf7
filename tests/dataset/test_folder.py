import pytest
from animals import write_folder
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from matlabel.artifacts.errors import UserError
from matlabel.dataset.file_names import check_id, list_images
from matlabel.dataset.readers.folder import read_classes, read_labels


def labels(folder, text):
    (folder / "labels.csv").write_text(text)
    return read_labels(folder, list_images(folder))


def test_tags_splits_and_images_are_read_in_file_order(animals):
    tagged = read_labels(animals, list_images(animals))
    assert [image.id for image in tagged][:3] == ["a0", "a1", "a2"]
    assert tagged[2].tags == ("cat", "dog")
    assert (tagged[-1].split, tagged[-1].image) == ("val", "images/v1.png")


def test_the_split_column_may_be_missing_and_a_byte_order_mark_present(animals):
    (animals / "labels.csv").write_bytes("\ufeffid,classes\na0,cat\n".encode())
    assert read_labels(animals, list_images(animals))[0].split == "train"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,split\na0,train\n", r"line 1: no column classes; the header is"),
        ("id,split,classes\na0,train,cat\na0,train,dog\n", r"line 3: a0 stands already in line 2"),
        ("id,split,classes\n../a0,train,cat\n", r"line 2: the id '\.\./a0' must be a plain file stem"),
        ("id,split,classes\n-rf,train,cat\n", r"line 2: the id '-rf'"),
        ("id,split,classes\n", r"lists no image"),
    ],
)
def test_a_wrong_labels_file_is_named_with_its_line(animals, text, message):
    with pytest.raises(UserError, match=message):
        labels(animals, text)


def test_two_images_of_one_stem_are_refused(animals):
    Image.new("RGB", (9, 9)).save(animals / "images" / "a0.jpg")
    with pytest.raises(UserError, match=r"a0\.png and a0\.jpg are both a0; rename one"):
        list_images(animals)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no class"),
        ("cat\ncat\n", "line 2"),
        ("cat\n\nCat\n", "line 3: .* named twice, first in line 1"),
        ("cat;dog\n", "semicolon"),
        ("background\ncat\n", "line 1: .* is no class: background is label value 0 by itself"),
        ("cat\n__Background__\n", "line 2: .* take the line out"),
        ("c\u2028at\n", "a character that is not printed"),
        ("c" * 300, "longer than 200 bytes"),
    ],
)
def test_wrong_classes_are_named(animals, text, message):
    (animals / "classes.txt").write_text(text)
    with pytest.raises(UserError, match=message):
        read_classes(animals)


def test_more_classes_than_label_values_are_refused(tmp_path):
    folder = write_folder(tmp_path / "d", {"a": ("train", "c0")}, classes=tuple(f"c{n}" for n in range(255)))
    with pytest.raises(UserError, match="255 classes"):
        read_classes(folder)


ESCAPING = st.tuples(st.text(), st.sampled_from("/\\\0\n"), st.text()) | st.tuples(st.sampled_from(".-"), st.text())


@given(ESCAPING.map("".join))
def test_no_id_escapes_its_folder(image_id):
    with pytest.raises(UserError):
        check_id(image_id, "labels.csv")


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/\\"), min_size=1))
def test_an_id_that_passes_is_a_file_name_with_room_for_endings(tmp_path_factory, image_id):
    try:
        check_id(image_id, "labels.csv")
    except UserError:
        return
    path = tmp_path_factory.getbasetemp() / f".{image_id}.png.provenance.json.abcdefgh.tmp"
    path.touch()
    path.unlink()


def test_files_of_another_case_are_pointed_at(animals):
    for name, reader in (("classes.txt", read_classes), ("images", list_images)):
        (animals / name).rename(animals / name.capitalize())
        with pytest.raises(UserError, match=f"there is {name.capitalize()}: rename it"):
            reader(animals)
