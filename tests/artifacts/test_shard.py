import fcntl
import os

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.shard import open_shard, pack, write_shard

ROOT = {"stage": "trimaps", "key": "00c0ffee", "classes": ["cat", "dög"], "settings": {"band": 3}}


def write(path, content):
    with write_shard(path, **ROOT) as shard:
        for image_id, image_arrays in content.items():
            shard.add(image_id, **image_arrays)


@settings(max_examples=25, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=40)))
def test_arrays_come_back_as_they_were(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("shard") / "s.h5"
    write(path, {"x": {"trimap": array}})
    with open_shard(path, "trimaps") as shard:
        assert shard["x"]["trimap"].dtype == array.dtype
        np.testing.assert_array_equal(shard["x"]["trimap"], array)


def test_ids_keep_slot_order_and_attributes_survive(tmp_path):
    write(tmp_path / "s.h5", {name: {"trimap": np.zeros((9, 9), np.uint8)} for name in ("b", "a", "c")})
    with open_shard(tmp_path / "s.h5") as shard:
        assert shard.ids == ["b", "a", "c"]
        assert (shard.stage, shard.key, shard.classes, shard.settings) == tuple(ROOT.values())


def test_equal_content_gives_equal_bytes(tmp_path):
    content = {"x": {"trimap": np.arange(400, dtype=np.uint8).reshape(20, 20)}}
    write(tmp_path / "a.h5", content)
    write(tmp_path / "elsewhere" / "b.h5", content)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "elsewhere" / "b.h5").read_bytes()


def test_another_stage_or_format_or_file_is_refused_by_name(tmp_path):
    path = tmp_path / "s.h5"
    write(path, {})
    with pytest.raises(UserError, match=r"s\.h5: holds trimaps, expected mattes"), open_shard(path, "mattes"):
        pass
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = 99
    with pytest.raises(UserError, match="format 99"), open_shard(path):
        pass
    path.write_bytes(b"not hdf5")
    with pytest.raises(UserError, match=r"s\.h5: cannot be read .* delete it"), open_shard(path):
        pass


def test_a_shard_is_read_where_locks_are_refused(tmp_path):
    path = tmp_path / "s.h5"
    write(path, {"x": {"trimap": np.zeros((9, 9), np.uint8)}})
    # Held by another, a lock is refused as it is where a file system has none.
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError):
            h5py.File(path, "r", locking=True)
        with open_shard(path) as shard:
            assert shard.ids == ["x"]


def test_what_cannot_be_opened_is_never_advised_to_be_deleted(tmp_path):
    (tmp_path / "loop.h5").symlink_to("loop.h5")
    (tmp_path / "folder.h5").mkdir()
    os.mkfifo(tmp_path / "pipe.h5")
    for name in ("loop", "folder", "pipe", "missing"):
        with pytest.raises(UserError, match=rf"{name}\.h5: ") as raised, open_shard(tmp_path / f"{name}.h5"):
            pass
        assert "delete" not in str(raised.value)


def test_a_missing_image_is_named(tmp_path):
    write(tmp_path / "s.h5", {})
    with open_shard(tmp_path / "s.h5") as shard, pytest.raises(UserError, match="no image ghost"):
        shard["ghost"]


def test_an_array_packed_elsewhere_is_stored_as_if_it_were_packed_here(tmp_path):
    array = np.random.default_rng(0).integers(0, 4, (3, 40, 50)).astype(np.uint8)
    attributes = {"stage": "mattes", "key": "00000000", "classes": ["cat"], "settings": {}}
    for name, stored in (("here", array), ("there", pack(array)), ("turned", pack(array.transpose(0, 2, 1)))):
        with write_shard(tmp_path / name, **attributes) as shard:
            shard.add("a", alphas=stored, classes=np.array([1], np.uint8))
    assert (tmp_path / "here").read_bytes() == (tmp_path / "there").read_bytes()
    for name, expected in (("there", array), ("turned", array.transpose(0, 2, 1))):
        with open_shard(tmp_path / name) as shard:
            np.testing.assert_array_equal(shard["a"]["alphas"], expected)
            assert shard["a"]["classes"].tolist() == [1]
