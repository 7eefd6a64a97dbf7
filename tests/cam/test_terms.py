"""Each term on constructed embeddings: it moves what it should and leaves the rest alone."""

import pytest
import torch
import torch.nn.functional as F

from matlabel.cam.centres import Centres
from matlabel.cam.losses.category import category_loss
from matlabel.cam.losses.consistency import consistency_loss, follow, random_views, teach, warp
from matlabel.cam.losses.exclusivity import exclusivity_loss
from matlabel.cam.losses.foreground import foreground_loss
from matlabel.networks.backbone import Backbone
from matlabel.networks.classifier import CamNetwork, relative_maps
from matlabel.networks.confidence import SHARE, confident_regions

SIZE, D = 8, 6
TAGS = torch.tensor([[1.0, 0], [0, 1], [1, 1]])


def axes(*numbers):
    return torch.eye(D)[list(numbers)]


@pytest.fixture
def scene():
    """Three images, class 0 in the top rows, class 1 in the bottom rows, background between; embeddings as given."""
    relative = torch.zeros(3, 2, SIZE, SIZE)
    relative[0, 0, :2] = relative[2, 0, :2] = 1
    relative[1, 1, -2:] = relative[2, 1, -2:] = 1
    return relative


def embed(relative, first=0, second=1, behind=2, noise=0.0):
    what = torch.full((len(relative), SIZE, SIZE), behind)
    what[relative[:, 0] > 0] = first
    what[relative[:, 1] > 0] = second
    generator = torch.Generator().manual_seed(0)
    embedding = torch.eye(D)[what].permute(0, 3, 1, 2) + noise * torch.randn(
        len(relative), D, SIZE, SIZE, generator=generator
    )
    return F.normalize(embedding, dim=1).requires_grad_()


def centres(first=0, second=1, behind=2, alone=(True, True)):
    made = Centres(2, 3, 4, D, 0.99, torch.tensor(alone))
    made.classes[:] = axes(first, second)
    made.seen[:] = 5
    made.background[0] = axes(behind)[0]
    made.background_seen[0] = 5
    return made


def moves(loss, embedding):
    """How much each pixel's embedding would be moved: [B, h, w]."""
    (gradient,) = torch.autograd.grad(loss, embedding)
    return gradient.norm(dim=1)


def test_category_is_low_when_classes_keep_to_their_centres_and_high_when_swapped(scene):
    right = category_loss(confident_regions(scene, embed(scene), TAGS), centres(), 0.1)
    wrong = category_loss(confident_regions(scene, embed(scene, first=1, second=0), TAGS), centres(), 0.1)
    assert right < 0.01 < 5 < wrong


def test_category_pulls_a_region_to_its_centre(scene):
    embedding = embed(scene, first=3, noise=0.1)
    (gradient,) = torch.autograd.grad(
        category_loss(confident_regions(scene, embedding, TAGS), centres(), 0.1), embedding
    )
    top = -gradient[0, :, :2].mean((1, 2))
    assert top[0] > 0
    assert top[1] < 0


def test_category_leaves_the_background_and_unseen_classes_alone(scene):
    embedding = embed(scene, noise=0.3)
    moved = moves(category_loss(confident_regions(scene, embedding, TAGS), centres(), 0.1), embedding)
    assert moved[:, 2:-2].max() == 0
    unseen = centres()
    unseen.seen[1] = 0
    moved = moves(category_loss(confident_regions(scene, embedding, TAGS), unseen, 0.1), embedding)
    assert moved[1].max() == 0
    assert (moved[0, :2] > 0).sum() == int(SHARE * SIZE * SIZE)


def test_foreground_parts_an_object_from_its_own_background(scene):
    together = foreground_loss(confident_regions(scene, embed(scene, behind=0), TAGS), centres(behind=0), 0.1)
    apart = foreground_loss(confident_regions(scene, embed(scene), TAGS), centres(), 0.1)
    assert apart < 0.1 < 1 < together


def test_foreground_moves_objects_and_backgrounds_but_no_pixel_between(scene):
    scene = scene.clone()
    scene[:, 0, 3] = 0.3
    embedding = embed(scene, noise=0.3)
    moved = moves(foreground_loss(confident_regions(scene, embedding, TAGS), centres(), 0.1), embedding)
    assert moved[0, :2].max() > 0
    assert moved[0, 4:].max() > 0
    assert moved[:, 3].max() == 0


def test_terms_are_zero_where_there_is_nothing_to_contrast():
    nothing = torch.zeros(2, 2, SIZE, SIZE)
    embedding = embed(nothing, noise=0.1)
    regions = confident_regions(nothing, embedding, torch.zeros(2, 2))
    fresh = Centres(2, 3, 4, D, 0.99, torch.tensor([True, True]))
    for term in (category_loss, foreground_loss):
        loss = term(regions, fresh, 0.1)
        assert float(loss) == 0
        assert moves(loss, embedding).max() == 0


def test_exclusivity_lets_one_of_two_competing_classes_win():
    maps = torch.full((1, 2, SIZE, SIZE), 1.0)
    maps[0, 0, :4], maps[0, 1, :4] = 1.0, 0.8
    maps[0, 1, 4:] = -1
    maps[0, 1, 7, 0] = 1
    maps.requires_grad_()
    tags = torch.ones(1, 2)
    loss = exclusivity_loss(maps, relative_maps(maps, tags), tags)
    (gradient,) = torch.autograd.grad(loss, maps)
    assert gradient[0, 1, :4].mean() > 0
    assert gradient[0, :, 5:7].abs().max() == 0
    assert gradient[0, 0, :4].mean() < 0


def test_exclusivity_pushes_absent_classes_down_and_nothing_else():
    maps = torch.ones(1, 2, SIZE, SIZE, requires_grad=True)
    tags = torch.tensor([[1.0, 0]])
    (gradient,) = torch.autograd.grad(exclusivity_loss(maps, relative_maps(maps, tags), tags), maps)
    assert gradient[0, 1].min() > 0
    assert gradient[0, 0].abs().max() == 0


def test_consistency_is_zero_for_maps_that_move_with_the_picture():
    generator = torch.Generator().manual_seed(3)
    teacher = F.interpolate(torch.rand(4, 2, 4, 4, generator=generator), (32, 32), mode="bilinear")
    view = random_views(4, generator)
    tags = torch.ones(4, 2)
    moved = consistency_loss(warp(teacher, view), teacher, view, tags)
    still = consistency_loss(teacher, teacher, view, tags)
    assert moved < 1e-6 < 0.02 < still


def test_a_flipped_view_is_the_flipped_picture():
    view = torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]])
    picture = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(warp(picture, view), picture.flip(3), atol=1e-6)


def test_a_view_is_exact_in_mixed_precision():
    generator = torch.Generator().manual_seed(0)
    picture, view = torch.rand(2, 3, 448, 448, generator=generator), random_views(2, generator)
    exact = warp(picture, view)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = warp(picture, view)
    assert mixed.dtype == torch.float32
    assert torch.equal(exact, mixed)


def test_the_teacher_starts_as_the_student_and_then_follows_slowly():
    student, teacher = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    follow(teacher, student, 0, 0.9)
    assert torch.equal(teacher.weight, student.weight)
    before = teacher.weight.clone()
    with torch.no_grad():
        student.weight += 1
    follow(teacher, student, 99, 0.9)
    assert torch.allclose(teacher.weight, before + 0.1)


def test_a_teacher_leaves_nothing_behind_that_moves_and_nothing_frozen_moves_it():
    student = CamNetwork(Backbone("resnet18", 16, freeze_norm=False, frozen_stages=2), 2, 4)
    teacher = student.frozen_copy()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    student(torch.randn(2, 3, 32, 32))
    with torch.no_grad():
        for parameter in student.parameters():
            if parameter.requires_grad:
                parameter += torch.randn_like(parameter)
    follow(teacher, student, 99, 0.9)
    for name, value in teacher.state_dict().items():
        new = student.state_dict()[name]
        expected = torch.lerp(before[name], new, 0.1) if new.is_floating_point() else new
        assert torch.allclose(value, expected, atol=1e-6), name
    assert not torch.equal(before["backbone.net.bn1.running_mean"], teacher.backbone.net.bn1.running_mean)


class Pooled(torch.nn.Module):
    """A backbone whose features are the picture itself at stride 16."""

    channels = 3

    def forward(self, images):
        return [F.avg_pool2d(images, 16)] * 4


@pytest.mark.parametrize("scale", [0.5, 0.7, 0.75])
def test_a_teacher_that_sees_less_speaks_of_the_same_places_on_the_students_grid(scale):
    teacher = CamNetwork(Pooled(), 2, None)
    ramp = torch.linspace(-1, 1, 128)
    picture = torch.stack([ramp.expand(128, 128), ramp[:, None].expand(128, 128), torch.ones(128, 128)])[None]
    whole, less = (teach(teacher, picture, share, 16) for share in (1, scale))
    assert less.shape == whole.shape
    # Bilinear resizing keeps a ramp but for its ends.
    inner = (..., slice(1, -1), slice(1, -1))
    assert torch.allclose(less[inner], whole[inner], atol=1e-3 * whole.abs().max())


def test_centres_are_led_by_images_with_a_single_tag(scene):
    embedding = embed(scene)
    with torch.no_grad():
        embedding[2] = torch.eye(D)[5][:, None, None]
    made = Centres(2, 3, 4, D, 0.99, torch.tensor([True, True]))
    made.update(confident_regions(scene, embedding, TAGS), TAGS)
    assert torch.allclose(made.classes, axes(0, 1), atol=1e-5)


def test_a_class_that_never_stands_alone_takes_the_pixels_far_from_its_company(scene):
    company = scene[2:]
    embedding = embed(company, second=4)
    with torch.no_grad():
        # Half of class 1's region looks like class 0.
        embedding[0, :, -1] = torch.eye(D)[0][:, None]
    made = centres(alone=(True, False))
    made.seen[1] = 0
    made.update(confident_regions(company, embedding, TAGS[2:]), TAGS[2:])
    assert torch.allclose(made.classes[1], axes(4)[0], atol=1e-4)


def test_backgrounds_get_centres_of_their_own_and_fill_the_queue(scene):
    made = Centres(2, 3, 4, D, 0.99, torch.tensor([True, True]))
    for behind in (2, 3, 2, 3):
        made.update(confident_regions(scene, embed(scene, behind=behind), TAGS), TAGS)
    found = {int(row.argmax()) for row in made.known_background()}
    assert found == {2, 3}
    assert len(made.known_queue()) == 4
