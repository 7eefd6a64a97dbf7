import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from matlabel.artifacts.owner import Owner
from matlabel.runs.local_jobs import wait_for_jobs_of

JOB = """
from pathlib import Path
import time
from matlabel.artifacts.atomic import atomic_path
from matlabel.runs.local_jobs import end_with_driver, unwind_when_terminated
unwind_when_terminated()
with atomic_path(Path("made.h5")) as temporary:
    print(temporary, flush=True)
    end_with_driver(every=0.05)
    time.sleep(60)
"""

# Its job takes its time to end, as a training that writes a checkpoint does.
DRIVER = """
import json, subprocess, sys, time
from dataclasses import asdict
from matlabel.artifacts.owner import Owner
from matlabel.runs.local_jobs import start_as_children
start_as_children()
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1.2)"])
print(json.dumps(asdict(Owner.this_process())), flush=True)
time.sleep(60)
"""


def job(folder, driver):
    environment = {**os.environ, "MATLABEL_DRIVER": driver}
    return subprocess.Popen([sys.executable, "-c", JOB], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)


def test_a_job_ends_with_its_driver_and_clears_away_what_is_half_written(tmp_path):
    driver = subprocess.Popen([sys.executable, "-c", DRIVER], stdout=subprocess.PIPE, text=True)
    process = job(tmp_path, driver.stdout.readline())
    temporary = Path(process.stdout.readline().strip())
    assert (tmp_path / temporary).exists()
    assert process.poll() is None
    # Not waited for: a zombie is no living driver.
    driver.kill()
    assert process.wait(timeout=30) == 128 + signal.SIGTERM
    assert [path.name for path in tmp_path.iterdir()] == []
    driver.wait()


def test_a_job_of_no_driver_or_one_on_another_host_goes_on(tmp_path):
    elsewhere = json.dumps(asdict(replace(Owner.this_process(), space="elsewhere", host="x")))
    processes = [job(tmp_path, value) for value in ("", elsewhere)]
    for process in processes:
        process.stdout.readline()
    time.sleep(0.3)
    assert [process.poll() for process in processes] == [None, None]
    for process in processes:
        process.kill()
        process.wait()


def test_the_children_of_a_killed_driver_are_waited_for(capsys):
    driver = subprocess.Popen([sys.executable, "-c", DRIVER], stdout=subprocess.PIPE, text=True)
    owner = Owner.parse(json.loads(driver.stdout.readline()))
    began = time.monotonic()
    driver.kill()
    driver.wait()
    wait_for_jobs_of(owner)
    assert time.monotonic() - began > 0.3
    assert "its jobs are ending" in capsys.readouterr().err
    wait_for_jobs_of(owner)
    assert capsys.readouterr().err == ""
