"""Trouble with the disk: one clear message, nothing half-written, what is finished intact."""

import re
import shutil
import subprocess

import pytest
from animals import write_folder
from tiny import TINY, Run

from matlabel.inspection.verify import verify

pytestmark = pytest.mark.workflow
ROWS = {f"a{number}": ("train", ("cat", "dog", "cat;dog")[number % 3]) for number in range(8)}


def mount(*options):
    return subprocess.run(["mount", *options], capture_output=True, text=True)


@pytest.fixture
def disk(tmp_path):
    """A run whose results lie on a disk of their own, of which the whole fits but for weights."""
    folder = tmp_path / "run/results"
    folder.mkdir(parents=True)
    done = mount("-t", "tmpfs", "-o", "size=20m", "tmpfs", str(folder))
    if done.returncode:
        pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
    write_folder(tmp_path / "run/animals", ROWS, size=(56, 64))
    run = Run(tmp_path / "run")
    run.config({**TINY, "cam": {**TINY["cam"], "epochs": 1}, "evaluation": {"splits": []}})
    yield run
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_with_the_file_and_room_is_all_it_takes_to_go_on(disk):
    output = disk.snakemake("all_cam", fails=True)
    assert re.search(r"checkpoint[-a-z0-9]*\.pt: the disk is full; free some space", output)
    assert "Traceback" not in output
    results = disk.folder / "results"
    assert not list(results.glob("cam/*/*.pt*"))
    assert not list(results.rglob(".*.tmp"))
    assert len(list(results.glob("dataset/*/*.checks.json"))) == 2
    assert list(verify(results)) == []
    assert mount("-o", "remount,size=400m", str(results)).returncode == 0
    assert disk.ran("all_cam") == {"cam": 1}


def test_a_read_only_folder_can_be_looked_at_and_says_so(disk):
    disk.snakemake("all_dataset")
    results = disk.folder / "results"
    assert mount("-o", "remount,ro", str(results)).returncode == 0
    assert "Nothing to be done" in disk.snakemake("-n", "all_dataset")
    output = disk.snakemake("all_cam", fails=True)
    assert f"{results}: read-only; it can be looked at (-n), but nothing can run" in output
    assert "Traceback" not in output
    assert mount("--rbind", str(disk.folder), str(disk.folder)).returncode == 0
    try:
        assert mount("-o", "remount,bind,ro", str(disk.folder)).returncode == 0
        assert ".checks.json\t" in disk.snakemake("--summary", "all_dataset")
        output = disk.snakemake("all_cam", fails=True)
        assert f"{disk.folder}/.snakemake: cannot be written to; look at it with -n" in output
        assert "Traceback" not in output
    finally:
        subprocess.run(["umount", "--lazy", str(disk.folder)], check=True)
    assert mount("-o", "remount,rw", str(results)).returncode == 0


def test_results_that_vanish_under_a_run_are_named(tmp_path):
    write_folder(tmp_path / "animals", ROWS, size=(56, 64))
    run = Run(tmp_path)
    run.config({**TINY, "cam": {**TINY["cam"], "epochs": 8}, "evaluation": {"splits": []}})
    process = run.start("all_activations")
    for line in process.stdout:
        if line.startswith("cam: short training 1"):
            break
    shutil.move(tmp_path / "results", tmp_path / "elsewhere")
    output = process.communicate()[0]
    assert process.returncode != 0
    # By the training, or by Snakemake when it is about to start what follows.
    assert "matlabel: results/" in output or re.search(r"^results/.* \(missing locally", output, re.MULTILINE)
    assert "Traceback" not in output
    # Brought back, it goes on from there.
    shutil.rmtree(tmp_path / "results", ignore_errors=True)
    shutil.move(tmp_path / "elsewhere", tmp_path / "results")
    assert run.planned("all_cam") == {"cam": 1}
