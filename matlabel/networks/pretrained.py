"""Initial weights of a backbone: timm's from the hub's cache, a package's, a file's, or random."""

import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import timm
import torch
from huggingface_hub import constants, try_to_load_from_cache
from torch import Tensor, nn

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.reading import read_bytes
from matlabel.artifacts.state_dict import check_state, load_into, load_state, parsed_state
from matlabel.artifacts.weights import is_safetensors, load_weights, parsed
from matlabel.networks.backbone import Backbone, Scale, layout_of, scale_of
from matlabel.settings.start_weights import PACKAGES, timm_name
from matlabel.settings.training import TrainingSettings

# Of a file of ours: the stage that wrote it -> what precedes the names of the backbone's tensors.
_PREFIXES = {"cam": "network.backbone.net.", "segmenter": "encoder.model."}
_HUB_FILES = ("model.safetensors", "open_clip_model.safetensors", "pytorch_model.bin", "open_clip_pytorch_model.bin")


@dataclass(frozen=True)
class Start:
    """The initial weights of a backbone.

    Attributes:
        state: name -> tensor; None: as timm initialises it.
        own: whether the names are those of our networks, and not those of timm's whole classifier.
        scale: what pictures are normalised with.
        licence: of the weights; "" where it is not known.
        where: start of messages about them.
    """

    state: Mapping[Any, Any] | None
    own: bool
    scale: Scale
    licence: str
    where: str


def build_backbone(name: str, weights: str, settings: TrainingSettings, stage: str) -> Backbone:
    """The backbone at the start of a training, weights loaded.

    Args:
        name: of the backbone.
        weights: imagenet, package, none, a name of timm's with its tag, or a file: a plain state dict, safetensors,
            or model.safetensors of the stage cam or segmenter.
        settings: output stride, norm, frozen stages.
        stage: for messages.

    Raises:
        UserError: the weights cannot be had or do not fit.
    """
    start = start_of(name, weights, stage)
    backbone = Backbone(name, settings.output_stride, freezes_norm(weights, settings), settings.frozen_stages)
    fill(backbone.net, name, start)
    backbone.scale, backbone.licence = start.scale, start.licence
    return backbone


def freezes_norm(weights: str, settings: TrainingSettings) -> bool:
    """Whether BatchNorm keeps its pretrained statistics."""
    return weights != "none" if settings.norm == "auto" else settings.norm == "frozen"


def start_of(name: str, weights: str, stage: str) -> Start:
    """Read the initial weights of a backbone.

    Raises:
        UserError: they cannot be had.
    """
    where = f"{stage}.weights: {weights}"
    if weights == "none":
        return Start(None, False, scale_of(name, timm.get_pretrained_cfg(name)), "", where)
    if weights == "imagenet" or timm_name(weights, name):
        return _of_timm(tagged(name, weights, where), where)
    if weights == "package":
        return _of_package(name, where)
    return _of_file(name, weights, where)


def check_start(name: str, weights: str, stage: str) -> None:
    """Check that a file or package holds weights for a backbone, or that timm knows the name given instead.

    Raises:
        UserError: so it is not.
    """
    where = f"{stage}.weights: {weights}"
    if weights == "imagenet" or timm_name(weights, name):
        tagged(name, weights, where)
        return
    start = start_of(name, weights, stage)
    if start.state is not None:
        with torch.device("meta"):
            net = timm.create_model(name, **layout_of(name, "auto").arguments)
        check_state(net, _renamed(net, name, start), where)


def fill(net: nn.Module, name: str, start: Start) -> None:
    """Load weights into the timm model of a backbone's feature maps.

    Raises:
        UserError: they do not fit.
    """
    if start.state is not None:
        load_into(net, _renamed(net, name, start), start.where)


def tagged(name: str, weights: str, where: str) -> str:
    """timm's full name of the weights `imagenet` or of a tag of a backbone.

    imagenet are of a ResNet those of the literature (torchvision's first ones), of others those timm has by default.

    Raises:
        UserError: timm has none of that name.
    """
    known = [each for each in timm.list_pretrained(f"{name}.*") if each.startswith(f"{name}.")]
    if weights == "imagenet":
        first = f"{name}.tv_in1k"
        settings = timm.get_pretrained_cfg(name)
        weights = (
            first if name.startswith("resnet") and first in known else f"{name}.{settings.tag if settings else ''}"
        )
    if weights not in known:
        has = f"; it has {', '.join(known)}" if known else ""
        raise UserError(f"{where}: timm has no such weights of {name}{has}; or give a file, or none")
    return weights


def cached(full: str) -> Path | None:
    """timm's weights file in the cache that `matlabel fetch` fills; nothing is downloaded.

    Args:
        full: their name, with the tag.
    """
    settings = timm.get_pretrained_cfg(full)
    if not settings.hf_hub_id:
        file = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(settings.url or "").path).name
        return file if settings.url and file.is_file() else None
    for name in _HUB_FILES:
        found = try_to_load_from_cache(settings.hf_hub_id, name)
        if isinstance(found, str):
            return Path(found)
    return None


def cache_folders(names: Iterable[str]) -> str:
    """The folders that are searched for the weights of these full names, as text."""
    hubs = [constants.HF_HUB_CACHE for name in names if timm.get_pretrained_cfg(name).hf_hub_id]
    others = [f"{torch.hub.get_dir()}/checkpoints" for name in names if not timm.get_pretrained_cfg(name).hf_hub_id]
    return " and ".join(dict.fromkeys(hubs + others))


def _of_timm(full: str, where: str) -> Start:
    settings = timm.get_pretrained_cfg(full)
    file = cached(full)
    if file is None:
        raise UserError(
            f"{where}: {full} is not in {cache_folders([full])}, and jobs download nothing; run `snakemake fetch` "
            "where there is a network, or give the path of a state_dict, package or none"
        )
    state = load_weights(file).tensors if file.suffix == ".safetensors" else load_state(file)
    try:
        # timm knows how to read what it publishes; strictly, as all that the whole classifier has must be there.
        whole = timm.create_model(full, pretrained=True, pretrained_cfg_overlay={"state_dict": state})
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        said = " ".join(str(error).split())[:200]
        raise UserError(f"{where}: {file} does not fit ({said}); delete it and run `snakemake fetch` again") from error
    return Start(whole.state_dict(), False, scale_of(full, settings), settings.license or "", where)


def _of_package(name: str, where: str) -> Start:
    package = PACKAGES.get(name)
    if package is None:
        raise UserError(f"{where}: there are packages for {', '.join(PACKAGES)} alone, not for {name}")
    found = importlib.util.find_spec(package.module)
    files = sorted(Path(found.origin).parent.glob("models/*.pth")) if found and found.origin else []
    if len(files) != 1:
        raise UserError(f'{where}: needs {package.distribution}: pip install "matlabel[lite]"')
    state = load_state(files[0])
    with torch.device("meta"):
        names = list(timm.create_model(name).state_dict())
    if len(names) != len(state):
        raise UserError(f"{where}: {files[0]} holds {len(state)} tensors, not {len(names)}")
    # Other names in the same order; whoever loads them compares the shapes.
    state = dict(zip(names, state.values(), strict=True))
    return Start(state, False, scale_of(name, timm.get_pretrained_cfg(name)), package.licence, where)


def _of_file(name: str, path: str, where: str) -> Start:
    data = read_bytes(path)
    usual = scale_of(name, timm.get_pretrained_cfg(name))
    if not is_safetensors(data):
        return Start(_plain(parsed_state(path, data), where), False, usual, "", where)
    weights = parsed(path, data)
    prefix = _PREFIXES.get(weights.metadata.get("stage", ""))
    if prefix is None:
        return Start(_plain(weights.tensors, where), False, usual, "", where)
    state = {key.removeprefix(prefix): value for key, value in weights.tensors.items() if key.startswith(prefix)}
    return Start(state, True, Scale.of(weights.metadata, path), weights.metadata.get("licence", ""), where)


def _plain(state: Any, where: str) -> dict[str, Tensor]:
    state = state.get("state_dict", state)
    if not isinstance(state, Mapping):
        raise UserError(f"{where}: state_dict is a {type(state).__name__}, not a dictionary of tensors")
    return {str(name).removeprefix("module."): value for name, value in state.items() if isinstance(value, Tensor)}


def _renamed(net: nn.Module, name: str, start: Start) -> dict[str, Tensor]:
    """The weights under the network's own names, without those of the classifier's head; unknown names are kept."""
    if start.own:
        return dict(start.state)
    with torch.device("meta"):
        whole = set(timm.create_model(name).state_dict())
    taken = {_in_whole(key, whole): key for key in net.state_dict()}
    # Heads are of the classification that these were trained for, whatever its classes.
    return {taken.get(key, key): value for key, value in start.state.items() if key in taken or key not in whole}


def _in_whole(key: str, whole: set[str]) -> str:
    """A tensor's name in the whole classifier: timm's wrappers call stages.0.x stages_0.x or model.stages.0.x."""
    bare = key.removeprefix("model.")
    first, dot, rest = bare.partition(".")
    pieces = first.split("_")
    ways = ["_".join(pieces[:cut]) + "." + "_".join(pieces[cut:]) for cut in range(1, len(pieces))]
    candidates = [key, bare, *(f"{way}{dot}{rest}" for way in ways)]
    return next((each for each in candidates if each in whole), key)
