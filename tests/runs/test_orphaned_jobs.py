"""Jobs that a killed driver left behind, as far as it can be seen without a scheduler; tests/slurm has one."""

import json
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest

from matlabel.artifacts.errors import UserError
from matlabel.runs.driver import Driver
from matlabel.runs.orphaned_jobs import Planned, ended, settle
from matlabel.runs.snakemake_internals import begun, submitted

PLANNED = {"rule_cam_wildcards_a", "rule_mattes_wildcards_b_00001"}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Programs of these names that behave as SLURM's: what each look at the queue finds, one after the other."""
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin:/usr/bin")
    (tmp_path / "bin").mkdir()

    def program(name, line):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\ncd {tmp_path}\n{line}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    def looks(*texts):
        for number, text in enumerate(texts):
            (tmp_path / f"look-{number}").write_text(text)
        failing = 'case "$(head -c 4 $f)" in FAIL) rm $f; echo "timed out on send/recv" >&2; exit 1;; esac'
        program("squeue", f"for f in look-*; do {failing}; cat $f; rm $f; exit; done")
        program("scancel", 'echo "$@" >> cancelled')
        return tmp_path

    return looks


def job(folder, number, state="RUNNING", comment="rule_cam_wildcards_a"):
    return f"{number}|{state}|{comment}|{folder}\n"


def test_without_a_scheduler_nothing_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not settle(Planned(tmp_path, PLANNED), on_cluster=False)


def test_running_jobs_are_waited_for_and_waiting_ones_cancelled(tmp_path, slurm, capsys):
    running = job(tmp_path, 17)
    waiting = job(tmp_path, 18, "PENDING", "rule_mattes_wildcards_b_00001") + job(tmp_path, 19, "REQUEUE_HOLD")
    others = (
        job("/elsewhere", 3) + job(tmp_path, 4, comment="(null)") + job(tmp_path, 5, comment="rule_cam_wildcards_b")
    )
    others += job("/with|bars", 6, comment="my|own") + "a|warning\nslurm_load_jobs: slow\n"
    slurm(running + waiting + others, running + others, "FAIL", running + others, others)
    assert settle(Planned(tmp_path, PLANNED), on_cluster=True, every=0.01)
    assert (tmp_path / "cancelled").read_text() == "18 19\n"
    assert not list(tmp_path.glob("look-*"))
    said = capsys.readouterr().err
    assert said.count("waiting for 17 (RUNNING)") == 1


def test_jobs_that_are_submitted_meanwhile_are_not_touched(tmp_path, slurm):
    slurm(job(tmp_path, 17), job(tmp_path, 17) + job(tmp_path, 20, "PENDING"), job(tmp_path, 20, "PENDING"))
    assert settle(Planned(tmp_path, PLANNED), on_cluster=True, every=0.01)
    assert not (tmp_path / "cancelled").exists()


def test_a_scheduler_that_does_not_answer_is_an_error_only_where_it_is_to_run_the_jobs(tmp_path, slurm):
    slurm(*["FAIL"] * 9)
    assert not settle(Planned(tmp_path, PLANNED), on_cluster=False, every=0.01)
    with pytest.raises(UserError, match="squeue does not answer: timed out"):
        settle(Planned(tmp_path, PLANNED), on_cluster=True, every=0.1, patience=0.2)


def test_a_scheduler_that_never_comes_back_does_not_answer(tmp_path, slurm):
    slurm()
    (tmp_path / "bin/squeue").write_text("#!/bin/sh\nexec sleep 600\n")
    assert not ended("17", patience=0.1)
    with pytest.raises(UserError, match="squeue does not answer: no word"):
        settle(Planned(tmp_path, PLANNED), on_cluster=True, patience=0.1)


def test_a_driver_in_the_same_job_has_ended_only_if_the_job_was_started_again_since(tmp_path, slurm, monkeypatch):
    slurm(*["17\n"] * 2)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    this = Driver.this_process()
    other = replace(this, owner=replace(this.owner, host="node2", space="another"))
    assert other.alive() is None
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert other.alive() is False
    again = Driver.this_process()
    assert replace(again, owner=other.owner).alive() is None


def test_of_an_array_those_tasks_are_waited_for_that_do_what_is_planned(tmp_path, slurm):
    files = {"17_1": {"b-00001.h5"}, "17_2": {"b-00002.h5"}, "17_3": {"b-00003.h5"}, "20_1": {"b-00002.h5"}}
    planned = Planned(tmp_path, PLANNED, {"a.pt", "b-00001.h5", "b-00003.h5"}, files)
    mattes = "rule_mattes_wildcards_b_00007"
    tasks = [job(tmp_path, f"17_{task}", "RUNNING", mattes) for task in (1, 2)] + [
        job(tmp_path, "17_3", "PENDING", mattes)
    ]
    # Nobody has noted what these make: their driver was killed when it had just submitted them.
    unknown = job(tmp_path, "18_9", "PENDING", mattes) + job(
        tmp_path, "19_1", "PENDING", "rule_labels_wildcards_b_00001"
    )
    other = job(tmp_path, "20_1", "PENDING", mattes)
    slurm("".join(tasks) + unknown + other, "".join(tasks[:2]), tasks[1])
    assert settle(planned, on_cluster=True, every=0.01)
    assert (tmp_path / "cancelled").read_text() == "17_3 18_9\n"
    assert not list(tmp_path.glob("look-*"))


def test_snakemakes_notes_say_which_task_makes_which_file(tmp_path):
    notes = {"results/b-00001.h5": "17_1", "results/b.csv": "17_1", "results/local.h5": None}
    root = tmp_path / ".snakemake/incomplete"
    root.mkdir(parents=True)
    for name, number in notes.items():
        (root / urlsafe_b64encode(name.encode()).decode()).write_text(json.dumps({"external_jobid": number}))
    (root / urlsafe_b64encode(b"results/half.h5").decode()).write_text('{"external')
    assert submitted(tmp_path) == {"17_1": {"results/b-00001.h5", "results/b.csv"}}
    assert begun(tmp_path) == {*notes, "results/half.h5"}
