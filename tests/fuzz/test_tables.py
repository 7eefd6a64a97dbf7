"""labels.csv and classes.txt: whatever the bytes, read or refused."""

import pytest
from fuzzing import fuzz

from matlabel.dataset.manifest import Entry, read_entries, shard_text
from matlabel.dataset.readers.folder import read_classes, read_labels

TABLE = "id,split,classes\na1,train,cat;dog\na2,val,dog\nä3.jpg,train,\n"


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def test_labels(folder):
    images = {name: f"images/{name}.jpg" for name in ("a1", "A2", "ä3")}

    def read(data):
        (folder / "labels.csv").write_bytes(data)
        tagged = read_labels(folder, images)
        assert len({image.id for image in tagged}) <= len(tagged)
        # What was read can be written to the manifest and comes back.
        entries = [Entry(n, t.split, t.id, t.image or "", "", t.tags) for n, t in enumerate(tagged)]
        path = folder / "shard.csv"
        path.write_bytes(shard_text(entries).encode())
        assert read_entries(path) == entries

    seeds = [TABLE.encode(encoding) for encoding in ("utf-8", "utf-8-sig", "utf-16")]
    seeds += [TABLE.replace(",", ";").replace("cat;dog", '"cat;dog"').encode(), TABLE.replace(",", "\t").encode()]
    fuzz(read, seeds)


def test_classes(folder):
    def read(data):
        (folder / "classes.txt").write_bytes(data)
        classes = read_classes(folder)
        assert len(set(classes)) == len(classes) <= 254
        assert all(";" not in name and name.isprintable() for name in classes)

    fuzz(read, ["cat\ndog\nsea lion\n".encode(encoding) for encoding in ("utf-8", "utf-8-sig", "utf-16")])
