"""Which shapes of maps belong to a photograph: every rounding that networks do, and none that is turned or squashed."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from matlabel.activations.map_shape import check_shape

sides = st.integers(1, 2000)


@given(sides, sides, st.integers(1, 32), st.sampled_from(["down", "up", "nearest"]))
def test_a_photograph_at_any_stride_is_taken_however_it_was_rounded(height, width, stride, way):
    rounded = {
        "down": lambda side: max(1, side // stride),
        "up": lambda side: -(-side // stride),
        "nearest": lambda side: max(1, round(side / stride)),
    }[way]
    check_shape((3, rounded(height), rounded(width)), 3, (height, width))


@given(sides, sides, st.floats(0.25, 8))
def test_a_photograph_that_was_made_larger_or_smaller_since_is_taken(height, width, scale):
    check_shape((2, max(1, round(height / scale)), max(1, round(width / scale))), 2, (height, width))


def test_a_photograph_padded_below_and_at_the_right_is_refused_with_the_part_to_keep():
    with pytest.raises(ValueError, match=r"look padded; save maps\[:, :81, :120\]"):
        check_shape((1, 88, 120), 1, (324, 480))


@given(st.integers(200, 1000), st.floats(1.25, 3), st.integers(1, 8), st.booleans())
def test_turned_and_squashed_maps_are_refused(height, ratio, stride, turned):
    width = round(height * ratio)
    small, large = height // stride, width // stride
    with pytest.raises(ValueError, match="turned" if turned else "another shape"):
        check_shape((1, large, small) if turned else (1, small, small), 1, (height, width))


@given(sides, sides, st.integers(1, 8))
def test_what_is_advised_is_taken(height, width, classes):
    small = (classes, -(-height // 4), -(-height // 4))
    try:
        check_shape(small, classes, (height, width))
    except ValueError as error:
        assume("resize them to [" in str(error))
        advised = tuple(int(side) for side in str(error).split("resize them to [")[1].split("]")[0].split(","))
        check_shape(advised, classes, (height, width))
