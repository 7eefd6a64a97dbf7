"""Many masked systems at once."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.mattes import laplacian
from matlabel.mattes.gpu import conjugate_gradient as module
from matlabel.mattes.gpu.conjugate_gradient import conjugate_gradient
from matlabel.mattes.gpu.laplacian import stencils


def systems(shapes, seed=0, labels=2):
    random = np.random.default_rng(seed)
    side = max(max(shape) for shape in shapes)
    images = torch.from_numpy(random.random((len(shapes), 3, side, side)))
    unknown = torch.zeros(len(shapes), side, side, dtype=torch.bool)
    for mask, (height, width) in zip(unknown, shapes, strict=True):
        mask[:height, :width] = torch.from_numpy(random.random((height, width)) < 0.7)
    heights, widths = torch.tensor(shapes).T
    right = torch.from_numpy(random.standard_normal((len(shapes), labels, side, side)).astype(np.float32))
    return images, stencils(images, heights, widths, 1e-3), unknown, right


@settings(max_examples=15, deadline=None)
@given(
    shapes=st.lists(st.tuples(st.integers(3, 9), st.integers(3, 9)), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
    labels=st.integers(1, 3),
)
def test_solutions_are_those_of_a_dense_solve(shapes, seed, labels):
    images, stencil, unknown, right = systems(shapes, seed, labels)
    found, steps = conjugate_gradient(stencil, unknown, right, tolerance=1e-6, most=2000)
    assert steps.shape == (len(shapes), labels)
    for image, mask, values, solution, (height, width) in zip(images, unknown, right, found, shapes, strict=True):
        mask = mask[:height, :width].numpy()
        assert not solution[:, height:].any()
        assert not solution[:, :height, :width][:, ~mask].any()
        if not mask.any():
            continue
        colours = image[:, :height, :width].permute(1, 2, 0).numpy()
        matrix = laplacian.system_of(laplacian.matting_stencil(colours, 1e-3)[:, mask], mask)
        if np.linalg.cond(matrix.toarray()) > 1e4:
            continue  # nothing sure is near: float32 has no digits left for that
        exact = np.linalg.solve(matrix.toarray(), values[:, :height, :width][:, mask].T.numpy()).T
        error = np.abs(solution[:, :height, :width][:, mask].numpy() - exact).max()
        assert error < 1e-3 * max(1, np.abs(exact).max())


def test_each_system_stops_by_itself_and_stays_what_it_is_alone():
    _, stencil, unknown, right = systems([(9, 9), (9, 9), (9, 9)])
    right[1] = 0  # finished before it begins
    unknown[2] = False
    unknown[2, 4, 4] = True  # one unknown: one step
    found, steps = conjugate_gradient(stencil, unknown, right, tolerance=1e-5, most=1000)
    assert (steps[0] > 8).all()
    assert steps[1:].tolist() == [[0, 0], [1, 1]]
    alone, alone_steps = conjugate_gradient(stencil[:1], unknown[:1], right[:1], tolerance=1e-5, most=1000)
    assert alone_steps.tolist() == steps[:1].tolist()
    torch.testing.assert_close(found[:1], alone)


def test_the_residual_is_what_was_asked_for_or_the_steps_are_used_up():
    _, stencil, unknown, right = systems([(9, 9)])
    mask = unknown[:, None].float()
    found, steps = conjugate_gradient(stencil, unknown, right, tolerance=1e-2, most=1000)
    residual = (right - module.apply(stencil, found)) * mask
    assert (residual.square().sum((2, 3)) <= 1.1e-4 * (right * mask).square().sum((2, 3))).all()
    _, few = conjugate_gradient(stencil, unknown, right, tolerance=1e-6, most=5)
    assert few.max() == 5
    assert steps.max() > 5


@pytest.mark.parametrize("labels", [1, 3])
def test_a_step_can_be_compiled_as_one_graph(labels):
    # Without a compiler for the last pass: that the step is one graph for all sizes is what can break.
    compiled = torch.compile(module.cg_step, dynamic=True, fullgraph=True, backend="eager")
    for shapes in ([(6, 7)], [(9, 9), (5, 8)], [(12, 4), (4, 12), (8, 8)]):
        _, stencil, unknown, right = systems(shapes, labels=labels)
        mask = unknown[:, None].float()
        inverse = torch.where(unknown, 1 / torch.where(unknown, stencil[:, 0], 1), 0)[:, None]
        residual = right * mask
        rho = (residual * inverse * residual).sum((2, 3))
        taken = torch.zeros(right.shape[:2], dtype=torch.int64)
        state = (1, stencil, mask, inverse, 0 * rho, 0 * residual, residual, inverse * residual, rho, taken)
        for ours, eager in zip(compiled(*state), module.cg_step(*state), strict=True):
            torch.testing.assert_close(ours, eager)
