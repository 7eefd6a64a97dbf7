import numpy as np

from matlabel.mattes.strokes import contradicted


def test_a_stroke_frees_the_region_in_which_it_contradicts_and_no_other():
    winner = np.zeros((10, 20), np.uint8)
    winner[2:8, 1:7], winner[2:8, 12:18] = 1, 1
    trimap = np.full((10, 20), 255, np.uint8)
    drawn = np.zeros((10, 20), bool)
    trimap[4, 3], drawn[4, 3] = 0, True  # not the object on the left
    trimap[5, 14], drawn[5, 14] = 1, True  # the one on the right it is
    trimap[0, 9] = 1  # sure, but nobody drew it
    expected = np.zeros((10, 20), bool)
    expected[2:8, 1:7] = True
    np.testing.assert_array_equal(contradicted(winner, trimap, drawn), expected)
