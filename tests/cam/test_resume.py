"""A cam training with pasting that is killed resumes to the same bytes."""

import pytest
import torch
from small_training import Killed, images, options

from matlabel.cam.model import D2Cam
from matlabel.cam.schedule import Schedule
from matlabel.networks.backbone import Backbone
from matlabel.networks.classifier import CamNetwork
from matlabel.training.launch import Job, start
from matlabel.training.loop import fit


class Mortal(D2Cam):
    die_in = float("inf")

    def forward(self, batch, step, steps):
        if step / 2 >= self.die_in:
            raise Killed
        return super().forward(batch, step, steps)


def train(animals, folder, die_in=float("inf"), **changes):
    settings = options(**changes)
    samples = images(animals, settings)
    job = Job("cam", 0, "cpu", folder / "checkpoint.pt", "same")
    fabric = start(job, settings)
    network = CamNetwork(Backbone("resnet18", 16, freeze_norm=True), 2, settings.embedding_channels)
    model = Mortal(network, settings, samples.alone(), 0, Schedule(0))
    model.die_in = die_in
    history = fit(fabric, job, settings, model, samples)
    return model.state_dict(), history


def same(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_killed_training_resumes_to_the_same_bytes(animals, tmp_path):
    weights, history = train(animals, tmp_path / "a", paste=0.5)
    with pytest.raises(Killed):
        train(animals, tmp_path / "b", die_in=1.5, paste=0.5)
    resumed = train(animals, tmp_path / "b", paste=0.5)
    assert same(weights, resumed[0])
    assert history == resumed[1]
