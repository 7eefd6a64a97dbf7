import pytest
import torch
import torchvision

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.weights import save_weights
from matlabel.networks.backbones import Trunk, build_trunk, normalise
from matlabel.settings.training import TrainingSettings


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_the_last_map_has_the_output_stride(name, stride):
    maps = Trunk(name, stride)(torch.zeros(1, 3, 64, 96))
    assert maps[-1].shape[2:] == (64 // stride, 96 // stride)
    assert [layer.shape[2] for layer in maps[:2]] == [16, 8]


def test_dilation_is_that_of_torchvision():
    torch.manual_seed(0)
    theirs = torchvision.models.resnet50(replace_stride_with_dilation=[False, True, True])
    ours = Trunk("resnet50", 8)
    ours.load_state_dict({k: v for k, v in theirs.state_dict().items() if not k.startswith("fc.")})
    theirs.eval().double(), ours.eval().double()
    image = torch.randn(1, 3, 64, 64).double()
    expected = torch.nn.Sequential(*list(theirs.children())[:-2])(image)
    assert torch.allclose(ours(image)[-1], expected, atol=1e-9)


def test_frozen_norm_and_stages_stay_as_they_are():
    trunk = Trunk("resnet18", 16, freeze_norm=True, frozen_stages=2).train()
    assert not trunk.bn1.training
    trained = {name.split(".")[0] for name, parameter in trunk.named_parameters() if parameter.requires_grad}
    assert trained == {"layer2", "layer3", "layer4"}


def test_a_state_dict_is_loaded_strictly_but_for_its_head(tmp_path):
    state = torchvision.models.resnet18(weights=None).state_dict()
    save_weights(tmp_path / "w.pt", {k: v.half() if v.is_floating_point() else v for k, v in state.items()})
    trunk = build_trunk("resnet18", str(tmp_path / "w.pt"), TrainingSettings(), "cam")
    assert torch.allclose(trunk.conv1.weight, state["conv1.weight"], atol=1e-3)
    assert trunk.freeze_norm
    with pytest.raises(UserError, match=r"w\.pt: does not fit"):
        build_trunk("resnet50", str(tmp_path / "w.pt"), TrainingSettings(), "cam")


def test_weights_none_train_their_norm():
    assert not build_trunk("resnet18", "none", TrainingSettings(), "cam").freeze_norm


def test_a_download_without_a_network_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"cam\.weights: imagenet could not be downloaded .* put resnet18-.*\.pth into"):
        build_trunk("resnet18", "imagenet", TrainingSettings(), "cam")


def test_normalised_images_have_imagenets_statistics():
    grey = torch.tensor([124, 116, 104], dtype=torch.uint8).view(1, 3, 1, 1)
    assert normalise(grey).abs().max() < 0.02
