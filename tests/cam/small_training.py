"""A small cam training: its settings, one of ten pictures, and the exception that kills it."""

from tiny import TINY

from matlabel.artifacts.digest import file_sha256
from matlabel.cam.samples import TaggedImages
from matlabel.dataset.manifest import Entry, ShardManifest
from matlabel.settings.cam import CamSettings

# Block `cam` of a config: that of whole runs, but for what cannot be compared step by step.
SMALL = {**TINY["cam"], "norm": "frozen", "optimizer": "sgd"}
# A backbone of noise learns nothing, so tags would choose a plain classifier.
TERMS_TAKEN = {**SMALL, "warmup": 2, "fallback": "off"}


class Killed(Exception):
    pass


def options(**changes):
    return CamSettings(**{**SMALL, "crop": 64, "resize": (64, 80), **changes})


def images(animals, settings, tags=(("cat",), ("dog",), ("cat", "dog"))):
    files = [f"images/a{number}.png" for number in range(10)]
    digests = [file_sha256(animals / file) for file in files]
    entries = [Entry(n, "train", f"a{n}", files[n], digests[n], tags[n % len(tags)]) for n in range(10)]
    shard = ShardManifest(animals / "shard-00000.csv", "00000", animals, entries)
    return TaggedImages([shard], ["cat", "dog"], settings, 0)
