"""The batched solver on a device: images a second, how near the memory's bandwidth, how near the exact labels."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from matting_inputs import chosen, examples
from measure import table

from matlabel.mattes.closed_form import closed_form
from matlabel.mattes.gpu.closed_form import Prepared, closed_form_batch, solve, upload
from matlabel.mattes.problem import Problem


def run(
    folder: Path, device: str, images: int, batches: list[int], scales: list[int], repeats: int, compiled: bool = False
) -> str:
    """A table with a row a scale and batch.

    Args:
        folder: results/runs/<variant>/seed-<n>.
        device: cuda, or cpu to see that it runs.
        images: photographs of one class; repeated where a batch is larger.
        batches, scales: what is measured.
        repeats: timed calls of each, of which the median counts.
        compiled: fuse the solver's steps.
    """
    found = chosen(examples(folder), 1, images)
    problems = [Problem.of(item.image, item.trimap, item.labels) for item in found]
    bandwidth = copy_bandwidth(device)
    rows = []
    for scale in scales:
        items = [Prepared.of(problem, scale) for problem in problems]
        # Batches hold grids of one scale that lie the same way, as the stage makes them.
        items = [item for item in items if item.grid == scale and item.coarse.shape[0] <= item.coarse.shape[1]]
        differ = differing(items, device)
        for batch in batches:
            inputs = upload((items * (1 + batch // len(items)))[:batch], device)
            _, steps = solve(inputs, compiled=compiled)
            seconds = timed(lambda inputs=inputs: solve(inputs, compiled=compiled), device, repeats)
            moved = solver_bytes(inputs.trimaps.shape, steps)
            rows.append(
                [
                    scale,
                    batch,
                    f"{batch / seconds:.1f}",
                    f"{float(steps.float().mean()):.0f}",
                    f"{100 * moved / seconds / bandwidth:.0f} %",
                    f"{100 * differ:.2f} %",
                ]
            )
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    head = ["scale", "batch", "images/s", "steps", "of the copy bandwidth", "labels that differ from exact"]
    return (
        f"{name}, {'compiled' if compiled else 'eager'} steps, copies {bandwidth / 1e9:.0f} GB/s\n\n{table(head, rows)}"
    )


def solver_bytes(shape: torch.Size, steps: torch.Tensor) -> float:
    """The least that conjugate gradients can move: each plane read or written once a pixel and step.

    13 planes of the stencil, the mask and the inverse diagonal; for each label p read and A p written, x and p
    updated, r updated from A p, and p from r: 11 planes. All float32.
    """
    _, height, width = shape
    running = steps.max(dim=1).values.sum() * 15 + steps.sum() * 11
    return 4.0 * height * width * float(running)


def differing(items: list[Prepared], device: str) -> float:
    """Share of the unknown pixels whose label is not that of the direct solve on the same grid."""
    different = unknown = 0
    for alphas, item in zip(closed_form_batch(items, device), items, strict=True):
        problem = item.problem
        exact = closed_form(problem.image, problem.trimap, problem.values[1:], scale=item.grid)
        different += np.count_nonzero(alphas.argmax(axis=0) != exact.argmax(axis=0))
        unknown += len(problem.unknown)
    return different / unknown


def copy_bandwidth(device: str, size: int = 1 << 28) -> float:
    """Bytes a second that a copy of 1 GB reads and writes together."""
    source = torch.zeros(size if device == "cuda" else size // 8, device=device)
    target = torch.empty_like(source)
    return 2 * source.numel() * 4 / timed(lambda: target.copy_(source), device, 10)


def timed(call: Callable[[], object], device: str, repeats: int) -> float:
    """Median seconds of a call, once warmed up."""
    seconds = []
    for number in range(repeats + 1):
        if device == "cuda":
            torch.cuda.synchronize()
        begin = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        if number:
            seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds))
