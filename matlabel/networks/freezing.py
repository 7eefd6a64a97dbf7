"""Freezing a backbone's first stages and its BatchNorm statistics."""

from collections.abc import Sequence

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from matlabel.artifacts.errors import UserError

STEM, STAGES = 0, 4


def freeze(net: nn.Module, modules: Sequence[str], stages: int, norm: bool) -> None:
    """Freeze the first stages of a timm model.

    Args:
        net: the network.
        modules: out of which its four maps come, as timm calls them.
        stages: how many of stem, stage 1, stage 2, stage 3.
        norm: also the affine part of every BatchNorm.

    Raises:
        UserError: stages are to be frozen, and which these are cannot be told of this network.
    """
    found = parts(net, modules)
    if stages and not set(range(STEM, STAGES + 1)) <= set(found.values()):
        raise UserError("frozen_stages: the stages of this backbone cannot be told apart; set it to 0")
    for name, part in found.items():
        if part < stages:
            net.get_parameter(name).requires_grad_(False)
    if norm:
        for module in batch_norms(net):
            module.requires_grad_(False)


def keep_norm(net: nn.Module) -> None:
    """Freeze the running statistics of every BatchNorm."""
    for module in batch_norms(net):
        module.eval()


def open_branches(net: nn.Module) -> None:
    """Undo timm's zero initialisation of the last norm in residual branches.

    A frozen norm would keep them shut for good.
    """
    for module in batch_norms(net):
        if module.weight is not None and not module.weight.any():
            nn.init.ones_(module.weight)


def batch_norms(net: nn.Module) -> list[nn.Module]:
    """All layers with running statistics."""
    return [module for module in net.modules() if isinstance(module, _BatchNorm)]


def parts(net: nn.Module, modules: Sequence[str]) -> dict[str, int]:
    """The part that each parameter belongs to: 0 the stem, 1 to 4 the stages, 5 everything after them.

    A stage ends with the module that its map comes out of; the first one begins with the first module beside that one
    (a ViT's first stage with its first block).

    Args:
        net: of timm's, whose parameters are in the order in which they are used.
        modules: out of which its four maps come, as timm calls them.
    """
    container = modules[0].rpartition(".")[0] or modules[0]
    found, part, inside = {}, 0, False
    for name, _ in net.named_parameters():
        if part == 0 and _within(name, container):
            part = 1
        if 0 < part <= len(modules):
            here = _within(name, modules[part - 1])
            if inside and not here:
                part += 1
                here = part <= len(modules) and _within(name, modules[part - 1])
            inside = here
        found[name] = part
    return found


def _within(parameter: str, module: str) -> bool:
    """Whether a parameter belongs to a module; timm's wrappers call stages.0 stages_0 or model.stages.0."""
    parameter = parameter.removeprefix("model.")
    return any(
        parameter.startswith(f"{module}{end}") or parameter.startswith(f"{module.replace('.', '_', 1)}{end}")
        for end in "._"
    )
