"""What changed since an artifact was made, named from the driver's files then and now."""

import json
from pathlib import Path

import pytest

from matlabel.dataset.manifest import Entry, shard_text
from matlabel.dataset.scan import files_text
from matlabel.inspection.dry_run import Job
from matlabel.inspection.reasons import reasons_of, sentences

OUT = "results/trimaps/11111111/shard-00000.h5"
FOLDER = "results/trimaps/11111111"
FOLLOWS = (
    "Input files updated by another job: results/cam/22222222/model.safetensors, "
    "results/dataset/3/shard-00000.checks.json"
)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Makes a file below results/, and the provenance of an artifact."""
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    def artifact(code, *inputs):
        record = {"sha256": "0", "code": code, "inputs": dict.fromkeys(inputs, "0")}
        write(f"{OUT}.provenance.json", json.dumps(record))

    write.artifact = artifact
    return write


def why(inputs, reason="Set of input files has changed since last execution"):
    return sentences(reasons_of(Job("trimaps", inputs, [OUT], reason)))


def manifest(made, digest, *entries):
    rows = [Entry(slot, "train", *rest) for slot, rest in enumerate(entries)]
    return made(f"results/dataset/3/shard-00000-{digest * 12}.csv", shard_text(rows))


def test_edited_sources_are_named(made):
    old = made("results/.code/trimaps-aaaaaaaaaaaa", "matlabel/a.py 11\nmatlabel/b.py 22\nmatlabel/c.py 33\n")
    new = made("results/.code/trimaps-bbbbbbbbbbbb", "matlabel/a.py 11\nmatlabel/b.py 99\nmatlabel/d.py 44\n")
    made.artifact("aaaaaaaaaaaa")
    assert why([new]) == ["code: matlabel/b.py, matlabel/c.py, matlabel/d.py"]
    Path(old).unlink()
    assert why([new]) == ["code: edited, which file is no longer known"]


def test_images_and_tags_that_changed_are_named(made):
    old = manifest(made, "a", ("a0", "p", "1", ("cat",)), ("a1", "p", "2", ("cat",)), ("a2", "p", "3", ()))
    new = manifest(made, "b", ("a0", "p", "9", ("cat",)), ("a1", "p", "2", ("dog",)), ("a3", "p", "4", ()))
    made.artifact(None, old)
    assert why([new]) == ["image a0 replaced", "tag of a1 edited", "image a2 removed", "image a3 added"]


def test_many_of_a_kind_are_counted(made):
    old = manifest(made, "a", *((f"a{i}", "p", "1", ()) for i in range(9)))
    new = manifest(made, "b", *((f"a{i}", "p", "2", ()) for i in range(9)))
    made.artifact(None, old)
    assert why([new]) == ["image a0, a1, a2 and 6 more replaced"]


def test_corrections_are_told_drawn_edited_or_removed(made):
    first = made(f"{FOLDER}/corrections-00000-{'a' * 12}.csv", files_text([("a0", "p", "1"), ("a1", "p", "1")]))
    second = made(f"{FOLDER}/corrections-00000-{'b' * 12}.csv", files_text([("a0", "p", "2"), ("a2", "p", "1")]))
    made.artifact(None)
    assert why([first]) == ["correction a0, a1 drawn"]
    made.artifact(None, first)
    assert why([second]) == ["correction a0 edited", "correction a1 removed", "correction a2 drawn"]
    assert why([]) == ["correction a0, a1 removed"]


def test_what_it_follows_is_named_in_the_order_of_the_stages(made):
    made.artifact(None)
    assert why([], FOLLOWS) == ["follows dataset, cam"]


def test_where_nothing_more_is_known_snakemakes_reason_is_said_in_plain_words(made):
    made.artifact(None)
    assert why([]) == ["other input files than before"]
    assert why([], "Params have changed since last execution") == ["other options of the command than before"]


def test_an_artifact_without_a_provenance_is_named_so(made):
    assert why([]) == ["made without a provenance"]
