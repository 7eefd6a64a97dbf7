import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.activations.readout import combine, decoupled, from_embedding, from_maps
from matlabel.activations.views import activations, grid
from matlabel.networks.backbone import Backbone
from matlabel.networks.classifier import CamNetwork, Output
from matlabel.networks.trained_classifier import Classifier
from matlabel.settings.activations import ActivationsSettings

D = 4


def classifier(known=(True, True), background=True):
    network = CamNetwork(Backbone("resnet18", 16), 2, D).eval()
    behind = torch.eye(D)[2:3] if background else torch.zeros(0, D)
    return Classifier(network, ["cat", "dog"], torch.eye(D)[:2], torch.tensor(known), behind)


def output(what):
    """Embedding on the axes named by `what` [h, w]; maps of class c are high where what == c."""
    maps = torch.stack([(what == label).float() for label in (0, 1)])[None]
    return Output(maps, torch.eye(D)[what].permute(2, 0, 1)[None], [])


@pytest.fixture
def what():
    scene = torch.full((10, 10), 2)
    scene[:4], scene[8:] = 0, 1
    return scene


def test_the_embedding_finds_each_class_and_the_background(what):
    found = from_embedding(output(what), classifier(), [0, 1], ActivationsSettings())
    assert torch.allclose(found.sum(0), torch.ones(10, 10))
    assert torch.equal(found.argmax(0), (what + 1) % 3)


def test_a_class_whose_centre_was_never_seen_is_found_by_its_map(what):
    scene = output(what)
    scene.embedding = F.normalize(scene.embedding + 0.2, dim=1)
    found = from_embedding(scene, classifier(known=(True, False)), [0, 1], ActivationsSettings())
    assert torch.equal(found.argmax(0), (what + 1) % 3)


def test_a_larger_margin_gives_more_to_the_background(what):
    scene = output(what)
    scene.embedding = F.normalize(scene.embedding + 0.6, dim=1)
    shares = [
        float(from_embedding(scene, classifier(), [0, 1], ActivationsSettings(margin=margin))[0].mean())
        for margin in (-0.2, 0.0, 0.2)
    ]
    assert shares == sorted(shares)
    assert shares[0] < shares[2]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 4), st.booleans())
def test_an_embedding_that_parts_no_classes_decides_about_the_background_alone(seed, classes, empty):
    generator = torch.Generator().manual_seed(seed)
    similar = 4 * torch.randn(classes + 1, 5, 6, generator=generator)
    shares = torch.zeros(classes, 5, 6) if empty else torch.rand(classes, 5, 6, generator=generator)
    found = decoupled(similar, shares)
    assert torch.allclose(found.sum(0), torch.ones(5, 6), atol=1e-5)
    # The background's share is that against the class that is most alike; swapping classes changes nothing of it.
    against = torch.stack([similar[0], similar[1:].amax(0)]).softmax(0)[0]
    assert torch.allclose(found[0], against, atol=1e-5)
    if classes > 1:
        ratio, given_ = found[1] / found[2].clamp_min(1e-9), shares.clamp_min(1e-3)
        assert torch.allclose(ratio, given_[0] / given_[1], rtol=1e-3)
    else:
        assert torch.equal(found, similar.softmax(0))


def test_an_embedding_that_cannot_tell_two_classes_leaves_them_to_the_maps(what):
    scene = output(what)
    # Both classes look alike to the embedding, and the second one's centre is a little nearer.
    scene.embedding = torch.eye(D)[torch.where(what == 2, 2, 0)].permute(2, 0, 1)[None]
    made = classifier()
    made.parts_classes = False
    made.centres[:] = F.normalize(torch.tensor([[1.0, 0, 0, 0.3], [1.0, 0, 0, 0.0]]), dim=1)
    found = from_embedding(scene, made, [0, 1], ActivationsSettings())
    assert torch.equal(found.argmax(0), (what + 1) % 3)


def test_maps_are_background_where_nothing_is_active(what):
    found = from_maps(output(what), [0, 1], 4.0)
    assert torch.equal(found.argmax(0), (what + 1) % 3)
    assert torch.equal(from_maps(output(what), [], 4.0), torch.ones(1, 10, 10))


def test_combining_equal_ways_changes_nothing():
    way = F.softmax(torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(0)), 0)
    assert torch.allclose(combine([way, way]), way, atol=1e-5)


@pytest.mark.parametrize("labels", [[0], [0, 1], []])
@pytest.mark.parametrize("reads", ["maps", "embedding", "both"])
def test_activations_are_distributions_at_a_quarter_of_the_size(labels, reads):
    torch.manual_seed(0)
    images = torch.randint(0, 255, (2, 3, 50, 66), dtype=torch.uint8)
    settings = ActivationsSettings(**{"from": reads}, size=64, scales=[1.0, 1.5], spread={"steps": 2, "power": 20})
    for found in activations(images, [labels, labels], (50, 66), classifier(), settings):
        assert found.probabilities.shape == (len(labels) + 1, *grid(50, 66)) == (len(labels) + 1, 13, 17)
        assert torch.allclose(found.probabilities.sum(0), torch.ones(13, 17), atol=1e-4)
