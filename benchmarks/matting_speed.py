"""Seconds an image on photographs with a run's own trimaps: ours against pymatting and scikit-image."""

import resource
import time
from functools import partial
from pathlib import Path

import numba
import numpy as np
import pymatting
from matting_inputs import Example, chosen, examples
from measure import interleaved, table
from skimage.segmentation import random_walker
from threadpoolctl import threadpool_limits

from matlabel.mattes.closed_form import closed_form
from matlabel.processes import over_processes


def ours(example: Example) -> np.ndarray:
    """Our default: scale auto."""
    return closed_form(example.image, example.trimap, example.labels)


def pymatting_cf(image: np.ndarray, trimaps: list[np.ndarray]) -> list[np.ndarray]:
    """Their closed form knows one object: one solve a class."""
    return [pymatting.estimate_alpha_cf(image, trimap) for trimap in trimaps]


def three_values(example: Example) -> list[np.ndarray]:
    """The trimap of each class as they take it: 1 the class, 0 all that is surely something else, .5 unknown."""
    trimap = example.trimap
    return [np.where(trimap == 255, 0.5, trimap == label) for label in example.labels]


def walker(image: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """All classes in one call, as we do it; its exact mode, which is its fastest here as well."""
    return random_walker(image, seeds, beta=130, mode="bf", channel_axis=-1, return_full_prob=True)


def one_core(run: Path, images: int, repeats: int) -> str:
    """Table for one, two and three classes: medians over the repeats of each image, then means over images."""
    numba.set_num_threads(1)
    rows = []
    with threadpool_limits(1):
        for classes in (1, 2, 3):
            found = chosen(examples(run), classes, images)
            seconds = []
            for example in found:
                image, trimaps = example.image / 255, three_values(example)
                seeds = np.where(example.trimap == 255, 0, example.trimap + 1).astype(np.int64)
                seconds.append(
                    interleaved(
                        {
                            "ours": partial(ours, example),
                            "pymatting": partial(pymatting_cf, image, trimaps),
                            "walker": partial(walker, image, seeds),
                        },
                        repeats,
                    )
                )
            if not found:
                continue
            mean = {name: float(np.mean([image[name] for image in seconds])) for name in seconds[0]}
            worst = min(image["pymatting"] / image["ours"] for image in seconds)
            share = np.mean([np.mean(example.trimap == 255) for example in found])
            rows.append(
                [
                    classes,
                    len(found),
                    f"{100 * share:.0f} %",
                    f"{1000 * mean['ours']:.1f}",
                    f"{1000 * mean['pymatting']:.0f}",
                    f"{mean['pymatting'] / mean['ours']:.0f} x",
                    f"{worst:.0f} x",
                    f"{1000 * mean['walker']:.0f}",
                    f"{mean['walker'] / mean['ours']:.0f} x",
                ]
            )
    head = ["classes", "images", "unknown", "ours, ms", "pymatting cf, ms", "ratio", "least ratio"]
    return table([*head, "random_walker, ms", "ratio"], rows)


def all_cores(run: Path, images: int, workers: int, repeats: int) -> str:
    """Images a second on one process and on several, and the largest memory that a process took."""
    found = [example for _, example in zip(range(images), examples(run), strict=False)]
    rates = {}
    for _ in range(repeats):
        for count in (1, workers):
            results = over_processes(memory_of, found, count, "--workers")
            begin = time.perf_counter()
            peak = max(results)
            # The first call starts the processes: what a shard pays for once is part of it.
            rates.setdefault(count, []).append((len(found) / (time.perf_counter() - begin), peak))
    rows = []
    single = np.median([rate for rate, _ in rates[1]])
    for count, measured in rates.items():
        rate = np.median([rate for rate, _ in measured])
        rows.append([count, f"{rate:.1f}", f"{rate / single:.2f} x", f"{max(peak for _, peak in measured):.0f}"])
    return table(["processes", "images/s", "speed-up", "peak memory of a process, MB"], rows)


def memory_of(example: Example) -> float:
    """Matte an image; the process's peak memory so far, in MB."""
    ours(example)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
