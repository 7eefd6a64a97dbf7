"""Streaming images through the device in batches of similar size; results in input order."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from matlabel.devices import Halving
from matlabel.mattes.gpu.closed_form import Prepared, closed_form_batch
from matlabel.mattes.grid import matte
from matlabel.mattes.methods import closed_form_of
from matlabel.mattes.problem import Problem
from matlabel.settings.mattes import MattesSettings


def ready(problem: Problem, settings: MattesSettings) -> Problem | Prepared:
    """Prepare a problem for the stream, in the threads that load."""
    return Prepared.of(problem, settings.scale) if problem.needs_solving else problem


def closed_form_stream(
    problems: Iterable[Problem | Prepared], device: str, settings: MattesSettings
) -> Iterator[np.ndarray]:
    """Closed-form alphas of each problem, in order.

    Args:
        problems: of any sizes, `ready` or not; `settings.batch_size` of them are taken at a time.
        device: cpu or cuda.
        settings: scale and parameters of the solver.

    Yields:
        float32[C + 1, H, W], as `matlabel.mattes.grid.matte` returns them.

    Raises:
        UserError: a single image does not fit into the device's memory.
    """

    def solve(items: list[Prepared]) -> list[np.ndarray]:
        return closed_form_batch(
            items,
            device,
            epsilon=settings.epsilon,
            radius=settings.radius,
            tolerance=settings.tolerance,
            iterations=settings.iterations,
            compiled=settings.compile and device == "cuda",
        )

    in_halves = Halving(solve, "mattes.scale: 4, or mattes.device: cpu")
    source = iter(problems)
    while chunk := list(islice(source, settings.batch_size)):
        results: list[np.ndarray | None] = [None] * len(chunk)
        groups: dict[tuple[int, bool], list[tuple[int, Prepared]]] = {}
        for place, given in enumerate(chunk):
            item = ready(given, settings) if isinstance(given, Problem) else given
            if isinstance(item, Problem):
                results[place] = item.alphas()
                continue
            problem = item.problem
            height, width = item.coarse.shape
            if min(height, width) < 2 * settings.radius + 1:
                # Smaller than a window: the host lengthens its sides and is done in no time.
                solver, labels = closed_form_of(settings), problem.values[1:]
                results[place] = matte(problem.image, problem.trimap, labels, solver, settings.scale, problem.terms)
            else:
                # Upright and lying images do not pad each other.
                groups.setdefault((item.grid, height > width), []).append((place, item))
        for group in groups.values():
            for (place, _), alphas in zip(group, in_halves([item for _, item in group]), strict=True):
                results[place] = alphas
        yield from results
