import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from typer.testing import CliRunner

from matlabel import cli
from matlabel.artifacts.digest import text_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.lineage import lineage_text
from matlabel.artifacts.provenance import Inputs, provenance_path, recorded
from matlabel.artifacts.shard import write_shard
from matlabel.inspection.verify import repair, verify
from matlabel.runs.driver import Driver


@pytest.fixture
def results(tmp_path):
    """A driver's CSV, trimaps made from it, and labels made from those."""
    root = tmp_path / "results"
    csv = root / "dataset/00000000" / f"shard-00000-{text_sha256('rows')[:12]}.csv"
    csv.parent.mkdir(parents=True)
    csv.write_text("rows")
    for stage, source in (("trimaps", csv), ("labels", root / "trimaps/00000000/shard-00000.h5")):
        out = root / stage / "00000000" / "shard-00000.h5"
        with (
            recorded([out], stage=stage, key="00000000", code="c0de") as inputs,
            write_shard(out, stage=stage, key="00000000", classes=["cat"], settings={}) as shard,
        ):
            inputs.add(source)
            shard.add("a", plane=np.arange(5000, dtype=np.uint8))
    return root


def found(results):
    return {finding.path.relative_to(results).as_posix(): finding.problem for finding in verify(results)}


def flip(path, place=-9):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_what_is_as_it_was_written_is_not_named(results):
    (results / "runs/default/seed-0").mkdir(parents=True)
    (results / "labels/00000000/settings.yaml").write_text("stage: labels")
    assert found(results) == {}


def test_a_flipped_bit_a_lost_end_and_a_file_gone_are_told_apart(results):
    labels, trimaps = (results / stage / "00000000/shard-00000.h5" for stage in ("labels", "trimaps"))
    flip(labels)
    trimaps.write_bytes(trimaps.read_bytes()[:-1])
    assert found(results) == {
        "labels/00000000/shard-00000.h5": "damaged",
        "trimaps/00000000/shard-00000.h5": "truncated",
    }
    labels.unlink()
    assert found(results)["labels/00000000/shard-00000.h5.provenance.json"] == "missing"


def test_a_file_from_elsewhere_is_foreign(results):
    labels = results / "labels/00000000/shard-00000.h5"
    other = results / "labels/11111111/shard-00000.h5"
    other.parent.mkdir()
    other.write_bytes(labels.read_bytes())
    assert found(results) == {"labels/11111111/shard-00000.h5": "foreign"}
    provenance_path(other).write_bytes(provenance_path(labels).read_bytes())
    assert found(results) == {"labels/11111111/shard-00000.h5": "foreign"}


def test_a_drivers_file_is_held_against_its_name(results):
    csv = next((results / "dataset/00000000").glob("*.csv"))
    flip(csv, 0)
    assert list(found(results).values()) == ["damaged"]


def test_an_index_of_digests_is_named_by_its_folder_and_no_artifact(results):
    (results / "dataset/00000000/index-0123456789ab.csv").write_text("path,size,mtime,sha256")
    assert found(results) == {}


def test_an_unreadable_provenance_is_damage_and_a_message_to_whoever_reads_its_file(results):
    labels = results / "labels/00000000/shard-00000.h5"
    for text in ("{", "[]", '{"sha256": 3}'):
        provenance_path(labels).write_text(text)
        assert found(results) == {"labels/00000000/shard-00000.h5": "damaged"}
        with pytest.raises(UserError, match="not a provenance"):
            Inputs().add(labels)


def test_repair_deletes_what_is_damaged_and_nothing_else(results):
    labels = results / "labels/00000000/shard-00000.h5"
    foreign = results / "labels/00000000/shard-00009.h5"
    foreign.write_bytes(b"mine")
    flip(labels)
    for finding in [finding for finding in verify(results) if finding.repairable]:
        repair(finding, results)
    assert not labels.exists()
    assert not provenance_path(labels).exists()
    assert found(results) == {"labels/00000000/shard-00009.h5": "foreign"}


MINE = (
    "notes-0123456789ab.csv",
    "mine/photos/table-202611270930.csv",
    "mine/12345678/shard-00000-0123456789ab.csv",
    "labels/backup/shard-00000.h5",
    "labels/00000000/shard-00000 (copy).h5",
    "labels/00000000/figure.png",
    "labels/00000000/shard-00000-0123456789ab.csv",
    "labels/00000000/model.safetensors",
    "dataset/00000000/people-0123456789ab.csv",
    "dataset/0000000/shard-00000-0123456789ab.csv",
    "runs/00000000/shard-00000.h5",
    "report/00000000/index.html",
    "evaluation/00000000/my-scores.json",
)


def test_no_file_of_somebody_elses_is_deleted_whatever_it_is_called_and_lies_beside(results, tmp_path):
    for name in MINE:
        path = results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
        provenance_path(path).write_text("{")
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "22222222").mkdir(parents=True)
    for name in ("shard-00000.h5", "shard-00000.h5.provenance.json"):
        (elsewhere / "22222222" / name).write_text("{")
    # A link to a folder in place of a stage, of a key and of a file.
    (results / "mattes").symlink_to(elsewhere)
    (results / "labels/22222222").symlink_to(elsewhere / "22222222")
    (results / "labels/00000000/shard-00007.h5").symlink_to(elsewhere / "22222222/shard-00000.h5")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = CliRunner().invoke(cli.app, ["verify", str(results), "--repair"])
    assert (result.exit_code, "deleted" in result.output) == (1, False)
    for link in ("mattes", "labels/22222222"):
        assert f"{results / link}: a link, not looked at" in result.output
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert found(results) == {"labels/00000000/shard-00007.h5": "foreign"}


def test_repair_refuses_what_has_become_somebody_elses(results, tmp_path):
    labels = results / "labels/00000000/shard-00000.h5"
    flip(labels)
    (finding,) = verify(results)
    (results / "labels").rename(tmp_path / "labels")
    (results / "labels").symlink_to(tmp_path / "labels")
    with pytest.raises(UserError, match="left alone"):
        repair(finding, results)
    assert (tmp_path / "labels/00000000/shard-00000.h5").exists()


def test_repair_refuses_while_a_run_is_at_work_and_what_has_become_whole_since(results):
    labels = results / "labels/00000000/shard-00000.h5"
    whole = labels.read_bytes()
    flip(labels)
    (finding,) = verify(results)
    driver = results / ".drivers/this.json"
    driver.parent.mkdir()
    driver.write_text(json.dumps(asdict(replace(Driver.this_process(), executor="local"))))
    with pytest.raises(UserError, match="another run is at work"):
        repair(finding, results)
    result = CliRunner().invoke(cli.app, ["verify", str(results), "--repair"])
    assert (result.exit_code, "another run is at work" in str(result.exception)) == (1, True)
    driver.unlink()
    # Its job was between the artifact and the provenance.
    labels.write_bytes(whole)
    with pytest.raises(UserError, match="left alone"):
        repair(finding, results)
    assert labels.read_bytes() == whole


def test_whoever_reads_a_damaged_artifact_names_it(results):
    trimaps = results / "trimaps/00000000/shard-00000.h5"
    Inputs().add(trimaps)
    flip(trimaps)
    with pytest.raises(UserError, match=r"trimaps/00000000/shard-00000\.h5: damaged.*verify --repair"):
        Inputs().add(trimaps)


def test_the_command_says_what_it_found_and_fails_where_something_is_left(results):
    run = CliRunner().invoke
    assert run(cli.app, ["verify", str(results)]).exit_code == 0
    flip(results / "labels/00000000/shard-00000.h5")
    result = run(cli.app, ["verify", str(results)])
    assert (result.exit_code, "shard-00000.h5: damaged" in result.output) == (1, True)
    result = run(cli.app, ["verify", str(results), "--repair"])
    assert (result.exit_code, "damaged, deleted" in result.output) == (0, True)


def test_lineage_goes_back_to_what_has_no_provenance(results):
    text = lineage_text(results / "labels/00000000/shard-00000.h5", results.parent)
    lines = [line.split("  (")[0] for line in text.splitlines()]
    assert [len(line) - len(line.lstrip()) for line in lines] == [0, 2, 4]
    assert [part in line for part, line in zip(("labels/", "trimaps/", "dataset/"), lines, strict=True)] == [True] * 3
    with pytest.raises(UserError, match="has no provenance"):
        lineage_text(next((results / "dataset/00000000").glob("*.csv")), results.parent)
