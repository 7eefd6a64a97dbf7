import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from matlabel.artifacts.errors import UserError
from matlabel.dataset.checks import check_images
from matlabel.dataset.manifest import read_entries
from matlabel.dataset.readers.folder import list_folder, read_classes
from matlabel.dataset.scan import scan
from matlabel.settings.dataset import DatasetSettings


def scanned(folder, root, write=True, **changes):
    options = DatasetSettings(format="folder", path=str(folder), **{"shard_size": 4, **changes})
    return scan(list_folder(folder), root, options, read_classes(folder), write)


def ids(shard):
    return [entry.id for entry in read_entries(shard.csv)]


def edit(folder, old, new):
    path = folder / "labels.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_shards_hold_one_split_each_in_slot_order(animals, tmp_path):
    found = scanned(animals, tmp_path / "root")
    assert [(s.split, s.images) for s in found.shards.values()] == [
        ("train", 4),
        ("train", 4),
        ("train", 2),
        ("val", 2),
    ]
    assert ids(found.shards["00001"]) == ["a4", "a5", "a6", "a7"]


def test_without_writing_the_result_is_the_same_and_nothing_is_touched(animals, tmp_path):
    dry = scanned(animals, tmp_path / "root", write=False)
    assert not (tmp_path / "root").exists()
    assert dry.shards == scanned(animals, tmp_path / "root").shards


def test_a_new_image_touches_only_the_last_shard_of_its_split(animals, tmp_path):
    before = scanned(animals, tmp_path / "root").shards
    Image.new("RGB", (9, 9)).save(animals / "images" / "a.png")
    edit(animals, "a0,train", "a,train,cat\na0,train")
    after = scanned(animals, tmp_path / "root").shards
    assert [n for n in after if after[n] != before.get(n)] == ["00002"]
    assert ids(after["00002"]) == ["a8", "a9", "a"]


def test_a_removed_image_leaves_its_slot_empty_and_gets_it_back(animals, tmp_path):
    before = scanned(animals, tmp_path / "root").shards
    edit(animals, "a1,train,dog\n", "")
    gone = scanned(animals, tmp_path / "root").shards
    assert [n for n in gone if gone[n] != before[n]] == ["00000"]
    assert [entry.slot for entry in read_entries(gone["00000"].csv)] == [0, 2, 3]
    edit(animals, "v0,val", "a1,train,dog\nv0,val")
    assert scanned(animals, tmp_path / "root").shards == before


def test_an_edited_tag_a_replaced_image_and_an_edited_mask_touch_their_shard(animals, tmp_path):
    before = scanned(animals, tmp_path / "root").shards
    edit(animals, "a5,train,cat;dog", "a5,train,cat")
    tagged = scanned(animals, tmp_path / "root").shards
    assert [n for n in tagged if tagged[n] != before[n]] == ["00001"]
    Image.new("RGB", (48, 40)).save(animals / "images" / "v0.png")
    replaced = scanned(animals, tmp_path / "root").shards
    assert [n for n in replaced if replaced[n].csv != tagged[n].csv] == ["00003"]
    Image.new("L", (48, 40)).save(animals / "masks" / "a0.png")
    masked = scanned(animals, tmp_path / "root").shards
    assert [n for n in masked if masked[n].masks != replaced[n].masks] == ["00000"]
    assert all(masked[n].csv == replaced[n].csv for n in masked)


def test_a_touched_file_is_read_again_and_changes_nothing(animals, tmp_path):
    before = scanned(animals, tmp_path / "root").shards
    for path in animals.rglob("*"):
        os.utime(path)
    assert scanned(animals, tmp_path / "root").shards == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("a1,train,dog", "a1,train,dgo", r'line 3: class "dgo" is not in classes\.txt \(did you mean "dog"\?\)'),
        ("a1,train,dog", "a1,train,", r"a1 \(line 3\) without tags; .*dataset\.untagged"),
        ("a1,train,dog", 'a1,train,"cat,dog"', r'class "cat,dog" is not in classes\.txt, but its parts are'),
        ("a1,train,dog", "ghost,train,dog", r"no image in images/ for ghost \(line 3\)"),
        ("a1,train,dog", "a1b,train,dog", r"no image in images/ for a1b \(line 3; there is a1\)"),
    ],
)
def test_what_the_settings_refuse_is_named_before_any_job(animals, tmp_path, old, new, message):
    edit(animals, old, new)
    with pytest.raises(UserError, match=message):
        scanned(animals, tmp_path / "root")
    assert scanned(animals, tmp_path / "r2", untagged="reject", unknown_class="reject", unreadable="reject").shards


@settings(max_examples=15, deadline=None)
@given(small=st.integers(1, 10), large=st.integers(1, 10))
def test_a_larger_subset_holds_the_smaller_one(tmp_path_factory, small, large):
    from animals import write_folder

    root = tmp_path_factory.mktemp("subset")
    folder = write_folder(root / "d", {f"a{n}": ("train", "cat") for n in range(10)}, size=(33, 40))
    chosen = [
        set(scanned(folder, root / str(count), write=False, subset={"train": count}).ids) for count in (small, large)
    ]
    assert [len(ids_) for ids_ in chosen] == [small, large]
    assert chosen[0] <= chosen[1] or chosen[1] <= chosen[0]


def test_a_subset_of_an_unknown_split_is_refused(animals, tmp_path):
    with pytest.raises(UserError, match="names the split test"):
        scanned(animals, tmp_path / "root", subset={"test": 3})


def test_ids_mean_files_that_differ_in_what_people_change_and_are_noted(animals, tmp_path):
    before = scanned(animals, tmp_path / "root").shards
    edit(animals, "a1,train", "a1.JPG,train")
    edit(animals, "a2,train", "A2,train")
    edit(animals, "a3,train", "a003,train")
    after = scanned(animals, tmp_path / "root")
    assert after.shards == before
    assert [note.partition(": ")[2] for note in after.notes] == [
        "1 ids are taken for files that differ in the extension: a1.JPG (for a1)",
        "1 ids are taken for files that differ in upper and lower case: A2 (for a2)",
        "1 ids are taken for files that differ in leading zeros: a003 (for a3)",
    ]


def test_photographs_that_nothing_lists_and_files_that_are_none_are_named(animals, tmp_path):
    (animals / "images/b.heic").write_bytes(b"?")
    (animals / "images/more").mkdir()
    edit(animals, "a1,train,dog\n", "")
    notes = scanned(animals, tmp_path / "root").notes
    assert notes[0].endswith("1 images are not in labels.csv and stay out: a1")
    assert notes[1].endswith("as they are no JPEG, PNG, WebP, TIFF or BMP: b.heic, more/")


@pytest.mark.parametrize("extension", ["jpe", "jfif", "webp", "tif", "tiff", "bmp", "JPG"])
def test_photographs_of_all_kinds_are_found(animals, tmp_path, extension):
    with Image.open(animals / "images/a1.png") as image:
        kind = {"jpe": "JPEG", "jfif": "JPEG", "JPG": "JPEG", "tif": "TIFF"}.get(extension, extension.upper())
        image.convert("RGB").save(animals / f"images/a1.{extension}", kind)
    (animals / "images/a1.png").unlink()
    found = scanned(animals, tmp_path / "root")
    assert found.entries["a1"].path == f"images/a1.{extension}"
    assert check_images(animals, [found.entries["a1"]], ["cat", "dog"], DatasetSettings())[0] == {"a1": [40, 48]}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "v0,val,cat\nv1,val,dog",
            "v0x,val,cat\nv1x,val,dog",
            r"2 without a file in images/: v0x \(line 12; there is v0\)",
        ),
        ("v0,val,cat\nv1,val,dog", "v0,val,\nv1,val,bird", "1 without tags; 1 with tags that are not in classes.txt"),
    ],
)
def test_nothing_starts_if_every_image_of_a_split_would_be_left_out(animals, tmp_path, old, new, reason):
    edit(animals, old, new)
    with pytest.raises(UserError, match=f"every image of split val would be left out: {reason}"):
        scanned(animals, tmp_path / "root", untagged="reject", unknown_class="reject", unreadable="reject")


def test_other_bytes_of_the_same_length_and_date_are_seen(animals, tmp_path):
    before = scanned(animals, tmp_path / "root").shards
    path = animals / "images/a1.png"
    times = path.stat()
    data = bytearray(path.read_bytes())
    data[-13] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = scanned(animals, tmp_path / "root").shards
    assert [number for number in after if after[number] != before[number]] == ["00000"]
