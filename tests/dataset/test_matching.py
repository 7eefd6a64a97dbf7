import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matlabel.dataset.matching import match_ids, nearest

NAMES = st.lists(st.text("abcXYZäé0129_. ", min_size=1, max_size=6), unique=True, max_size=8)


@given(ids=NAMES, stems=NAMES)
def test_a_file_has_one_id_and_the_very_name_comes_first(ids, stems):
    found = match_ids(ids, stems)
    files = [stem for stem, _ in found.values()]
    assert len(files) == len(set(files))
    assert set(files) <= set(stems)
    for image_id in set(ids) & set(stems):
        assert found[image_id] == (image_id, "")


@given(names=st.lists(st.text("abcdefgh", min_size=1, max_size=5), unique=True, min_size=1, max_size=6))
def test_what_systems_change_in_names_is_no_other_name(names):
    changed = {
        "the extension": lambda name: f"{name}.JPEG",
        "upper and lower case": str.upper,
        "leading zeros": lambda name: f"{name}_007",
    }
    for what, change in changed.items():
        stems = [f"{name}_7" for name in names] if what == "leading zeros" else names
        found = match_ids([change(name) for name in names], stems)
        assert found == {change(name): (stem, what) for name, stem in zip(names, stems, strict=True)}


def test_unicode_forms_are_one_name():
    name = "Köter_ﬁ"
    decomposed = unicodedata.normalize("NFD", name)
    assert match_ids([name], [decomposed]) == {name: (decomposed, "the Unicode form")}


@pytest.mark.parametrize(
    ("ids", "stems"),
    [
        (["a1"], ["A1x", "a2"]),
        (["a001", "a01"], ["a1"]),
        (["img"], ["IMG", "Img"]),
    ],
)
def test_an_id_that_fits_several_files_or_shares_one_gets_none(ids, stems):
    assert match_ids(ids, stems) == {}


def test_a_dot_that_begins_no_known_extension_belongs_to_the_name():
    assert match_ids(["a.b", "c.png"], ["a", "c"]) == {"c.png": ("c", "the extension")}


def test_the_nearest_name_is_found():
    assert nearest("holiday-01", ["holiday_01", "work-9"]) == "holiday_01"
    assert nearest("x", ["holiday"]) is None
