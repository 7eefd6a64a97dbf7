"""The random walk on constructed features: where it goes, and what it leaves as it was."""

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.activations.own_prototypes import refine_by_prototypes
from matlabel.activations.random_walk import similarity, spread, transitions
from matlabel.activations.spreading import Spreading
from matlabel.networks.classifier import Output
from matlabel.settings.activations import ActivationsSettings


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def walk(features, size, power):
    """T of an image by its last three layers."""
    return transitions(similarity(features, size, (2, 3, 4)), power)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.tuples(st.integers(1, 6), st.integers(1, 6)), st.floats(0.5, 20))
def test_rows_are_distributions(seed, size, power):
    rows = walk([noise(1, 5, 4, 5, seed=seed).relu() + 0.01] * 4, size, power)
    assert rows.shape == (size[0] * size[1],) * 2
    assert rows.min() >= 0
    assert torch.allclose(rows.sum(1), torch.ones(len(rows)), atol=1e-5)


def two_regions():
    """T of features that differ between the upper and the lower half."""
    features = torch.zeros(1, 2, 6, 6)
    features[0, 0, :3], features[0, 1, 3:] = 1, 1
    return walk([features] * 4, (6, 6), 8.0)


def test_the_walk_stays_within_alike_features():
    assert two_regions()[:12, 24:].max() < 1e-3


def test_spreading_fills_the_object_and_not_what_is_unlike_it():
    start = torch.full((2, 6, 6), 0.1)
    start[0] = 0.9
    start[:, 0, 0] = torch.tensor([0.1, 0.9])
    after = spread(start, two_regions(), 4)
    assert torch.allclose(after.sum(0), torch.ones(6, 6))
    assert after[1, 1, 4] > 0.5 > after[1, 5, 4]


def test_every_step_is_a_product_with_the_transitions_and_peaks_come_back():
    transition = walk([noise(1, 5, 6, 8).relu()] * 4, (6, 8), 4.0)
    start = F.softmax(noise(3, 6, 8, seed=1), 0)
    walked = (torch.linalg.matrix_power(transition.double(), 3) @ start.double().flatten(1).T).T
    for plane, before in zip(walked, start.double().flatten(1), strict=True):
        plane -= plane.min()
        plane *= (before.max() - before.min()) / plane.max()
        plane += before.min()
    assert torch.allclose(spread(start, transition, 3).flatten(1), (walked / walked.sum(0)).float(), atol=1e-5)


def photograph(channels=(3, 4, 5, 6)):
    """Features of two images, and probabilities of one and of two classes for them, and of none."""
    sides = (16, 8, 4, 4)
    features = [noise(3, count, side, side, seed=count).relu() for count, side in zip(channels, sides, strict=True)]
    probabilities = [F.softmax(noise(count, 13, 16, seed=count), 0) for count in (2, 3)]
    embedding = F.normalize(noise(3, 8, 4, 4, seed=9), dim=1)
    return Output(torch.zeros(3, 2, 4, 4), embedding, features), [*probabilities, torch.ones(1, 13, 16)]


def spreaded(read="both", **settings):
    settings = ActivationsSettings(spread={"power": 20, **settings}, **{"from": read})
    output, probabilities = photograph()
    with torch.no_grad():
        return Spreading(output, settings)(probabilities), probabilities


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_what_a_walk_has_mixed_altogether_is_not_blown_up_from_rounding():
    generator = torch.Generator().manual_seed(0)
    # All pixels are as good as alike, so that many steps leave nothing but the mean.
    layer = 1 + 1e-3 * torch.randn(1, 16, 8, 8, generator=generator)
    planes = F.softmax(torch.randn(3, 8, 8, generator=generator), 0)
    transition = walk([layer] * 4, (8, 8), 8.0)
    found = [spread(planes.to(kind), transition.to(kind), 64).float() for kind in (torch.float32, torch.float64)]
    assert (found[0] - found[1]).abs().max() < 1e-2


def test_images_of_a_batch_spread_each_with_its_own_classes():
    after, before = spreaded()
    assert [planes.shape for planes in after] == [planes.shape for planes in before]
    assert all(torch.allclose(planes.sum(0), torch.ones(13, 16), atol=1e-5) for planes in after)
    assert not torch.equal(after[0], before[0])
    assert torch.equal(after[2], before[2])


def test_layers_choose_what_the_features_are_compared_by():
    assert same(spreaded()[0], spreaded(layers=[1, 4, 2, 1, 3])[0])
    assert not same(spreaded()[0], spreaded(layers=[1, 2, 3, 4])[0])
    assert not same(spreaded()[0], spreaded(layers=[4])[0])


def test_the_embedding_is_read_again_only_where_one_is_read():
    once = spreaded(again=0)[0]
    assert not same(spreaded(again=1)[0], once)
    assert same(spreaded(again=1, read="maps")[0], once)


def two_halves():
    """An embedding with the object on the left, of which the probabilities only know a part, and doubt the rest."""
    embedding = torch.zeros(4, 6, 8)
    embedding[0, :, :4], embedding[1, :, 4:] = 1, 1
    object_ = torch.full((6, 8), 0.45)
    object_[:2, :2], object_[4:, 6:] = 0.9, 0.1
    return torch.stack([1 - object_, object_]), embedding


def test_reading_again_finds_the_rest_of_the_object_by_the_sure_part_of_it():
    probabilities, embedding = two_halves()
    assert (probabilities.argmax(0)[2:, :4] == 0).all()
    again = refine_by_prototypes(probabilities, embedding, 0.1, True)
    assert torch.allclose(again.sum(0), torch.ones(6, 8), atol=1e-6)
    assert torch.equal(again.argmax(0) == 1, embedding[0] > 0)


def test_nothing_is_read_again_where_a_label_is_sure_nowhere():
    probabilities, embedding = two_halves()
    probabilities[:, :2, :2] = 0.5
    assert refine_by_prototypes(probabilities, embedding, 0.1, True) is probabilities


def test_nobody_asked_for_any_class():
    output, probabilities = photograph()
    unasked = [probabilities[2]] * 3
    assert same(Spreading(output, ActivationsSettings())(unasked), unasked)
