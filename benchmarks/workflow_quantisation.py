"""What storing activations as bytes costs in mIoU, against the same maps in float32 at the same resolution."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from measure import table
from workflow_disk import images_of

from matlabel.activations.stage import readable
from matlabel.activations.views import activations
from matlabel.artifacts.context import load_context
from matlabel.artifacts.label_image import read_label_image
from matlabel.artifacts.quantise import quantise
from matlabel.dataset.images import load_image
from matlabel.dataset.manifest import tag_indices
from matlabel.evaluation.confusion import confusion, counts, mean_iou
from matlabel.evaluation.seed import LEVELS, ThresholdSweep, best_threshold, winners
from matlabel.networks.trained_classifier import load_classifier
from matlabel.settings.activations import ActivationsSettings


class Scores:
    """mIoU of the winner and at every threshold, over many images."""

    def __init__(self, classes: int):
        self.classes = classes
        self.matrix = np.zeros((classes + 1, classes + 2), np.int64)
        self.sweep = ThresholdSweep(classes)

    def add(self, truth: np.ndarray, objects: np.ndarray, level: np.ndarray, winner: np.ndarray) -> None:
        """Count an image; the last three as `winners` gives them."""
        self.matrix += confusion(truth, winner, self.classes)
        self.sweep.add(truth, objects, level)

    @property
    def winner(self) -> float:
        """mIoU of the strongest plane."""
        return float(mean_iou(*counts(self.matrix, "wrong")))


def run(folder: Path, masks: Path, images: int, device: str) -> str:
    """The table: after spreading, and before it where there is any.

    Args:
        folder: results/runs/<variant>/seed-<n>.
        masks: true masks, <id>.png.
        images: so many with masks, from all over the run.
        device: cpu, cuda or mps.
    """
    context = load_context(folder / "activations" / "settings.yaml", "activations", ActivationsSettings)
    # bfloat16 would have rounded the maps already, to fewer steps than bytes have.
    settings = context.settings.model_copy(update={"precision": "32-true"})
    torch.set_num_threads(settings.threads)
    root = folder.absolute().parents[3]
    weights = folder / "cam" / "model.safetensors"
    classifier = load_classifier(weights, device)
    settings = readable(settings, classifier, weights)
    given = [item for item in images_of(folder) if (masks / f"{item[1].id}.png").exists()]
    given = given[:: max(1, len(given) // images)][:images]
    scores: dict[str, tuple[Scores, Scores]] = {}
    changed = pixels = 0
    for shard, entry in given:
        labels = tag_indices(entry, context.classes)
        truth = read_label_image(masks / f"{entry.id}.png")
        image = torch.from_numpy(load_image(root / shard.folder, entry).copy()).permute(2, 0, 1)
        present = [[label - 1 for label in labels]]
        [found] = activations(image[None].to(device), present, truth.shape, classifier, settings)
        for name, planes in (("spread", found.probabilities), ("before spreading", found.unspread)):
            if planes is None:
                continue
            exact, stored = scores.setdefault(name, (Scores(len(context.classes)), Scores(len(context.classes))))
            of_floats = float_winners(planes.cpu(), np.array(labels, np.uint8), truth.shape)
            of_bytes = winners(quantise(planes.cpu().numpy()), np.array(labels, np.uint8), truth.shape)
            exact.add(truth, *of_floats)
            stored.add(truth, *of_bytes)
            if name == "spread":
                changed += np.count_nonzero(of_floats[2] != of_bytes[2])
                pixels += truth.size
    rows = []
    for name, (exact, stored) in scores.items():
        curves = exact.sweep.curve(), stored.sweep.curve()
        best = [float(curve[best_threshold(curve)]) for curve in curves]
        widest = int(np.nanargmax(np.abs(curves[0] - curves[1])))
        rows.append([f"{name}: winner", *_points(exact.winner, stored.winner)])
        rows.append([f"{name}: best threshold", *_points(*best)])
        differs = [float(curve[widest]) for curve in curves]
        rows.append([f"{name}: threshold {widest / (LEVELS - 1):.3f}, which differs most", *_points(*differs)])
    head = ["activations", "float32, mIoU", "bytes, mIoU", "difference, points"]
    printed = table(head, rows)
    return f"{len(given)} images\n\n{printed}\n\npixels with another winner after spreading: {changed / pixels:.3%}"


def float_winners(
    probabilities: torch.Tensor, classes: np.ndarray, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`matlabel.evaluation.seed.winners` of planes float32[C + 1, h, w] that were never bytes."""
    planes = F.interpolate(probabilities[None].double(), shape, mode="bilinear", align_corners=False)[0].numpy()
    background, objects = planes[0], planes[1:]
    if not len(objects):
        nothing = np.zeros(shape, np.uint8)
        return nothing, nothing, nothing
    strongest, best = classes[objects.argmax(axis=0)], objects.max(axis=0)
    level = np.clip(best * (LEVELS - 1), 0, LEVELS - 1).astype(np.uint8)
    return strongest, level, np.where(best > background, strongest, 0).astype(np.uint8)


def _points(exact: float, stored: float) -> list[str]:
    return [f"{100 * exact:.2f}", f"{100 * stored:.2f}", f"{100 * (stored - exact):+.3f}"]
