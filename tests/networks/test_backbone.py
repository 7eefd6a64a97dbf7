import pytest
import torch
import torchvision

from matlabel.artifacts.errors import UserError
from matlabel.networks.backbone import Backbone, Scale, layout_of
from matlabel.networks.freezing import parts
from matlabel.runs.starts import KNOWN


@pytest.mark.parametrize("stride", [8, 16, 32])
@pytest.mark.parametrize("name", ["resnet18", "convnext_atto", "tf_efficientnet_lite0"])
def test_the_last_of_four_maps_has_the_output_stride(name, stride):
    maps = Backbone(name, stride)(torch.zeros(1, 3, 64, 96))
    assert maps[-1].shape[2:] == (64 // stride, 96 // stride)
    assert [layer.shape[2] for layer in maps[:2]] == [16, 8]
    assert [layer.shape[1] for layer in maps] == list(layout_of(name, stride).channels)


def test_a_vits_four_maps_share_the_stride_of_its_patches_and_cover_any_picture():
    backbone = Backbone("vit_tiny_patch16_224").eval()
    assert backbone.layout.blocks == (2, 5, 8, 11)
    with torch.no_grad():
        assert [tuple(each.shape) for each in backbone(torch.zeros(1, 3, 48, 64))] == [(1, 192, 3, 4)] * 4
        # 61 x 90 pixels are shown to it as 64 x 96: no strip is left out, and none is added.
        assert backbone(torch.zeros(1, 3, 61, 90))[-1].shape[2:] == (4, 6)


@pytest.mark.parametrize(("stride", "dilated"), [(32, [0, 0, 0]), (16, [0, 0, 1]), (8, [0, 1, 1])])
def test_a_resnet_is_torchvisions_dilated_as_torchvision_does(stride, dilated):
    torch.manual_seed(0)
    theirs = torchvision.models.resnet50(replace_stride_with_dilation=list(map(bool, dilated)))
    ours = Backbone("resnet50", stride)
    ours.net.load_state_dict({k: v for k, v in theirs.state_dict().items() if not k.startswith("fc.")})
    theirs.eval().double(), ours.eval().double()
    x = image = torch.randn(1, 3, 64, 64).double()
    x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(x))))
    for layer, found in zip((theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4), ours(image), strict=True):
        x = layer(x)
        assert torch.allclose(found, x, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "stem", "first_of_stage_2", "last"),
    [
        ("resnet18", "conv1.weight", "layer2.0.conv1.weight", "layer4"),
        ("convnext_atto", "stem_0.weight", "stages_1.downsample.0.weight", "stages_3"),
        ("tf_efficientnet_lite0", "conv_stem.weight", "blocks.2.0.conv_pw.weight", "blocks.6"),
        ("vit_tiny_patch16_224", "patch_embed.proj.weight", "blocks.3.norm1.weight", "blocks.11"),
    ],
)
def test_frozen_stages_are_the_stem_and_the_stages_up_to_the_maps(name, stem, first_of_stage_2, last):
    backbone = Backbone(name, "auto", freeze_norm=False, frozen_stages=2)
    found = parts(backbone.net, backbone.layout.modules)
    assert found[stem] == 0
    assert found[first_of_stage_2] == 2
    assert {part for key, part in found.items() if key.startswith(f"{last}.")} == {4}
    for key, parameter in backbone.net.named_parameters():
        assert parameter.requires_grad == (found[key] >= 2)


def test_frozen_norm_keeps_batch_statistics_and_trains_layer_norms():
    backbone = Backbone("tf_efficientnet_lite0").train()
    norms = [module for module in backbone.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms
    assert not any(module.training for module in norms)
    assert not any(parameter.requires_grad for module in norms for parameter in module.parameters())
    assert all(parameter.requires_grad for parameter in Backbone("convnext_atto").parameters())


def test_stages_that_cannot_be_told_apart_are_not_frozen_in_silence():
    Backbone("densenet121")
    with pytest.raises(UserError, match="frozen_stages: the stages of this backbone cannot be told apart"):
        Backbone("densenet121", frozen_stages=1)


@pytest.mark.parametrize(
    ("name", "stride", "message"),
    [
        ("resnt50", "auto", r"'resnt50': timm has no such backbone \(did you mean resnet50"),
        ("resnet50.tv_in1k", "auto", r"named without the tag of its weights: resnet50"),
        ("vit_tiny_patch16_224", 8, r"its last map has a stride of 16, and it cannot be dilated to 8"),
        ("pvt_v2_b0", 16, r"its last map has a stride of 32, and it cannot be dilated to 16; set output_stride"),
        ("swin_tiny_patch4_window7_224", "auto", r"does not read pictures of any size"),
        ("mixer_b16_224", "auto", r"does not read pictures of any size"),
    ],
)
def test_what_timm_cannot_give_is_refused_with_the_reason(name, stride, message):
    with pytest.raises(UserError, match=message):
        layout_of(name, stride)


def test_of_well_known_backbones_nothing_needs_to_be_asked():
    for name in KNOWN:
        # What dilates to 8 does to 16.
        assert layout_of(name, 8).reductions[-1] == 8


def test_each_backbone_has_its_own_normalisation():
    pixel = torch.tensor([124, 116, 104], dtype=torch.uint8).view(1, 3, 1, 1)
    assert Backbone("resnet18").scale(pixel).abs().max() < 0.02
    values = torch.tensor([0, 127, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    lite = Backbone("tf_efficientnet_lite0").scale(values).flatten()
    assert torch.allclose(lite, torch.tensor([-127 / 128, 0, 1]), atol=1e-6)


def test_a_normalisation_is_written_and_read_exactly():
    scale = Scale((127 / 255, 0.1, 1 / 3), (0.5, 0.2, 1.0))
    assert Scale.of(scale.metadata, "w") == scale
    for forged in ({}, {"mean": "[1, 2]", "std": "[1, 1]"}, {"mean": "[0,0,0]", "std": "[1,0,1]"}, {"mean": "3"}):
        with pytest.raises(UserError, match=r"w\.safetensors: its mean or std"):
            Scale.of({**({} if not forged else scale.metadata), **forged}, "w.safetensors")
