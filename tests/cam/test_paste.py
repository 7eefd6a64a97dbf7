"""Pasting: what comes from where, which tags are told, and when nothing is pasted."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.cam.model import D2Cam
from matlabel.cam.paste import LARGEST, SMALLEST, Pastes, choose_pastes
from matlabel.cam.schedule import Schedule
from matlabel.networks.backbone import Backbone
from matlabel.networks.classifier import CamNetwork
from matlabel.settings.cam import CamSettings

SIZE, CELL = 8, 4
PIXELS = (SIZE * CELL, SIZE * CELL)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def block(top, height, left=0, width=SIZE):
    plane = torch.zeros(SIZE, SIZE)
    plane[top : top + height, left : left + width] = 1
    return plane


def scene(*images, classes=3):
    """M and tags of images given as {class: plane}."""
    relative, tags = torch.zeros(len(images), classes, SIZE, SIZE), torch.zeros(len(images), classes)
    for row, planes in enumerate(images):
        for label, plane in planes.items():
            relative[row, label], tags[row, label] = plane, 1
    return relative, tags


def apart():
    """Class 0 above, class 1 below: each fits on the other."""
    return scene({0: block(0, 2)}, {1: block(5, 3)})


def by_hand():
    """The upper half of image 1, class 1, on image 0; image 1 as it is."""
    region = torch.zeros(2, *PIXELS, dtype=torch.bool)
    region[0, : PIXELS[0] // 2] = True
    return Pastes(torch.tensor([1, 1]), torch.tensor([1, 0]), region)


@st.composite
def batches(draw):
    seed = draw(st.integers(0, 999))
    count, classes = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    tags = torch.randint(0, 2, (count, classes), generator=seeded(seed)).float()
    coarse = torch.rand(count, classes, 3, 3, generator=seeded(seed))
    relative = torch.nn.functional.interpolate(coarse, (SIZE, SIZE), mode="bilinear") * tags[:, :, None, None]
    return relative / relative.amax((2, 3), keepdim=True).clamp_min(1e-5), tags, seed


@settings(max_examples=60, deadline=None)
@given(batches(), st.floats(0, 1))
def test_pastes_keep_their_promises(batch, share):
    relative, tags, seed = batch
    pastes = choose_pastes(relative, tags, PIXELS, share, seeded(seed))
    pasted = pastes.region.flatten(1).any(1)
    assert int(pasted.sum()) <= int(share * len(tags)) + 1
    covered = pastes.region.flatten(1).float().mean(1)
    for host in range(len(tags)):
        source, label = int(pastes.source[host]), int(pastes.label[host])
        if not pasted[host]:
            assert source == host
            continue
        assert source != host
        assert tags[source, label] == 1
        assert tags[host, label] == 0
        assert SMALLEST <= covered[host] <= LARGEST
        # Every class that is told of is there to be seen.
        shown = pastes.onto_maps(relative)[host].amax((1, 2))
        assert (shown[tags[host] > 0] >= 0.4 * 0.5).all()
    united = pastes.united(tags)
    assert torch.equal(united.sum(1) - tags.sum(1), pasted.float())
    assert torch.equal(united[~pasted], tags[~pasted])
    assert (pastes.possible(tags) >= united).all()


def test_pixels_come_from_the_source_inside_and_from_the_host_outside():
    images = torch.rand(2, 3, *PIXELS, generator=seeded())
    relative, tags = apart()
    pastes = choose_pastes(relative, tags, PIXELS, 1.0, seeded())
    assert pastes.source.tolist() == [1, 0]
    made = pastes.onto(images)
    inside = pastes.region[:, None].expand_as(images)
    assert torch.equal(made[inside], images.flip(0)[inside])
    assert torch.equal(made[~inside], images[~inside])
    # M ≥ .4, interpolated, reaches a little over the cells where M is 1.
    assert pastes.region[1, : 2 * CELL].all()
    assert not pastes.region[1, 3 * CELL :].any()


def test_maps_show_the_pasted_class_alone_inside_and_not_at_all_outside():
    relative, tags = scene({0: torch.ones(SIZE, SIZE), 2: block(6, 2)}, {1: block(0, 4), 2: block(0, 4) / 2})
    pastes = by_hand()
    made = pastes.onto_maps(relative)
    assert torch.equal(made[0, :, :4], torch.stack([torch.zeros(4, SIZE), torch.ones(4, SIZE), torch.zeros(4, SIZE)]))
    assert torch.equal(made[0, :, 4:], relative[0, :, 4:])
    assert torch.equal(made[1], relative[1])
    assert pastes.united(tags).tolist() == [[1, 1, 1], [0, 1, 1]]


def test_a_pasted_image_may_show_what_else_its_source_shows():
    _, tags = scene({0: block(0, 2)}, {1: block(0, 2), 2: block(6, 2)})
    assert by_hand().united(tags)[0].tolist() == [1, 1, 0]
    assert by_hand().possible(tags).tolist() == [[1, 1, 1], [0, 1, 1]]


@pytest.mark.parametrize(
    "batch",
    [
        scene({0: block(0, 3, width=3)}),
        scene({}, {}),
        scene({0: block(0, 2)}, {0: block(5, 3)}),
        scene({}, {0: block(0, 1, width=1)}),
        scene({}, {0: block(0, 6)}),
        scene({}, {0: block(0, 3), 1: block(0, 3)}),
        scene({0: block(0, 2)}, {1: block(0, 3)}),
    ],
    ids=[
        "there is no other image",
        "nothing is tagged",
        "the host has the class",
        "the region is a speck",
        "the region is most of the picture",
        "two classes compete",
        "the host's own object would vanish",
    ],
)
def test_nothing_is_pasted_where(batch):
    relative, tags = batch
    pastes = choose_pastes(relative, tags, PIXELS, 1.0, seeded())
    assert not pastes.region[0].any()
    assert torch.equal(pastes.united(tags)[0], tags[0])


def test_the_share_holds_over_many_steps():
    relative, tags = scene({0: block(0, 2)}, {1: block(5, 2)}, {2: block(3, 2)}, classes=3)
    pasted = sum(
        int(choose_pastes(relative, tags, PIXELS, 0.25, seeded(step)).region.flatten(1).any(1).sum())
        for step in range(400)
    )
    assert 0.2 < pasted / 1200 < 0.3


def model(**changes):
    changes = {"category": 0.2, "consistency": 1.0, "paste": 0, **changes}
    options = CamSettings(backbone="resnet18", weights="none", embedding_size=8, **changes)
    torch.manual_seed(0)
    network = CamNetwork(Backbone("resnet18", 16, freeze_norm=True), 3, options.embedding_channels)
    return D2Cam(network, options, torch.tensor([True, True, False]), 0, Schedule(1)).train()


@pytest.fixture
def batch():
    images = torch.randint(0, 255, (6, 3, 96, 96), generator=seeded(), dtype=torch.uint8)
    return {"image": images, "tags": torch.eye(3).repeat(2, 1)}


def test_the_warm_up_pastes_nothing(batch):
    assert torch.equal(model(paste=1.0)(batch, 0, 10)["classification"], model()(batch, 0, 10)["classification"])


def test_every_term_sees_the_pasted_images_and_is_finite(batch):
    with_it, without = model(paste=1.0)(batch, 9, 10), model()(batch, 9, 10)
    assert list(with_it) == list(without)
    assert all(term.isfinite() for term in with_it.values())
    for term in ("classification", "consistency", "exclusivity"):
        assert with_it[term] != without[term]


def test_pasting_has_its_teacher_without_consistency(batch):
    with_it, without = model(paste=1.0, consistency=0), model(consistency=0)
    assert without.teacher is None
    terms, others = with_it(batch, 9, 10), without(batch, 9, 10)
    assert "consistency" not in terms
    assert list(terms) == list(others)
    assert terms["classification"] != others["classification"]


def test_a_pasted_image_leads_no_centre(batch):
    seen = {}
    for share in (0.0, 1.0):
        made = model(paste=share)
        made(batch, 9, 10)
        # The third class never stands alone, so any image leads its centre.
        seen[share] = int(made.centres.seen[:2].sum())
    assert seen[0.0] > 0
    assert seen[1.0] == 0


def test_the_same_step_pastes_the_same(batch):
    first, second = (model(paste=0.5)(batch, 9, 10) for _ in range(2))
    assert all(torch.equal(term, second[name]) for name, term in first.items())
