"""Wrong tags, found from predictions of images that were held out."""

import numpy as np
import pytest

from matlabel.evaluation.held_out_tags import HeldOutTags


def written(path, rows):
    lines = ["id,cat,dog", *(",".join([image_id, *(f"{value:.4f}" for value in found)]) for image_id, found in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def files(tmp_path):
    """Forty images of cats and of dogs; of the first the tag is the other one's, the second has too few."""
    random = np.random.default_rng(0)
    truth = {f"a{number}": [1 + number % 2] for number in range(40)}
    truth["a1"] = [1, 2]
    rows = [
        (image_id, [random.uniform(0.7, 1) if label in labels else random.uniform(0, 0.3) for label in (1, 2)])
        for image_id, labels in truth.items()
    ]
    rows[0] = ("a0", [0.97, 0.02])
    rows[1] = ("a1", [0.98, 0.96])
    tags = {**truth, "a0": [2], "a1": [2]}
    return written(tmp_path / "held_out.csv", rows), tags


def test_a_wrong_tag_and_a_missing_one_are_doubted_and_no_others(files):
    found = HeldOutTags(*files, classes=2)
    assert [(doubt.label, doubt.tagged) for doubt in found.doubts("a0")] == [(1, True), (0, False)]
    assert [(doubt.label, doubt.tagged) for doubt in found.doubts("a1")] == [(0, False)]
    assert found.doubts("a1")[0].severity == pytest.approx(0.98)
    assert [number for number in range(2, 40) if found.doubts(f"a{number}")] == []


def test_of_images_that_were_not_asked_or_are_not_known_nothing_is_said(files):
    found = HeldOutTags(*files, classes=2)
    assert found.doubts("nobody") == []
    assert HeldOutTags(files[0], {}, classes=2).doubts("a0") == []


def test_doubts_are_against_the_odds_and_of_classes_that_are_known_from_several_images(tmp_path):
    # The only dog was never seen by the classifier that was asked for it; cats are known no better than by chance.
    rows = [(f"a{number}", [0.3 + 0.01 * (number % 2), 0.01 * number]) for number in range(40)]
    tags = {image_id: [1] * (number % 3 > 0) + [2] * (number == 2) for number, (image_id, _) in enumerate(rows)}
    found = HeldOutTags(written(tmp_path / "held_out.csv", rows), tags, classes=2)
    assert all(doubt.tagged and doubt.label == 0 for image_id, _ in rows for doubt in found.doubts(image_id))


def test_a_class_that_all_images_have_is_never_doubted(tmp_path):
    rows = [(f"a{number}", [0.01 * number, 0.5]) for number in range(10)]
    path = written(tmp_path / "held_out.csv", rows)
    found = HeldOutTags(path, {image_id: [1] for image_id, _ in rows}, classes=2)
    assert all(not found.doubts(image_id) for image_id, _ in rows)
