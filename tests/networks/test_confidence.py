import torch

from matlabel.networks.classifier import distribution, relative_maps
from matlabel.networks.confidence import LEAST, PIXELS, SHARE, confident_regions


def regions(relative, tags, seed=0, valid=None):
    generator = torch.Generator().manual_seed(seed)
    embedding = torch.nn.functional.normalize(
        torch.randn(len(relative), 8, *relative.shape[2:], generator=generator), dim=1
    )
    return confident_regions(relative, embedding, tags, valid)


def test_relative_maps_peak_at_one_where_present_and_vanish_where_absent():
    maps = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    relative = relative_maps(maps, torch.tensor([[1, 0, 1], [0, 1, 0]]))
    assert torch.equal(relative.amax((2, 3)), torch.tensor([[1.0, 0, 1], [0, 1, 0]]))
    assert relative.min() == 0


def test_the_distribution_sums_to_one_and_an_untagged_image_is_background():
    relative = torch.rand(3, 9, 9, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(distribution(relative, 4.0).sum(0), torch.ones(9, 9))
    assert torch.equal(distribution(torch.zeros(0, 9, 9), 4.0), torch.ones(1, 9, 9))


def test_confident_pixels_lead_clearly_and_are_the_best_fifth_at_most():
    relative = torch.zeros(1, 2, 10, 10)
    relative[0, 0, :5] = torch.linspace(0.5, 1, 50).view(5, 10)
    relative[0, 1, 4:] = 0.95
    found = regions(relative, torch.tensor([[1, 1]]))
    first = found.confident[found.label.tolist().index(0)].view(10, 10)
    assert int(first.sum()) == int(SHARE * 100)
    assert not first[4:].any()
    assert first[3].all()


def test_a_class_with_too_few_confident_pixels_has_no_region():
    relative = torch.zeros(1, 1, 10, 10)
    relative[0, 0, 0, : LEAST - 1] = 1
    assert len(regions(relative, torch.tensor([[1]])).label) == 0


def test_nothing_is_taken_from_where_the_view_shows_nothing():
    relative = torch.zeros(1, 1, 10, 10)
    relative[0, 0, :, :2] = 1
    valid = torch.ones(1, 10, 10, dtype=torch.bool)
    valid[:, :, :1] = False
    found = regions(relative, torch.tensor([[1]]), valid=valid)
    assert not found.confident.view(-1, 10, 10)[..., 0].any()
    assert not found.background.view(-1, 10, 10)[..., 0].any()


def test_the_most_and_least_certain_are_chosen():
    relative = torch.zeros(1, 1, 40, 40)
    relative[0, 0].view(-1)[:300] = torch.linspace(0.5, 1, 300)
    chosen = regions(relative, torch.tensor([[1]])).chosen()[0].nonzero()[:, 0]
    assert len(chosen) == 2 * PIXELS
    assert set(chosen.tolist()) == {*range(PIXELS), *range(300 - PIXELS, 300)}
