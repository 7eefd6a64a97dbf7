import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from matlabel.artifacts import lock
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.lock import exclusive
from matlabel.artifacts.owner import Owner

# Each adds to a number in a file, which is lost where two do so at once; now and then one is killed at its work.
WORKER = """
import os, random, signal, sys, time
from pathlib import Path
from matlabel.artifacts.lock import exclusive
random.seed(int(sys.argv[1]))
for turn in range(8):
    with exclusive(Path("shared.lock")):
        inside = os.open("inside", os.O_CREAT | os.O_EXCL)
        number = int(Path("number").read_text())
        time.sleep(random.uniform(0, 0.004))
        Path("number").write_text(str(number + 1))
        os.unlink("inside")
        if turn == 7 and int(sys.argv[1]) % 3 == 0:
            os.kill(os.getpid(), signal.SIGKILL)
"""

HOLDER = """
import time
from pathlib import Path
from matlabel.artifacts.lock import exclusive
with exclusive(Path("shared.lock")):
    print("in", flush=True)
    time.sleep(60)
"""

# As on NFS without its lock service: Python's locks and those of libraries, all of which ask the same function.
WITHOUT_LOCKS = """
import errno, fcntl, os
def refused(*_):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
fcntl.flock = fcntl.lockf = refused
"""


def python(script, folder, *words, **environment):
    path = os.pathsep.join([*environment.pop("path", []), str(Path(__file__).parents[2])])
    command = [sys.executable, "-c", script, *map(str, words)]
    environment = {**os.environ, **environment, "PYTHONPATH": path}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)


def test_of_many_processes_never_two_are_in_whether_or_not_some_are_killed_and_files_can_be_locked(tmp_path):
    (tmp_path / "number").write_text("0")
    (tmp_path / "without").mkdir()
    (tmp_path / "without/sitecustomize.py").write_text(WITHOUT_LOCKS)
    workers = [python(WORKER, tmp_path, number, path=[str(tmp_path / "without")]) for number in range(6)]
    assert sorted(worker.wait(timeout=60) for worker in workers) == [-signal.SIGKILL] * 2 + [0] * 4
    assert (tmp_path / "number").read_text() == "48"
    assert len(list(tmp_path.glob("shared.lock.*"))) == 1


def test_who_waits_is_let_in_at_once_when_the_owner_is_killed(tmp_path):
    holder = python(HOLDER, tmp_path)
    assert holder.stdout.readline() == "in\n"
    waiter = python(HOLDER, tmp_path)
    time.sleep(0.5)
    assert waiter.poll() is None
    # Not waited for: a zombie holds nothing.
    holder.kill()
    assert waiter.stdout.readline() == "in\n"
    for process in (waiter, holder):
        process.kill()
        process.wait()


def held_elsewhere(path, count):
    owner = replace(Owner.this_process(), host="elsewhere", space="another")
    path.write_bytes(b"1%12d\n" % count + json.dumps(asdict(owner)).encode())


def test_an_owner_that_cannot_be_looked_for_keeps_the_lock_while_it_gives_signs_of_life(tmp_path):
    path = tmp_path / "shared.lock"
    file, end = tmp_path / "shared.lock.4", time.monotonic() + 1.0
    # At first it has not said who it is.
    file.touch()

    def live():
        count = 0
        while time.monotonic() < end:
            count += 1
            held_elsewhere(file, count)
            # Its clock is wrong by years.
            os.utime(file, (1, count))
            time.sleep(0.05)

    owner = threading.Thread(target=live)
    owner.start()
    with exclusive(path, silent=0.6):
        assert time.monotonic() > end
        assert [found.name for found in tmp_path.iterdir()] == ["shared.lock.5"]
    owner.join()


def test_who_was_suspended_for_so_long_that_another_took_over_says_so(tmp_path):
    with pytest.raises(UserError, match="stood still"), exclusive(tmp_path / "shared.lock"):
        (tmp_path / "shared.lock.1").touch()


def test_a_lock_is_free_again_after_an_error_and_its_files_do_not_add_up(tmp_path):
    path = tmp_path / "made" / "shared.lock"
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), exclusive(path):
            raise ZeroDivisionError
    assert len(list(path.parent.iterdir())) == 1


@contextmanager
def full_disk():
    """From now until the end, nothing can be written to a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_who_is_overtaken_while_it_makes_its_file_waits_for_its_turn(tmp_path, monkeypatch):
    path, look, looks = tmp_path / "shared.lock", lock._last, []

    def last(asked):
        looks.append(asked)
        if len(looks) == 2:
            # The file of this one is there; one that was faster takes the next number, tidies up and is done.
            (tmp_path / "shared.lock.0").unlink()
            (tmp_path / "shared.lock.1").write_bytes(b"0")
        return look(asked)

    monkeypatch.setattr(lock, "_last", last)
    with exclusive(path):
        assert [found.name for found in tmp_path.iterdir()] == ["shared.lock.2"]


def test_a_full_disk_leaves_no_lock_held_and_no_file_open(tmp_path):
    path, before = tmp_path / "shared.lock", len(os.listdir("/proc/self/fd"))
    with ExitStack() as disk:
        with exclusive(path):
            disk.enter_context(full_disk())
    with full_disk(), pytest.raises(OSError), exclusive(path, silent=0.2):  # noqa: PT011
        pass
    with exclusive(path, silent=0.2):
        pass
    assert len(list(tmp_path.iterdir())) == 1
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_process_is_told_from_a_later_one_of_the_same_number_and_from_those_of_other_machines():
    this = Owner.this_process()
    assert this.alive() is True
    assert replace(this, started="1").alive() is False
    assert replace(this, space="another", host="elsewhere").alive() is None
    # Another space of process numbers on the same boot, as a container has it.
    assert replace(this, space=f"{this.space.split()[0]} another").alive() is None
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    while replace(this, pid=child.pid).alive() is not False:
        time.sleep(0.05)
    child.wait()


# Asks about its parent, a process of another user that it may not see.
HIDDEN = """
import json, os, subprocess, sys
from matlabel.artifacts.owner import Owner
parent = Owner.this_process()
subprocess.run(["mount", "-t", "proc", "-o", "hidepid=2", "proc", "/proc"], check=True)
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
os.setgid(65534)
os.setuid(65534)
assert not os.path.exists(f"/proc/{parent.pid}")
print(parent.alive())
"""


def test_another_users_process_that_is_hidden_is_not_taken_for_dead():
    command = ["unshare", "--mount", sys.executable, "-c", HIDDEN]
    done = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(Path(__file__).parents[2])})
    if "CalledProcessError" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
    assert done.stdout == "True\n", done.stderr


def test_who_cannot_open_another_file_takes_no_process_for_dead():
    this = Owner.this_process()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        alive = this.alive()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert alive is True
