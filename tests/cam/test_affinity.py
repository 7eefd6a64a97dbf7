"""The affinity term on constructed features: it moves what it should and leaves the rest alone."""

import math

import pytest
import torch

from matlabel.cam.losses.affinity import FLOOR, UNKNOWN, affinity_loss, sure_regions, walked_maps
from matlabel.networks.affinity import distances

SIZE, E = 10, 4


@pytest.fixture
def halves():
    """Class 1 above, background below, two unknown rows between."""
    trimap = torch.zeros(1, SIZE, SIZE, dtype=torch.uint8)
    trimap[:, :4], trimap[:, 4:6] = 1, UNKNOWN
    return trimap


def two_regions(trimap, apart, noise=0.0):
    """Features that are 0 in the background and `apart` elsewhere."""
    feature = torch.zeros(len(trimap), E, SIZE, SIZE) + apart * (trimap != 0)[:, None]
    return (feature + noise * torch.randn(feature.shape, generator=torch.Generator().manual_seed(0))).requires_grad_()


def gradient_of(loss, feature):
    return torch.autograd.grad(loss, feature)[0]


def test_it_is_low_for_flat_regions_that_differ_and_high_for_all_others(halves):
    right = affinity_loss(two_regions(halves, 8), halves)
    alike = affinity_loss(two_regions(halves, 0), halves)
    noisy = affinity_loss(two_regions(halves, 8, noise=2), halves)
    assert right < 0.01
    assert alike > 1
    assert noisy > 0.5


def test_pixels_of_one_region_are_pulled_together(halves):
    feature = two_regions(halves, 20, noise=0.1)
    inside = feature.detach()[:, :, :4]
    descent = -gradient_of(affinity_loss(feature, halves), feature)[:, :, :4]
    towards_mean = inside.mean((2, 3), keepdim=True) - inside
    assert (descent * towards_mean).sum() > 0
    assert (torch.sign(descent) == torch.sign(towards_mean)).float().mean() > 0.8


def test_regions_are_pushed_apart(halves):
    feature = two_regions(halves, 0.3)
    descent = -gradient_of(affinity_loss(feature, halves), feature)
    assert descent[:, :, 3].min() > 0
    assert descent[:, :, 6].max() < 0
    # Rows out of reach of the other region have no reason to move.
    assert descent[:, :, 0].abs().max() < 1e-7


def test_two_objects_that_touch_part_like_an_object_and_its_background():
    objects = torch.ones(1, SIZE, SIZE, dtype=torch.uint8)
    objects[:, 5:] = 2
    ground = objects % 2
    feature = two_regions(ground, 0.3)
    assert (gradient_of(affinity_loss(feature, objects), feature)[:, :, 5] > 0).all()


def test_unknown_pixels_are_not_looked_at(halves):
    feature = two_regions(halves, 1, noise=0.5)
    loss = affinity_loss(feature, halves)
    assert gradient_of(loss, feature)[:, :, 4:6].abs().max() == 0
    other = feature.detach().clone()
    other[:, :, 4:6] += 100
    assert affinity_loss(other, halves) == loss


def test_the_three_kinds_weigh_a_quarter_a_quarter_and_a_half_however_many_pairs_there_are(halves):
    for rows in (4, 1):
        trimap = halves.clone()
        trimap[:, rows:4] = UNKNOWN
        trimap[:, 7:] = UNKNOWN if rows == 4 else 0
        noise = torch.randn(1, E, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
        of = [
            float(affinity_loss(noise, torch.where(keep, trimap, UNKNOWN)))
            for keep in (trimap == 1, trimap == 0, trimap >= 0)
        ]
        kinds = pairwise(noise, trimap)
        assert of[0] == pytest.approx(kinds[0] / 4, rel=1e-4)
        assert of[1] == pytest.approx(kinds[1] / 4, rel=1e-4)
        assert of[2] == pytest.approx(kinds[0] / 4 + kinds[1] / 4 + kinds[2] / 2, rel=1e-4)


def pairwise(feature, trimap):
    """The mean loss of each kind, pair by pair."""
    kinds = [[], [], []]
    places = [(y, x) for y in range(SIZE) for x in range(SIZE) if trimap[0, y, x] != UNKNOWN]
    for index, (y, x) in enumerate(places):
        for v, u in places[index + 1 :]:
            if (y - v) ** 2 + (x - u) ** 2 <= 25:
                distance = float((feature[0, :, y, x] - feature[0, :, v, u]).abs().mean())
                if trimap[0, y, x] != trimap[0, v, u]:
                    kinds[2].append(-math.log(1 - (1 - FLOOR) * math.exp(-distance)))
                else:
                    kinds[int(trimap[0, y, x] == 0)].append(distance)
    return [sum(kind) / max(1, len(kind)) for kind in kinds]


@pytest.mark.parametrize("value", [0, 1, UNKNOWN])
def test_it_is_finite_where_kinds_of_pairs_are_absent(value):
    trimap = torch.full((2, SIZE, SIZE), value, dtype=torch.uint8)
    feature = two_regions(trimap, 1, noise=0.1)
    loss = affinity_loss(feature, trimap)
    gradient = gradient_of(loss, feature)
    assert loss.isfinite()
    assert gradient.isfinite().all()
    if value == UNKNOWN:
        assert loss == gradient.abs().max() == 0


def test_equal_features_on_both_sides_cost_a_bounded_loss(halves):
    feature = two_regions(halves, 0)
    loss = affinity_loss(feature, halves)
    assert loss.detach().item() == pytest.approx(-math.log(FLOOR) / 2, rel=1e-3)
    assert gradient_of(loss, feature).isfinite().all()


def test_images_smaller_than_the_radius_are_no_trouble():
    trimap = torch.tensor([[[0, 1]]], dtype=torch.uint8)
    feature = torch.tensor([[[[0.0, 1.0]]]])
    expected = -math.log(1 - (1 - FLOOR) * math.exp(-1)) / 2
    assert float(affinity_loss(feature, trimap)) == pytest.approx(expected, rel=1e-5)
    assert float(affinity_loss(feature[..., :1], trimap[..., :1])) == 0


def test_descent_on_the_features_parts_two_regions_that_began_alike(halves):
    feature = two_regions(halves, 0, noise=0.05)
    for _ in range(60):
        gradient = gradient_of(affinity_loss(feature, halves), feature)
        feature = (feature - 20 * gradient).detach().requires_grad_()
    across = distances(feature[:, :, 3:7], (3, 0)).mean()
    inside = distances(feature[:, :, :4], (3, 0)).mean()
    assert across > 2 * inside


def test_what_wins_by_far_is_sure_and_the_rest_unknown():
    planes = torch.tensor([[0.7, 0.59, 0.1, 0.3], [0.2, 0.41, 0.3, 0.35], [0.1, 0.0, 0.6, 0.35]])[None, :, None]
    assert sure_regions(planes)[0, 0].tolist() == [0, UNKNOWN, 2, UNKNOWN]


def test_what_a_view_does_not_show_is_unknown():
    valid = torch.ones(1, 4, 4, dtype=torch.bool)
    valid[:, 0] = False
    trimap = sure_regions(torch.ones(1, 1, 4, 4), valid)
    assert (trimap[:, 0] == UNKNOWN).all()
    assert (trimap[:, 1:] == 0).all()


def test_maps_that_fade_inside_an_object_are_carried_to_its_border():
    what = torch.zeros(1, 1, 8, 8)
    what[..., :4, :] = 1
    features = [torch.cat([what, 1 - what], 1)] * 4
    relative = torch.zeros(1, 2, 8, 8)
    relative[:, 1, :2, :2] = 1
    assert (sure_regions(torch.cat([1 - relative.amax(1, keepdim=True), relative], 1)) == 2).sum() == 4
    planes = walked_maps(relative, features)
    assert torch.allclose(planes.sum(1), torch.ones(1, 8, 8), atol=1e-5)
    trimap = sure_regions(planes)
    assert (trimap[:, :4] == 2).all()
    assert (trimap[:, 4:] == 0).all()
