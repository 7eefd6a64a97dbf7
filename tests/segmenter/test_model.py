import pytest
import torch

from matlabel.networks.segmenter import build_segmenter, probabilities
from matlabel.segmenter.model import Segmenter
from matlabel.settings.segmenter import SegmenterSettings


@pytest.fixture(scope="module")
def segmenter():
    torch.manual_seed(0)
    return Segmenter(build_segmenter(SegmenterSettings(encoder="resnet18"), "none", 2))


def batch(labels, **more):
    image = torch.randint(0, 255, (2, 3, 48, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return {"image": image, "labels": labels, **more}


def loss(segmenter, *arguments, **more):
    torch.manual_seed(0)
    segmenter.eval()
    return segmenter(batch(*arguments, **more), 0, 1)["segmentation"]


LABELS = torch.zeros(2, 48, 48, dtype=torch.uint8)


def test_void_pixels_do_not_count(segmenter):
    labels = LABELS.clone()
    labels[:, :24] = 255
    other = labels.clone()
    other[:, 24:] = 0
    assert torch.equal(loss(segmenter, labels), loss(segmenter, other))
    assert float(loss(segmenter, torch.full_like(LABELS, 255)).detach()) == 0


def test_full_margin_and_one_hot_alphas_are_hard_labels(segmenter):
    hard = loss(segmenter, LABELS + 1)
    assert torch.allclose(loss(segmenter, LABELS + 1, margin=torch.full_like(LABELS, 255)), hard)
    alphas = torch.zeros(2, 3, 48, 48, dtype=torch.uint8)
    alphas[:, 1] = 255
    assert torch.allclose(loss(segmenter, LABELS + 1, alphas=alphas), hard)


def test_pixels_without_margin_do_not_count(segmenter):
    labels, margin = LABELS.clone(), torch.zeros_like(LABELS)
    margin[:, :20] = 255
    one = loss(segmenter, labels, margin=margin)
    labels[:, 20:] = 2
    assert torch.equal(one, loss(segmenter, labels, margin=margin))


def test_predictions_are_distributions_and_flipping_the_picture_flips_them(segmenter):
    network = segmenter.network.eval()
    images = torch.randint(0, 255, (1, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    found = probabilities(network, images, [(64, 64)], True)
    assert torch.allclose(found.sum(1), torch.ones(1, 16, 16), atol=1e-5)
    assert torch.allclose(probabilities(network, images.flip(3), [(64, 64)], True), found.flip(3), atol=1e-5)
