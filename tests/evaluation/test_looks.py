"""Which images need a look, and when the labels as a whole are warned of."""

import numpy as np
import pytest

from matlabel.evaluation.held_out_tags import TagDoubt
from matlabel.evaluation.looks import reasons
from matlabel.evaluation.warnings import warnings

NAMES = ["background", "cat", "dog"]


def label(**shares):
    out = np.zeros(1000, np.uint8)
    place = 0
    for name, share in shares.items():
        count = int(share * 1000)
        out[place : place + count] = NAMES.index(name)
        place += count
    return out.reshape(25, 40)


def test_a_sound_image_needs_no_look():
    assert reasons(label(cat=0.3), [1], [], [], NAMES) == []
    assert reasons(label(), [], [], [], NAMES) == []


@pytest.mark.parametrize(
    ("labels", "tags", "enforced", "doubts", "words"),
    [
        (label(cat=0.3), [1, 2], [], [], "no dog in the label"),
        (label(cat=0.3), [1], [1], [], "nothing sure of cat"),
        (label(cat=0.99), [1], [], [], "no background in the label"),
        (label(cat=0.3), [1], [], [TagDoubt(0, True, 0.1)], "perhaps no cat (0.10)"),
        (label(cat=0.3), [1], [], [TagDoubt(1, False, 0.8)], "perhaps also dog (0.80)"),
    ],
)
def test_what_is_odd_is_said(labels, tags, enforced, doubts, words):
    [reason] = reasons(labels, tags, enforced, doubts, NAMES)
    assert reason.words == words
    assert 0 < reason.severity <= 1


def test_the_weightiest_reason_comes_first():
    found = reasons(label(cat=0.3), [1, 2], [1], [TagDoubt(0, True, 0.02)], NAMES)
    assert [reason.severity for reason in found] == sorted((reason.severity for reason in found), reverse=True)
    assert found[0].words.startswith("perhaps no cat")


def scores(**changes):
    check = {
        "classes": 3,
        "loss": 0.4,
        "mean_ap": 0.8,
        "mean_ap_shuffled": 0.2,
        "mean_ap_deviation": 0.02,
        "objection": None,
        "plain": None,
    }
    check["look"] = {"loss": 0.3, "without_region": 0.1, "without_region_shuffled": 0.7}
    about = {"cover": 0.3, "enforced": {"share": 0.1}}
    for name, value in changes.items():
        part, _, inner = name.partition("__")
        found = check if part in check else about
        if inner:
            found[part][inner] = value
        else:
            found[part] = value
    return {"check": check, "without_masks": about}


def test_sound_labels_are_not_warned_of():
    assert warnings(scores()) == []
    # Shuffled tags of a few can be right by chance, but not so right.
    assert warnings(scores(mean_ap=1.0, mean_ap_shuffled=0.966, mean_ap_deviation=0.021)) == []
    assert warnings({"check": None, "without_masks": {"cover": 0.3, "enforced": None}}) == []
    # Tiny objects have no sure region of their own, but their tags are predicted and the maps know whose they are.
    assert warnings(scores(enforced__share=0.95, look__without_region=0.5, cover=0.01)) == []
    # A plain classifier that finds a region for its tags.
    assert warnings(scores(loss=0.9)) == []


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({"mean_ap": 0.22}, "cam"),
        ({"mean_ap": 0.35, "mean_ap_deviation": 0.06}, "cam"),
        ({"look__loss": 1.1}, "cam"),
        ({"classes": 0}, "cam"),
        ({"objection": "tags are predicted worse with the terms"}, "cam"),
        ({"enforced__share": 0.8, "look__without_region": 0.71}, "trimaps"),
        ({"enforced__share": 0.8, "loss": 0.8}, "trimaps"),
        ({"cover": 0.95}, "labels"),
        ({"cover": 0.001}, "labels"),
    ],
)
def test_a_warning_names_the_stage_and_a_remedy(changes, stage):
    [warning] = warnings(scores(**changes))
    assert warning.startswith(f"{stage}: ")
    assert "set " in warning or "start from" in warning or "raise" in warning
