import numpy as np
import pytest

from matlabel.mattes.problem import Evidence, Problem
from matlabel.mattes.strokes import contradicted
from matlabel.mattes.winner import disbelieved


def test_a_stroke_frees_the_region_in_which_it_contradicts_and_no_other():
    winner = np.zeros((10, 20), np.uint8)
    winner[2:8, 1:7], winner[2:8, 12:18] = 1, 1
    wrong = np.zeros((10, 20), bool)
    wrong[4, 3] = True
    expected = np.zeros((10, 20), bool)
    expected[2:8, 1:7] = True
    np.testing.assert_array_equal(contradicted(winner, wrong), expected)


@pytest.mark.parametrize("grid", [1, 2, 4])
def test_a_thin_stroke_of_another_label_contradicts_on_every_grid_and_one_of_the_same_on_none(grid):
    planes = np.zeros((2, 10, 20), np.uint8)
    planes[0], planes[:, 2:8, 1:7], planes[:, 2:8, 12:18] = 255, [[[0]], [[255]]], [[[0]], [[255]]]
    trimap, drawn = np.full((40, 80), 255, np.uint8), np.zeros((40, 80), bool)
    # Sure object all round a stroke one pixel wide that says background; and one on the right that says object.
    trimap[12:28, 8:24], trimap[2, 40] = 1, 0
    trimap[20, 10:20], drawn[20, 10:20] = 0, True
    trimap[20, 55:65], drawn[20, 55:65] = 1, True
    problem = Problem.of(np.zeros((40, 80, 3)), trimap, [1], Evidence(planes, 1.0, drawn=drawn))
    found = disbelieved(problem, (40 // grid, 80 // grid), grid)
    assert found[16 // grid : 24 // grid, 12 // grid : 20 // grid].all()
    assert not found[:, 40 // grid :].any()
