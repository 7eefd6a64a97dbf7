"""What is killed goes on: the next plain run finishes, and everything is as if nothing had happened."""

import contextlib
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from animals import write_folder
from tiny import ROOT, TINY, Run

from matlabel.inspection.verify import verify

CONFIG = {**TINY, "cam": {**TINY["cam"], "epochs": 6}, "evaluation": {"splits": []}}
CONFIG["segmenter"] = {**TINY["segmenter"], "train": False}
ROWS = {f"a{number}": ("train", ("cat", "dog", "cat;dog")[number % 3]) for number in range(8)}


def tiny(folder):
    write_folder(folder / "animals", ROWS, size=(56, 64))
    run = Run(folder)
    run.config(CONFIG)
    return run


def stages(process):
    """Processes that do a stage's work below a driver now, and the stage of each."""
    found = {}
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            words = child.cmdline()
        except psutil.Error:
            continue
        if words[1:] and words[1].endswith("/matlabel"):
            found[child] = words[2]
    return found


def job(process, stage):
    """The process that does a stage's work below a driver; None if there is none now."""
    return next((child for child, name in stages(process).items() if name == stage), None)


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def gone(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def same(run, fresh):
    expected, found = fresh.artifacts(), run.artifacts()
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []
    assert list(verify(run.folder / "results")) == []


@pytest.mark.workflow
def test_a_killed_job_a_terminated_driver_and_a_killed_driver_change_no_byte(tmp_path):
    fresh, run = tiny(tmp_path / "fresh"), tiny(tmp_path / "run")
    fresh.snakemake()
    checkpoint = next((fresh.folder / "results/cam").iterdir()).name
    checkpoint = run.folder / "results/cam" / checkpoint / "checkpoint.pt"

    process = run.start()
    until(checkpoint.exists)
    until(lambda: job(process, "cam")).kill()
    output = process.communicate()[0]
    assert process.returncode != 0
    assert "Error in rule cam" in output
    assert checkpoint.exists()

    process = run.start()
    until(lambda: job(process, "activations"))
    process.send_signal(signal.SIGTERM)
    output = process.communicate()[0]
    assert process.returncode != 0
    assert "cam: resuming after epoch" in output

    process = run.start()
    until(lambda: job(process, "trimaps") or job(process, "mattes"))
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    until(lambda: all(gone(child) for child in children))

    assert "was killed; its lock is removed" in run.snakemake()
    same(run, fresh)
    assert run.planned() == {}
    # Killed with their process, half-written files stay where they cannot be taken for finished ones.
    assert not [path for path in (run.folder / "results").rglob("*.tmp") if not path.name.startswith(".")]


@pytest.mark.long
def test_the_demo_survives_twenty_kills_at_random_moments(tmp_path):
    """SIGKILL of the driver or of a job, SIGTERM of the driver: whatever was going on then, the end is the same."""
    random.seed(20)
    runs = []
    for name in ("fresh", "run"):
        (tmp_path / name).mkdir()
        runs.append(Run(tmp_path / name))
        (tmp_path / name / "tiny.yaml").write_text((ROOT / "config.yaml").read_text())
    fresh, run = runs
    began = time.monotonic()
    fresh.snakemake()
    whole = time.monotonic() - began
    killed = 0
    while killed < 20:
        process = run.start()
        try:
            process.communicate(timeout=6 + random.uniform(0, 0.15) * whole)
            assert process.returncode == 0
            # Through before all kills are spent: the same again, from nothing.
            same(run, fresh)
            shutil.rmtree(run.folder / "results")
            continue
        except subprocess.TimeoutExpired:
            killed += 1
        kind = random.choice(("driver", "job", "terminate"))
        jobs = stages(process)
        print(f"{killed}: {kind}, {sorted(jobs.values())}", file=sys.stderr)
        if kind == "terminate":
            # As a scheduler does it: there is some time to end in, which Snakemake spends on waiting for its jobs.
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=5)
            process.kill()
        elif kind == "job" and jobs:
            with contextlib.suppress(psutil.NoSuchProcess):
                random.choice(list(jobs)).kill()
        else:
            process.kill()
        process.communicate()
        until(lambda jobs=jobs: all(gone(child) for child in jobs))
    run.snakemake()
    same(run, fresh)
