"""Scheduler resources of a job: memory, time and cores, by its number of images.

The rates stand in `matlabel.stages`, and are those of docs/notebook.md ("Time and size"): ResNet-50, two cores of an
AMD EPYC, photographs of half a megapixel at most. They are generous, because who asks for too little is killed, and
double with every attempt.
"""

from dataclasses import dataclass
from math import ceil

from matlabel.settings.base import Settings
from matlabel.stages import Stage

# Of a ResNet-50's time and memory: small ones that were measured, and others by what stands in their name. What is
# neither is taken for a ResNet-101: who asks for too little is killed.
_BACKBONES = {"resnet18": 0.5, "resnet34": 0.8, "resnet50": 1.0, "resnet101": 1.7}
_SIZES = {
    "atto": 0.3,
    "femto": 0.3,
    "lite": 0.5,
    "pico": 0.4,
    "nano": 0.6,
    "tiny": 1.0,
    "small": 1.7,
    "base": 3.0,
    "large": 6.0,
    "huge": 12.0,
}
_LARGE = 1.7
# A process on a GPU has its libraries in memory as well.
_CUDA_MEGABYTES = 1500
# How many times faster a GPU is than one core, taken low.
_GPU = 8
# What is asked for is so many times what was measured.
_MARGIN = 3
# Importing libraries, loading weights, on a file system that is slow that day.
_START_MINUTES = 10


@dataclass(frozen=True)
class Resources:
    """Memory, time and cores of one job.

    Attributes:
        memory: megabytes on each machine.
        minutes: wall time.
        cores: of a task: of one process where `srun` starts them (a training on several machines), else of them all.
    """

    memory: int
    minutes: int
    cores: int


def resources_of(stage: Stage, settings: Settings, images: int, gpu: bool, attempt: int = 1) -> Resources:
    """Memory, time and cores of a job.

    Args:
        stage: its stage.
        settings: of that stage.
        images: that it reads; 0 for weights that are only taken over.
        gpu: it runs on one.
        attempt: 1 the first time.
    """
    cores, here, tasks = getattr(settings, "threads", 1), 1, 1
    slower, larger = stage.factors(settings)
    seconds, megabytes = stage.seconds * images * slower, stage.megabytes * larger
    if stage.workers:
        here = stage.workers(settings, images)
        # The process that they work for holds images, too.
        megabytes *= 1 + 1 / here
    if images and stage.training:
        pixels = settings.crop**2 / 256**2
        here, tasks = settings.devices, settings.nodes
        backbone = _factor(settings.backbone)
        crops = max(settings.epochs * images, settings.steps * settings.batch_size)
        seconds = stage.seconds * crops * pixels * backbone / tasks
        loading = settings.workers if settings.workers is not None else 8 if gpu else 0
        # Half is libraries and weights, half goes with the pixels of a batch; loading processes have libraries as well.
        batch = pixels * backbone * settings.batch_size / settings.processes / 16
        megabytes = megabytes * (1 + batch) / 2 + 400 * loading
        cores += loading
    if gpu:
        megabytes += _CUDA_MEGABYTES
    return Resources(
        memory=ceil(_MARGIN * megabytes * here * 2 ** (attempt - 1)),
        minutes=ceil((_START_MINUTES + _MARGIN * seconds / here / (_GPU if gpu else 1) / 60) * 2 ** (attempt - 1)),
        cores=cores * (here if tasks == 1 else 1),
    )


def _factor(backbone: str) -> float:
    """Time and memory of a backbone relative to a ResNet-50, from its name alone."""
    if backbone in _BACKBONES:
        return _BACKBONES[backbone]
    return max((factor for word, factor in _SIZES.items() if word in backbone), default=_LARGE)
