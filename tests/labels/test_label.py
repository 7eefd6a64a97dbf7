import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matlabel.artifacts.quantise import quantise
from matlabel.labels.label import pseudo_label
from matlabel.settings.labels import LabelsSettings

CLASSES = np.array([3, 7], np.uint8)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float32, (3, 6, 5), elements=st.floats(0, 1, width=32)), st.floats(0, 1))
def test_the_winner_is_taken_and_void_is_where_it_leads_by_less_than_the_margin(scores, margin):
    alphas = quantise(scores)
    labels, lead = pseudo_label(alphas, CLASSES, LabelsSettings(margin=margin))
    top = np.sort(alphas.astype(int), axis=0)
    np.testing.assert_array_equal(lead, top[-1] - top[-2])
    clear = lead >= margin * 255
    assert (labels[~clear] == 255).all()
    np.testing.assert_array_equal(labels[clear], np.array([0, 3, 7])[alphas.argmax(0)][clear])


def test_an_untagged_image_is_background_without_doubt():
    labels, margin = pseudo_label(np.full((1, 4, 4), 255, np.uint8), np.zeros(0, np.uint8), LabelsSettings(margin=1))
    assert (labels == 0).all()
    assert (margin == 255).all()


def test_small_regions_become_void():
    alphas = np.zeros((3, 20, 20), np.uint8)
    alphas[0] = 255
    alphas[:, 3:13, 3:13] = np.array([0, 255, 0])[:, None, None]
    alphas[:, 17, 17] = [0, 0, 255]
    labels, _ = pseudo_label(alphas, CLASSES, LabelsSettings(least_region=0.01))
    assert labels[17, 17] == 255
    assert labels[5, 5] == 3
