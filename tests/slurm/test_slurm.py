"""The workflow on a real SLURM of two nodes: `make test-slurm`."""

import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from animals import write_folder
from cluster import PREFIX, Cluster, configured, makes_devices, missing
from tiny import ROOT, TINY, Run

pytestmark = pytest.mark.slurm

DEMO = yaml.safe_load((ROOT / "config.yaml").read_text())
# The demo with fewer pictures and epochs.
SMALL = {
    **DEMO,
    "dataset": {
        "format": "shapes",
        "shard_size": 16,
        "shapes": {"seed": 0, "size": 96, "splits": {"train": 32, "val": 8}},
    },
    "cam": {**DEMO["cam"], "epochs": 4, "steps": 0, "batch_size": 8},
    "segmenter": {**DEMO["segmenter"], "epochs": 1, "steps": 0, "batch_size": 8},
}
# Long enough to be disturbed in its midst.
LONG = {**SMALL, "cam": {**SMALL["cam"], "epochs": 30}}
STARTED: list[subprocess.Popen] = []
GPU_STAGES = ("cam", "activations", "mattes", "segmenter", "predictions")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    if absent := missing():
        pytest.skip(
            f"needs SLURM: apt-get install slurm-wlm slurmdbd munge mariadb-server ({', '.join(absent)} missing)"
        )
    if os.geteuid() != 0:
        pytest.skip("needs root, to start a SLURM of its own")
    if configured():
        pytest.skip("this machine belongs to a SLURM: /etc/slurm/slurm.conf is there")
    # Not pytest's folder: sockets have short names.
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o755)
    if not makes_devices(folder):
        folder.rmdir()
        pytest.skip("needs to make devices that stand for GPUs (mknod), which is not allowed here")
    try:
        with pytest.MonkeyPatch.context() as patch:
            # Threads of trainings beside each other would spin on each other's cores.
            patch.setenv("OMP_WAIT_POLICY", "passive")
            with Cluster(folder) as cluster:
                yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_is_left(cluster):
    """A test that fails leaves no driver and no job to the next one."""
    yield
    while STARTED:
        STARTED.pop().kill()
    cluster.tell("scancel", "--user=root", "--signal=KILL", check=False)
    cluster.tell("scancel", "--user=root", check=False)
    cluster.until(lambda: not cluster.tell("squeue", "-h"), "the queue is empty")


class OnSlurm(Run):
    """A working directory whose jobs go to the cluster."""

    def __init__(self, folder, cluster, config):
        folder.mkdir(exist_ok=True)
        super().__init__(folder)
        self.cluster = cluster
        self._before = len(cluster.jobs())
        self.config(config)

    def start(self, *options):
        profile = ROOT / "profiles/slurm"
        command = ["snakemake", "-s", ROOT / "Snakefile", "--directory", self.folder]
        command += ["--configfile", self.folder / "tiny.yaml", "--workflow-profile", profile]
        command += ["--default-resources", "slurm_account=lab"]
        command += ["--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10", *options]
        process = self._started([*map(str, command)])
        STARTED.append(process)
        return process

    def attempts(self, rule=None):
        """Of a rule's jobs here, or of all, each time they were started."""
        jobs = self.cluster.jobs()[self._before :]
        return [job for job in jobs if rule is None or job["Comment"].startswith(f"rule_{rule}_")]


def beside(folder, config, *targets):
    """A run on this machine, started now; to call what is returned waits for it."""
    folder.mkdir()
    run = Run(folder)
    run.config(config)
    process = run.start(*targets)
    STARTED.append(process)

    def finished():
        output = process.communicate()[0]
        assert process.returncode == 0, output
        return run

    return finished


def waiting(cluster, process):
    """`cluster.until` that gives up when the driver has ended."""

    def until(condition, what):
        def met():
            assert process.poll() is None, process.communicate()[0]
            return condition()

        return cluster.until(met, what, 600)

    return until


def weights(run):
    (path,) = (run.folder / "results/cam").glob("*/model.safetensors")
    return path.read_bytes(), path.with_name("history.csv").read_bytes()


def log(run):
    return "".join(path.read_text() for path in (run.folder / "logs/cam").glob("*.log"))


def forget_log(run):
    """What the next attempt says is then all there is."""
    for path in (run.folder / "logs/cam").glob("*.log"):
        path.unlink()


def checkpoint(run):
    return any((run.folder / "results/cam").glob("*/checkpoint*.pt"))


def test_a_killed_driver_does_nothing_twice_no_gpu_is_shared_and_the_artifacts_are_those_of_one_machine(
    cluster, tmp_path
):
    run, gpus = OnSlurm(tmp_path / "cluster", cluster, SMALL), [f"{stage}:gpu=1" for stage in GPU_STAGES]
    process = run.start("--set-resources", *gpus)
    alone = beside(tmp_path / "local", SMALL)
    waiting(cluster, process)(lambda: cluster.running("cam"), "cam starts")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "the last run was killed, its jobs go on" in run.snakemake("--set-resources", *gpus)
    expected, found = alone().artifacts(), run.artifacts()
    assert found.keys() == expected.keys()
    assert [name for name in found if found[name] != expected[name]] == []

    # A job's comment names its rule and shard.
    assert max(Counter(job["Comment"] for job in run.attempts()).values()) == 1
    jobs = [job for stage in GPU_STAGES for job in run.attempts(stage)]
    assert all("gres/gpu=1" in job["AllocTRES"] for job in jobs)
    spans = [(job["NodeList"], *map(datetime.fromisoformat, (job["Start"], job["End"]))) for job in jobs]
    for (node, begin, end), (other, began, ended) in itertools.combinations(spans, 2):
        assert node != other or end <= began or ended <= begin
    # What each asked for is what it got.
    (cam,) = run.attempts("cam")
    assert "cpu=2" in cam["AllocTRES"]
    assert list((run.folder / "logs/slurm").glob("efficiency_report_*.csv"))


@pytest.mark.long
def test_the_tasks_of_an_array_outlive_their_driver_and_are_not_done_twice(cluster, tmp_path):
    run, options = OnSlurm(tmp_path / "cluster", cluster, SMALL), ("all_activations", "--slurm-array-jobs=activations")
    process = run.start(*options)
    waiting(cluster, process)(lambda: cluster.running("activations"), "activations start")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "the last run was killed, its jobs go on" in run.snakemake(*options)
    tried = Counter(job["State"].split()[0] for job in run.attempts("activations"))
    # Three shards; a task that still waited is cancelled, and its shard done by the second driver.
    assert tried["COMPLETED"] == 3
    assert set(tried) <= {"COMPLETED", "CANCELLED"}
    assert len(list((run.folder / "results/activations").glob("*/shard-*.h5"))) == 3


def test_a_users_mistake_is_submitted_once(cluster, tmp_path):
    rows = {f"a{number}": ("train", ("cat", "dog")[number % 2]) for number in range(8)}
    write_folder(tmp_path / "cluster/animals", rows)
    next((tmp_path / "cluster/animals/images").glob("a0.*")).write_bytes(b"no picture")
    run = OnSlurm(tmp_path / "cluster", cluster, TINY | {"evaluation": {"splits": []}})
    output = run.snakemake("all_dataset", fails=True)
    assert "replace them, or leave them out with dataset.unreadable: reject" in output
    # The other shard is done.
    assert Counter(job["State"] for job in run.attempts("dataset")) == {"FAILED": 1, "COMPLETED": 1}


def test_a_job_over_its_memory_gets_more_and_neither_a_cancelled_one_nor_a_lost_node_costs_a_byte(cluster, tmp_path):
    run = OnSlurm(tmp_path / "cluster", cluster, LONG)
    process = run.start("all_cam", "--set-resources", "cam:mem_mb=200 if attempt == 1 else 4000")
    alone = beside(tmp_path / "local", LONG, "all_cam")
    until = waiting(cluster, process)
    first = until(lambda: cluster.running("cam"), "cam starts")
    second = until(lambda: (now := cluster.running("cam")) != first and now, "cam is tried again")
    until(lambda: checkpoint(run), "cam trains")
    cluster.tell("scancel", second)
    until(lambda: "told to stop" in log(run), "cam stops")
    forget_log(run)
    third = until(lambda: (now := cluster.running("cam")) != second and now, "cam is tried again")
    until(lambda: "resuming after epoch" in log(run), "cam goes on")
    node = cluster.tell("squeue", "-h", "-j", third, "-o", "%N").strip()
    forget_log(run)
    try:
        cluster.stop_node(node)
        # A job that SLURM has put into the queue again would wait there for two minutes.
        until(lambda: cluster.release(third), "cam is in the queue again")
        output = process.communicate(timeout=600)[0]
    finally:
        cluster.start_node(node)
    assert process.returncode == 0, output
    assert "resuming after epoch" in log(run)
    assert weights(run) == weights(alone())
    # Where SLURM itself kills, and not a cgroup, the first is FAILED and not OUT_OF_MEMORY.
    tried = [(job["State"].split()[0], job["ReqMem"]) for job in run.attempts("cam")]
    assert tried[0][0] in ("FAILED", "OUT_OF_MEMORY")
    assert [state for state, _ in tried[1:]] == ["CANCELLED", "NODE_FAIL", "COMPLETED"]
    assert [memory for _, memory in tried] == ["200M", "4000M", "4000M", "4000M"]


def test_a_training_is_requeued_and_when_its_time_is_up_gets_more(cluster, tmp_path):
    # It never ends by itself, however fast the machine.
    run = OnSlurm(tmp_path / "cluster", cluster, {**LONG, "cam": {**LONG["cam"], "epochs": 10_000}})
    process = run.start("all_cam", "--set-resources", "cam:runtime=attempt", "cam:mem_mb=4000")
    until = waiting(cluster, process)
    number = until(lambda: checkpoint(run) and cluster.running("cam"), "cam trains")
    cluster.tell("scontrol", "requeue", number)
    until(lambda: re.search(r"told to stop; the checkpoint holds epoch \d+", log(run)), "cam stops")
    forget_log(run)
    until(lambda: cluster.release(number), "cam is in the queue again")
    until(lambda: re.search(r"resuming after epoch \d+", log(run)), "cam resumes")
    until(lambda: "told to stop" in log(run), "its minute is over")
    forget_log(run)
    until(lambda: "resuming after epoch" in log(run), "cam is tried again")
    # Accounting learns a job's comment, by which it is found, at its end.
    assert cluster.tell("squeue", "-h", "-j", cluster.running("cam"), "-o", "%l").strip() == "2:00"
    process.kill()
    tried = [(job["State"], job["Timelimit"]) for job in run.attempts("cam")]
    assert tried == [("REQUEUED", "00:01:00"), ("TIMEOUT", "00:01:00")]


def test_two_nodes_train_together_stop_together_and_go_on_together(cluster, tmp_path, monkeypatch):
    # Names of nodes that only SLURM knows: elsewhere the processes find the first node by its name.
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    small = {**LONG["cam"], "epochs": 12, "threads": 1}
    run = OnSlurm(tmp_path / "cluster", cluster, {**LONG, "cam": {**small, "nodes": 2}})
    process = run.start("all_cam")
    # As two processes of one machine; only the settings in the weights' file say where they were trained.
    alone = beside(tmp_path / "local", {**LONG, "cam": {**small, "devices": 2}}, "all_cam")
    until = waiting(cluster, process)
    number = until(lambda: checkpoint(run) and cluster.running("cam"), "cam trains")
    assert cluster.tell("squeue", "-h", "-j", number, "-o", "%N").strip() == "n[1-2]"
    cluster.tell("scontrol", "requeue", number)
    until(lambda: "told to stop" in log(run), "cam stops")
    forget_log(run)
    until(lambda: cluster.release(number), "cam is in the queue again")
    output = process.communicate(timeout=600)[0]
    assert process.returncode == 0, output
    assert "resuming after epoch" in log(run)
    assert weights(run)[1] == weights(alone())[1]
