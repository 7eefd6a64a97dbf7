import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

HELD = """
import sys, time
from pathlib import Path
from matlabel import driver
print(driver.enter(Path("results"), Path(".snakemake/locks")), flush=True)
driver.begin(local=True)
time.sleep(60)
"""

JOB = """
import sys, time
from pathlib import Path
from matlabel.artifacts.atomic import atomic_path
from matlabel.driver import end_with_driver, unwind_when_terminated
unwind_when_terminated()
with atomic_path(Path("made.h5")) as temporary:
    print(temporary, flush=True)
    end_with_driver(every=0.05)
    time.sleep(60)
"""


def python(script, folder, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def locks(tmp_path):
    folder = tmp_path / ".snakemake/locks"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def driver(tmp_path):
    process = python(HELD, tmp_path)
    assert process.stdout.readline() == "[]\n"
    yield process
    process.kill()
    process.wait()


def entered(folder):
    process = python(HELD, folder)
    line = process.stdout.readline()
    process.kill()
    process.wait()
    return line


def test_a_lock_stays_while_its_driver_lives_and_goes_with_it(locks, driver, tmp_path):
    (locks / "0.output.lock").write_text("results/cam/00000000/weights.pt\n")
    assert f"another run is at work in {tmp_path.resolve()}/results" in entered(tmp_path)
    assert list(locks.iterdir()) != []
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert "was killed; its lock is removed" in entered(tmp_path)
    assert list(locks.iterdir()) == []
    assert entered(tmp_path) == "[]\n"


def test_a_second_driver_is_told_who_the_first_is(locks, driver, tmp_path):
    (locks / "0.output.lock").write_text("")
    for _ in range(100):
        told = entered(tmp_path)
        if f"(process {driver.pid} on {socket.gethostname()}, since " in told:
            return
        time.sleep(0.05)
    pytest.fail(told)


def test_without_a_lock_two_drivers_are_no_news(locks, driver, tmp_path):
    assert entered(tmp_path) == "[]\n"


def test_a_job_ends_with_its_driver_and_clears_away_what_is_half_written(tmp_path):
    driver = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    job = python(JOB, tmp_path, MATLABEL_DRIVER=f"{driver.pid}@{socket.gethostname()}")
    temporary = Path(job.stdout.readline().strip())
    assert (tmp_path / temporary).exists()
    assert job.poll() is None
    # Not waited for: a zombie is no living driver.
    driver.kill()
    assert job.wait(timeout=30) == 128 + signal.SIGTERM
    assert [path.name for path in tmp_path.iterdir()] == []
    driver.wait()


@pytest.mark.parametrize("value", ["", "1@elsewhere", "nonsense"])
def test_a_job_of_no_driver_or_one_on_another_host_goes_on(tmp_path, value):
    job = python(JOB, tmp_path, MATLABEL_DRIVER=value)
    job.stdout.readline()
    time.sleep(0.5)
    assert job.poll() is None
    job.kill()
    job.wait()
