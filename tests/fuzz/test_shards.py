"""Shards that were damaged, or written by somebody else."""

import io
import json
from random import Random

import h5py
import numpy as np
import pytest
from fuzzing import fuzz, mutated

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.shard import open_shard, write_shard

ATTRIBUTES = ("stage", "key", "classes", "settings", "format")


@pytest.fixture
def seed(tmp_path) -> bytes:
    generator = np.random.default_rng(0)
    with write_shard(
        tmp_path / "seed.h5", stage="trimaps", key="0" * 8, classes=["a", "ö"], settings={"b": 1}
    ) as shard:
        for name in ("one", "zwei ö"):
            planes = generator.integers(0, 9, (3, 20, 30), np.uint8)
            shard.add(name, labels=planes[0], probabilities=planes, size=np.array([20, 30]))
    return (tmp_path / "seed.h5").read_bytes()


@pytest.fixture
def read(tmp_path):
    def read_shard(data: bytes) -> None:
        (tmp_path / "shard-00000.h5").write_bytes(data)
        with open_shard(tmp_path / "shard-00000.h5", "trimaps") as shard:
            for image_id in shard.ids:
                for array in shard[image_id].values():
                    assert isinstance(array, np.ndarray | np.generic | bytes | str)

    return read_shard


def test_damaged_shards_are_read_or_refused(seed, read):
    assert fuzz(read, [seed]) >= 200


def test_forged_shards_are_read_or_refused(seed, read):
    def forged(seeds: list[bytes], random: Random) -> bytes:
        buffer = io.BytesIO(seeds[0])
        with h5py.File(buffer, "r+") as file:
            for _ in range(random.choice((1, 1, 2, 5))):
                _forge(file, random)
        data = buffer.getvalue()
        return mutated([data], random) if random.random() < 0.1 else data

    assert fuzz(read, [seed], make=forged) >= 200


@pytest.mark.parametrize(
    ("forge", "message"),
    [
        (lambda file: file.attrs.__delitem__("classes"), "attribute classes cannot be read"),
        (lambda file: file.attrs.__setitem__("classes", '{"a": 1}'), "attribute classes cannot be read"),
        (lambda file: file.attrs.__setitem__("settings", "[" * 100_000), "attribute settings cannot be read"),
        (lambda file: file.create_dataset("three", data=[1]), "three holds no arrays"),
        (lambda file: file["one"].create_group("inner"), "one/inner is no array"),
        (lambda file: file["one"].create_dataset("huge", (1 << 40,), "u1", chunks=(1 << 20,)), "one/huge is no array"),
        (lambda file: file.__setitem__("lost", h5py.SoftLink("/nowhere")), "lost holds no arrays"),
    ],
)
def test_what_is_forged_is_named_with_the_remedy(seed, read, forge, message):
    buffer = io.BytesIO(seed)
    with h5py.File(buffer, "r+") as file:
        forge(file)
    with pytest.raises(UserError, match=rf"shard-00000\.h5: .*({message}).*run"):
        read(buffer.getvalue())


def _forge(file: h5py.File, random: Random) -> None:
    values = (
        "",
        "null",
        "[[",
        json.dumps(["a", 3]),
        -1,
        1 << 62,
        2.5,
        float("nan"),
        [1, 2, 3],
        b"\xff",
        "trimaps",
        "é",
    )
    where = random.choice((file, *(item for item in file.values() if isinstance(item, h5py.Group))))
    kind = random.randrange(5)
    if kind == 0:
        where.attrs[random.choice(ATTRIBUTES)] = random.choice(values)
    elif kind == 1:
        name = random.choice(ATTRIBUTES)
        if name in file.attrs:
            del file.attrs[name]
    elif kind == 2 and len(where):
        del where[random.choice(list(where))]
    elif kind == 3:
        shape = random.choice(((), (3,), (1 << 33,), (2, 9)))
        dtype = random.choice(("u1", "f8", "S5", h5py.string_dtype(), np.dtype([("a", "u1"), ("b", "f4")])))
        options = {"chunks": tuple(min(side or 1, 1 << 16) for side in shape)} if shape else {}
        where.create_dataset(f"made{random.random()}", shape, dtype, **options)
    else:
        link = random.choice((h5py.SoftLink("/nowhere"), h5py.SoftLink("/"), h5py.ExternalLink("no.h5", "/")))
        where[f"link{random.random()}"] = link
