"""Downloading timm's weights into the cache: the only place where anything is downloaded."""

import os
from collections.abc import Sequence

from matlabel.artifacts.errors import UserError


def fetch(names: Sequence[str]) -> str:
    """Download weights to where later trainings look for them.

    Args:
        names: backbones, for their imagenet weights, or full names of timm's with a tag.

    Returns:
        the folders that hold them, in words: the hub's cache (HF_HOME), or torch's (TORCH_HOME) for the few that the
        hub does not have.

    Raises:
        UserError: a name that is none, or no network.
    """
    # Read when the hub's client is first imported, and set to 1 by `matlabel.networks`.
    os.environ.setdefault("HF_HUB_OFFLINE", "0")
    from matlabel.networks.backbone import layout_of
    from matlabel.networks.pretrained import cache_folders, cached, tagged

    taken = []
    for name in names:
        backbone = name.partition(".")[0]
        layout_of(backbone, "auto")
        full = tagged(backbone, "imagenet" if name == backbone else name, "fetch")
        if not cached(full):
            _download(full)
        if not cached(full):
            raise UserError(f"fetch: {full} was downloaded, but is not in {cache_folders([full])}")
        taken.append(full)
    return cache_folders(taken)


def _download(full: str) -> None:
    import timm

    try:
        # timm knows where it is; what it makes of it here is of no use.
        timm.create_model(full, pretrained=True)
    except Exception as error:  # what goes wrong on the way is of any library's type
        said = next(iter(str(error).splitlines()), type(error).__name__)[:200]
        raise UserError(
            f"fetch: {full} could not be downloaded ({said}). Where there is no network, copy the cache of a machine "
            "that has it (the folder that HF_HOME names), or give the path of a state_dict as weights, package or none"
        ) from error
