"""What a job asks a scheduler for: memory, time and cores, sized by its images.

The rates are those of docs/results.md ("Time and size"): ResNet-50, two cores of an AMD EPYC, photographs of half a
megapixel at most. They are generous, because who asks for too little is killed, and double with every attempt.
"""

from dataclasses import dataclass
from math import ceil

from matlabel.settings.base import Settings
from matlabel.settings.mattes import WITHOUT_TRIMAP
from matlabel.settings.training import TrainingSettings

# Seconds an image on one core, and of a training an image of an epoch at a crop of 256 pixels on both.
_SECONDS = {
    "dataset": 0.05,
    "cam": 0.25,
    "activations": 1.5,
    "trimaps": 0.02,
    "mattes": 0.05,
    "labels": 0.02,
    "segmenter": 0.15,
    "predictions": 0.25,
    "evaluation": 0.1,
    "report": 0.001,
}
# Peak megabytes of a job, measured; images are read one after the other, so their number does not matter.
_MEGABYTES = {
    "cam": 2000,
    "activations": 1600,
    "mattes": 200,
    "segmenter": 1600,
    "predictions": 1000,
}
_SMALL_MEGABYTES = 250
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
# Mattes other than closed_form at a quarter of the size: seconds and megabytes, times those above. Of vitmatte taken
# high, as nobody has measured it.
_MATTES = {"vitmatte": (40, 20), "crf": (6, 2), "none": (0.2, 1), "random_walk": (6, 3), "knn": (6, 3), "lbdm": (3, 2)}
_FULL_SIZE = 16
# A process on a GPU has its libraries in memory as well.
_CUDA_MEGABYTES = 1500
# Of the classifier's own training.
_CAM = 3
# How many times faster a GPU is than one core, taken low.
_GPU = 8
# What is asked for is so many times what was measured.
_MARGIN = 3
# Importing libraries, loading weights, on a file system that is slow that day.
_START_MINUTES = 10


@dataclass(frozen=True)
class Needs:
    """Of one job.

    Attributes:
        memory: megabytes on each machine.
        minutes: wall time.
        cores: of a task: of one process where `srun` starts them (a training on several machines), else of them all.
    """

    memory: int
    minutes: int
    cores: int


def needs_of(stage: str, settings: Settings, images: int, gpu: bool, workers: int = 1, attempt: int = 1) -> Needs:
    """Memory, time and cores of a job.

    Args:
        stage: its stage.
        settings: of that stage.
        images: that it reads; 0 for weights that are only taken over.
        gpu: it runs on one.
        workers: processes that share the work, for mattes.
        attempt: 1 the first time.
    """
    cores, here, tasks = getattr(settings, "threads", 1), 1, 1
    seconds, megabytes = _SECONDS[stage] * images, _MEGABYTES.get(stage, _SMALL_MEGABYTES)
    if images and isinstance(settings, TrainingSettings):
        pixels = settings.crop**2 / 256**2
        here, tasks = settings.devices, settings.nodes
        backbone = _factor(settings.trunk)
        crops = max(settings.epochs * images, settings.steps * settings.batch_size)
        seconds = _SECONDS[stage] * crops * pixels * backbone / tasks
        # The classifier's short trainings, and the plain one that it may fall back to.
        seconds *= _CAM if stage == "cam" else 1
        loading = settings.workers if settings.workers is not None else 8 if gpu else 0
        # Half is libraries and weights, half goes with the pixels of a batch; loading processes have libraries as well.
        batch = pixels * backbone * settings.batch_size / settings.processes / 16
        megabytes = megabytes * (1 + batch) / 2 + 400 * loading
        cores += loading
    elif stage == "mattes":
        slower, larger = _MATTES.get(settings.method, (1, 1))
        if settings.scale == 1 and settings.method not in WITHOUT_TRIMAP:
            slower, larger = slower * _FULL_SIZE, larger * 4
        seconds *= slower
        here, megabytes = workers, megabytes * larger * (1 + 1 / workers)
    if gpu:
        megabytes += _CUDA_MEGABYTES
    return Needs(
        memory=ceil(_MARGIN * megabytes * here * 2 ** (attempt - 1)),
        minutes=ceil((_START_MINUTES + _MARGIN * seconds / here / (_GPU if gpu else 1) / 60) * 2 ** (attempt - 1)),
        cores=cores * (here if tasks == 1 else 1),
    )


def _factor(backbone: str) -> float:
    """Time and memory of a backbone as a multiple of a ResNet-50's, from its name alone."""
    if backbone in _BACKBONES:
        return _BACKBONES[backbone]
    return max((factor for word, factor in _SIZES.items() if word in backbone), default=_LARGE)
