"""Seconds an image on photographs with a run's own trimaps: ours against pymatting and scikit-image."""

import time
from functools import partial
from pathlib import Path

import numba
import numpy as np
import pymatting
from matting_inputs import Example, chosen, examples, tasks_of_run
from matting_worker import matted_and_memory
from measure import hushed, interleaved, table
from skimage.segmentation import random_walker
from threadpoolctl import threadpool_limits

from matlabel.mattes.closed_form import closed_form
from matlabel.processes import over_processes
from matlabel.settings.mattes import MattesSettings


def ours(example: Example) -> np.ndarray:
    """Colours alone, as theirs, at scale auto."""
    return closed_form(example.image, example.trimap, example.labels)


def pymatting_cf(image: np.ndarray, trimaps: list[np.ndarray]) -> list[np.ndarray]:
    """Their closed form knows one object: one solve a class."""
    with hushed():
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


def all_cores(run: Path, workers: int, repeats: int) -> str:
    """Images a second of the stage's own work (decode, matte, quantise) on one process and on several.

    The processes' start is timed apart: a shard pays for it once.
    """
    tasks = [task for _, task in tasks_of_run(run)]
    rates: dict[int, list[tuple[float, float, float]]] = {1: [], workers: []}
    for _ in range(repeats):
        for count, measured in rates.items():
            # One worker process, too, rather than this one: its memory is what a worker takes.
            results = over_processes(partial(matted_and_memory, settings=MattesSettings()), tasks, count, "--workers")
            begin = time.perf_counter()
            memory = [next(results)]
            started = time.perf_counter()
            memory += results
            measured.append((started - begin, (len(tasks) - 1) / (time.perf_counter() - started), max(memory)))
    rows = []
    single = np.median([rate for _, rate, _ in rates[1]])
    for count, measured in rates.items():
        start, rate, _ = np.median(measured, axis=0)
        peak = max(memory for *_, memory in measured)
        rows.append([count, f"{start:.2f}", f"{rate:.1f}", f"{rate / single:.2f} x", f"{peak:.0f}"])
    head = ["processes", "first image after, s", "images/s", "speed-up", "peak memory of a process, MB"]
    return f"{len(tasks)} images\n\n{table(head, rows)}"
