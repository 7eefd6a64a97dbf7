"""Segmenters are models of segmentation_models.pytorch, on any encoder and for pictures of any size."""

import json

import pytest
import segmentation_models_pytorch as smp
import torch

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.weights import save_weights
from matlabel.networks.pretrained import build_backbone
from matlabel.networks.segmenter import ARCHITECTURES, build_segmenter, config_text, load_segmenter
from matlabel.settings.segmenter import SegmenterSettings

ENCODERS = {"dpt": "vit_tiny_patch16_224", "unet": "pvt_v2_b0"}


@pytest.mark.parametrize("architecture", list(ARCHITECTURES))
def test_the_folder_of_a_segmenter_is_a_model_of_smp(tmp_path, architecture):
    encoder = ENCODERS.get(architecture, "convnext_atto")
    settings = SegmenterSettings(architecture=architecture, encoder=encoder, weights="none")
    network = build_segmenter(settings, "none", 2).eval()
    metadata = {"stage": "segmenter", "classes": '["a", "b"]', "settings": settings.model_dump_json()}
    save_weights(tmp_path / "model.safetensors", network.model.state_dict(), {**metadata, **network.scale.metadata})
    (tmp_path / "config.json").write_text(config_text(settings, 2))
    theirs = smp.from_pretrained(tmp_path).eval()
    loaded, classes = load_segmenter(tmp_path / "model.safetensors", "cpu")
    assert classes == ["a", "b"]
    assert loaded.scale == network.scale
    images = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        expected = network(images)
        assert torch.equal(theirs(images), expected)
        assert torch.equal(loaded(images), expected)
        # Odd sides: what is added to have whole cells is cut off again.
        assert network(images[:, :, :50, :70]).shape == (2, 3, 50, 70)
    # Its encoder can be what another training starts from.
    backbone = build_backbone(encoder, str(tmp_path / "model.safetensors"), SegmenterSettings(), "cam")
    started = backbone.net.state_dict()
    assert all(torch.equal(started[name], value) for name, value in network.backbone.state_dict().items())


def test_every_architecture_of_the_settings_is_there():
    annotation = SegmenterSettings.model_fields["architecture"].annotation
    assert set(annotation.__args__) == set(ARCHITECTURES)


@pytest.mark.parametrize(
    ("architecture", "encoder", "message"),
    [
        ("deeplabv3plus", "vit_tiny_patch16_224", r"gives all its maps at one stride, .* to dpt"),
        ("dpt", "resnet18", r"is no plain transformer, which dpt cannot take"),
        ("deeplabv3", "pvt_v2_b0", r"cannot be dilated, which deeplabv3 asks for"),
        ("dpt", "vit_small_patch14_dinov2", r"has patches of 14 pixels, and dpt takes 8, 16 or 32"),
        ("unet", "resnt18", r"segmenter\.encoder: 'resnt18': timm .*did you mean resnet18"),
    ],
)
def test_an_encoder_that_an_architecture_cannot_take_is_refused(architecture, encoder, message):
    with pytest.raises(UserError, match=message):
        build_segmenter(SegmenterSettings(architecture=architecture, encoder=encoder, weights="none"), "none", 2)


def test_the_configuration_names_the_encoder_as_timm_does():
    found = json.loads(config_text(SegmenterSettings(encoder="resnet18", output_stride=8), 3))
    assert found["encoder_name"] == "tu-resnet18"
    assert found["encoder_output_stride"] == 8
    assert found["classes"] == 4
    # smp.from_pretrained must not download what is replaced at once.
    assert found["encoder_weights"] is None
