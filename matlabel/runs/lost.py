"""Lost artifacts, made before and now missing: a run remakes them before it plans anything else.

Snakemake runs what follows a job whatever the job's bytes are: a lost trimap would train a segmenter again. A run of
its own for what is lost has no followers in it; in the next one they find the same bytes, and stay.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from matlabel.runs.plan import Plan
from matlabel.stages import STAGES, position


def lost(plan: Plan, made: Callable[[str], bool]) -> dict[str, list[str]]:
    """Stage -> its lost files and folders, in the order of the stages.

    Args:
        plan: what the config leads to.
        made: whether Snakemake remembers a job that made a path.
    """
    missing = {stage: [path for path in plan.targets(stage) if not Path(path).exists()] for stage in STAGES}
    found = {stage: [path for path in paths if made(path)] for stage, paths in missing.items()}
    return {stage: paths for stage, paths in found.items() if paths}


def first_lost(plan: Plan, made: Callable[[str], bool], tried: Collection[str] = ()) -> tuple[str, list[str]] | None:
    """The first stage with lost files, and their paths; None where a plain run would do.

    That is so where nothing is lost, and where nothing stands of the stages after it, which could stay.

    Args:
        plan, made: as above.
        tried: stages that had their turn.
    """
    for stage, paths in lost(plan, made).items():
        following = list(STAGES)[position(stage) + 1 :]
        if stage not in tried and any(Path(path).exists() for later in following for path in plan.targets(later)):
            return stage, paths
    return None
