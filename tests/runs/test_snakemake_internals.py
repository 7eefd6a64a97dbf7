"""What is read of Snakemake's own files is what Snakemake writes there, and what a Snakefile asks it still answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from snakemake.persistence.file import FilePersistence

from matlabel.runs.snakemake_internals import begun, locked, made, remove_lock, report, shows, submitted, unlocks

# Its name in base64 is longer than a file's name can be.
LONG = "results/labels/12345678/" + "a" * 200


@pytest.fixture
def persistence(tmp_path):
    return FilePersistence(path=tmp_path / ".snakemake")


def test_files_that_snakemake_notes_as_begun_are_found_with_the_number_of_their_job(persistence, tmp_path):
    assert begun(tmp_path) == set()
    persistence._mark_incomplete("results/cam/12345678/weights", "17")
    persistence._mark_incomplete(LONG, None)
    assert begun(tmp_path) == {"results/cam/12345678/weights", LONG}
    assert submitted(tmp_path) == {"17": {"results/cam/12345678/weights"}}
    persistence._unmark_incomplete(LONG)
    assert begun(tmp_path) == {"results/cam/12345678/weights"}


def test_files_that_snakemake_notes_as_made_are_found(persistence, tmp_path):
    for name in ("a", LONG):
        persistence._io_write(persistence._metadata_path, {"rule": "cam"}, name)
    assert made(tmp_path) == {"a", LONG}


def test_a_lock_of_snakemake_is_seen_and_can_be_removed(persistence, tmp_path):
    assert not locked(tmp_path)
    persistence._write_locks("output", ["a"])
    assert locked(tmp_path)
    remove_lock(tmp_path)
    assert not locked(tmp_path)
    assert not list(persistence._read_locks())


SNAKEFILE = """
import sys
from matlabel.artifacts.errors import UserError
from matlabel.runs.snakemake_internals import Asked, slurm_comment

asked = Asked(workflow)
assert asked.is_driver
try:
    asked.refuse_other_records()
except UserError as error:
    sys.exit(str(error))
early = [asked.config_files, asked.is_dry, asked.with_conda]

rule all:
    input: lambda wildcards: [] if asked.has_made("x-1.out") else ["x-1.out"]

rule job:
    output: "{a}-{b}.out"
    shell: "touch {output}"

onstart:
    if asked.is_driver:
        [job] = [job for job in asked.jobs if job.name == "job"]
        late = [asked.in_batches, asked.selects, asked.executor, asked.runs_children, asked.runs, asked.found_nothing]
        print("ASKED", early, late, slurm_comment(job))
"""


@pytest.fixture
def snakemake(tmp_path):
    """A function that runs Snakemake on that file with further options."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)

    def run(*options):
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *options]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return run


@pytest.mark.workflow
def test_a_snakefile_can_ask_what_it_is_to_do(snakemake, tmp_path):
    done = snakemake()
    assert done.returncode == 0, done.stderr
    told = next(line for line in done.stdout.splitlines() if line.startswith("ASKED"))
    late = "[False, False, 'local', True, True, False]"
    assert told == f"ASKED [[], False, False] {late} rule_job_wildcards_x_1"
    assert made(tmp_path) == {"x-1.out"}


@pytest.mark.workflow
def test_records_that_are_no_files_are_refused(snakemake):
    done = snakemake("--persistence-backend", "db")
    assert done.returncode != 0
    assert "matlabel works with `file` alone" in done.stderr


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--report", "report.html"),
        ("--report /a/b.zip all", "/a/b.zip"),
        ("all --report=b.html --cores 1", "b.html"),
        ("--report --cores 1", "report.html"),
        ("--cores 1 --report a.html --report-after-run", None),
        ("--cores 1 --report-stylesheet a.css", None),
        ("--cores 1 -- --report", None),
    ],
)
def test_a_report_alone_is_told_from_a_run_and_from_one_after_it(line, found):
    assert report(line.split()) == (found and Path(found))


def test_what_only_shows_is_told_from_a_run():
    assert all(shows(line.split()) for line in ("--summary", "all_cam -D", "--dag=dot --cores 1", "--lint"))
    assert not any(shows(line.split()) for line in ("--cores 1 all", "--touch", "--unlock", "-- --summary"))
    assert unlocks(["--unlock"])
    assert not unlocks(["--dag"])
