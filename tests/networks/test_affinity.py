"""Pairs of near pixels, and the head whose distance compares them."""

import pytest
import torch
import torch.nn.functional as F

from matlabel.networks.affinity import RADIUS, AffinityHead, distances
from matlabel.networks.backbone import Trunk
from matlabel.networks.classifier import CamNetwork
from matlabel.networks.neighbours import half_disc, pairs


@pytest.mark.parametrize("radius", [1, 2, 5])
@pytest.mark.parametrize(("height", "width"), [(7, 9), (1, 6), (3, 2), (1, 1)])
def test_every_pair_within_the_radius_is_met_once_and_no_other(radius, height, width):
    numbers = torch.arange(height * width).view(height, width)
    met = []
    for shift in half_disc(radius):
        near, far = pairs(numbers, shift)
        met += [frozenset(pair) for pair in zip(near.flatten().tolist(), far.flatten().tolist(), strict=True)]
    places = [divmod(number, width) for number in range(height * width)]
    expected = {
        frozenset((i, j))
        for i, (y, x) in enumerate(places)
        for j, (v, u) in enumerate(places)
        if i < j and (y - v) ** 2 + (x - u) ** 2 <= radius**2
    }
    assert len(met) == len(set(met))
    assert set(met) == expected


def maps_of(network, side=64):
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    return network.trunk(images)


def test_the_feature_lies_on_the_grid_of_stride_eight():
    network = CamNetwork(Trunk("resnet18", 16), 2, None, affinity_size=12)
    assert network.affinity(maps_of(network, 60)).shape == (2, 12, 8, 8)


def test_no_gradient_reaches_the_trunk():
    network = CamNetwork(Trunk("resnet18", 16), 2, None, affinity_size=12)
    network.affinity(maps_of(network)).square().sum().backward()
    assert all(parameter.grad is None for parameter in network.trunk.parameters())
    assert all(layer.weight.grad.abs().max() > 0 for layer in network.affinity.layers)


def test_before_training_distances_follow_the_cosine_of_the_layers():
    torch.manual_seed(0)
    head = AffinityHead([64, 128, 256, 512], 64)
    maps = [torch.randn(1, count, 12, 12).relu() for count in (64, 128, 256, 512)]
    maps = [0.8 * F.interpolate(F.avg_pool2d(layer, 4), (12, 12)) + 0.2 * layer for layer in maps]
    feature, learned, cosine = head(maps), [], []
    for shift in half_disc(RADIUS):
        learned.append(distances(feature, shift).flatten())
        cosine.append(sum((1 - F.cosine_similarity(*pairs(layer, shift))).sqrt() for layer in maps).flatten())
    assert torch.corrcoef(torch.stack([torch.cat(learned), torch.cat(cosine)]))[0, 1] > 0.75


def test_the_head_comes_last_so_that_all_else_starts_the_same():
    states = []
    for size in (None, 4):
        torch.manual_seed(0)
        states.append(CamNetwork(Trunk("resnet18", 16), 2, 8, size).state_dict())
    without, with_head = states
    assert all(torch.equal(value, with_head[name]) for name, value in without.items())
    assert {name.split(".")[0] for name in with_head.keys() - without.keys()} == {"affinity"}
