"""A D2CAM training in several processes, for test_together.py: `together.py FOLDER IMAGES DEVICES NODES [DIE_IN]`.

Each process leaves <rank>.json in FOLDER: digest of everything the training holds, and its history.
"""

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

from matlabel.artifacts.digest import file_sha256
from matlabel.artifacts.errors import UserError
from matlabel.cam.model import D2Cam
from matlabel.cam.samples import TaggedImages
from matlabel.cam.schedule import Schedule
from matlabel.dataset.manifest import Entry, ShardManifest
from matlabel.networks.backbone import Backbone
from matlabel.networks.classifier import CamNetwork
from matlabel.settings.cam import CamSettings
from matlabel.training.launch import Job, start
from matlabel.training.loop import fit


class Terminated(D2Cam):
    """Only the last process is told to stop, once."""

    die_in, rank = float("inf"), 0

    def forward(self, batch, step, steps):
        if step / 2 >= self.die_in and self.rank == 1:
            self.die_in = float("inf")
            os.kill(os.getpid(), signal.SIGTERM)
        return super().forward(batch, step, steps)


def main(folder, images, devices, nodes, die_in="inf"):
    settings = CamSettings(
        backbone="resnet18",
        weights="none",
        norm="frozen",
        embedding_size=8,
        steps=0,
        epochs=2,
        batch_size=4,
        crop=96,
        resize=(96, 112),
        lr=0.001,
        threads=1,
        category=0.2,
        consistency=1.0,
        paste=0.5,
        devices=int(devices),
        nodes=int(nodes),
    )
    images, tags = Path(images), (("cat",), ("dog",), ("cat", "dog"))
    files = [f"images/a{number}.png" for number in range(10)]
    entries = [Entry(n, "train", f"a{n}", f, file_sha256(images / f), tags[n % 3]) for n, f in enumerate(files)]
    shard = ShardManifest(images / "shard-00000.csv", "00000", images, entries)
    samples = TaggedImages([shard], ["cat", "dog"], settings, 0)
    job = Job("cam", 0, "cpu", Path(folder) / "checkpoint.pt", "same")
    fabric = start(job, settings)
    network = CamNetwork(Backbone("resnet18", 16, freeze_norm=True), 2, settings.embedding_channels)
    model = Terminated(network, settings, samples.alone(), 0, Schedule(0))
    model.die_in, model.rank = float(die_in), fabric.global_rank
    history = fit(fabric, job, settings, model, samples)
    digest = hashlib.sha256()
    for value in model.state_dict().values():
        digest.update(value.contiguous().numpy().tobytes())
    Path(folder, f"{fabric.global_rank}.json").write_text(json.dumps([digest.hexdigest(), history]))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(f"matlabel: {error}")
