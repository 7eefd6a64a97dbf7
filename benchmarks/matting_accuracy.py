"""alphamatting.com's training images: error of the alphas, ours and pymatting's, against the true ones."""

from pathlib import Path

import numpy as np
import pymatting
from measure import hushed, table
from PIL import Image

from matlabel.mattes.methods import alphas_of
from matlabel.mattes.single import read_trimap
from matlabel.processes import over_processes
from matlabel.settings.mattes import MattesSettings

# As pymatting: colours alone, and its epsilon.
COLOURS = {"prior": 0, "samples": 0, "epsilon": 1e-7}
OURS = {
    "matlabel closed_form, scale 1": MattesSettings(scale=1, **COLOURS),
    "matlabel closed_form, scale 2": MattesSettings(scale=2, **COLOURS),
    "matlabel closed_form, scale 4": MattesSettings(scale=4, **COLOURS),
    "matlabel knn, scale 1": MattesSettings(method="knn", scale=1),
    "matlabel lbdm, scale 1": MattesSettings(method="lbdm", scale=1, epsilon=1e-7),
    "matlabel random_walk, scale 1": MattesSettings(method="random_walk", scale=1),
}
PEERS = {
    "pymatting cf": pymatting.estimate_alpha_cf,
    "pymatting knn": pymatting.estimate_alpha_knn,
    "pymatting lbdm": pymatting.estimate_alpha_lbdm,
    "pymatting rw": pymatting.estimate_alpha_rw,
}


def errors(folder_and_name: tuple[Path, str]) -> dict[str, tuple[float, float]]:
    """Method -> (mean squared error, sum of absolute differences / 1000) over the unknown region of one image."""
    folder, name = folder_and_name
    image = np.asarray(Image.open(folder / "images" / name).convert("RGB"))
    grey = np.asarray(Image.open(folder / "trimaps" / name).convert("L"))
    truth = np.asarray(Image.open(folder / "alphas" / name).convert("L")) / 255
    trimap = read_trimap(folder / "trimaps" / name)
    alphas = {method: alphas_of(image, [1], settings, trimap=trimap)[1] for method, settings in OURS.items()}
    # Their own thresholds for sure pixels are ours, too: below .1 and above .9.
    with hushed():
        alphas |= {method: estimate(image / 255, grey / 255) for method, estimate in PEERS.items()}
    unknown = trimap == 255
    found = {}
    for method, alpha in alphas.items():
        difference = (alpha - truth)[unknown]
        found[method] = float(np.square(difference).mean()), float(np.abs(difference).sum() / 1000)
    return found


def run(folder: Path, workers: int) -> str:
    """A table of means, and one of every image.

    Args:
        folder: images/, trimaps/ (0 / 128 / 255) and alphas/ with PNGs of the same names.
        workers: processes.
    """
    names = sorted(path.name for path in (folder / "images").glob("*.png"))
    found = list(over_processes(errors, [(folder, name) for name in names], workers, "--workers"))
    methods = [*OURS, *PEERS]
    reference = np.mean([image["pymatting cf"][0] for image in found])
    means = []
    for method in methods:
        mse, sad = np.mean([image[method] for image in found], axis=0)
        means.append([method, float(mse), f"{100 * (mse / reference - 1):+.1f} %", float(sad)])
    rows = [
        [name, *(f"{image[method][0]:.4f} / {image[method][1]:.1f}" for method in methods)]
        for name, image in zip(names, found, strict=True)
    ]
    return "\n\n".join(
        [
            f"Mean over {len(names)} images, over their unknown regions",
            table(["method", "MSE", "against pymatting cf", "SAD / 1000"], means),
            "MSE / SAD of every image",
            table(["image", *methods], rows),
        ]
    )
