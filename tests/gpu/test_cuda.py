"""What runs on a GPU gives what the CPU gives; skipped where there is none."""

import numpy as np
import pytest
import torch

from matlabel.activations.random_walk import similarity, spread, transitions
from matlabel.activations.views import activations
from matlabel.cam.model import D2Cam
from matlabel.cam.schedule import Schedule
from matlabel.mattes.closed_form import closed_form
from matlabel.mattes.gpu.closed_form import Prepared, closed_form_batch
from matlabel.mattes.problem import Problem
from matlabel.networks.backbone import Backbone
from matlabel.networks.classifier import CamNetwork
from matlabel.networks.trained_classifier import Classifier
from matlabel.settings.activations import ActivationsSettings
from matlabel.settings.cam import CamSettings
from matlabel.training.launch import Job, start
from matlabel.training.loop import prepare, train_step

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")

WEIGHTS = {"category": 0.2, "foreground": 0.2, "consistency": 0.5, "exclusivity": 0.1}


def settings(**changes):
    small = {"backbone": "resnet18", "weights": "none", "embedding_size": 8, "batch_size": 4, "threads": 2}
    return CamSettings(**{**small, "precision": "32-true", "lr": 1e-3, **changes})


def batch():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (4, 3, 96, 96), generator=generator, dtype=torch.uint8)
    return {"image": images, "tags": torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0]])}


def model(chosen):
    torch.manual_seed(0)
    network = CamNetwork(Backbone("resnet18", 16, freeze_norm=True), 3, chosen.embedding_channels)
    return D2Cam(network, chosen, torch.tensor([True, True, False]), 0, Schedule(0))


def trained(device, steps, tmp_path, **changes):
    """Terms of each step, and the model."""
    chosen = settings(**changes)
    fabric = start(Job("cam", 0, device, tmp_path / "none", ""), chosen)
    made = model(chosen)
    ready, optimizer = prepare(fabric, made, chosen)
    inputs = {name: fabric.to_device(value) for name, value in batch().items()}
    return [train_step(fabric, ready.train(), optimizer, inputs, 99, 100) for _ in range(steps)], made


@pytest.fixture(autouse=True)
def _exact():
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before
    torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("term", [*WEIGHTS, "paste", "all"])
def test_terms_of_a_step_are_those_of_the_cpu(tmp_path, term):
    off = {**dict.fromkeys(WEIGHTS, 0), "paste": 0}
    weights = {**WEIGHTS, "paste": 0.5} if term == "all" else {**off, term: {**WEIGHTS, "paste": 0.5}[term]}
    (here,), _ = trained("cpu", 1, tmp_path, **weights)
    (there,), _ = trained("cuda", 1, tmp_path, **weights)
    assert here.keys() == there.keys()
    for name, value in here.items():
        assert there[name] == pytest.approx(value, rel=1e-2, abs=1e-3), name


def test_a_training_in_half_precision_stays_finite_and_learns(tmp_path):
    steps, made = trained("cuda", 30, tmp_path, precision="bf16-mixed", **WEIGHTS, paste=0.25, lr=1e-3)
    assert all(np.isfinite(list(step.values())).all() for step in steps)
    assert steps[-1]["classification"] < steps[0]["classification"]
    assert all(value.isfinite().all() for value in made.state_dict().values())


def test_a_deterministic_training_has_the_same_bits_twice(tmp_path):
    first, second = (trained("cuda", 5, tmp_path, deterministic=True, **WEIGHTS, paste=0.25)[1] for _ in range(2))
    assert all(torch.equal(value, second.state_dict()[name]) for name, value in first.state_dict().items())


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_activations_are_those_of_the_cpu(precision):
    torch.manual_seed(0)
    network = CamNetwork(Backbone("resnet18", 16), 3, 8).eval().requires_grad_(False)
    unit = torch.nn.functional.normalize
    chosen = ActivationsSettings(size=96, scales=[1.0, 1.5], spread={"power": 20})
    images = batch()["image"]
    found = {}
    for device in ("cpu", "cuda"):
        classifier = Classifier(
            network.to(device),
            ["a", "b", "c"],
            unit(torch.ones(3, 8).cumsum(1), dim=1).to(device),
            torch.ones(3).bool().to(device),
            unit(torch.randn(2, 8, generator=torch.Generator().manual_seed(1)), dim=1).to(device),
        )
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16-mixed"):
            found[device] = activations(images.to(device), [[0], [1], [0, 2], []], (96, 96), classifier, chosen)
    for here, there in zip(found["cpu"], found["cuda"], strict=True):
        assert (here.probabilities - there.probabilities.cpu()).abs().mean() < (
            2e-3 if precision == "32-true" else 5e-2
        )


def test_spreading_is_that_of_the_cpu():
    generator = torch.Generator().manual_seed(0)
    layers = [torch.randn(1, 16, 24 // step, 32 // step, generator=generator) for step in (1, 2, 4, 4)]
    planes = torch.rand(3, 12, 16, generator=generator)
    planes /= planes.sum(0)
    here, there = (
        spread(planes.to(device), transitions(similarity([m.to(device) for m in layers], (12, 16), (2, 3, 4)), 8.0), 8)
        for device in ("cpu", "cuda")
    )
    assert torch.allclose(here, there.cpu(), atol=1e-4)


def test_batched_matting_is_the_direct_solution():
    random = np.random.default_rng(0)
    _, x = np.mgrid[:80, :96]
    alpha = np.clip((x - 40) / 12, 0, 1)[..., None]
    image = alpha * [200, 90, 30] + (1 - alpha) * [20, 60, 160] + 4 * random.random((80, 96, 3))
    trimap = np.where(x < 25, 0, np.where(x > 70, 1, 255)).astype(np.uint8)
    problem = Problem.of(image.astype(np.uint8), trimap, [1])
    (found,) = closed_form_batch([Prepared.of(problem, 1)], "cuda")
    exact = closed_form(problem.image, problem.trimap, [1], scale=1)
    assert np.abs(found - exact).mean() < 1e-2
