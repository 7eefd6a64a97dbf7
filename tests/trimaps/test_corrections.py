import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import voc_palette
from matlabel.trimaps.corrections import read_correction

NAMES = ["cat", "dog"]


@pytest.fixture
def drawing(tmp_path):
    def draw(pixels, size=(8, 6)):
        canvas = np.zeros((*size, 4), np.uint8)
        for (row, column), colour in pixels.items():
            canvas[row, column] = colour
        Image.fromarray(canvas).save(tmp_path / "a.png")
        return tmp_path / "a.png"

    return draw


def test_strokes_are_read_in_the_palettes_colours(drawing):
    path = drawing(
        {
            (0, 0): (128, 0, 0, 255),
            (0, 1): (0, 0, 0, 255),
            (0, 2): (224, 224, 192, 255),
            (0, 3): (140, 10, 5, 200),
            (0, 4): (0, 128, 0, 90),
        }
    )
    opinion = read_correction(path, (8, 6), [1], NAMES)
    assert opinion[0].tolist() == [1, 0, 255, 1, -1, -1]
    assert (opinion[1:] == -1).all()


@pytest.mark.parametrize(
    ("pixels", "size", "message"),
    [
        ({}, (8, 7), r"a\.png: 7 × 8 pixels, the image has 6 × 8"),
        ({(3, 2): (255, 0, 255, 255)}, (8, 6), r"colour #ff00ff at row 3, column 2"),
        ({(3, 2): (0, 128, 0, 255)}, (8, 6), r"dog drawn at row 3, column 2, but the image is tagged cat"),
    ],
)
def test_a_correction_that_does_not_fit_is_refused_with_its_place(drawing, pixels, size, message):
    with pytest.raises(UserError, match=message):
        read_correction(drawing(pixels, size), (8, 6), [1], NAMES)


def test_a_correction_that_is_no_image_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"a\.png: not a readable correction"):
        read_correction(tmp_path / "a.png", (8, 6), [1], NAMES)


def layer(size, *strokes):
    """Squares (place, side, colour) with an edge of four pixels that fades into what lies below."""
    canvas = np.zeros((*size, 4))
    for (top, left), side, colour in strokes:
        rows, columns = np.indices(size)
        outside = np.maximum(
            np.maximum(top - rows, rows - top - side + 1), np.maximum(left - columns, columns - left - side + 1)
        )
        alpha = np.clip(1 - outside / 5, 0, 1)[..., None]
        below = canvas[..., 3:] * (1 - alpha)
        total = np.maximum(alpha + below, 1e-9)
        canvas[..., :3] = (alpha * colour + below * canvas[..., :3]) / total
        canvas[..., 3:] = alpha + below
    canvas[..., 3] *= 255
    return np.rint(canvas).astype(np.uint8)


@settings(deadline=None)
@given(
    labels=st.lists(st.integers(1, 200), min_size=1, max_size=3, unique=True).map(sorted),
    order=st.permutations(range(4)),
    overlap=st.integers(-3, 8),
)
def test_a_soft_brush_draws_the_tagged_classes_and_none_that_its_blends_meet(tmp_path_factory, labels, order, overlap):
    values = ([0, *labels, 255] * 2)[:4]
    colours = voc_palette()[values].astype(float)
    assume(len({tuple(colour) for colour in colours}) == len(set(values)))
    strokes = [((6, 8 + place * (14 - overlap)), 14, colours[index]) for place, index in enumerate(order)]
    path = tmp_path_factory.mktemp("soft") / "a.png"
    Image.fromarray(layer((30, 80), *strokes)).save(path)
    opinion = read_correction(path, (30, 80), labels, [f"class {n}" for n in range(1, 201)])
    assert set(np.unique(opinion)) <= {-1, *values}
    # The stroke that was drawn last covers its square, but for a corner where others' edges meet.
    assert (opinion[6:20, 8 + 3 * (14 - overlap) :][:, :14] == values[order[3]]).mean() > 0.97


def test_a_solid_stroke_in_a_colour_between_two_is_no_blend(drawing):
    names = [f"class {n}" for n in range(1, 81)]
    # 65 has the colour half-way between 1 and 9.
    block = {(row, column): (160, 0, 0, 255) for row in range(6) for column in range(6)}
    with pytest.raises(
        UserError, match=r"class 65 drawn at row \d, column \d, but the image is tagged class 1, class 9"
    ):
        read_correction(drawing(block), (8, 6), [1, 9], names)
    edge = {**{(3, c): (160, 0, 0, 255) for c in range(6)}, **{(4, c): (128, 0, 0, 255) for c in range(6)}}
    assert (read_correction(drawing(edge), (8, 6), [1, 9], names)[3] == -1).all()


@pytest.mark.parametrize(("labels", "below"), [([1, 9], 0), ([1, 8, 9], 0), ([1, 9], 255)])
def test_a_soft_edge_is_no_tagged_class_whose_colour_it_passes(tmp_path, labels, below):
    """Class 1 has the colour half-way from black to class 9, class 8 a quarter of it."""
    colours = voc_palette().astype(float)
    drawing = layer((60, 60), ((6, 6), 48, colours[below]), ((20, 20), 20, colours[9]))
    Image.fromarray(drawing).save(tmp_path / "a.png")
    names = [f"class {n}" for n in range(1, 21)]
    opinion = read_correction(tmp_path / "a.png", (60, 60), labels, names)
    assert set(np.unique(opinion)) == {-1, below, 9}
    # What is drawn in that very colour counts, thin as it may be.
    line = layer((60, 60), ((6, 6), 48, colours[below]))
    line[30:33, 10:50] = (*voc_palette()[1], 255)
    Image.fromarray(line).save(tmp_path / "a.png")
    opinion = read_correction(tmp_path / "a.png", (60, 60), labels, names)
    assert (opinion[30:33, 10:50] == 1).all()


def test_a_line_in_a_class_that_is_not_tagged_is_no_soft_edge(drawing):
    names = [f"class {n}" for n in range(1, 21)]
    line = {(3, column): (64, 0, 0, 255) for column in range(6)}  # class 8, half-way from black to class 1
    with pytest.raises(UserError, match="class 8 drawn at row 3, column 0, but the image is tagged class 1"):
        read_correction(drawing(line), (8, 6), [1], names)


def test_what_is_hardly_drawn_or_drawn_everywhere_is_refused(drawing):
    faint = {(3, column): (128, 0, 0, 100) for column in range(6)}
    with pytest.raises(UserError, match="hardly there"):
        read_correction(drawing(faint), (8, 6), [1], NAMES)
    everywhere = {(row, column): (0, 0, 0, 255) for row in range(8) for column in range(6)}
    with pytest.raises(UserError, match="nothing in it is transparent, so that every pixel would count"):
        read_correction(drawing({**everywhere, (2, 2): (128, 0, 0, 255)}), (8, 6), [1], NAMES)
