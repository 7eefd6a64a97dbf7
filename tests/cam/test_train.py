"""A whole training of the stage cam: what is held out, the choice between it and a plain one, and kills on the way."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_training import Killed, images, options

from matlabel.backbones import Trunk
from matlabel.cam import folds as folds_module
from matlabel.cam import train as train_module
from matlabel.cam.model import D2Cam
from matlabel.cam.samples import TaggedImages
from matlabel.cam.train import train
from matlabel.classifier.network import CamNetwork
from matlabel.launch import Job, start

# So heavy that nothing is left of the classification.
HARM = {"exclusivity": 3000.0, "warmup": 4, "steps": 24, "optimizer": "adamw", "lr": 0.001}


def network(settings):
    torch.manual_seed(0)
    return CamNetwork(Trunk("resnet18", 16, freeze_norm=True), 2, *settings.head_sizes)


class Seeing(TaggedImages):
    """Notes the ids of the images that are trained on."""

    seen: set[str]

    def __getitem__(self, index):
        self.seen.add(self.entries[index % len(self)][1].id)
        return super().__getitem__(index)


def trained(animals, folder, count=1, **changes):
    """Train on the ten images, or on `count` times as many of other names."""
    settings = options(**changes)
    samples = images(animals, settings)
    samples.__class__, samples.seen = Seeing, set()
    samples.entries = [
        (place, replace(entry, id=f"{entry.id}-{copy}")) for copy in range(count) for place, entry in samples.entries
    ]
    samples.tags = np.tile(samples.tags, (count, 1))
    job = Job("cam", 0, "cpu", folder / "checkpoint.pt", "same")
    return train(start(job, settings), job, settings, samples, network)


def weights(result):
    return result.model.network.state_dict()


def same(first, second):
    assert first.keys() == second.keys()
    return all(torch.equal(value, second[name]) for name, value in first.items())


def plain(changes):
    return {**changes, "exclusivity": 0, "foreground": 0, "paste": 0}


def test_where_terms_do_harm_a_plain_classifier_is_taken(animals, tmp_path, capsys):
    result = trained(animals, tmp_path / "a", **HARM)
    assert "a plain classifier is trained and taken" in capsys.readouterr().err
    assert result.why_plain == result.objection
    assert "no better with the terms" in result.why_plain
    assert not result.model.settings.refines
    assert [row.get("plain", 0) for row in result.history] == [0] * 12 + [1] * 12
    assert same(weights(result), weights(trained(animals, tmp_path / "b", **plain(HARM))))


def test_the_fallback_can_be_forbidden(animals, tmp_path):
    result = trained(animals, tmp_path, **HARM, fallback="off")
    assert result.why_plain is None
    assert result.objection
    assert result.model.settings.refines


@pytest.mark.parametrize("where", ["folds", "terms", "plain"])
def test_a_killed_training_ends_as_an_undisturbed_one(animals, tmp_path, monkeypatch, where):
    undisturbed = trained(animals, tmp_path / "a", **HARM)
    seen = []

    class Mortal(D2Cam):
        def forward(self, batch, step, steps):
            seen.append(step)
            fold = steps < 24
            if len(seen) > 3 and {"folds": fold, "terms": not fold and step == 9, "plain": seen.count(9) == 2}[where]:
                raise Killed
            return super().forward(batch, step, steps)

    with monkeypatch.context() as patched:
        patched.setattr(folds_module, "D2Cam", Mortal)
        patched.setattr(train_module, "D2Cam", Mortal)
        with pytest.raises(Killed):
            trained(animals, tmp_path / "b", **HARM)
    resumed = trained(animals, tmp_path / "b", **HARM)
    assert same(weights(undisturbed), weights(resumed))
    assert undisturbed.history == resumed.history
    assert undisturbed.check(["cat", "dog"]) == resumed.check(["cat", "dog"])
    assert undisturbed.held_out_text(["cat", "dog"]) == resumed.held_out_text(["cat", "dog"])


def test_of_a_small_set_all_tags_are_asked_for_and_all_images_trained_on(animals, tmp_path):
    result = trained(animals, tmp_path, steps=4)
    assert result.asked.all()
    check = result.check(["cat", "dog"])
    assert (check["images"], check["trainings"]) == (10, 4)
    assert len(result.held_out_text(["cat", "dog"]).splitlines()) == 11
    assert 0 <= check["mean_ap"] <= 1


def test_terms_that_never_begin_leave_a_plain_classifier(animals, tmp_path):
    # Nothing is learnt at this rate.
    result = trained(animals, tmp_path / "a", steps=8, lr=1e-9)
    assert "never began" in result.why_plain
    assert result.objection is None
    assert result.check(["cat", "dog"])["began"] is None
    assert same(weights(result), weights(trained(animals, tmp_path / "b", **plain({"steps": 8, "lr": 1e-9}))))


def test_of_a_larger_set_a_tenth_is_held_out_and_never_trained_on(animals, tmp_path, monkeypatch):
    monkeypatch.setattr(train_module, "SMALL", 20)
    result = trained(animals, tmp_path, count=4, steps=20)
    assert 3 <= result.asked.sum() <= 6
    held_out = {entry.id for (_, entry), asked in zip(result.samples.entries, result.asked, strict=True) if asked}
    assert not held_out & result.samples.seen
    assert len(result.samples.seen) == 40 - result.asked.sum()
    assert {line.split(",")[0] for line in result.held_out_text(["cat", "dog"]).splitlines()[1:]} == held_out
    assert result.check(["cat", "dog"])["trainings"] == 1
    assert result.steps >= 20
