import json

import numpy as np
import pytest
import yaml
from PIL import Image
from results_tree import ResultsTree

from matlabel.ablation import stage
from matlabel.artifacts.digest import file_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.format import FORMAT


def settings_of(tree, runs):
    entries = [{**run, "method": "closed_form"} for run in runs]
    folder = tree.results / "ablation" / "ab1a7100"
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "format": FORMAT,
        "key": "ab1a7100",
        "classes": tree.classes,
        "stage": "ablation",
        "settings": {},
        "runs": entries,
    }
    (folder / "settings.yaml").write_text(yaml.safe_dump(content))
    return folder / "settings.yaml"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = ResultsTree(tmp_path_factory.mktemp("ablation"), images=4)
    runs = [tree.chain(name, seed, noise=noise) for name, noise in (("all", 0.3), ("plain", 0.8)) for seed in (0, 1)]
    return tree, settings_of(tree, runs), runs


def test_it_leaves_table_csv_and_picture_with_their_provenance(tree, tmp_path):
    tree, settings, runs = tree
    stage.run(settings, tree.results, tmp_path / "ablation.md", code="c0de")
    text = (tmp_path / "ablation.md").read_text()
    assert "| all |" in text
    assert "| plain |" in text
    assert "(ablation.png)" in text
    with Image.open(tmp_path / "ablation.png") as picture:
        assert np.asarray(picture.convert("L")).std() > 10
    scores = {str(tree.results / "evaluation" / run["keys"]["evaluation"] / "scores.json") for run in runs}
    for suffix in ("md", "csv", "png"):
        record = json.loads((tmp_path / f"ablation.{suffix}.provenance.json").read_text())
        assert record["code"] == "c0de"
        assert record["sha256"] == file_sha256(tmp_path / f"ablation.{suffix}")
        assert scores < set(record["inputs"])


def test_the_same_scores_give_the_same_bytes(tree, tmp_path):
    tree, settings, _ = tree
    for name in ("a", "b"):
        stage.run(settings, tree.results, tmp_path / name / "ablation.md")
    for suffix in ("md", "csv", "png"):
        assert (tmp_path / f"a/ablation.{suffix}").read_bytes() == (tmp_path / f"b/ablation.{suffix}").read_bytes()


def test_into_a_document_goes_the_section_and_beside_it_the_picture(tree, tmp_path):
    tree, settings, _ = tree
    document = tmp_path / "docs" / "results.md"
    document.parent.mkdir()
    document.write_text("before\n<!-- ablation -->\n<!-- /ablation -->\nafter\n")
    stage.run(settings, tree.results, None, document)
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| plain |" in text
    assert "(images/ablation.png)" in text
    assert (document.parent / "images/ablation.png").exists()


def test_a_document_without_markers_stays_as_it_is_and_nothing_is_written(tree, tmp_path):
    tree, settings, _ = tree
    document = tmp_path / "results.md"
    document.write_text("no markers\n")
    with pytest.raises(UserError, match="must stand in it once each"):
        stage.run(settings, tree.results, tmp_path / "ablation.md", document)
    assert [path.name for path in tmp_path.iterdir()] == ["results.md"]


def test_a_run_without_scores_is_named(tree, tmp_path):
    tree, _, runs = tree
    gone = {"variant": "all", "seed": 7, "keys": {**runs[0]["keys"], "evaluation": "00000000"}}
    with pytest.raises(UserError, match=r"scores\.json: missing: variant all, seed 7 has no scores"):
        stage.run(settings_of(tree, [*runs, gone]), tree.results, tmp_path / "ablation.md")
    assert not list(tmp_path.iterdir())


def test_without_true_masks_it_says_so(tmp_path):
    tree = ResultsTree(tmp_path, images=2, held_out=0, masks=False)
    settings = settings_of(tree, [tree.chain("all", predictions=False)])
    with pytest.raises(UserError, match="no run has a score"):
        stage.run(settings, tree.results, tmp_path / "ablation.md")
