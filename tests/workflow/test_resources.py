"""What the rules ask of a scheduler, as `snakemake -n` says it."""

import re

import pytest
from animals import write_folder
from tiny import TINY, Run

pytestmark = pytest.mark.workflow


@pytest.fixture
def planned(tmp_path):
    """A function of changes to the config: what a dry run prints."""
    rows = {f"a{number}": ("train", ("cat", "dog")[number % 2]) for number in range(8)}
    write_folder(tmp_path / "animals", {**rows, "v0": ("val", "cat")})
    run = Run(tmp_path)

    def plan(*options, **changes):
        run.config({**TINY, **changes})
        return run.snakemake(*options, "-n", "-p")

    return plan


def resources(output):
    """Rule -> resources of its first job."""
    found = re.findall(r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    resources: (.*)$", output, flags=re.MULTILINE)
    return {rule: dict(one.split("=", 1) for one in text.split(", ") if "=" in one) for rule, text in found}


def test_every_job_asks_for_memory_time_and_cores(planned):
    asked = resources(planned())
    asked.pop("all")
    assert {"dataset", "cam", "activations", "mattes", "segmenter", "evaluation", "report"} <= asked.keys()
    for rule, one in asked.items():
        assert int(one["mem_mb"]) >= 250, rule
        assert int(one["runtime"]) >= 10, rule
        assert int(one["cpus_per_task"]) >= 1, rule
        assert "mpi" not in one, rule


def test_gpus_are_asked_for_when_told_and_only_where_they_help(planned):
    asked = resources(planned("--resources", "gpu=8", device="cuda", cam={**TINY["cam"], "devices": 2}))
    found = {rule: one.get("gpu", "0") for rule, one in asked.items()}
    assert found["cam"] == "2"
    assert {rule for rule, number in found.items() if number == "1"} == {
        "activations",
        "mattes",
        "segmenter",
        "predictions",
    }
    assert resources(planned(device="cpu"))["cam"]["gpu"] == "0"


def test_a_training_on_several_machines_is_started_by_srun_in_a_job_and_only_there(planned):
    output = planned("--resources", "gpu=8", device="cuda", cam={**TINY["cam"], "devices": 2, "nodes": 2})
    cam = resources(output)["cam"]
    assert (cam["mpi"], cam["nodes"], cam["tasks"], cam["gpu"]) == ("srun", "2", "4", "4")
    assert "${SLURM_JOB_ID:+srun --nodes=2 --ntasks-per-node=2" in output
    assert "mpi" not in resources(output)["segmenter"]


def test_fetch_knows_which_weights_the_trainings_start_from(planned):
    changes = {"cam": {**TINY["cam"], "weights": "imagenet"}, "segmenter": {**TINY["segmenter"], "weights": "imagenet"}}
    assert "matlabel fetch resnet18 " in planned("fetch", **changes)
    assert "matlabel fetch  2>&1" in planned("fetch")
