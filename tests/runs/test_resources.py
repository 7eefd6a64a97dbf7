"""What jobs ask a scheduler for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matlabel.runs.resources import resources_of
from matlabel.settings.config import StageSettings
from matlabel.stages import STAGES

DEFAULT = StageSettings()


def ask(stage, images=1000, gpu=False, changes=None, attempt=1):
    settings = getattr(DEFAULT, stage).model_copy(update=changes or {})
    return resources_of(STAGES[stage], settings, images, gpu, attempt)


@pytest.mark.parametrize("stage", STAGES)
@given(images=st.integers(1, 10**7), more=st.integers(1, 10**6), attempt=st.integers(1, 5))
def test_more_images_take_longer_and_a_retry_gets_twice_as_much(stage, images, more, attempt):
    first, larger, again = ask(stage, images), ask(stage, images + more), ask(stage, images, attempt=attempt + 1)
    assert first.minutes > 0
    assert first.minutes * first.cores <= larger.minutes * larger.cores
    # Where processes share the images, more images may ask for more of them.
    assert larger.memory == first.memory if not STAGES[stage].workers else larger.memory >= first.memory
    before = ask(stage, images, attempt=attempt)
    assert again.memory == pytest.approx(2 * before.memory, abs=1)
    assert again.minutes == pytest.approx(2 * before.minutes, abs=1)
    assert again.cores == first.cores


@pytest.mark.parametrize("stage", ["cam", "segmenter"])
def test_a_training_asks_by_its_crop_batch_epochs_and_devices(stage):
    one = ask(stage, 100_000)
    assert ask(stage, 100_000, gpu=True).minutes < one.minutes
    assert ask(stage, 100_000, changes={"crop": 512}).memory > one.memory
    assert ask(stage, 100_000, changes={"epochs": 80}).minutes > 5 * one.minutes
    four = ask(stage, 100_000, changes={"devices": 4})
    assert four.cores == 4 * one.cores
    assert four.minutes < one.minutes / 2
    assert one.memory < four.memory < 4 * one.memory
    # srun starts each process of several machines, with its own cores.
    spread = ask(stage, 100_000, changes={"devices": 2, "nodes": 2})
    assert spread.cores == one.cores
    assert spread.memory < four.memory
    # Loading processes: 8 on a GPU, unless the setting says.
    assert ask(stage, gpu=True).cores == ask(stage).cores + 8
    assert ask(stage, changes={"workers": 3}).cores == ask(stage).cores + 3


def test_a_backbone_asks_by_its_size_as_far_as_its_name_says_it():
    def minutes(name):
        return ask("cam", 100_000, changes={"backbone": name}).minutes

    assert (
        minutes("tf_efficientnet_lite0") < minutes("resnet50") < minutes("convnext_base") < minutes("vit_large_patch16")
    )
    # Who asks for too little is killed.
    assert minutes("somenet") > minutes("resnet50")


def test_matting_asks_for_its_workers():
    one, four = (ask("mattes", 10_000, changes={"workers": workers}) for workers in (1, 4))
    assert (one.cores, four.cores) == (1, 4)
    assert four.minutes < one.minutes
    assert four.memory > one.memory
    # A process for every 128 images: on fewer its start takes as long as its work.
    assert [ask("mattes", images).cores for images in (1, 255, 256, 10_000)] == [1, 1, 2, 8]


def test_what_takes_longer_asks_for_more():
    plain = ask("mattes", 100_000)
    for changes in ({"method": "vitmatte"}, {"scale": 1}, {"method": "crf"}):
        assert ask("mattes", 100_000, changes=changes).minutes > 3 * plain.minutes
        assert ask("mattes", 100_000, changes=changes).memory > plain.memory
    assert ask("mattes", gpu=True).memory > 3 * 1500
    assert ask("cam", 10_000, changes={"backbone": "resnet101"}).minutes > ask("cam", 10_000).minutes
    # Weights that are taken over are only copied.
    assert ask("cam", 0).minutes == 10
    assert ask("cam", 0, changes={"devices": 4, "nodes": 2}) == ask("cam", 0)
