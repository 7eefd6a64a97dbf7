"""ViTMatte (Yao et al., "ViTMatte: Boosting Image Matting with Pretrained Plain Vision Transformers", 2023).

A network, run by the package transformers with weights that the user brings. It was trained on alpha mattes, so
labels made with it rest on more supervision than image-level tags.
"""

import functools
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import UNKNOWN
from matlabel.mattes.comparisons.extras import require
from matlabel.mattes.problem import Solver
from matlabel.mattes.shares import shares


@dataclass(frozen=True)
class Model:
    """A loaded network.

    Attributes:
        network: transformers.VitMatteForImageMatting, float32, in eval mode, on `device`.
        processor: transformers.VitMatteImageProcessor: normalises the colours and pads both sides.
        device: name of a torch device.
    """

    network: Any
    processor: Any
    device: str


@functools.lru_cache(maxsize=1)
def load(source: str | Path | None, device: str = "cpu") -> Solver:
    """Load a network once as a `problem.Solver`; warns that it was trained on true alpha mattes.

    Args:
        source: a local folder with config.json, preprocessor_config.json and model.safetensors, or the name of a
            repository on the Hugging Face hub, "owner/name". None stands for a setting that was left out.
        device: name of a torch device.

    Raises:
        UserError: transformers is not installed, or the source cannot be read, holds no whole ViTMatte, or has no
            safetensors weights (others are pickles, which may run code when they are read).
    """
    if source is None:
        raise UserError("mattes.method vitmatte needs mattes.weights: the folder of a ViTMatte, or its name on the hub")
    transformers = require("transformers", method="vitmatte", extra="vitmatte")
    if not Path(source).is_dir() and not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", str(source)):
        raise UserError(f"{source}: no such folder, and not the name of a repository on the hub (owner/name)")
    try:
        config = transformers.VitMatteConfig.from_pretrained(source)
        _check(config)
        # Where config.json leaves it out, transformers 5 has a tuple here, and its network adds it to a list.
        config.fusion_hidden_sizes = list(config.fusion_hidden_sizes)
        network, report = transformers.VitMatteForImageMatting.from_pretrained(
            source, config=config, use_safetensors=True, output_loading_info=True
        )
        # transformers fills weights that are missing with random numbers.
        if report["missing_keys"]:
            raise ValueError(f"the weights lack {len(report['missing_keys'])} tensors")
        processor = transformers.VitMatteImageProcessor.from_pretrained(source)
    except Exception as error:  # broken folders come as a dozen types from four packages
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(
            f"{source}: no ViTMatte could be loaded from here; it takes config.json, preprocessor_config.json and "
            f"model.safetensors ({reason})"
        ) from error
    warnings.warn(
        f"{source}: ViTMatte was trained on alpha mattes: labels made with it had more supervision than image tags",
        stacklevel=2,
    )
    return functools.partial(solve, model=Model(network.float().eval().to(device), processor, device))


def _check(config: Any) -> None:
    """Refuse configs other than ViTMatte's own: some backbones would be downloaded, perhaps as a pickle."""
    if config.model_type != "vitmatte" or getattr(config.backbone_config, "model_type", None) != "vitdet":
        raise ValueError("config.json is not that of a ViTMatte on a ViTDet backbone")


def solve(image: np.ndarray, trimap: np.ndarray, values: Sequence[int], model: Model) -> np.ndarray:
    """Matte every label separately against all other known values.

    Args:
        image: float64[H, W, 3] in [0, 1].
        trimap: uint8[H, W] label trimap with at least one sure pixel.
        values: values to return, sure values of the trimap.
        model: the network.

    Returns:
        float32[len(values), H, W] in [0, 1], one-hot at the sure pixels. The network knows nothing of the other
        labels, so its alphas may sum to more than one: then they are divided by their sum. The background takes what
        is left; where it has no sure pixels, the labels are divided by their sum everywhere. So over all sure values
        of the trimap planes would sum to one.
    """
    sure = np.unique(trimap[trimap != UNKNOWN]).tolist()
    planes = np.zeros((len(sure), *trimap.shape), dtype=np.float32)
    for plane, value in zip(planes, sure, strict=True):
        if value != 0:
            plane[...] = _alpha(image, trimap, value, model)
    if sure[0] == 0:
        planes[0] = 1 - planes[1:].sum(axis=0)
    return shares(planes)[[sure.index(value) for value in values]]


def _alpha(image: np.ndarray, trimap: np.ndarray, value: int, model: Model) -> np.ndarray:
    """float32[H, W] in [0, 1]: the network's alpha of one value, 1 or 0 at the known pixels."""
    import torch

    # The network's own trimap: 1 where it is the value for sure, 0 where it is another, a half where unknown.
    unknown = trimap == UNKNOWN
    guide = np.where(unknown, np.float32(0.5), (trimap == value).astype(np.float32))
    inputs = model.processor(
        images=image.astype(np.float32),
        trimaps=guide,
        do_rescale=False,
        do_pad=True,
        input_data_format="channels_last",
        return_tensors="pt",
    )
    # Kernels that are picked by timing them would give other bits each time.
    with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        alpha = model.network(inputs["pixel_values"].to(model.device)).alphas[0, 0].cpu().numpy()
    height, width = trimap.shape
    return np.where(unknown, np.clip(alpha[:height, :width], 0, 1), guide)
