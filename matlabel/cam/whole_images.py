"""Uncropped images for checks of the classifier, and its class maps of them."""

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from matlabel.cam.samples import TaggedImages
from matlabel.dataset.images import load_image, resize_long_side
from matlabel.networks.classifier import CamNetwork
from matlabel.training.crops import OUTSIDE

BATCH = 32


class WholeImages(Dataset):
    """uint8[3, crop, crop] of each image: all of it, its long side as long as the training crop, on grey."""

    def __init__(self, samples: TaggedImages):
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Tensor:
        folder, entry = self._samples.entries[index]
        side = self._samples.settings.crop
        image = resize_long_side(load_image(folder, entry), side)
        height, width = image.shape[:2]
        top, left = (side - height) // 2, (side - width) // 2
        out = np.full((side, side, 3), OUTSIDE, np.uint8)
        out[top : top + height, left : left + width] = image
        return torch.from_numpy(out).permute(2, 0, 1).contiguous()


def whole_maps(fabric: Fabric, network: CamNetwork, pictures: Dataset | Tensor, workers: int = 0) -> Tensor:
    """S of each picture, float32[N, K, h, w] on the CPU; the network is left in training mode.

    Args:
        fabric: whose device and precision are used.
        network: on that device.
        pictures: uint8[3, side, side] each.
        workers: loading processes.
    """
    network.eval()
    with torch.inference_mode(), fabric.autocast():
        batches = DataLoader(pictures, batch_size=BATCH, num_workers=workers)
        maps = [
            network(network.backbone.scale(batch.to(fabric.device)), embed=False).maps.float().cpu()
            for batch in batches
        ]
    network.train()
    # Outside of inference mode again.
    return torch.cat(maps).clone() if maps else torch.zeros(0, 0, 1, 1)
