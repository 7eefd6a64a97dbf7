import errno
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from matlabel.artifacts.errors import LackOfMemory, UserError
from matlabel.exits import explained, refusal

# What jobs print and how they end; "stale" ends before it writes to its log, in which an earlier run has said why.
SNAKEFILE = """
from snakemake.logging import logger
from matlabel.runs.snakemake_internals import NoRetries

SAYS = {
    "refused": "echo 'matlabel: labels.csv: no such class'; echo 'srun: error: task 0 exited'; exit 2",
    "memory": "echo 'matlabel: out of memory: lower cam.workers'; exit 75",
    "killed": "echo started; kill -9 $$",
    "ours": "echo 'Traceback (most recent call last):'; exit 1",
    "stale": "true",
}

onstart:
    logger.addFilter(NoRetries(workflow.dag, workflow.dag.needrun_jobs()))

rule all:
    input: expand("{name}.out", name=SAYS)

rule job:
    output: "{name}.out"
    log: "{name}.log"
    resources: attempt=lambda wildcards, attempt: attempt
    params: says=lambda wildcards: SAYS[wildcards.name]
    shell:
        "echo {wildcards.name} {resources.attempt} >> tried; test {wildcards.name} != stale;"
        " ({params.says}) > {log} 2>&1"
"""


@pytest.mark.workflow
def test_what_a_user_has_to_mend_is_not_tried_again_and_all_else_is(tmp_path):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "stale.log").write_text("matlabel: config: unknown key\n")
    command = [sys.executable, "-m", "snakemake", "--cores", "4", "--retries", "1", "--keep-going"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    tried = Counter(line.split()[0] for line in (tmp_path / "tried").read_text().splitlines())
    assert tried == {"refused": 1, "memory": 2, "killed": 2, "ours": 2, "stale": 2}, done.stderr


def no_memory_for_torch():
    torch.empty(1 << 60)


def no_memory_for_python():
    bytearray(1 << 62)


def no_room():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "results/x.h5")


def no_process():
    raise BlockingIOError(errno.ENOMEM, os.strerror(errno.ENOMEM))


def mistaken():
    raise UserError("my.yaml: no such key")


def worker_died():
    raise LackOfMemory("a worker process died; lower mattes.workers")


@pytest.mark.parametrize(
    ("failing", "code"),
    [
        (mistaken, 2),
        (no_room, 2),
        (no_memory_for_torch, 75),
        (no_memory_for_python, 75),
        (no_process, 75),
        (worker_died, 75),
    ],
)
def test_the_exit_code_and_the_log_tell_a_mistake_from_a_lack_of_memory(failing, code, tmp_path):
    with pytest.raises(Exception) as raised:  # noqa: PT011
        failing()
    message, found = explained(raised.value)
    assert found == code
    assert len(message.splitlines()) == 1
    log = tmp_path / "job.log"
    log.write_text(f"epoch 1\n{message}\nsrun: error: n1\n")
    assert (refusal(log) is not None) == (code == 2)


def test_our_own_mistakes_keep_their_traceback(tmp_path):
    assert explained(ZeroDivisionError("x")) is None
    assert explained(OSError(errno.EPIPE, "broken pipe")) is None
    assert refusal(tmp_path / "missing") is None
