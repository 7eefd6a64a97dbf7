import base64
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from matlabel.artifacts.label_image import VOID, voc_palette
from matlabel.report import figures, gallery
from matlabel.report.markup import Html, element, escape
from matlabel.report.selection import evenly_spaced, select


def opened(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",", 1)[1]))).convert("RGB"))


def test_label_pictures_keep_the_exact_colours():
    labels = np.kron(np.array([[0, 1], [2, VOID]], np.uint8), np.ones((20, 30), np.uint8))
    picture = opened(gallery.labels(labels, 30))
    assert picture.shape == (20, 30, 3)
    assert {tuple(colour) for colour in picture.reshape(-1, 3)} == {tuple(voc_palette()[v]) for v in (0, 1, 2, VOID)}


def test_the_unknown_of_a_trimap_is_grey():
    picture = opened(gallery.trimap(np.full((10, 10), VOID, np.uint8), 10))
    assert np.unique(picture) == gallery.UNKNOWN_COLOUR[0]


def test_alphas_mix_the_colours():
    planes = np.stack([np.full((8, 8), 127), np.full((8, 8), 128)]).astype(np.uint8)
    picture = opened(gallery.alphas(np.array([1], np.uint8), planes, 8))
    assert picture.reshape(-1, 3).mean(axis=0) == pytest.approx([64, 0, 0], abs=4)


def test_activations_show_the_winning_class_and_nothing_where_there_is_no_class():
    image = np.full((16, 16, 3), 200, np.uint8)
    sure = np.stack([np.zeros((4, 4)), np.full((4, 4), 255)]).astype(np.uint8)
    coloured = opened(gallery.activations(image, np.array([2], np.uint8), sure, 16))
    assert coloured.reshape(-1, 3).mean(axis=0) == pytest.approx([0, 128, 0], abs=4)
    empty = opened(gallery.activations(image, np.zeros(0, np.uint8), sure[:1], 16))
    assert empty.mean() == pytest.approx(200, abs=2)


@given(
    scores=st.lists(st.none() | st.floats(0, 1), max_size=40),
    number=st.integers(0, 30),
)
@settings(max_examples=30, deadline=None)
def test_the_choice_has_no_image_twice_and_no_more_than_asked(scores, number):
    ids = [f"image{place}" for place in range(len(scores))]
    chosen = [image_id for image_id, _ in select(ids, scores, number)]
    assert len(chosen) == len(set(chosen)) <= number
    assert set(chosen) <= set(ids)


def test_the_choice_names_the_best_the_median_and_the_worst():
    scores = [0.5, 0.9, None, 0.1, 0.4, 0.6]
    why = {reason: image_id for image_id, reason in select(list("abcdef"), scores, 6) if reason}
    assert why == {"best": "b", "median": "a", "worst": "d"}


def test_without_scores_the_choice_is_evenly_spaced():
    ids = list("abcdefghi")
    assert [image_id for image_id, _ in select(ids, [None] * 9, 3)] == ["a", "e", "i"]
    assert evenly_spaced(ids, 1) == ["a"]
    assert evenly_spaced(ids, 20) == ids
    assert evenly_spaced([], 3) == []


def test_charts_repeat_to_the_byte_and_refer_to_their_own_parts_only():
    history = {"epoch": np.arange(4.0), "classification": np.ones(4), "lr": np.ones(4)}
    chart = figures.losses("first", "cam", history)
    assert chart == figures.losses("first", "cam", history)
    assert chart.startswith("<svg")
    assert chart.endswith("</svg>")
    assert 'id="first-' in chart
    assert 'id="first-' not in figures.losses("second", "cam", history)


def test_many_bars_are_thinned_out():
    few, many = (figures.differences("d", "t", np.linspace(-0.5, 0.5, n)) for n in (400, 4000))
    assert len(many) < 1.2 * len(few)


def test_text_and_attributes_are_escaped_and_html_is_not():
    assert element("td", "<b>", Html("<i></i>"), title='"&') == '<td title="&quot;&amp;">&lt;b&gt;<i></i></td>'
    assert element("img", src="a") == '<img src="a">'
    assert escape(3) == "3"
