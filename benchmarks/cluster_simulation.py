"""A run on a cluster as a simulation of its jobs."""

import heapq
import json
import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from pathlib import Path

# Stage -> what it needs of the machine; `training`: one job over all images.
KINDS = {
    "dataset": "core",
    "cam": "training",
    "activations": "gpu",
    "trimaps": "core",
    "mattes": "core",
    "labels": "core",
    "segmenter": "training",
}
READS_PHOTOGRAPHS = ("dataset", "cam", "activations", "mattes", "segmenter")


@dataclass(frozen=True)
class Rate:
    """Of one stage, of one image.

    Attributes:
        seconds: of work; of a training, of all its epochs.
        kilobytes: read and written.
    """

    stage: str
    seconds: float
    kilobytes: float


@dataclass(frozen=True)
class Machine:
    """The cluster; times in seconds, bandwidth in bytes a second."""

    gpus: int
    cores_a_gpu: int
    speedup: float
    devices: int
    doubling: float
    start: float
    latency: float
    bandwidth: float


@dataclass
class Done:
    """What came out, in seconds.

    Attributes:
        overhead: of all jobs' time, start and waiting for it.
        spans: stage -> first start and last end.
    """

    wall: float = 0.0
    gpu_seconds: float = 0.0
    busy: float = 0.0
    overhead: float = 0.0
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def longest(self) -> str:
        """The stage that spans the longest time, and its share of the whole."""
        name, (begin, end) = max(self.spans.items(), key=lambda item: item[1][1] - item[1][0])
        return f"{name} {100 * (end - begin) / self.wall:.0f} %"


def rates_of(run: Path, kilobytes: float) -> list[Rate]:
    """The stages of a finished run; `kilobytes` of a photograph."""
    counted = {file.name[:11]: _lines(file) for file in sorted((run / "dataset").glob("shard-*.csv"))}
    rates = []
    for stage in KINDS:
        records = [json.loads(file.read_text()) for file in sorted((run / stage).glob("*.provenance.json"))]
        main = [record for record in records if record["file"].endswith((".h5", ".safetensors", ".checks.json"))]
        if not main:
            continue
        covered = sum(counted[record["file"][:11]] for record in main if record["file"][:11] in counted)
        count = covered or _trained_on(main[0], counted)
        size = sum(record["bytes"] for record in main) / count / 1000 if KINDS[stage] != "training" else 0.0
        size += kilobytes if stage in READS_PHOTOGRAPHS else 0.0
        rates.append(Rate(stage, sum(record["seconds"] for record in main) / count, size))
    return rates


def simulate(rates: list[Rate], images: int, shard: int, machine: Machine) -> Done:
    """Place all jobs of a run, first come, first served."""
    done, now = Done(), 0.0
    before: list[Rate] = []
    for rate in rates:
        if KINDS[rate.stage] != "training":
            before.append(rate)
            continue
        now = _sharded(before, images, shard, machine, done, now)
        now = _training(rate, images, machine, done, now)
        before = []
    done.wall = _sharded(before, images, shard, machine, done, now)
    return done


def _training(rate: Rate, images: int, machine: Machine, done: Done, now: float) -> float:
    devices = min(machine.gpus, machine.devices)
    work = images * rate.seconds / machine.speedup / machine.doubling ** math.log2(devices)
    work = max(work, images * rate.kilobytes * 1000 / machine.bandwidth)
    end = now + machine.latency + machine.start + work
    done.gpu_seconds += devices * (machine.start + work)
    _count(done, rate.stage, now, end, machine.latency + machine.start)
    return end


def _sharded(rates: list[Rate], images: int, shard: int, machine: Machine, done: Done, now: float) -> float:
    # Each shard runs through the stages by itself.
    if not rates:
        return now
    sizes = [min(shard, images - first) for first in range(0, images, shard)]
    free = {"gpu": machine.gpus, "core": machine.gpus * machine.cores_a_gpu}
    waiting: dict[str, deque] = {"gpu": deque(), "core": deque()}
    running: list[tuple[float, int, int, str]] = []
    streams = min(len(sizes), machine.gpus * max(machine.cores_a_gpu, 1))
    last = now

    def pool_of(stage: int) -> str:
        return "gpu" if KINDS[rates[stage].stage] == "gpu" or not machine.cores_a_gpu else "core"

    for number in range(len(sizes)):
        waiting[pool_of(0)].append((now, number, 0))
    while running or any(waiting.values()):
        for pool, queue in waiting.items():
            while queue and free[pool]:
                submitted, number, stage = queue.popleft()
                rate, on_gpu = rates[stage], KINDS[rates[stage].stage] == "gpu"
                work = sizes[number] * rate.seconds / (machine.speedup if on_gpu else 1)
                work += sizes[number] * rate.kilobytes * 1000 * streams / machine.bandwidth
                begin = max(now, submitted + machine.latency)
                end = begin + machine.start + work
                if pool == "gpu":
                    done.gpu_seconds += machine.start + work
                _count(done, rate.stage, submitted, end, begin - submitted + machine.start)
                free[pool] -= 1
                heapq.heappush(running, (end, number, stage, pool))
        now, number, stage, pool = heapq.heappop(running)
        last = max(last, now)
        free[pool] += 1
        if stage + 1 < len(rates):
            waiting[pool_of(stage + 1)].append((now, number, stage + 1))
    return last


def _count(done: Done, stage: str, begin: float, end: float, overhead: float) -> None:
    first, last = done.spans.get(stage, (begin, end))
    done.spans[stage] = (min(first, begin), max(last, end))
    done.busy += end - begin
    done.overhead += overhead


def _lines(file: Path) -> int:
    return sum(1 for line in file.read_text().splitlines() if line) - 1


def _trained_on(record: dict, counted: dict[str, int]) -> int:
    read = defaultdict(int)
    for path in record["inputs"]:
        read[Path(path).name[:11]] = counted.get(Path(path).name[:11], 0)
    return sum(read.values())
