import json
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.owner import Owner
from matlabel.runs import driver

# A driver for as long as its input stays open; it prints what a person is told when it enters and when it begins.
DRIVER = """
import sys, time
from pathlib import Path
from matlabel.runs import driver
from matlabel.artifacts.errors import UserError
from matlabel.runs.orphaned_jobs import Planned
executor, local, makes, unfinished = sys.argv[1].split(), sys.argv[2] == "local", sys.argv[3].split(), sys.argv[4:]
print(driver.enter(Path()), flush=True)
begun = True
try:
    if executor:
        planned = Planned(Path.cwd(), ["rule_cam_wildcards_00000000"], makes)
        begun = driver.begin(Path("results"), executor[0], local, planned, reads=[], every=0.1)
    print("begun" if begun else "to be planned again", flush=True)
except UserError as error:
    print(error, flush=True)
sys.stdin.read()
if unfinished:
    driver.end(unfinished[0].split())
"""

WEIGHTS, SHARD = "results/cam/00000000/model.safetensors", "results/mattes/00000000/shard-00000.h5"


class Drivers:
    """Drivers of one folder, where Snakemake's lock is held."""

    def __init__(self, folder):
        self.folder, self.running = folder, []
        self.locks = folder / ".snakemake/locks"
        self.lock()

    def lock(self):
        self.locks.mkdir(parents=True, exist_ok=True)
        (self.locks / "0.output.lock").write_text(f"{WEIGHTS}\n")

    @property
    def locked(self):
        return any(self.locks.iterdir())

    def start(self, executor="local", makes=WEIGHTS, *unfinished, path=None):
        """The process, and what it was told when it entered and when it began."""
        command = [sys.executable, "-c", DRIVER, executor, "local" if executor == "local" else "", makes, *unfinished]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, cwd=self.folder, env=self._environment(path), **pipes)
        self.running.append(process)
        return process, process.stdout.readline(), process.stdout.readline()

    def killed(self, *words, **options):
        process, _, begun = self.start(*words, **options)
        assert begun == "begun\n"
        process.kill()
        process.wait()
        return process

    def look(self, **words):
        """What a person is told who looks, or says that nothing runs."""
        return str(driver.enter(self.folder, **words))

    def _environment(self, path):
        # Without another path, there is no scheduler to ask.
        return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PATH": path or str(self.folder / "none")}

    def elsewhere(self, **changes):
        """A driver of another machine wrote this."""
        owner = replace(Owner.this_process(), host="login2", machine="another", space="another")
        record = {"owner": asdict(owner), "since": "2026-01-01 00:00:00", "executor": "local", "local": True}
        record |= {"makes": [WEIGHTS], "reads": [], **changes}
        (self.folder / "results/.drivers").mkdir(parents=True)
        (self.folder / "results/.drivers/login2-17-0.json").write_text(json.dumps(record))


@pytest.fixture
def drivers(tmp_path):
    found = Drivers(tmp_path)
    yield found
    for process in found.running:
        process.kill()
        process.communicate()


def test_a_lock_stays_while_its_driver_lives_and_goes_with_it(drivers):
    first, _, begun = drivers.start()
    assert begun == "begun\n"
    second, told, _ = drivers.start("")
    assert f"another run is at work (process {first.pid} on {socket.gethostname()}, local, since " in told
    assert drivers.locked
    second.communicate("")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert "the next one removes its lock" in drivers.look(looking=True)
    assert drivers.locked
    assert "was killed; its lock is removed" in drivers.start()[1]
    assert not drivers.locked


def test_a_driver_that_is_killed_before_it_runs_jobs_leaves_no_lock_and_one_that_starts_keeps_it(drivers):
    drivers.killed("")
    drivers.lock()
    assert "was killed; its lock is removed" in drivers.start("")[1]
    drivers.lock()
    assert "locked by another run that is starting" in drivers.start("")[1]
    assert drivers.locked


def test_two_drivers_side_by_side_are_no_news_unless_they_make_the_same(drivers):
    """Snakemake's lock is gone as soon as any run in the folder ends."""
    first, _, _ = drivers.start()
    (drivers.locks / "0.output.lock").unlink()
    assert drivers.start("local", SHARD)[1:] == ("[]\n", "begun\n")
    assert (
        f"{WEIGHTS}: another run is at work (process {first.pid} " in drivers.start("local", f"{SHARD}x {WEIGHTS}")[2]
    )
    first.communicate("")
    assert drivers.start("local", f"{SHARD}x {WEIGHTS}")[1:] == ("[]\n", "begun\n")


def test_a_lock_stays_while_jobs_of_a_scheduler_that_nobody_can_ask_may_run_until_a_person_says_so(drivers):
    drivers.killed("cluster-generic")
    _, told, refused = drivers.start()
    assert "ended before its jobs" in told
    assert "look for them where cluster-generic runs them" in told
    assert "snakemake --unlock" in told
    assert f"{WEIGHTS}: the last run ended before its jobs" in refused
    assert drivers.locked
    # Another run's end has taken Snakemake's lock away.
    (drivers.locks / "0.output.lock").unlink()
    assert drivers.start("local", SHARD)[2] == "begun\n"
    drivers.look(unlocking=True)
    assert drivers.start()[1:] == ("[]\n", "begun\n")


def test_a_driver_that_is_stopped_while_its_jobs_go_on_keeps_what_they_make(drivers):
    stopped = drivers.start("cluster-generic", f"{WEIGHTS} {SHARD}", WEIGHTS)[0]
    done = drivers.start("cluster-generic", f"{SHARD}x", "")[0]
    for process in (stopped, done):
        process.communicate("")
    (drivers.locks / "0.output.lock").unlink()
    assert f"{WEIGHTS}: the last run ended before its jobs" in drivers.start()[2]
    assert drivers.start("local", f"{SHARD} {SHARD}x")[2] == "begun\n"


def test_jobs_on_slurm_can_be_asked_for_only_where_it_is(drivers, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    drivers.killed("slurm")
    assert "look for them where slurm runs them" in drivers.look(looking=True)
    (tmp_path / "bin/squeue").touch(mode=0o755)
    assert "the next one removes its lock" in drivers.look(looking=True)


def test_jobs_of_a_living_driver_are_not_taken_for_those_of_a_killed_one(drivers, tmp_path):
    (tmp_path / "bin").mkdir()
    queue = f"cd {tmp_path}; test -e cancelled || echo '17|PENDING|rule_cam_wildcards_00000000|{tmp_path}'"
    for name, line in {"squeue": queue, "scancel": f"touch {tmp_path}/cancelled"}.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
    first, _, begun = drivers.start("slurm")
    assert begun == "begun\n"
    # It submits a job, and another run's end takes Snakemake's lock away.
    for path in (tmp_path / "bin").iterdir():
        path.chmod(0o755)
    (drivers.locks / "0.output.lock").unlink()
    assert f"{WEIGHTS}: another run is at work" in drivers.start("slurm", path=f"{tmp_path}/bin:/bin")[2]
    assert not (tmp_path / "cancelled").exists()
    first.kill()
    first.wait()
    assert drivers.start("slurm", path=f"{tmp_path}/bin:/bin")[2] == "to be planned again\n"
    assert (tmp_path / "cancelled").exists()
    assert drivers.start("slurm", path=f"{tmp_path}/bin:/bin")[2] == "begun\n"


def test_a_driver_on_another_machine_is_never_taken_for_dead(drivers):
    drivers.elsewhere()
    _, told, refused = drivers.start()
    assert "cannot be looked at from here (process " in told
    assert "on login2, local, since 2026-01-01" in told
    assert f"{WEIGHTS}: another run was started on a machine that cannot be looked at" in refused
    assert drivers.locked


@pytest.mark.parametrize(("queue", "user", "free"), [("16\n18", 0, True), ("17", 0, False), ("16", 1, False)])
def test_a_driver_that_was_itself_a_job_on_slurm_is_asked_for_there(drivers, tmp_path, monkeypatch, queue, user, free):
    drivers.elsewhere(slurm_job="17", user=os.getuid() + user)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/squeue").write_text(f"#!/bin/sh\necho '{queue}'\n")
    (tmp_path / "bin/squeue").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/bin")
    assert ("the next one removes its lock" in drivers.look(looking=True)) == free


def test_a_machine_that_was_started_anew_runs_nothing_of_what_it_did(drivers):
    owner = Owner.this_process()
    if not owner.machine:
        pytest.skip("this machine has no name of its own")
    drivers.elsewhere(owner=asdict(replace(owner, space=f"before {owner.space.split()[-1]}")))
    assert "the next one removes its lock" in drivers.look(looking=True)


def test_a_file_that_says_nothing_is_named_and_goes_when_a_person_says_that_nothing_runs(drivers):
    drivers.elsewhere()
    file = drivers.folder / "results/.drivers/login2-17-0.json"
    for text in ("", '{"owner": {"pid": -1}, "since": 3}', "[" * 9999):
        file.write_text(text)
        with pytest.raises(UserError, match=re.escape(f"{file}: ")):
            drivers.look(looking=True)
    drivers.look(unlocking=True)
    assert drivers.start()[2] == "begun\n"


def test_what_nobody_has_said_anything_of_stays_locked(drivers):
    assert "locked by another run that left no word" in drivers.start("")[1]
    assert drivers.locked
