import statistics

import pytest
from ablation_runs import cell, run
from hypothesis import given, settings
from hypothesis import strategies as st

from matlabel.ablation.table import rows_of, table_of


def test_variants_that_share_their_trimaps_are_one_row_named_after_closed_form():
    runs = [
        run("all.none", 0, "none", shared="all"),
        run("all", 0, shared="all"),
        run("all.crf", 0, "crf", shared="all"),
        run("plain", 0),
    ]
    rows = rows_of(runs)
    assert [(row.name, sorted(row.runs)) for row in rows] == [
        ("all", ["closed_form", "crf", "none"]),
        ("plain", ["closed_form"]),
    ]


def test_a_second_variant_of_the_same_method_is_a_row_of_its_own():
    runs = [run(name, 0, shared="a") for name in ("a", "smooth")] + [run("a.none", 0, "none", shared="a")]
    assert [(row.name, sorted(row.runs)) for row in rows_of(runs)] == [
        ("a", ["closed_form", "none"]),
        ("smooth", ["closed_form"]),
    ]


def test_variants_that_share_trimaps_with_one_seed_only_are_not_one_row():
    runs = [run("a", 0), run("a", 1), run("b", 0, "none", shared="a"), run("b", 1, "none")]
    assert [row.name for row in rows_of(runs)] == ["a", "b"]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_a_cell_is_the_mean_and_sample_deviation_over_seeds(scores):
    found = cell(
        table_of([run("a", seed, labels=score) for seed, score in enumerate(scores)]), "a", "labels_miou", "closed_form"
    )
    assert found.mean == pytest.approx(statistics.mean(scores))
    assert found.deviation == pytest.approx(statistics.stdev(scores))


def test_one_seed_has_no_deviation_and_what_nobody_has_no_column():
    table = table_of([run("a", 0)])
    assert cell(table, "a", "labels_miou", "closed_form").deviation is None
    assert {column.measure.name for column in table.columns}.isdisjoint({"predictions_miou", "seed"})


def test_a_seed_without_a_score_is_left_out_of_the_mean():
    runs = [run("a", 0, labels=0.4), run("a", 1, labels=None), run("a", 2, labels=0.6)]
    found = cell(table_of(runs), "a", "labels_miou", "closed_form")
    assert found.values == {0: 0.4, 2: 0.6}


def test_seeds_that_share_an_artifact_count_once():
    # Frozen weights know no seed: three times the same activations are not three results.
    runs = [run("a", seed) for seed in range(3)]
    same = [type(one)(one.variant, one.seed, one.method, {**one.keys, "activations": "k"}, one.scores) for one in runs]
    table = table_of(same)
    assert len(cell(table, "a", "seed_unspread").values) == 1
    assert len(cell(table, "a", "labels_miou", "closed_form").values) == 3


def test_without_spreading_the_seed_stands_before_it():
    spread = {"seed": {"scoring": {"miou": 0.6}}, "seed_unspread": {"scoring": {"miou": 0.5}}}
    table = table_of([run("plain", 0), run("all", 0, **spread)])
    assert [cell(table, row, "seed_unspread").mean for row in ("plain", "all")] == [0.4, 0.5]
    assert [cell(table, row, "seed").mean for row in ("plain", "all")] == [None, 0.6]


def test_differences_are_taken_seed_by_seed_and_only_to_rows_that_are_there():
    runs = [run("plain", seed, labels=0.3 + 0.1 * seed) for seed in range(3)]
    runs += [run("b", seed, labels=0.35 + 0.1 * seed) for seed in range(3)]
    table = table_of(runs)
    found = cell(table, "b", "labels_miou", against="plain")
    assert found.mean == pytest.approx(0.05)
    assert found.deviation == pytest.approx(0)
    assert cell(table, "plain", "labels_miou", against="plain").mean is None
    assert cell(table, "b", "labels_miou", against="all") is None


def test_labels_that_are_the_true_masks_have_no_score_but_their_segmenter_has():
    full = run("full", 0, "masks", labels=1.0, predictions={"miou": 0.7, "on": "held_out", "images": 4})
    table = table_of([run("all", 0), full])
    assert cell(table, "full", "predictions_miou", "masks").mean == 0.7
    assert cell(table, "full", "labels_miou", "masks") is None
    assert cell(table, "full", "labels_miou", "closed_form").mean is None
