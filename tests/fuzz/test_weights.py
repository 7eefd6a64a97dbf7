"""Weight files that were damaged, are of other networks, or hold what torch can save besides."""

import io
import json
from collections import OrderedDict
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from fuzzing import fuzz, mutated

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.state_dict import load_into, load_state, save_state
from matlabel.artifacts.weights import load_weights, save_weights
from matlabel.cam.centres import Centres
from matlabel.networks.backbone import Backbone
from matlabel.networks.classifier import CamNetwork
from matlabel.networks.pretrained import build_backbone
from matlabel.networks.segmenter import build_segmenter, load_segmenter
from matlabel.networks.trained_classifier import load_classifier
from matlabel.settings.cam import CamSettings
from matlabel.settings.segmenter import SegmenterSettings

CAM = CamSettings(backbone="resnet18", embedding_size=4, background_centres=2)
SEGMENTER = SegmenterSettings(encoder="resnet18", architecture="segformer")
BACKBONE = Backbone("resnet18").net
SCALE = {"mean": "[0.5, 0.5, 0.5]", "std": "[0.5, 0.5, 0.5]"}
LINEAR = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2)}


def saved(content: Any, legacy: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def small(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A network's state dict whose tensors are zeros that take no space in a file."""
    return {name: value.new_zeros(()).expand(value.shape) for name, value in network.state_dict().items()}


def test_damaged_weights_are_read_or_refused(tmp_path):
    def read(data: bytes) -> None:
        (tmp_path / "w.pt").write_bytes(data)
        load_into(torch.nn.Linear(3, 2), load_state(tmp_path / "w.pt"), "w.pt")

    seeds = [saved(LINEAR), saved(LINEAR, legacy=True), saved({**LINEAR, "weight": LINEAR["weight"].half()})]
    assert fuzz(read, seeds, examples=150) >= 150


def test_whatever_torch_can_save_is_read_or_refused(tmp_path):
    def make(seeds: list[bytes], random: Random) -> bytes:
        data = saved(_value(random), legacy=random.random() < 0.3)
        return mutated([data], random) if random.random() < 0.2 else data

    def read(data: bytes) -> None:
        (tmp_path / "w.pt").write_bytes(data)
        load_into(torch.nn.Linear(3, 2), load_state(tmp_path / "w.pt"), "w.pt")

    assert fuzz(read, [saved(LINEAR)], make=make) >= 200


def test_damaged_safetensors_are_read_or_refused(tmp_path):
    """Whatever stands in the header: giant sizes, overlapping places, other types, text that is no JSON."""

    def read(data: bytes) -> None:
        (tmp_path / "w.safetensors").write_bytes(data)
        weights = load_weights(tmp_path / "w.safetensors")
        assert all(isinstance(value, str) for value in weights.metadata.values())
        load_into(torch.nn.Linear(3, 2), weights.tensors, "w.safetensors")

    seeds = []
    for tensors in (LINEAR, {**LINEAR, "weight": LINEAR["weight"].half()}, {"bias": torch.zeros(0)}):
        save_weights(tmp_path / "seed", tensors, {"stage": "cam", "classes": '["a"]'})
        seeds.append((tmp_path / "seed").read_bytes())
    assert fuzz(read, seeds, examples=300) >= 300


Forgeable = tuple[dict[str, torch.Tensor], dict[str, str]]


@pytest.fixture(scope="module")
def classifier() -> Forgeable:
    centres = Centres(2, CAM.background_centres, 3, CAM.embedding_size, 0.9, torch.ones(2))
    network = CamNetwork(Backbone("resnet18"), 2, CAM.embedding_channels)
    parts = {"network": network.state_dict(), "centres": centres.state_dict()}
    tensors = {f"{part}.{name}": value for part, held in parts.items() for name, value in held.items()}
    return tensors, {"stage": "cam", "classes": '["a", "b"]', "settings": json.dumps(CAM.keyed()), **SCALE}


@pytest.fixture(scope="module")
def segmenter() -> Forgeable:
    network = build_segmenter(SEGMENTER, "none", 2)
    metadata = {"stage": "segmenter", "classes": '["a", "b"]', "settings": json.dumps(SEGMENTER.keyed()), **SCALE}
    return network.model.state_dict(), metadata


def test_forged_weights_of_ours_are_refused_by_every_loader(tmp_path, classifier, segmenter):
    """One entry at a time, anywhere in the file: no loader may stumble over it."""
    path = tmp_path / "w.safetensors"
    texts = ("", "3", "[" * 5000, '{"a": {"b": 1}}', "[1, 2]", "null")
    for (tensors, metadata), load, first, last in (
        (classifier, load_classifier, "network.backbone.net.conv1.weight", "centres.classes"),
        (segmenter, load_segmenter, "encoder.model.conv1.weight", "segmentation_head.0.bias"),
    ):
        save_weights(path, tensors, metadata)
        load(path, "cpu")
        for name in metadata:
            for text in texts:
                save_weights(path, tensors, {**metadata, name: text})
                with pytest.raises(UserError, match=r"w\.safetensors"):
                    load(path, "cpu")
        nan = torch.full_like(tensors[last], torch.nan)
        for forged in ({first: torch.zeros(3)}, {last: nan}, {"more": torch.zeros(1)}):
            save_weights(path, {**tensors, **forged}, metadata)
            with pytest.raises(UserError, match=r"w\.safetensors"):
                load(path, "cpu")
        save_weights(path, {name: value for name, value in tensors.items() if name != first}, metadata)
        with pytest.raises(UserError, match=r"w\.safetensors"):
            load(path, "cpu")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("conv1.weight"), "it has no conv1.weight"),
        (lambda state: state.update({"conv1.weight": torch.zeros(64, 3, 3, 3)}), r"conv1\.weight has the shape"),
        (
            lambda state: state.update({"bn1.weight": torch.full((64,), torch.inf)}),
            r"bn1\.weight holds NaN or infinity",
        ),
        (lambda state: state.update({"bn1.bias": torch.zeros(64).long()}), r"bn1\.bias is of type torch\.int64"),
        (lambda state: state.update({"bn1.bias": torch.zeros(64).to_sparse()}), r"bn1\.bias is no plain tensor"),
        (lambda state: state.update({"bn1.bias": torch.zeros(64, device="meta")}), r"bn1\.bias is no plain tensor"),
        (lambda state: state.update({"conv1.weight": torch.zeros(1).expand(1 << 40)}), "has the shape"),
        (lambda state: state.update({"more": torch.zeros(1)}), "the network has no 'more'"),
    ],
)
def test_a_start_that_does_not_fit_names_the_tensor(tmp_path, change, message):
    state = small(BACKBONE)
    change(state)
    with pytest.raises(UserError, match=message):
        build_backbone("resnet18", str(written(tmp_path, state)), CAM, "cam")


def test_old_files_without_counts_of_batches_and_half_precision_still_start_a_backbone(tmp_path):
    state = {name: value for name, value in small(BACKBONE).items() if "num_batches" not in name}
    halves = {f"module.{name}": value.half() for name, value in state.items()}
    backbone = build_backbone(
        "resnet18", str(written(tmp_path, {"state_dict": {**halves, "fc.weight": 3}})), CAM, "cam"
    )
    assert torch.equal(backbone.net.layer4[0].conv1.weight, torch.zeros(512, 256, 3, 3))


def test_advice_to_run_code_is_never_quoted(tmp_path):
    torch.save(torch.nn.Linear(1, 1), tmp_path / "model.pt")
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "list.pt").write_bytes(saved([torch.zeros(1)]))
    for name, message in (("model.pt", "holding objects"), ("empty.pt", "is empty"), ("list.pt", "holds a list")):
        with pytest.raises(UserError, match=message) as error:
            load_state(tmp_path / name)
        assert "weights_only" not in str(error.value)
        assert len(str(error.value).splitlines()) == 1


def written(folder: Path, content: Any) -> Path:
    save_state(folder / "w.pt", content)
    return folder / "w.pt"


def _value(random: Random, depth: int = 0) -> Any:
    kind = random.randrange(10 if depth < 3 else 7)
    if kind < 4:
        shape = random.choice(((), (2,), (2, 3), (0,), (3, 2), (2, 3, 1)))
        dtype = random.choice((torch.float32, torch.float32, torch.float16, torch.int64, torch.bool, torch.complex64))
        value = torch.full(shape, random.choice((0.0, 1.0, float("nan"), float("inf"))), dtype=torch.float32).to(dtype)
        return random.choice(
            (value, value, torch.nn.Parameter(torch.ones(2)), torch.ones(1).expand(1 << 30), _odd(random))
        )
    if kind == 4:
        return random.choice((1, 2.5, None, True, "text", b"bytes", 1 << 70))
    if kind == 5:
        return random.choice((torch.float32, torch.Size((2, 3)), torch.device("cpu")))
    if kind == 6:
        return LINEAR
    if kind == 7:
        return [_value(random, depth + 1) for _ in range(random.randrange(3))]
    pairs = ((random.choice(("weight", "bias", 3, "x")), _value(random, depth + 1)) for _ in range(3))
    return random.choice((dict, OrderedDict))(pairs)


def _odd(random: Random) -> torch.Tensor:
    return random.choice(
        (
            torch.zeros(2, 3).to_sparse(),
            torch.zeros(2, device="meta"),
            torch.quantize_per_tensor(torch.zeros(2), 1.0, 0, torch.qint8),
            torch.zeros(2, 3).t(),
        )
    )
