"""A second round: the segmenter's probabilities, conditioned on the tags."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from matlabel.activations.second_round import second_round
from matlabel.networks.backbone import Scale
from matlabel.settings.activations import ActivationsSettings

SETTINGS = ActivationsSettings(source="segmenter", size=64, scales=[1.0, 1.5])


class Colours(nn.Module):
    """Background where it is dark; class 1 likes red, class 2 green, class 3 blue, all at stride 8."""

    scale = Scale((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

    def forward(self, images):
        small = F.avg_pool2d(images, 8)
        return torch.cat([torch.zeros_like(small[:, :1]), 4 * small], 1)


@pytest.fixture
def images():
    found = torch.zeros(2, 3, 48, 64, dtype=torch.uint8)
    found[:, 0, :, :32] = 255
    found[:, 2, :, 32:] = 255
    return found


def test_absent_classes_are_left_out_and_the_rest_sums_to_one(images):
    found = second_round(images, [[1], [1, 3]], (48, 64), Colours(), SETTINGS)
    for probabilities, labels in zip(found, ([1], [1, 3]), strict=True):
        assert probabilities.shape == (1 + len(labels), 12, 16)
        assert torch.allclose(probabilities.sum(0), torch.ones(12, 16))
    one, two = found
    # Where the segmenter sees the blue class, which the first image is not tagged with, background is what is left.
    assert (one.argmax(0)[:, :6] == 1).all()
    assert (one.argmax(0)[:, 10:] == 0).all()
    assert (two.argmax(0)[:, 10:] == 2).all()


def test_it_is_the_full_softmax_without_the_absent_classes(images):
    settings = ActivationsSettings(source="segmenter", size=64, scales=[1.0], flip=False)
    every = second_round(images[:1], [[1, 2, 3]], (48, 64), Colours(), settings)[0]
    some = second_round(images[:1], [[1, 3]], (48, 64), Colours(), settings)[0]
    kept = every[[0, 1, 3]]
    assert torch.allclose(some, kept / kept.sum(0), atol=1e-6)


def test_an_image_without_tags_is_background(images):
    (probabilities,) = second_round(images[:1], [[]], (48, 64), Colours(), SETTINGS)
    assert torch.equal(probabilities, torch.ones(1, 12, 16))


def test_an_image_reads_the_same_alone_and_in_company(images):
    together = second_round(images, [[1], [3]], (48, 64), Colours(), SETTINGS)[1]
    alone = second_round(images[1:], [[3]], (48, 64), Colours(), SETTINGS)[0]
    assert torch.allclose(together, alone, atol=1e-6)
