"""A whole training of the stage cam: what is held out, the choice between it and a plain one, and kills on the way."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from animals import write_folder
from small_training import Killed, images, options

from matlabel.cam import folds as folds_module
from matlabel.cam import train as train_module
from matlabel.cam.model import D2Cam
from matlabel.cam.samples import TaggedImages
from matlabel.cam.train import train
from matlabel.networks.backbone import Backbone
from matlabel.networks.classifier import CamNetwork
from matlabel.training.launch import Job, start

# So heavy that nothing is left of the classification.
HARM = {"exclusivity": 3000.0, "warmup": 4, "steps": 12, "optimizer": "adamw", "lr": 0.001}


def network(settings):
    torch.manual_seed(0)
    return CamNetwork(Backbone("resnet18", 16, freeze_norm=True), 2, settings.embedding_channels)


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


@pytest.fixture(scope="module")
def harmed(tmp_path_factory):
    """Pictures, and an undisturbed training on them whose terms do harm."""
    folder = tmp_path_factory.mktemp("harmed")
    rows = {f"a{number}": ("train", ("cat", "dog", "cat;dog")[number % 3]) for number in range(10)}
    pictures = write_folder(folder / "animals", rows)
    return pictures, trained(pictures, folder, **HARM)


def test_where_terms_do_harm_a_plain_classifier_is_taken(harmed, tmp_path):
    pictures, result = harmed
    assert result.why_plain == result.objection
    assert "no better with the terms" in result.why_plain
    assert not result.model.settings.refines
    assert [row.get("plain", 0) for row in result.history] == [0] * 6 + [1] * 6
    assert same(weights(result), weights(trained(pictures, tmp_path, **plain(HARM))))


def test_the_fallback_can_be_forbidden(animals, tmp_path):
    result = trained(animals, tmp_path, **HARM, fallback="off")
    assert result.why_plain is None
    assert result.objection
    assert result.model.settings.refines


@pytest.mark.parametrize(
    "where", ["folds", *(pytest.param(name, marks=pytest.mark.long) for name in ("terms", "plain"))]
)
def test_a_killed_training_ends_as_an_undisturbed_one(harmed, tmp_path, monkeypatch, capsys, where):
    pictures, undisturbed = harmed
    seen = []

    class Mortal(D2Cam):
        def forward(self, batch, step, steps):
            seen.append(step)
            fold = steps < 12
            if len(seen) > 3 and {"folds": fold, "terms": not fold and step == 9, "plain": seen.count(9) == 2}[where]:
                raise Killed
            return super().forward(batch, step, steps)

    with monkeypatch.context() as patched:
        patched.setattr(folds_module, "D2Cam", Mortal)
        patched.setattr(train_module, "D2Cam", Mortal)
        with pytest.raises(Killed):
            trained(pictures, tmp_path, **HARM)
    resumed = trained(pictures, tmp_path, **HARM)
    assert "a plain classifier is trained and taken" in capsys.readouterr().err
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


def test_a_rare_class_is_trained_on_and_too_few_held_out_are_folds(animals, tmp_path, monkeypatch):
    monkeypatch.setattr(train_module, "SMALL", 20)
    samples = images(animals, options())
    samples.entries = [(place, replace(e, id=f"{e.id}-{n}")) for n in range(4) for place, e in samples.entries]
    samples.tags = np.zeros((40, 2), np.float32)
    samples.tags[:, 0] = 1
    samples.tags[7] = [0, 1]
    held = train_module._held_out(samples, options(), 0)
    assert 2 <= held.sum() <= 4
    assert not held[7]
    # All are of classes with few images, or the rest would fill no batch: folds ask for all.
    assert train_module._held_out(samples, options(batch_size=39), 0).all()
    samples.tags = np.eye(8, dtype=np.float32).repeat(5, 0)
    assert train_module._held_out(samples, options(), 0).all()


def test_terms_that_never_begin_leave_a_plain_classifier(animals, tmp_path, capsys):
    # Nothing is learnt at this rate.
    result = trained(animals, tmp_path / "a", steps=8, lr=1e-9)
    assert "never began" in result.why_plain
    assert f"cam: {result.why_plain}" in capsys.readouterr().err
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
