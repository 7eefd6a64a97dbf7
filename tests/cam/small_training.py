"""A cam training of ten small pictures, and the exception that kills it."""

from matlabel.artifacts.digest import file_sha256
from matlabel.cam.samples import TaggedImages
from matlabel.dataset.manifest import Entry, ShardManifest
from matlabel.settings.cam import CamSettings


class Killed(Exception):
    pass


def options(**changes):
    small = {"backbone": "resnet18", "weights": "none", "norm": "frozen", "embedding_size": 8, "steps": 0}
    size = {"epochs": 2, "batch_size": 4, "crop": 64, "resize": (64, 80), "lr": 0.001, "threads": 1}
    return CamSettings(**{**small, **size, **changes})


def images(animals, settings, tags=(("cat",), ("dog",), ("cat", "dog"))):
    files = [f"images/a{number}.png" for number in range(10)]
    digests = [file_sha256(animals / file) for file in files]
    entries = [Entry(n, "train", f"a{n}", files[n], digests[n], tags[n % len(tags)]) for n in range(10)]
    shard = ShardManifest(animals / "shard-00000.csv", "00000", animals, entries)
    return TaggedImages([shard], ["cat", "dog"], settings, 0)
