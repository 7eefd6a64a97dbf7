"""One's own maps: what a file may hold, what it is read as, and what is refused with which words."""

import contextlib
import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.activations.maps_file import read_maps
from matlabel.activations.resample import resampled
from matlabel.artifacts.errors import UserError
from matlabel.pixels.resample import resize

NAMES = ["cat", "dog", "sheep"]


def saved(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def read(labels=(1, 3), gamma=2.0, size=(16, 24), **arrays):
    return read_maps("maps/a.npz", saved(**arrays), list(labels), NAMES, gamma, size).probabilities


@pytest.fixture
def maps():
    found = np.zeros((2, 4, 6), np.float32)
    found[0, :, :2], found[1, :, 4:] = 1, 0.75
    return found


def test_maps_are_normalised_with_a_background_where_no_class_is(maps):
    found = read(classes=[1, 3], maps=maps)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(0), 1, rtol=1e-6)
    assert (found.argmax(0) == [1, 1, 0, 0, 2, 2]).all()
    np.testing.assert_allclose(found[0, 0, 4], 0.25**2 / (0.25**2 + 0.75), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.uint8])
def test_floats_of_any_width_and_bytes_say_the_same(maps, dtype):
    spelled = np.rint(maps * 255).astype(np.uint8) if dtype == np.uint8 else maps.astype(dtype)
    np.testing.assert_allclose(read(classes=[1, 3], maps=spelled), read(classes=[1, 3], maps=maps), atol=2e-3)


def test_classes_by_name_by_value_and_in_any_order_say_the_same(maps):
    expected = read(classes=[1, 3], maps=maps)
    np.testing.assert_array_equal(read(classes=np.array(["cat", "sheep"]), maps=maps), expected)
    np.testing.assert_array_equal(read(classes=np.array([3, 1], np.uint8), maps=maps[::-1]), expected)


def test_classes_that_are_not_tagged_are_left_out(maps):
    dog = np.ones((1, 4, 6), np.float32)
    found = read(classes=[1, 2, 3], maps=np.concatenate([maps[:1], dog, maps[1:]]))
    np.testing.assert_array_equal(found, read(classes=[1, 3], maps=maps))


def test_a_background_of_ones_own_takes_the_place_of_the_formula(maps):
    background = np.full((4, 6), 0.5, np.float32)
    found = read(classes=[1, 3], maps=maps, background=background)
    np.testing.assert_allclose(found[:, 0, 0], [1 / 3, 2 / 3, 0], rtol=1e-6)
    np.testing.assert_allclose(found[:, 0, 3], [1, 0, 0])
    silent = read(classes=[1, 3], maps=np.zeros_like(maps), background=np.zeros((4, 6), np.uint8))
    assert (silent[0] == 1).all()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"maps": np.zeros((1, 4, 6))}, "no array classes; it holds maps"),
        (
            {"classes": [1, 3], "maps": np.zeros((2, 4, 6)), "bakground": 0},
            r'unknown array bakground \(did you mean "b',
        ),
        ({"classes": [1, 3], "maps": np.zeros((4, 6, 2))}, r"shape \[4, 6, 2\]; with 2 classes it must be \[2, h, w\]"),
        ({"classes": [1, 3], "maps": np.zeros((2, 0, 6))}, r"shape \[2, 0, 6\]"),
        ({"classes": [[1, 3]], "maps": np.zeros((2, 4, 6))}, r"classes has the shape \[1, 2\]"),
        (
            {"classes": [0, 2], "maps": np.zeros((2, 4, 6))},
            "0 is no label value; the data has 1 to 3; the first class is",
        ),
        ({"classes": [1, 4], "maps": np.zeros((2, 4, 6))}, "classes: 4 is no label value; the data has 1 to 3$"),
        ({"classes": [1, 1], "maps": np.zeros((2, 4, 6))}, "names cat twice"),
        ({"classes": ["cat", "shep"], "maps": np.zeros((2, 4, 6))}, r'"shep" is no class.*did you mean "sheep"'),
        ({"classes": [1.0, 3.0], "maps": np.zeros((2, 4, 6))}, "classes is float64; save integers"),
        ({"classes": [1, 2], "maps": np.zeros((2, 4, 6))}, "holds cat, dog, but the image is tagged sheep"),
        ({"classes": [1, 3], "maps": np.zeros((2, 4, 6), np.int64)}, "maps is int64; save float in"),
        ({"classes": [1, 3], "maps": np.full((2, 4, 6), 200.0)}, "maps reaches from 200 to 200; float values must lie"),
        ({"classes": [1, 3], "maps": np.full((2, 4, 6), -0.5)}, "maps reaches from -0.5 to -0.5"),
        ({"classes": [1, 3], "maps": np.full((2, 4, 6), np.nan)}, r"maps holds NaN or infinity, first at \[0, 0, 0\]"),
        ({"classes": [1, 3], "maps": np.full((2, 4, 6), np.inf)}, "maps holds NaN or infinity"),
        (
            {"classes": [1, 3], "maps": np.eye(6, dtype=np.uint8)[[[0, 3, 5, 5], [1, 2, 0, 4]]]},
            "only 0 and 1, of 0..255; ",
        ),
        (
            {"classes": [1, 3], "maps": np.zeros((2, 6, 4))},
            r"look turned, \[C, w, h\]; save np\.swapaxes\(maps, 1, 2\)",
        ),
        (
            {"classes": [1, 3], "maps": np.zeros((2, 40, 40))},
            r"another shape, .*resize them to \[2, 33, 49\]",
        ),
        ({"classes": [1, 3], "maps": np.zeros((4, 6, 2))}, r"save np\.moveaxis\(maps, 2, 0\)"),
        (
            {"classes": [1, 3], "maps": np.zeros((2, 800, 1200), np.uint8)},
            r"too large for a photograph of 24 × 16 and 3",
        ),
        ({"classes": [1] * 999, "maps": np.zeros((2, 4, 6))}, r"classes has the shape \[999\].*too large"),
        (
            {"classes": [1, 3], "maps": np.zeros((2, 4, 6)), "background": np.zeros((6, 4))},
            r"background has the shape \[6, 4\], but the maps are \[4, 6\]",
        ),
        (
            {"classes": np.array(["cat", None], object), "maps": np.zeros((2, 4, 6))},
            "holds pickled objects, which are never read; save plain arrays",
        ),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_file_array_and_fix(arrays, message):
    with pytest.raises(UserError, match=message) as error:
        read(**arrays)
    assert str(error.value).startswith("maps/a.npz: ")
    assert "\n" not in str(error.value)


class Trap:
    def __reduce__(self):
        return pytest.fail, ("a pickle was run",)


@pytest.mark.parametrize(
    "content",
    [b"", b"not an archive", pickle.dumps(Trap()), saved(classes=[1], maps=np.zeros((1, 4, 6)))[:-30]],
    ids=["empty", "text", "pickle", "cut short"],
)
def test_a_file_that_is_no_archive_is_refused_and_nothing_in_it_runs(content):
    with pytest.raises(UserError, match=r"maps/a\.npz: not an? (readable )?\.npz archive"):
        read_maps("maps/a.npz", content, [1], NAMES, 2.0, (16, 24))


@settings(max_examples=200, deadline=None)
@given(
    way=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=5),
)
def test_a_damaged_archive_is_refused_or_read_however_it_was_compressed(way, changes):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", way) as members:
        for name, array in (("classes", np.array([1, 3])), ("maps", np.full((2, 4, 6), 0.5, np.float32))):
            member = io.BytesIO()
            np.save(member, array)
            members.writestr(f"{name}.npy", member.getvalue())
    content = bytearray(archive.getvalue())
    for place, byte in changes:
        content[int(place * len(content))] = byte
    with contextlib.suppress(UserError):
        found = read_maps("maps/a.npz", bytes(content), [1, 3], NAMES, 2.0, (16, 24)).probabilities
        np.testing.assert_allclose(found.sum(0), 1, rtol=1e-6)


def test_a_pickle_within_an_archive_is_not_run():
    with pytest.raises(UserError, match="never read"):
        read(classes=[1, 3], maps=np.array([Trap(), Trap()], object))


def test_a_map_that_says_nothing_is_told_from_one_that_does(maps):
    def silent(found, labels=(1, 3)):
        return read_maps("a.npz", saved(classes=[1, 3], maps=found), list(labels), NAMES, 2.0, (16, 24)).silent

    assert silent(maps) == []
    assert silent(np.stack([maps[0], np.zeros((4, 6), np.float32)])) == [3]
    assert silent(np.stack([maps[0], maps[0]])) == [1, 3]
    # Not tagged, so it is not asked.
    assert silent(np.stack([maps[0], maps[0]]), labels=[1]) == []


def test_resampling_enlarges_as_torch_does_and_loses_no_pixel_where_it_shrinks():
    planes = np.random.default_rng(0).random((3, 5, 7), np.float32)
    planes /= planes.sum(0)
    np.testing.assert_allclose(resampled(planes, 20, 21), resize(planes, 20, 21), atol=1e-5)
    dot = np.zeros((1, 64, 64), np.float32)
    dot[0, 33, 33] = 1
    small = resampled(dot, 8, 8)
    np.testing.assert_allclose(small.sum(), 1 / 64, rtol=1e-3)
    np.testing.assert_allclose(resampled(planes, 2, 3).sum(0), 1, atol=1e-5)
