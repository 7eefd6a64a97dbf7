"""A SLURM of two nodes with accounting on this machine, in a scratch folder, started and stopped by the tests."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PROGRAMS = (
    "munged",
    "mariadbd",
    "mariadb-install-db",
    "slurmdbd",
    "slurmctld",
    "slurmd",
    "sbatch",
    "sacct",
    "sacctmgr",
)
NODES = ("n1", "n2")
# The one place where jobs look: the executor takes all of SLURM's variables from them.
CONFIGURED = Path("/etc/slurm")
# Of a cluster's folder.
PREFIX = "matlabel-slurm-"
SEARCHED = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"

CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SchedulerParameters=sched_interval=2,bf_interval=2
KillWait=10
SlurmdTimeout=15
JobRequeue=1
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd_port}
AccountingStoragePass={folder}/munge.socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
PriorityType=priority/basic
{nodes}
PartitionName=main Nodes={names} Default=YES MaxTime=60 State=UP
"""
NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=6000 Gres=gpu:1 State=UNKNOWN"
)
DBD_CONF = """
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={dbd_port}
SlurmUser=root
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql_port}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
"""


def missing() -> list[str]:
    """Programs that a cluster needs and that are not there."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]


def configured() -> bool:
    """Whether this machine belongs to a SLURM already. What a killed run of the tests left there is taken away."""
    path = CONFIGURED / "slurm.conf"
    if path.is_symlink() and path.readlink().parent.name.startswith(PREFIX):
        folder = path.readlink().parent
        if not any(process.info["cwd"] == str(folder) for process in psutil.process_iter(["cwd"])):
            _unlink(folder)
    return path.is_symlink() or path.exists()


def _unlink(folder: Path) -> None:
    for path in CONFIGURED.iterdir():
        if path.is_symlink() and path.readlink().parent == folder:
            path.unlink()


def makes_devices(folder: Path) -> bool:
    """Whether this user may make device files, which some containers forbid even root."""
    trial = folder / "device"
    try:
        os.mknod(trial, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        return False
    trial.unlink()
    return True


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@dataclass
class Cluster:
    """Its daemons; `environment` is what its commands need."""

    folder: Path
    host: str = field(default_factory=lambda: socket.gethostname().partition(".")[0])
    environment: dict[str, str] = field(default_factory=dict)
    _started: list[subprocess.Popen] = field(default_factory=list)

    def __enter__(self) -> "Cluster":
        self.environment = {**os.environ, "PATH": SEARCHED}
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.tell("scancel", "--user=root", check=False)
        for process in reversed(self._started):
            self._stop(process)
        # Steps have daemons of their own.
        for process in psutil.process_iter(["cmdline"]):
            if str(self.folder) in " ".join(process.info["cmdline"] or ()) and process.pid != os.getpid():
                with contextlib.suppress(psutil.Error):
                    process.kill()
        _unlink(self.folder)

    def tell(self, *command: str, check: bool = True) -> str:
        """Run one of SLURM's commands."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def jobs(self) -> list[dict[str, str]]:
        """Of all jobs, each attempt one: number, state, node, rule (its comment), start, end, what was allocated."""
        names = ("JobID", "State", "NodeList", "Comment", "Start", "End", "AllocTRES", "ReqMem", "Timelimit")
        text = self.tell("sacct", "-X", "-n", "-P", "-D", "-a", "-S", "now-1days", f"--format={','.join(names)}")
        return [dict(zip(names, line.split("|"), strict=True)) for line in text.splitlines()]

    def running(self, rule: str) -> str | None:
        """Number of a rule's running job."""
        for line in self.tell("squeue", "-h", "-t", "RUNNING", "-o", "%i %k").splitlines():
            number, _, comment = line.partition(" ")
            if comment.startswith(f"rule_{rule}_") or comment == f"rule_{rule}":
                return number
        return None

    def release(self, number: str) -> bool:
        """Let a requeued job start now, and not in two minutes; False while it is not in the queue again."""
        waits = self.tell("squeue", "-h", "-j", number, "-o", "%T", check=False).strip() == "PENDING"
        if waits:
            self.tell("scontrol", "update", f"JobId={number}", "StartTime=now", check=False)
        return waits

    def stop_node(self, name: str) -> None:
        """As if its machine had lost power."""
        for process in psutil.process_iter():
            # A step's daemon does not say where it runs, what it has started does.
            with contextlib.suppress(psutil.Error):
                step = [process, *process.children(recursive=True)] if process.name() == "slurmstepd" else [process]
                daemon = process.name() == "slurmd" and process.cmdline()[-2:] == ["-N", name]
                if daemon or any(self._node(each) == name for each in step):
                    self._kill_tree(process)

    def start_node(self, name: str) -> None:
        """Start it, and wait until it takes jobs."""
        self._spawn("slurmd", "-D", "-N", name)
        self.until(lambda: self._state(name) in ("idle", "mixed", "allocated"), f"{name} comes up", revive=name)

    def until(self, condition, what: str, seconds: float = 120, revive: str | None = None) -> object:
        """Wait."""
        end = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() > end:
                logs = "\n".join(f"{log.name}: {log.read_text()[-2000:]}" for log in self.folder.glob("*.log"))
                raise AssertionError(f"{what}: not in {seconds} s\n{logs}")
            if revive:
                self.tell("scontrol", "update", f"NodeName={revive}", "State=RESUME", check=False)
            time.sleep(0.3)
        return found

    def _answers(self, *command: str) -> bool:
        return subprocess.run(command, env=self.environment, capture_output=True, timeout=60).returncode == 0

    def _state(self, name: str) -> str:
        return self.tell("sinfo", "-h", "-N", "-n", name, "-o", "%T", check=False).strip().rstrip("*")

    def _node(self, process: psutil.Process) -> str | None:
        """Where a job's process runs; None for one that is of no job, that has just ended, or that does not say."""
        with contextlib.suppress(psutil.Error):
            return process.environ().get("SLURMD_NODENAME")
        return None

    def _kill_tree(self, process: psutil.Process) -> None:
        # From above: a step's daemon that outlives its job for a moment tells how it ended.
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                each.kill()

    def _stop(self, process: psutil.Popen) -> None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _spawn(self, *command: str) -> subprocess.Popen:
        log = (self.folder / f"{command[0]}.out").open("a")
        process = subprocess.Popen(
            command, env=self.environment, stdout=log, stderr=log, cwd=self.folder, start_new_session=True
        )
        self._started.append(process)
        return process

    def _start(self) -> None:
        names = {"folder": self.folder, "host": self.host, "names": ",".join(NODES)}
        names |= {name: _free_port() for name in ("port", "dbd_port", "sql_port")}
        nodes = [NODE.format(name=name, host=self.host, port=_free_port()) for name in NODES]
        self._write("slurm.conf", CONF.format(**names, nodes="\n".join(nodes)))
        self._write("slurmdbd.conf", DBD_CONF.format(**names))
        self._write("cgroup.conf", "CgroupAutomount=no\n")
        (self.folder / "state").mkdir()
        for name in NODES:
            # A device that is there and does nothing.
            os.mknod(self.folder / f"gpu-{name}", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        gpus = [f"NodeName={name} Name=gpu File={self.folder}/gpu-{name}" for name in NODES]
        self._write("gres.conf", "\n".join(gpus) + "\n")
        self._write("munge.key", os.urandom(128).hex())
        self._spawn(
            *("munged", "--foreground", "--force", "--num-threads=10", f"--key-file={self.folder}/munge.key"),
            *(f"--socket={self.folder}/munge.socket", f"--pid-file={self.folder}/munged.pid"),
            *(f"--log-file={self.folder}/munged.log", f"--seed-file={self.folder}/munged.seed"),
        )
        self._start_database(names["sql_port"])
        self._spawn("slurmdbd", "-D")
        self.until(lambda: self._answers("sacctmgr", "-n", "show", "cluster"), "slurmdbd answers")
        for what in (("cluster", "test"), ("account", "lab", "cluster=test"), ("user", "root", "account=lab")):
            self.tell("sacctmgr", "-i", "add", *what)
        self._spawn("slurmctld", "-D", "-i")
        self.until(lambda: "UP" in self.tell("scontrol", "ping", check=False), "slurmctld answers")
        for name in NODES:
            self.start_node(name)

    def _start_database(self, port: int) -> None:
        data = self.folder / "sql"
        subprocess.run(
            ["mariadb-install-db", "--user=root", f"--datadir={data}", "--auth-root-authentication-method=socket"],
            env=self.environment,
            check=True,
            capture_output=True,
        )
        options = [
            f"--datadir={data}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder}/sql.sock",
        ]
        self._spawn("mariadbd", "--no-defaults", "--user=root", *options, f"--pid-file={self.folder}/sql.pid")
        client = ["mariadb", "--no-defaults", f"--socket={self.folder}/sql.sock"]
        grant = "CREATE USER slurm@'127.0.0.1' IDENTIFIED BY 'slurm'; CREATE DATABASE slurm; "
        grant += "GRANT ALL ON slurm.* TO slurm@'127.0.0.1'; CREATE USER slurm@localhost IDENTIFIED BY 'slurm'; "
        grant += "GRANT ALL ON slurm.* TO slurm@localhost;"
        self.until(lambda: self._answers(*client, "-e", "SELECT 1"), "mariadbd answers")
        subprocess.run([*client, "-e", grant], check=True, capture_output=True)

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        # Munge and slurmdbd refuse keys and passwords that others can read.
        path.chmod(0o600)
        if name.endswith(".conf"):
            CONFIGURED.mkdir(exist_ok=True)
            (CONFIGURED / name).symlink_to(path)
