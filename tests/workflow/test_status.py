"""What status, clean and diff say of a real run, and that it is what Snakemake does."""

import copy
import json
import os
import shutil
import time
from base64 import urlsafe_b64encode

import numpy as np
import pytest
from PIL import Image
from snapshot import snapshot
from tiny import ROOT, TINY, Run
from typer.testing import CliRunner

from matlabel import cli
from matlabel.artifacts.errors import UserError
from matlabel.inspection.clean import leftovers, remove
from matlabel.inspection.settings_of import side_of
from matlabel.inspection.status import status_of
from matlabel.inspection.workflow import find_workflow

pytestmark = pytest.mark.workflow
SHARDED = ("dataset", "activations", "trimaps", "mattes", "labels")


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run, to be changed at will."""
    shutil.copytree(finished.folder, tmp_path / "run", symlinks=True)
    return Run(tmp_path / "run")


def workflow(run, *values):
    return find_workflow(ROOT / "Snakefile", run.folder, [run.folder / "tiny.yaml"], values)


def agreed(run):
    """Stage -> its state; and what a run would start is what Snakemake says."""
    found = status_of(workflow(run))
    assert found.jobs == run.planned()
    return {stage.stage: stage for stage in found.stages.values()}


def command(run, *words):
    options = ["-s", str(ROOT / "Snakefile"), "-d", str(run.folder), "--configfile", str(run.folder / "tiny.yaml")]
    return CliRunner().invoke(cli.app, [*words, *options])


def folder_of(run, stage):
    return (run.folder / f"results/runs/default/seed-0/{stage}").resolve()


def test_after_a_run_all_is_done(run):
    stages = agreed(run)
    assert {stage.state for stage in stages.values()} == {"done"}
    assert stages["labels"].size > 0
    assert stages["cam"].seconds > 0
    assert (stages["predictions"].there, stages["predictions"].of) == (1, 1)
    scores = json.loads((folder_of(run, "evaluation") / "scores.json").read_text())
    shutil.rmtree(run.folder / "results/runs")  # nothing is looked up there
    lines = command(run, "headline").output.splitlines()
    assert lines[1].split()[-2] == f"{100 * scores['labels']['miou']:.1f}"
    assert not [line for line in lines if line.endswith("run snakemake")]
    assert lines[-1] == f"report: {next(run.folder.resolve().glob('results/report/*/report.html'))}"


def test_looking_changes_nothing(run):
    run.config({**TINY, "trimaps": {"margin": 0.4}})
    path = run.folder / "animals/labels.csv"
    path.write_text(path.read_text().replace("v0,val,cat", "v0,val,dog"))
    before = snapshot(run.folder)
    assert command(run, "status").exit_code == 0
    result = command(run, "clean")  # nobody answers its question
    assert (result.exit_code, "Delete all of this?" in result.output) == (1, True)
    assert command(run, "diff", "default", folder_of(run, "labels").name).exit_code == 0
    assert snapshot(run.folder) == before


def test_a_changed_setting_is_missing_from_there_on(run):
    run.config({**TINY, "trimaps": {"margin": 0.4}})
    stages = agreed(run)
    missing = [stage for stage, found in stages.items() if found.state == "missing"]
    assert missing == ["trimaps", "mattes", "labels", "segmenter", "predictions", "evaluation", "report"]
    assert {stages[stage].state for stage in ("dataset", "cam", "activations")} == {"done"}
    # The links and the scores of the other config lie there, and are not shown for this one's.
    lines = command(run, "headline").output.splitlines()
    assert lines[1].split() == ["default,", "seed", "0", "–", "–", "–", "–"]
    assert [line for line in lines if "is missing; run snakemake" in line]
    assert lines[-1] == "report: none of this config yet; run snakemake"


def test_a_shard_deleted_is_partial_and_all_that_may_follow_is_told(run):
    (folder_of(run, "mattes") / "shard-00001.h5").unlink()
    stages = agreed(run)
    assert (stages["mattes"].state, stages["mattes"].there, stages["mattes"].of) == ("partial", 2, 3)
    assert [stages[stage].state for stage in ("trimaps", "labels", "segmenter")] == ["done", "stale", "stale"]
    assert "follows labels" in stages["segmenter"].reasons
    assert "What is lost is made again first" in command(run, "status").output


def test_an_edited_tag_is_named_with_all_that_reads_it(run):
    path = run.folder / "animals/labels.csv"
    path.write_text(path.read_text().replace("v0,val,cat", "v0,val,dog"))
    stages = agreed(run)
    for stage in SHARDED:
        assert (stages[stage].state, stages[stage].stale) == ("stale", 1), stage
        assert stages[stage].reasons[0] == "tag of v0 edited"
    assert (stages["cam"].state, stages["segmenter"].state) == ("done", "done")
    assert stages["dataset"].reasons == ("tag of v0 edited",)
    assert stages["predictions"].reasons[-1] == "follows dataset"


def test_a_replaced_image_is_named_and_its_training_stale(run):
    Image.fromarray(np.full((56, 64, 3), 90, np.uint8)).save(next((run.folder / "animals/images").glob("a3.*")))
    stages = agreed(run)
    assert stages["cam"].reasons == ("image a3 replaced", "follows dataset")
    assert stages["activations"].stale == 3


def test_a_correction_drawn_is_named(run):
    config = copy.deepcopy(TINY)
    config["trimaps"] = {"corrections": "corrections"}
    config["segmenter"]["train"] = False
    run.config(config)
    (run.folder / "corrections").mkdir()
    run.snakemake("--until", "trimaps")
    stroke = np.zeros((56, 64, 4), np.uint8)
    stroke[40:52, 50:62] = (128, 0, 0, 255)
    Image.fromarray(stroke).save(run.folder / "corrections/a0.png")
    trimaps = agreed(run)["trimaps"]
    assert (trimaps.state, trimaps.stale, trimaps.reasons) == ("stale", 1, ("correction a0 drawn",))


def test_an_edited_source_file_is_named(run):
    # As if the mattes had been made by other code: told so are Snakemake's records, the provenances and the code file.
    new = next((run.folder / "results/.code").glob("mattes-*"))
    digest, old = new.name.removeprefix("mattes-"), "0123456789ab"
    lines = new.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("matlabel/mattes/closed_form.py "))
    lines[place] = "matlabel/mattes/closed_form.py " + "0" * 64
    new.with_name(f"mattes-{old}").write_text("\n".join(lines) + "\n")
    for path in [
        *(run.folder / ".snakemake/metadata").rglob("*"),
        *folder_of(run, "mattes").glob("*.provenance.json"),
    ]:
        if path.is_file() and digest in (text := path.read_text()):
            path.write_text(text.replace(digest, old))
    stages = agreed(run)
    assert (stages["mattes"].state, stages["mattes"].reasons) == ("stale", ("code: matlabel/mattes/closed_form.py",))
    assert stages["trimaps"].state == "done"
    assert stages["labels"].reasons == ("follows mattes",)


def test_a_shorter_file_is_damaged_and_a_lost_export_is_named(run):
    shard = folder_of(run, "trimaps") / "shard-00000.h5"
    times = shard.stat()
    shard.write_bytes(shard.read_bytes()[:-1])
    os.utime(shard, ns=(times.st_atime_ns, times.st_mtime_ns))
    shutil.rmtree(folder_of(run, "labels") / "png/shard-00002")
    stages = agreed(run)
    assert stages["trimaps"].state == "damaged"
    assert "damaged: shard-00000.h5" in stages["trimaps"].reasons[0]
    assert (stages["labels"].state, stages["labels"].stale) == ("stale", 1)
    assert stages["labels"].reasons == ("lost: png/shard-00002",)


def test_what_a_run_holds_is_running_and_a_killed_one_interrupted(run):
    shard = folder_of(run, "mattes") / "shard-00002.h5"
    name = str(shard.relative_to(run.folder.resolve()))
    (run.folder / ".snakemake/incomplete" / urlsafe_b64encode(name.encode()).decode()).write_text("{}")
    assert agreed(run)["mattes"].reasons == ("interrupted, the file may be incomplete",)
    (run.folder / ".snakemake/locks").mkdir(exist_ok=True)
    (run.folder / ".snakemake/locks/0.output.lock").write_text(name)
    found = command(run, "status").output
    assert "running? 3 of 3" in found
    assert "A run is going on here" in found
    for words in (("clean",), ("clean", "--yes")):
        result = command(run, *words)
        assert isinstance(result.exception, UserError)
        assert "a run is going on" in str(result.exception)


def test_variants_share_what_they_have_in_common_and_are_told_so(run):
    run.config({**TINY, "variants": {"default": {}, "wide": {"trimaps": {"margin": 0.4}}}})
    output = command(run, "status").output
    assert output.count("as default, seed 0") == 3
    assert command(run, "diff", "default", "wide").output.count(" -> ") == 1
    assert "trimaps.margin: 0.2 -> 0.4" in command(run, "diff", "default", "wide").output


def test_clean_takes_what_the_config_does_not_lead_to_and_a_run_misses_nothing(run):
    command(run, "clean", "--yes")
    current = folder_of(run, "trimaps")
    run.config({**TINY, "trimaps": {"margin": 0.4}})
    run.snakemake("--until", "trimaps")
    run.config(TINY)
    run.snakemake("-n")
    other = {path for path in current.parent.iterdir() if path != current}
    assert len(other) == 1
    found = leftovers([workflow(run)])
    assert other <= {leftover.path for leftover in found if leftover.what == "artifacts"}
    assert leftovers([workflow(run), workflow(run, "trimaps={margin: 0.4}")]) == []
    checkpoint, temporary = folder_of(run, "cam") / "checkpoint-fold-2.pt", current / ".shard-00000.h5.abcdefgh.tmp"
    fresh = current / ".shard-00001.h5.abcdefgh.tmp"
    driver = folder_of(run, "dataset") / "shard-00000-0123456789ab.csv"
    for path in (checkpoint, temporary, fresh, driver):
        path.write_text("left")
    old = time.time() - 10_000
    os.utime(temporary, (old, old))
    os.utime(checkpoint, (old, old))
    keep = run.folder / "keep"
    (keep / "11111111").mkdir(parents=True)
    (keep / "11111111/mine").write_text("mine")
    (current.parent / "22222222").symlink_to(keep / "11111111")
    result = command(run, "clean", "--yes")
    assert result.exit_code == 0, result.output
    assert [path.exists() for path in (*other, checkpoint, temporary, driver)] == [False] * 4
    assert fresh.exists()
    assert (keep / "11111111/mine").exists()
    assert (current.parent / "22222222").is_symlink()
    assert not [path for path in (run.folder / "results/runs").rglob("*") if path.is_symlink() and not path.exists()]
    assert {stage.state for stage in agreed(run).values()} == {"done"}
    assert run.planned() == {}
    assert "Nothing to clean" in command(run, "clean").output


def test_what_another_version_has_made_is_named_in_a_line_and_left_alone(run):
    old = run.folder / "results/trimaps/0123abcd"
    old.mkdir()
    (old / "settings.yaml").write_text("key: 0123abcd\nstage: trimaps\nsettings: {}\n")
    (old / "shard-00000.h5").write_text("a shard of another format")
    before = snapshot(old)
    told = "results: trimaps/0123abcd made by another version of matlabel and left alone"
    assert told in run.snakemake()
    assert told in command(run, "status").output
    assert told in command(run, "clean", "--yes").output
    verified = CliRunner().invoke(cli.app, ["verify", str(run.folder / "results"), "--repair"])
    assert told in verified.output
    assert verified.exit_code == 0
    with pytest.raises(UserError, match="made by another version of matlabel"):
        side_of("0123abcd", None, run.folder / "results")
    assert snapshot(old) == before


def test_a_run_that_begins_meanwhile_stops_the_deleting(run):
    run.config({**TINY, "trimaps": {"margin": 0.4}})
    found = leftovers([workflow(run)])
    (run.folder / ".snakemake/locks").mkdir(exist_ok=True)
    (run.folder / ".snakemake/locks/0.output.lock").write_text("results/labels")
    before = snapshot(run.folder)
    with pytest.raises(UserError, match="a run is going on"):
        remove(found[0], run.folder)
    assert snapshot(run.folder) == before
