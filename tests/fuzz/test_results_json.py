"""JSON and YAML in the results folder that were damaged, or written by somebody else."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
import yaml
from fuzzing import fuzz, mutated

from matlabel.ablation.table import Run, table_of
from matlabel.ablation.text import csv_text, markdown
from matlabel.artifacts.context import load_context
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.format import FORMAT
from matlabel.artifacts.lineage import lineage_text
from matlabel.artifacts.provenance import checked_sha256
from matlabel.artifacts.reading import read_json
from matlabel.artifacts.scores import read_check, read_scores, warnings_of
from matlabel.evaluation.warnings import warnings
from matlabel.report.captions import definitions, protocol
from matlabel.report.runs import Run as ReportRun
from matlabel.report.tables import check_table, scores_table, unmasked_table
from matlabel.settings.mattes import MattesSettings
from matlabel.settings.report import ReportSettings

SCORED = {"images": 4, "miou": 0.5, "iou": {"a": 0.4, "background": None}, "interval": [0.4, 0.6], "band_miou": 0.2}
CHECK = {
    "format": 1,
    "images": 9,
    "classes": 2,
    "loss": 0.4,
    "mean_ap": 0.9,
    "mean_ap_shuffled": 0.3,
    "mean_ap_deviation": 0.05,
    "by_class": {"a": 0.9, "ö": None},
    "look": {"loss": 0.3, "without_region": 0.1, "without_region_shuffled": 0.6},
    "plain": None,
    "objection": "the terms did harm",
}
SCORES = {
    "format": 1,
    "void": "skip",
    "boundary": 0.02,
    "band": 5,
    "bootstrap": 100,
    "images": {"labels": 8, "with_masks": 8, "tuning": 4, "scoring": 4, "held_out": 2, "held_out_with_masks": 2},
    "seed": {"threshold": 0.4, "tuning": SCORED, "scoring": SCORED},
    "seed_unspread": None,
    "winner": SCORED,
    "trimaps": {"object_precision": 0.8, "unknown_share": 0.2, "precision": {"a": None}},
    "labels": {**SCORED, "void_share": 0.1, "all": SCORED},
    "predictions": {**SCORED, "on": "held_out"},
    "without_masks": {"cover": 0.2, "margin": 0.7, "enforced": {"images": 1, "regions": 2, "share": 0.1}},
    "check": CHECK,
    "doubted_tags": 3,
    "look": 1,
    "warnings": ["cam: the tags say little"],
}
KEYS = {"activations": "00000000", "trimaps": "11111111", "labels": "22222222", "evaluation": "33333333"}
SETTINGS = {
    "format": FORMAT,
    "key": "00000000",
    "classes": ["a", "ö"],
    "stage": "report",
    "settings": {},
    "upstream": {},
}
RUNS = [{"variant": "d2cam", "seed": 0, "keys": KEYS, "held_out_labelled": True}]


def damaged(write: Callable[[Any], str]) -> Callable[[list[bytes], Random], bytes]:
    """Makes inputs of a JSON seed: a value anywhere in it replaced, removed or doubled; now and then bytes as well."""

    def make(seeds: list[bytes], random: Random) -> bytes:
        value = json.loads(seeds[0])
        for _ in range(random.choice((1, 1, 2, 4))):
            value = _replaced(value, random)
        data = write(value).encode("utf-8", "surrogatepass")
        return mutated([data], random) if random.random() < 0.2 else data

    return make


def test_damaged_scores_are_shown_or_refused(tmp_path):
    path = tmp_path / "runs/d2cam/seed-0/evaluation/scores.json"
    path.parent.mkdir(parents=True)

    def show(data: bytes) -> None:
        path.write_bytes(data)
        scores = read_scores(path)
        warnings_of(path, "d2cam")
        table = table_of([Run("d2cam", 0, "closed_form", KEYS, scores)])
        markdown(table, "a.png"), csv_text(table)
        rows: list = []
        run = ReportRun("d2cam", 0, KEYS, scores, rows, rows, {"x": np.zeros(3)}, {}, False, None, True)
        for part in (scores_table, unmasked_table, check_table, protocol, definitions):
            part([run])

    assert fuzz(show, [json.dumps(SCORES).encode()], make=damaged(json.dumps)) >= 200


def test_damaged_checks_are_judged_or_refused(tmp_path):
    def judge(data: bytes) -> None:
        (tmp_path / "check.json").write_bytes(data)
        warnings({"check": read_check(tmp_path / "check.json")})

    assert fuzz(judge, [json.dumps(CHECK).encode(), b"null"], make=damaged(json.dumps)) >= 200


def test_damaged_provenance_is_told_or_refused(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"a")
    record = tmp_path / "a.h5.provenance.json"
    seed = {"sha256": "0" * 64, "inputs": {"results/x/b.h5": "1" * 64}, "host": "h", "seconds": 1.5, "finished": "now"}

    def tell(data: bytes) -> None:
        record.write_bytes(data)
        lineage_text(tmp_path / "a.h5", tmp_path)
        checked_sha256(tmp_path / "a.h5")

    assert fuzz(tell, [json.dumps(seed).encode()], make=damaged(json.dumps)) >= 200


def test_damaged_settings_of_a_stage_are_read_or_refused(tmp_path):
    path = tmp_path / "settings.yaml"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        try:
            load_context(path, "mattes", MattesSettings)
        except UserError:
            load_context(path, "report", ReportSettings).runs(path)

    seeds = [json.dumps({**SETTINGS, "runs": RUNS}).encode()]
    assert fuzz(read, seeds, make=damaged(lambda value: yaml.safe_dump(value)), examples=100) >= 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": {"miou": "0.5"}}, r"labels\.miou is '0\.5': not what evaluation writes"),
        ({"labels": [0.5]}, r"labels is \[0\.5\]"),
        ({"warnings": "all is well"}, "warnings is 'all is well'"),
        ({"check": {**CHECK, "loss": None}}, r"check\.loss is None"),
        ({"images": {}}, "scores without the number of images"),
    ],
)
def test_forged_scores_are_named_with_the_remedy(tmp_path, change, message):
    (tmp_path / "scores.json").write_text(json.dumps({**SCORES, **change}))
    with pytest.raises(UserError, match=rf"scores\.json: .*{message}.*run again"):
        read_scores(tmp_path / "scores.json")


def test_an_input_that_no_file_can_be_called_is_shown_as_it_stands(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"a")
    record = {"sha256": "0" * 64, "inputs": {"x" * 300: "1" * 64}}
    (tmp_path / "a.h5.provenance.json").write_text(json.dumps(record))
    assert "x" * 300 in lineage_text(tmp_path / "a.h5", tmp_path)


def test_what_evaluation_writes_is_read_as_it_stands(tmp_path):
    (tmp_path / "scores.json").write_text(json.dumps(SCORES))
    assert read_scores(tmp_path / "scores.json") == SCORES
    (tmp_path / "check.json").write_text("null")
    assert read_check(tmp_path / "check.json") is None


def test_what_a_reader_does_wrong_is_found_and_named_with_its_input(tmp_path):
    """The fuzzing itself: an exception, a hang and a wish for much memory are told apart from an answer."""
    with pytest.raises(AssertionError, match="UnicodeDecodeError"):
        fuzz(lambda data: data.decode("utf-8") and None, ["ü".encode()], seconds=0)
    with pytest.raises(AssertionError, match="MemoryError"):
        fuzz(lambda data: bytes(3 << 30) and None, [b"a"], seconds=0, examples=1)

    def refuse(data: bytes) -> None:
        (tmp_path / "file.json").write_bytes(data)
        read_json(tmp_path / "file.json")

    assert fuzz(refuse, [b"[" * 5000 + b"]" * 5000, b'{"a": 1e999}'], seconds=0) == 200


def _replaced(value: Any, random: Random) -> Any:
    """The same with one value in it, at any depth, replaced by another."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(list(value))
        if random.random() < 0.1:
            return {other: found for other, found in value.items() if other != name}
        return {**value, name: _replaced(value[name], random)}
    if isinstance(value, list) and value and random.random() < 0.7:
        return [*value[1:], _replaced(value[0], random)]
    odd = (
        None,
        True,
        -1,
        1e300,
        float("nan"),
        float("inf"),
        1 << 70,
        "",
        "x\u2028",
        "\ud800",
        [],
        {},
        [[1]],
        {"a": {}},
    )
    return random.choice((*odd, 3, 0.5, "0.5"))
