import pytest
import torch

from matlabel.cam.model import D2Cam
from matlabel.cam.schedule import Schedule
from matlabel.networks.backbone import Backbone
from matlabel.networks.classifier import CamNetwork
from matlabel.settings.cam import CamSettings

OFF = {"category": 0, "foreground": 0, "consistency": 0, "exclusivity": 0}
TERMS = list(OFF)
OFF["paste"] = 0
# A step at which the terms have their full weight, of how many.
LATE = (9, 10)


def model(seed=0, **weights):
    settings = CamSettings(backbone="resnet18", weights="none", embedding_size=8, **{**OFF, **weights})
    torch.manual_seed(seed)
    network = CamNetwork(Backbone("resnet18", 16, freeze_norm=True), 3, settings.embedding_channels)
    return D2Cam(network, settings, torch.tensor([True, True, False]), seed, Schedule(1))


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (4, 3, 64, 64), generator=generator, dtype=torch.uint8)
    return {"image": images, "tags": torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0]])}


def test_terms_of_weight_zero_are_not_computed(batch):
    plain = model().train()
    assert list(plain(batch, *LATE)) == ["classification"]
    assert plain.teacher is None
    assert plain.network.embedder is None


@pytest.mark.parametrize("term", TERMS)
def test_a_term_begins_after_the_warm_up_and_adds_itself_alone(batch, term):
    made = model(**{term: 0.5}).train()
    assert list(made(batch, 0, 10)) == ["classification"]
    assert list(made(batch, 1, 10)) == ["classification", term]


def test_warm_up_is_plain_classification(batch):
    all_on = model(**dict.fromkeys(TERMS, 0.5)).train()
    torch.manual_seed(0)
    assert torch.equal(all_on(batch, 0, 10)["classification"], model().train()(batch, 0, 10)["classification"])


def test_every_term_reaches_the_weights_and_the_teacher_gets_no_gradient(batch):
    made = model(**dict.fromkeys(TERMS, 0.5)).train()
    for _ in range(2):
        sum(made(batch, *LATE).values()).backward()
        made.after_step(1, 10)
    assert made.network.classifier.weight.grad.abs().max() > 0
    assert made.network.embedder[0].weight.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in made.teacher.parameters())


def test_terms_are_exact_in_mixed_precision(batch):
    made = model(**dict.fromkeys(TERMS, 0.5)).train()
    with torch.autocast("cpu", torch.bfloat16):
        for _ in range(2):
            terms = made(batch, *LATE)
    assert all(term.dtype == torch.float32 and term.isfinite() for term in terms.values())
    assert made.centres.classes.norm(dim=1)[made.centres.known].allclose(torch.ones(1), atol=1e-5)


@pytest.mark.parametrize("scale", [0.6, 1.0])
def test_what_the_teacher_sees_changes_its_own_terms_alone(batch, scale):
    def step(scale):
        made = model(**dict.fromkeys(TERMS, 0.5), teacher_scale=scale).train()
        return {name: float(value.detach()) for name, value in made(batch, *LATE).items()}

    whole, seen = step(1.0), step(scale)
    differing = {name for name in whole if whole[name] != seen[name]}
    assert differing == (set() if scale == 1 else {"consistency"})


def test_the_same_step_gives_the_same_terms(batch):
    weights = dict.fromkeys(TERMS, 0.5)
    first, second = ({k: float(v) for k, v in model(**weights).train()(batch, *LATE).items()} for _ in range(2))
    assert first == second
