"""What a run has left and somebody has deleted: the next run makes exactly that again."""

import re
import shutil

import pytest
from tiny import ROOT

from matlabel.inspection.dry_run import planned
from matlabel.inspection.workflow import find_workflow
from matlabel.stages import STAGES

pytestmark = pytest.mark.workflow
# Written by the driver before each run, or told of beside the file.
DRIVERS = re.compile(
    r"\..*|settings\.yaml|order\.csv|index\.csv|masks\.csv|.*-[0-9a-f]{12}\.(csv|txt)|.*\.provenance\.json"
)


def asked_for(run):
    """Stage -> all paths that a target names."""
    with planned(find_workflow(ROOT / "Snakefile", run.folder, [run.folder / "tiny.yaml"])) as plan:
        return {stage: plan.targets(stage) for stage in STAGES}


def contents(path):
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {file: file.read_bytes() for file in files}


def test_every_file_that_jobs_leave_is_in_a_target(finished):
    asked = {path for paths in asked_for(finished).values() for path in paths}
    found = set()
    for stage in STAGES:
        for path in (finished.folder / "results" / stage).glob("*/*"):
            if path.name == "png":
                found |= {str(shard.relative_to(finished.folder)) for shard in path.iterdir()}
            elif not DRIVERS.fullmatch(path.name):
                found.add(str(path.relative_to(finished.folder)))
    assert found == asked


@pytest.fixture(scope="module")
def copied(finished, tmp_path_factory):
    return finished.moved(tmp_path_factory.mktemp("copied"))


@pytest.mark.long
@pytest.mark.parametrize("stage", STAGES)
def test_each_file_that_is_lost_comes_back_alone_with_the_same_bytes(copied, stage):
    for path in asked_for(copied)[stage]:
        place = copied.folder / path
        before = contents(place)
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()
        assert copied.ran() == {stage: 1}, path
        assert contents(place) == before, path
    assert copied.planned() == {}
