import csv
import json

import numpy as np
import pytest
from results_tree import ResultsTree

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.label_image import VOID, write_label_image
from matlabel.artifacts.provenance import provenance_path
from matlabel.artifacts.shard import open_shard
from matlabel.dataset.manifest import read_files
from matlabel.evaluation.confusion import confusion, counts, mean_iou


def evaluate(tmp_path, tree=None, **chain):
    """Scores and folder of one invented variant."""
    tree = tree or ResultsTree(tmp_path)
    keys = tree.chain("default", **chain)["keys"]
    folder = tree.results / "evaluation" / keys["evaluation"]
    return json.loads((folder / "scores.json").read_text()), folder, tree, keys


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_every_second_image_is_scored_and_the_others_choose_the_threshold(tmp_path):
    scores, folder, _, _ = evaluate(tmp_path)
    assert scores["images"] == {
        "labels": 6,
        "with_masks": 6,
        "tuning": 3,
        "scoring": 3,
        "held_out": 4,
        "held_out_with_masks": 4,
    }
    training = [row for row in rows(folder / "per_image.csv") if row["split"] == "train"]
    assert [row["half"] for row in training] == ["tune", "score"] * 3
    for section in ("winner", "trimaps", "mattes", "labels"):
        assert scores[section].get("images", 3) == 3
    assert scores["labels"]["all"]["images"] == 6
    assert scores["predictions"]["on"] == "held_out"


def test_labels_are_scored_on_the_scoring_half_alone(tmp_path):
    scores, _, tree, keys = evaluate(tmp_path)
    matrix = np.zeros((4, 5), np.int64)
    with open_shard(tree.results / "labels" / keys["labels"] / "shard-00000.h5") as shard:
        for image_id in shard.ids[1::2]:
            matrix += confusion(tree.truths[image_id], shard[image_id]["labels"], 3)
    assert scores["labels"]["miou"] == pytest.approx(mean_iou(*counts(matrix, "wrong")), abs=1e-6)


def test_the_tuning_half_never_scores(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    before, _, _, _ = evaluate(tmp_path / "one")
    tree = ResultsTree(tmp_path / "two")
    for image_id in ("train_000", "train_002", "train_004"):
        tree.replace_mask(image_id, np.full(tree.size, 1, np.uint8))
    after, _, _, _ = evaluate(tmp_path / "two", tree)
    for section in ("winner", "trimaps", "mattes", "predictions"):
        assert before[section] == after[section]
    assert {**before["labels"], "all": 0} == {**after["labels"], "all": 0}
    assert before["seed"]["tuning"] != after["seed"]["tuning"]


def test_the_curve_peaks_at_the_threshold_on_the_tuning_half(tmp_path):
    scores, folder, _, _ = evaluate(tmp_path, noise=0.9)
    curve = rows(folder / "curves.csv")
    best = max(curve, key=lambda row: float(row["tuning"]))
    assert len(curve) == 256
    assert float(best["threshold"]) == scores["seed"]["threshold"]
    assert float(best["tuning"]) == scores["seed"]["tuning"]["miou"]
    assert float(best["scoring"]) == scores["seed"]["scoring"]["miou"]


def test_per_class_repeats_the_scores_by_class(tmp_path):
    scores, folder, tree, _ = evaluate(tmp_path)
    table = rows(folder / "per_class.csv")
    assert [row["class"] for row in table] == ["background", *tree.classes]
    for row in table:
        assert float(row["labels"]) == scores["labels"]["iou"][row["class"]]
        assert float(row["trimap_precision"]) == scores["trimaps"]["precision"][row["class"]]


def test_better_and_worse_count_images(tmp_path):
    scores, folder, _, _ = evaluate(tmp_path, noise=0.9)
    pairs = [(float(row["labels"]), float(row["winner"])) for row in rows(folder / "per_image.csv") if row["winner"]]
    assert scores["better"] == sum(labels > winner for labels, winner in pairs)
    assert scores["worse"] == sum(labels < winner for labels, winner in pairs)


def test_without_masks_only_what_needs_none_is_told(tmp_path):
    scores, folder, tree, _ = evaluate(tmp_path, ResultsTree(tmp_path, masks=False))
    for section in ("seed", "seed_unspread", "winner", "trimaps", "mattes", "labels", "predictions", "better", "worse"):
        assert scores[section] is None
    told = scores["without_masks"]
    assert told["void_share"] == pytest.approx(2 / tree.size[0], abs=1e-6)
    assert told["margin"] == pytest.approx(180 / 255, abs=1e-6)
    assert 0 < told["unknown_share"] < 1
    assert told["enforced"]["regions"] == 1
    assert [row["enforced"] for row in rows(folder / "per_image.csv") if row["enforced"]] != []
    assert all(not row["labels"] for row in rows(folder / "per_class.csv"))


def test_a_tag_that_the_classifier_doubts_is_listed_and_its_image_needs_a_look(tmp_path):
    scores, folder, tree, _ = evaluate(tmp_path)
    [doubted] = [row for row in rows(folder / "wrong_tags.csv") if row["tag"] == "tagged"]
    assert doubted["id"] == "train_001"
    assert doubted["class"] == tree.classes[tree.tags["train_001"][-1] - 1]
    assert float(doubted["probability"]) == 0.02
    image = next(row for row in rows(folder / "per_image.csv") if row["id"] == "train_001")
    assert f"perhaps no {doubted['class']} (0.02)" in image["look"]
    assert float(image["doubt"]) == 0.98
    assert image["tags"] == ";".join(tree.classes[value - 1] for value in tree.tags["train_001"])
    assert scores["check"]["mean_ap"] == 0.9
    assert scores["look"] == sum(bool(row["look"]) for row in rows(folder / "per_image.csv"))
    assert scores["warnings"] == []


def test_per_image_says_how_much_objects_cover_and_how_far_they_won(tmp_path):
    _, folder, tree, keys = evaluate(tmp_path)
    with open_shard(tree.results / "labels" / keys["labels"] / "shard-00000.h5") as shard:
        for row in rows(folder / "per_image.csv")[:6]:
            labels = shard[row["id"]]["labels"]
            assert float(row["cover"]) == pytest.approx(((labels > 0) & (labels != VOID)).mean(), abs=1e-6)
            assert float(row["margin"]) == pytest.approx(180 / 255, abs=1e-6)
            assert 0 <= float(row["unknown"]) < 1


def test_a_classifier_that_does_not_know_its_tags_is_warned_of(tmp_path):
    tree = ResultsTree(tmp_path)
    keys = tree.chain("default")["keys"]
    path = tree.results / "cam" / keys["cam"] / "check.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "mean_ap": 0.41}))
    tree.evaluate(keys["evaluation"], list(keys))
    scores = json.loads((tree.results / "evaluation" / keys["evaluation"] / "scores.json").read_text())
    [warning] = scores["warnings"]
    assert warning.startswith("cam: tags of images that were held out are predicted with")


def test_method_none_and_labels_from_masks_leave_sections_empty(tmp_path):
    tree = ResultsTree(tmp_path)
    scores, _, _, _ = evaluate(tmp_path, tree, trimaps=False)
    assert scores["trimaps"] is None
    assert scores["winner"] is not None
    keys = tree.chain("full", source="masks", noise=0.0)["keys"]
    scores = json.loads((tree.results / "evaluation" / keys["evaluation"] / "scores.json").read_text())
    assert [scores[name] for name in ("seed", "winner", "trimaps", "mattes", "better")] == [None] * 5
    assert scores["labels"]["miou"] > 0.9
    assert scores["without_masks"]["enforced"] is None


def test_without_held_out_splits_predictions_are_scored_on_the_scoring_half(tmp_path):
    scores, _, _, _ = evaluate(tmp_path, ResultsTree(tmp_path, held_out=0))
    assert scores["predictions"]["on"] == "scoring"
    assert scores["predictions"]["images"] == 3


def test_a_single_mask_tunes_and_leaves_nothing_to_score(tmp_path):
    scores, _, _, _ = evaluate(tmp_path, ResultsTree(tmp_path, images=1))
    assert scores["images"]["scoring"] == 0
    assert scores["seed"]["scoring"] is None
    assert scores["labels"] is None


def test_a_data_set_of_which_everything_is_rejected_is_no_error(tmp_path):
    tree = ResultsTree(tmp_path)
    for path in (tree.results / "dataset").rglob("*.checks.json"):
        checks = json.loads(path.read_text())
        checks["rejected"] = {**checks["rejected"], **dict.fromkeys(checks["sizes"], "broken")}
        path.write_text(json.dumps(checks))
    scores, _, _, _ = evaluate(tmp_path, tree)
    assert scores["images"]["labels"] == 0
    assert scores["labels"] is None
    assert scores["without_masks"]["void_share"] is None


def test_equal_inputs_give_equal_files_and_their_provenance(tmp_path):
    _, folder, tree, keys = evaluate(tmp_path)
    names = ("scores.json", "per_class.csv", "per_image.csv", "wrong_tags.csv", "curves.csv")
    before = [(folder / name).read_bytes() for name in names]
    tree.evaluate(keys["evaluation"], list(keys))
    assert [(folder / name).read_bytes() for name in names] == before
    noted = json.loads(provenance_path(folder / "scores.json").read_text())["inputs"]
    assert str(tree.results / "labels" / keys["labels"] / "shard-00000.h5") in noted
    assert {str(path) for path, _ in read_files(tree.mask_list).values()} <= set(noted)


def test_skipping_void_scores_no_lower_than_calling_it_wrong(tmp_path):
    scores, folder, tree, keys = evaluate(tmp_path)
    tree.evaluate(keys["evaluation"], list(keys), void="skip")
    skipped = json.loads((folder / "scores.json").read_text())
    assert skipped["void"] == "skip"
    assert skipped["labels"]["miou"] > scores["labels"]["miou"]
    assert skipped["labels"]["void_share"] == scores["labels"]["void_share"] > 0


def test_a_mask_that_changed_is_named(tmp_path):
    _, _, tree, keys = evaluate(tmp_path)
    write_label_image(tmp_path / "data" / "train_001_mask.png", np.zeros(tree.size, np.uint8))
    with pytest.raises(UserError, match=r"train_001_mask\.png: changed"):
        tree.evaluate(keys["evaluation"], list(keys))


def test_a_mask_of_another_size_is_named(tmp_path):
    _, _, tree, keys = evaluate(tmp_path)
    tree.replace_mask("train_003", np.full((10, 20), VOID, np.uint8))
    with pytest.raises(UserError, match=r"train_003_mask\.png: 20 × 10 pixels, but its image has 64 × 48"):
        tree.evaluate(keys["evaluation"], list(keys))


def test_a_missing_shard_is_named(tmp_path):
    _, _, tree, keys = evaluate(tmp_path)
    (tree.results / "labels" / keys["labels"] / "shard-00000.h5").unlink()
    with pytest.raises(UserError, match=r"labels/.*shard-00000\.h5: cannot be opened"):
        tree.evaluate(keys["evaluation"], list(keys))
