"""A cam training with balance and pasting: images drawn again are cut anew, a killed run resumes to the same bytes."""

import pytest
import torch
from small_training import Killed, images, options

from matlabel.cam.model import D2Cam
from matlabel.cam.schedule import Schedule
from matlabel.networks.backbone import Trunk
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
    network = CamNetwork(Trunk("resnet18", 16, freeze_norm=True), 2, *settings.head_sizes)
    model = Mortal(network, settings, samples.alone(), 0, Schedule(0))
    model.die_in = die_in
    history = fit(fabric, job, settings, model, samples)
    return model.state_dict(), history


def same(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_an_image_drawn_again_in_an_epoch_is_another_crop(animals):
    samples = images(animals, options())
    first, again, third = (samples[3 + draw * len(samples)] for draw in range(3))
    assert torch.equal(first["tags"], again["tags"])
    assert not torch.equal(first["image"], again["image"])
    assert not torch.equal(again["image"], third["image"])
    assert torch.equal(again["image"], samples[13]["image"])


@pytest.mark.parametrize(("balance", "alone"), [(0.0, 1), (1.0, 5)])
def test_the_setting_says_how_often_a_class_is_seen_alone(animals, balance, alone):
    samples = images(animals, options(balance=balance), [("cat",)] + 9 * [("cat", "dog")])
    order = samples.order(torch.Generator().manual_seed(0))
    assert len(order) == 10
    assert sum(samples[number]["tags"].tolist() == [1, 0] for number in order) == alone


def test_a_killed_training_resumes_to_the_same_bytes(animals, tmp_path):
    both = {"balance": 1.0, "paste": 0.5}
    weights, history = train(animals, tmp_path / "a", **both)
    with pytest.raises(Killed):
        train(animals, tmp_path / "b", die_in=1.5, **both)
    resumed = train(animals, tmp_path / "b", **both)
    assert same(weights, resumed[0])
    assert history == resumed[1]
