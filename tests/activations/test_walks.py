"""The two walks on constructed affinities: where they go, and what they leave as it was."""

import pytest
import torch
import torch.nn.functional as F

from matlabel.activations.again import read_again
from matlabel.activations.local_walk import LocalWalk
from matlabel.activations.spreading import Spreading
from matlabel.networks.affinity import RADIUS, AffinityHead
from matlabel.networks.classifier import Output
from matlabel.networks.feature_walk import FeatureWalk, feature_affinity
from matlabel.networks.spread import spread
from matlabel.settings.activations import ActivationsSettings


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def transition(walk, height, width):
    """T as a matrix: what a step makes of each pixel's own plane."""
    return walk(torch.eye(height * width).view(1, -1, height, width)).flatten(2)[0].T


def walks(power=2.0):
    local = LocalWalk(noise(1, 4, 6, 8), power)
    features = FeatureWalk(feature_affinity([noise(1, 5, 6, 8).exp()] * 4, (6, 8), power))
    return {"learned": local, "features": lambda planes: features(planes[0])[None]}


@pytest.mark.parametrize("kind", ["learned", "features"])
def test_rows_are_distributions(kind):
    rows = transition(walks()[kind], 6, 8)
    assert rows.min() >= 0
    assert torch.allclose(rows.sum(1), torch.ones(48), atol=1e-5)


@pytest.mark.parametrize("kind", ["learned", "features"])
def test_constants_stay(kind):
    planes = torch.full((1, 2, 6, 8), 0.3)
    assert torch.allclose(walks()[kind](planes), planes, atol=1e-6)


def test_the_local_walk_is_the_normalised_power_of_the_affinity_within_the_radius():
    height, width, power = 9, 12, 3.0
    feature = noise(1, 4, height, width)
    flat = feature[0].flatten(1)
    distance = (flat[:, :, None] - flat[:, None]).abs().mean(0)
    place = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")).flatten(1)
    near = ((place[:, :, None] - place[:, None]) ** 2).sum(0) <= RADIUS**2
    expected = torch.exp(-power * distance) * near
    expected = expected / expected.sum(1, keepdim=True)
    assert torch.allclose(transition(LocalWalk(feature, power), height, width), expected, atol=1e-6)


def regions(height=12, width=15):
    """An object in the shape of a C, so that a straight line leaves it: bool[h, w]."""
    inside = torch.zeros(height, width, dtype=torch.bool)
    inside[1:11, 1:14] = True
    inside[4:8, 4:14] = False
    return inside


def test_a_perfect_affinity_fills_the_object_and_nothing_else():
    inside = regions()
    walk = LocalWalk(100.0 * inside[None, None], 8.0)
    start = torch.zeros(1, 2, *inside.shape)
    start[0, 1, 1, 13] = 1
    start[0, 0] = 1 - start[0, 1]
    after = spread(start, walk, 400)
    assert torch.allclose(after.sum(1), torch.ones(1, *inside.shape), atol=1e-5)
    assert torch.equal(after[0].argmax(0) == 1, inside)
    assert after[0, 1][~inside].max() == 0


def test_a_walk_goes_no_further_than_its_steps_reach():
    start = torch.zeros(1, 1, 3, 30)
    start[..., 0] = 1
    walk = LocalWalk(torch.zeros(1, 1, 3, 30), 8.0)
    assert (walk(walk(start))[0, 0, 1] > 0).nonzero().max() == 2 * RADIUS


def test_no_step_crosses_a_border_of_the_image():
    # A torus would carry the left column's value to the right one.
    start = torch.zeros(1, 1, 12, 12)
    start[..., 0] = 1
    after = LocalWalk(torch.zeros(1, 1, 12, 12), 8.0)(start)
    assert after[..., RADIUS + 1 :].max() == 0
    # At the border, fewer neighbours share the whole.
    assert torch.allclose(after, after.flip(2))


def test_mirrored_images_spread_mirrored():
    feature, planes = noise(1, 4, 7, 11), noise(1, 2, 7, 11, seed=1)
    for axis in (2, 3):
        mirrored = LocalWalk(feature.flip(axis), 4.0)(planes.flip(axis)).flip(axis)
        assert torch.allclose(mirrored, LocalWalk(feature, 4.0)(planes), atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3), (20, 1)])
def test_images_smaller_than_the_radius_spread_too(shape):
    rows = transition(LocalWalk(noise(1, 2, *shape), 4.0), *shape)
    assert torch.allclose(rows.sum(1), torch.ones(len(rows)), atol=1e-5)


def test_a_batch_walks_as_its_images_do_alone_and_the_same_each_time():
    feature, planes = noise(3, 4, 9, 7), noise(3, 2, 9, 7, seed=1)
    together = LocalWalk(feature, 4.0)(planes)
    assert torch.equal(together, LocalWalk(feature, 4.0)(planes))
    for index in range(3):
        alone = LocalWalk(feature[index : index + 1], 4.0)(planes[index : index + 1])
        assert torch.equal(together[index : index + 1], alone)


def test_planes_of_zeros_stay_zero_and_change_no_other():
    probabilities = F.softmax(noise(1, 2, 6, 8), 1)
    filled = torch.cat([probabilities, torch.zeros(1, 1, 6, 8)], 1)
    walk = LocalWalk(noise(1, 4, 6, 8), 4.0)
    after = spread(filled, walk, 3)
    assert after[:, 2].abs().max() == 0
    assert torch.allclose(after[:, :2], spread(probabilities, walk, 3), atol=1e-6)


def photograph(channels=(3, 4, 5, 6)):
    """Features of two images, and probabilities of one and of two classes for them, and of none."""
    sides = (16, 8, 4, 4)
    features = [noise(3, count, side, side, seed=count).relu() for count, side in zip(channels, sides, strict=True)]
    probabilities = [F.softmax(noise(count, 13, 16, seed=count), 0) for count in (2, 3)]
    embedding = F.normalize(noise(3, 8, 4, 4, seed=9), dim=1)
    return Output(torch.zeros(3, 2, 4, 4), embedding, features), [*probabilities, torch.ones(1, 13, 16)]


def spreaded(head=True, read="both", **settings):
    torch.manual_seed(0)
    settings = ActivationsSettings(spread=settings, **{"from": read})
    made = AffinityHead([3, 4, 5, 6], 4) if head else None
    output, probabilities = photograph()
    with torch.no_grad():
        return Spreading(output, made, settings)(probabilities), probabilities


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_what_a_walk_has_mixed_altogether_is_not_blown_up_from_rounding():
    generator = torch.Generator().manual_seed(0)
    # All pixels are as good as alike, so that many steps leave nothing but the mean.
    layer = 1 + 1e-3 * torch.randn(1, 16, 8, 8, generator=generator)
    planes = F.softmax(torch.randn(3, 8, 8, generator=generator), 0)
    found = [
        spread(planes.to(kind), FeatureWalk(feature_affinity([layer] * 4, (8, 8), 8.0).to(kind)), 64).float()
        for kind in (torch.float32, torch.float64)
    ]
    assert (found[0] - found[1]).abs().max() < 1e-2


@pytest.mark.parametrize("affinity", ["learned", "features"])
def test_images_of_a_batch_spread_each_with_its_own_classes(affinity):
    after, before = spreaded(affinity=affinity)
    assert [planes.shape for planes in after] == [planes.shape for planes in before]
    assert all(torch.allclose(planes.sum(0), torch.ones(13, 16), atol=1e-5) for planes in after)
    assert not torch.equal(after[0], before[0])
    assert torch.equal(after[2], before[2])


def test_auto_is_learned_where_there_is_something_learned():
    assert same(spreaded(affinity="auto")[0], spreaded(affinity="learned")[0])
    assert not same(spreaded(affinity="auto")[0], spreaded(affinity="features")[0])
    assert same(spreaded(head=False, affinity="auto")[0], spreaded(affinity="features")[0])


def test_layers_choose_what_the_features_are_compared_by():
    assert same(spreaded(affinity="features")[0], spreaded(affinity="features", layers=[1, 4, 2, 1, 3])[0])
    assert not same(spreaded(affinity="features")[0], spreaded(affinity="features", layers=[1, 2, 3, 4])[0])
    assert not same(spreaded(affinity="features")[0], spreaded(affinity="features", layers=[4])[0])


@pytest.mark.parametrize("affinity", ["learned", "features"])
def test_the_embedding_is_read_again_only_where_one_is_read(affinity):
    once = spreaded(affinity=affinity, again=0)[0]
    assert not same(spreaded(affinity=affinity, again=1)[0], once)
    assert same(spreaded(affinity=affinity, again=1, read="maps")[0], once)


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
    again = read_again(probabilities, embedding, 0.1, True)
    assert torch.allclose(again.sum(0), torch.ones(6, 8), atol=1e-6)
    assert torch.equal(again.argmax(0) == 1, embedding[0] > 0)


def test_nothing_is_read_again_where_a_label_is_sure_nowhere():
    probabilities, embedding = two_halves()
    probabilities[:, :2, :2] = 0.5
    assert read_again(probabilities, embedding, 0.1, True) is probabilities


def test_nobody_asked_for_any_class():
    output, probabilities = photograph()
    head = AffinityHead([3, 4, 5, 6], 4)
    assert same(Spreading(output, head, ActivationsSettings())([probabilities[2]] * 3), [probabilities[2]] * 3)
