"""The power of the random walk that suits a backbone, found on generated pictures.

How similar two pixels are depends on the backbone: the cosines of an EfficientNet's features, which are signed, lie far
below those of a ResNet's. The power that lets a walk reach as far is found by how many pixels share a step. Pictures
that are always the same tell backbones apart and nothing else: of a data set of bare surfaces more pixels shall share a
step than of crowded ones.
"""

import numpy as np
import torch
from torch import Tensor

from matlabel.activations.random_walk import similarity, transitions
from matlabel.dataset.shapes.generate import draw
from matlabel.networks.backbone import Backbone

# Perplexity of a step, as a share of the pixels: that of ImageNet's ResNet-50 at a power of 20, see docs/notebook.md.
SHARE = 0.0363
_PICTURES, _SIZE = 6, 256
# A row in so many is looked at.
_EVERY = 7
_BOUNDS, _ROUNDS = (1.0, 1000.0), 20


@torch.inference_mode()
def power_for(backbone: Backbone, layers: list[int]) -> float:
    """The power at which a step of the walk is shared by as many pixels as with a ResNet-50 at 20.

    Perplexity is the exponential of a row's entropy (as in van der Maaten and Hinton's t-SNE), averaged over rows and
    pictures. It falls as the power rises.

    Args:
        backbone: in evaluation mode.
        layers: which of its four are compared, as `activations.spread.layers`.

    Returns:
        in [1, 1000], rounded to a tenth: other bits of the last place must not make another power.
    """
    rows = [_rows(backbone, layers, number) for number in range(_PICTURES)]
    low, high = _BOUNDS
    for _ in range(_ROUNDS):
        middle = (low * high) ** 0.5
        if np.mean([_shared(each, middle) for each in rows]) > SHARE:
            low = middle
        else:
            high = middle
    return round(high, 1)


def _rows(backbone: Backbone, layers: list[int], number: int) -> Tensor:
    """float32[n, N]: the similarity of some pixels of a generated picture to all of them."""
    picture, _, _ = draw(0, "power", number, _SIZE)
    device = next(backbone.parameters()).device
    images = torch.from_numpy(picture).permute(2, 0, 1)[None].to(device)
    with torch.autocast(device.type, enabled=False):
        features = backbone(backbone.scale(images))
    return similarity(features, features[1].shape[2:], layers)[::_EVERY]


def _shared(rows: Tensor, power: float) -> float:
    """Perplexity of a step from each of some pixels, as a share of all N, in the mean."""
    step = transitions(rows, power)
    entropy = -torch.special.xlogy(step, step).sum(1)
    return float(entropy.exp().mean()) / rows.shape[1]
