"""The Snakefile's hooks: the plan of a run, its targets, and what happens before and after its jobs."""

import atexit
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote
from typing import Any

from snakemake.logging import logger
from snakemake.shell import shell

from matlabel.artifacts.errors import UserError, storage_problem
from matlabel.artifacts.format import foreign_note, is_foreign, key_folders
from matlabel.artifacts.scores import warnings_of
from matlabel.runs import driver
from matlabel.runs.config_files import refuse_odd_files
from matlabel.runs.linked_copy import linked_copy
from matlabel.runs.links import set_links
from matlabel.runs.lost import first_lost
from matlabel.runs.orphaned_jobs import Planned
from matlabel.runs.plan import Plan
from matlabel.runs.snakemake_internals import FOLDER, Asked, begun, report, shows, slurm_comment, submitted, unlocks
from matlabel.stages import FOLDERS, LAST, STAGES

_RESULTS = Path("results")
# Names the stages whose lost files this driver has made again, each in a run of its own.
_RESTORED = "MATLABEL_RESTORED"


class Run:
    """One call of Snakemake; a mistake in the config or the data ends it with one message.

    Args:
        workflow, config: Snakemake's, as a Snakefile finds them.

    Attributes:
        plan: what the config leads to.
    """

    def __init__(self, workflow: Any, config: Any):
        self._asked = Asked(workflow)
        self._restoring: list[str] = []
        if self._asked.is_driver:
            # Of a key that is there twice the last would count, without a word.
            refuse_odd_files(self._asked.config_files or [f"{workflow.basedir}/config.yaml"])
        with _one_message():
            self._asked.refuse_other_records()
            notes = _enter(self._asked, config) if self._asked.is_driver else []
            self.plan = Plan(config, write=self._asked.is_driver and driver.writable(_RESULTS))
            if self._asked.is_driver:
                self.plan.check_starts()
        if self._asked.is_driver:
            for note in notes + self.plan.data.notes:
                logger.warning(note)
            atexit.register(self._link_what_stands, Path.cwd())
        if self._asked.with_conda:
            # An environment that Snakemake makes for the jobs has all but this package.
            shell.prefix(f"export PATH={quote(f'{workflow.basedir}/workflow/bin')}:$PATH; ")

    # -- targets -------------------------------------------------------------------------------------------------

    def all_of(self, stage: str) -> Callable[[Any], list[str]]:
        """The targets of `all_<stage>`; in a batch one file a job, as Snakemake splits targets by name."""
        return lambda wildcards: self.plan.main_files(stage) if self._asked.in_batches else self.plan.targets(stage)

    def all(self, wildcards: Any) -> list[str]:
        """All targets of a config; where files are lost, first those of one stage alone, then all once more."""
        everything = [path for stage in STAGES for path in self.all_of(stage)(wildcards)]
        if self._asked.selects:
            return everything
        tried = os.environ.get(_RESTORED, "").split()
        found = first_lost(self.plan, self._asked.has_made, tried)
        if found is None or not self._asked.executes:
            return everything
        stage, paths = found
        named = f"lost: {paths[0]}" + (f" and {len(paths) - 1} more of {stage}" if len(paths) > 1 else "")
        if not self._asked.runs:
            logger.warning(f"{named}; a run makes that again first, and what follows only if other bytes come back")
            return everything
        logger.warning(f"{named}; made again first, then all is planned once more")
        self._restoring = [*tried, stage]
        return paths

    # -- before and after the jobs -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Before the first job: wait for jobs of a killed driver, then plan anew."""
        if not self._asked.is_driver:
            return
        jobs = self._asked.jobs
        makes = {str(file) for job in jobs for file in job.output}
        reads = {str(file) for job in jobs for file in job.input}
        planned = Planned(Path.cwd(), set(map(slurm_comment, jobs)), makes, submitted(Path.cwd()))
        with _one_message():
            if not driver.begin(_RESULTS, self._asked.executor, self._asked.runs_children, planned, reads):
                self._start_again()
            self._asked.stop_retries(jobs)
            set_links(self.plan)

    def succeed(self) -> None:
        """After the last job: plan anew if only lost files were remade, else print warnings about the labels."""
        if not self._asked.is_driver:
            return
        driver.end()
        if self._restoring:
            os.environ[_RESTORED] = " ".join(self._restoring)
            self._start_again()
        # Without a mask nobody would see it.
        for (variant, seed), keys in self.plan.chains.items():
            scores = Path(self.plan.artifact(keys[LAST.name]))
            try:
                lines = warnings_of(scores, f"WARNING, {variant}, seed {seed}")
            except UserError as error:
                lines = [f"WARNING, {variant}, seed {seed}: {error}"]
            for line in lines:
                logger.warning(line)

    def fail(self) -> None:
        """After the last job, where one has failed."""
        if self._asked.is_driver:
            driver.end(unfinished=begun(Path.cwd()))

    def _start_again(self) -> None:
        """Plan anew, in the same process."""
        self._asked.unlock()
        driver.again()

    def _link_what_stands(self, folder: Path) -> None:
        """Set the links where no job is to run: Snakemake calls no hook then."""
        if self._asked.found_nothing:
            with contextlib.chdir(folder):
                try:
                    with _one_message():
                        set_links(self.plan)
                except SystemExit as refusal:
                    # Too late for another exit status.
                    print(refusal, file=sys.stderr)


def _enter(asked: Asked, config: Any) -> list[str]:
    """Become the driver of the current folder, or only look at it in a dry run; returns notes for the user."""
    target = report(sys.argv)
    looking = asked.is_dry or target is not None or shows(sys.argv)
    notes = driver.enter(Path(), looking, unlocking=unlocks(sys.argv))
    notes += foreign_note([folder for folder in key_folders(_RESULTS, FOLDERS) if is_foreign(folder)])
    if looking and not (driver.writable(FOLDER) and (target or driver.writable(_RESULTS))):
        if target and not target.is_absolute():
            raise UserError(f"{target}: would be lost, as nothing can be written here; name a file by its whole path")
        # Snakemake writes even then: a copy of this folder takes it, and is deleted when this process ends.
        elsewhere = contextlib.ExitStack()
        elsewhere.enter_context(linked_copy(Path.cwd(), config))
        atexit.register(elsewhere.close)
    return notes


@contextlib.contextmanager
def _one_message() -> Iterator[None]:
    """Exit with one message for mistakes of the user's, instead of a traceback through the Snakefile."""
    try:
        yield
    except (UserError, OSError) as error:
        problem = storage_problem(error) if isinstance(error, OSError) else error
        if problem is None:
            raise
        sys.exit(f"matlabel: {problem}")
