"""What a worker process of the benchmark does: in a file of its own, so that it loads what the stage loads, no more."""

import resource

from matlabel.mattes.stage import Task, matted
from matlabel.settings.mattes import MattesSettings


def matted_and_memory(task: Task, settings: MattesSettings) -> float:
    """Decode, matte and quantise an image; the peak memory of this process so far, in MB."""
    matted(task, settings, "cpu")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
