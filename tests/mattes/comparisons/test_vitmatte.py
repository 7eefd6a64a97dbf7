"""ViTMatte with a tiny network of random weights, saved and loaded as a user's would be."""

import json
import shutil
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from scenes import assert_alphas, scene
from transformers import VitDetConfig, VitMatteConfig, VitMatteForImageMatting, VitMatteImageProcessor

from matlabel.artifacts.errors import UserError
from matlabel.mattes.comparisons.vitmatte import load
from matlabel.mattes.grid import matte


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """So small a network only waits for its threads, and importing pymatting sets OpenMP to all cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a ViTMatte of two blocks, its alphas spread over [0, 1]."""
    backbone = VitDetConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_channels=4,
        image_size=64,
        pretrain_image_size=64,
        window_size=2,
        window_block_indices=[0],
        residual_block_indices=[1],
        use_relative_position_embeddings=True,
        out_features=["stage2"],
    )
    config = VitMatteConfig(
        backbone_config=backbone,
        hidden_size=16,
        convstream_hidden_sizes=[4, 6, 8],
        fusion_hidden_sizes=[16, 8, 8, 4],
    )
    network = VitMatteForImageMatting(config)
    # Weights as they are drawn first give an alpha of a half everywhere.
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(0.5 * torch.randn(weight.shape, generator=generator))
    folder = tmp_path_factory.mktemp("vitmatte")
    network.save_pretrained(folder)
    VitMatteImageProcessor().save_pretrained(folder)
    return folder


@pytest.fixture
def solver(folder):
    load.cache_clear()
    with pytest.warns(UserWarning, match=r"trained on alpha mattes"):
        return load(folder)


@pytest.fixture
def broken(folder, tmp_path):
    """A copy of the folder, to be broken."""
    return shutil.copytree(folder, tmp_path / "broken")


@pytest.mark.parametrize("scale", [1, 2, "auto"])
def test_alphas_of_all_labels_sum_to_one_and_keep_what_is_sure(solver, scale):
    image, trimap = scene(70, 66, (1, 2, 7))
    assert_alphas(matte(image, trimap, [1, 2, 7], solver, scale), trimap, [1, 2, 7])


@pytest.mark.parametrize("shape", [(1, 3), (2, 2), (3, 4), (4, 3), (31, 33), (32, 64)])
def test_any_size_works(solver, shape):
    image = scene(*shape)[0]
    trimap = np.full(shape, 255, np.uint8)
    trimap[0, 0], trimap[-1, -1] = 0, 1
    planes = solver(image, trimap, [1])
    assert planes.shape == (1, *shape)
    assert planes.min() >= 0
    assert planes.max() <= 1
    assert_alphas(matte(image, trimap, [1], solver, 1), trimap, [1])


def test_one_label_is_the_network_itself(solver, folder):
    image, trimap = scene(40, 50, [5])
    guide = np.where(trimap == 255, 0.5, trimap == 5).astype(np.float32)
    pixels = np.zeros((1, 4, 64, 64), np.float32)
    pixels[0, :3, :40, :50] = (image.transpose(2, 0, 1) - 0.5) / 0.5
    pixels[0, 3, :40, :50] = guide
    with torch.no_grad():
        network = VitMatteForImageMatting.from_pretrained(folder).eval()
        alpha = network(torch.from_numpy(pixels)).alphas[0, 0, :40, :50].numpy()
    unknown = trimap == 255
    assert np.ptp(alpha[unknown]) > 0.5
    np.testing.assert_allclose(solver(image, trimap, [5])[0][unknown], alpha[unknown], atol=1e-4)


@pytest.mark.parametrize("background", [True, False])
def test_values_that_overlap_share_the_pixel_in_any_order(solver, background):
    image, trimap = scene(40, 50, (1, 2, 7))
    if not background:
        trimap[trimap == 0] = 255
    values = [0, 1, 2, 7] if background else [1, 2, 7]
    planes = solver(image, trimap, values)
    np.testing.assert_allclose(planes.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_array_equal(solver(image, trimap, [7, 1]), planes[[values.index(7), values.index(1)]])
    one, other = (matte(image, trimap, order, solver, 1) for order in ([1, 2, 7], [7, 1, 2]))
    np.testing.assert_allclose(one[[0, 3, 1, 2]], other, atol=1e-6)


def test_the_same_input_gives_the_same_bytes_even_from_a_fresh_network(solver, folder):
    image, trimap = scene(40, 50)
    first = solver(image, trimap, [1, 2])
    assert first.tobytes() == solver(image, trimap, [1, 2]).tobytes()
    load.cache_clear()
    with pytest.warns(UserWarning, match="alpha mattes"):
        assert first.tobytes() == load(folder)(image, trimap, [1, 2]).tobytes()


def test_the_network_is_loaded_once(solver, folder, recwarn):
    assert load(folder) is solver
    assert not recwarn.list


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere: no such folder"):
        load(tmp_path / "nowhere")


def test_a_setting_that_was_left_out_is_named():
    with pytest.raises(UserError, match=r"needs mattes\.weights"):
        load(None)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_broken_folder_is_named(broken, name, damage):
    if damage == "missing":
        (broken / name).unlink()
    else:
        (broken / name).write_bytes((broken / name).read_bytes()[:50])
    with pytest.raises(UserError, match=r"broken: no ViTMatte could be loaded from here"):
        load(broken)


def test_pickled_weights_are_refused(broken):
    network = VitMatteForImageMatting.from_pretrained(broken)
    (broken / "model.safetensors").unlink()
    torch.save(network.state_dict(), broken / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"broken: .*model\.safetensors"):
        load(broken)


def test_weights_that_lack_a_tensor_are_refused(broken):
    weights = load_file(broken / "model.safetensors")
    del weights["decoder.matting_head.matting_convs.0.bias"]
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"broken: .*lack 1 tensors"):
        load(broken)


def test_a_configuration_that_leaves_defaults_out_is_read(broken):
    config = VitMatteConfig.from_pretrained(broken)
    config.fusion_hidden_sizes = [256, 128, 64, 32]
    VitMatteForImageMatting(config).save_pretrained(broken)
    keys = json.loads((broken / "config.json").read_text())
    del keys["fusion_hidden_sizes"]
    (broken / "config.json").write_text(json.dumps(keys))
    with pytest.warns(UserWarning, match="alpha mattes"):
        assert load(broken)(*scene(40, 50), [1, 2]).shape == (2, 40, 50)


def change(folder, **keys):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | keys))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"model_type": "vit"}, "not that of a ViTMatte"),
        ({"backbone_config": {"model_type": "resnet"}}, "not that of a ViTMatte"),
        ({"backbone_config": None, "backbone": "owner/name", "use_pretrained_backbone": True}, "broken"),
        ({"convstream_hidden_sizes": [4, 6, 10]}, "broken"),
        ({"fusion_hidden_sizes": [16, 8, 8, 4, 4], "convstream_hidden_sizes": [4, 6, 8, 8]}, "broken"),
    ],
)
def test_other_networks_are_refused(broken, keys, message):
    change(broken, **keys)
    with pytest.raises(UserError, match=message):
        load(broken)


def test_without_transformers_the_extra_is_named(folder, monkeypatch):
    load.cache_clear()
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        UserError, match=r'mattes\.method vitmatte needs transformers: pip install "matlabel\[vitmatte\]"'
    ):
        load(folder)
