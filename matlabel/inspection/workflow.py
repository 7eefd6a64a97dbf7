"""The run that a command line identifies: Snakefile, working directory, and the config as Snakemake merges it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.yaml_files import read_yaml
from matlabel.runs.snakemake_internals import merged_config
from matlabel.runs.sources import PACKAGE


@dataclass(frozen=True)
class Workflow:
    """The parts of a Snakemake call that decide what would be made. All paths are absolute.

    Attributes:
        snakefile: the workflow.
        directory: where it runs.
        configfiles: merged in this order; none: the workflow's own.
        values: key=value, over the files.
    """

    snakefile: Path
    directory: Path
    configfiles: tuple[Path, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def options(self) -> list[str]:
        """The same as command line arguments."""
        words = ["--snakefile", str(self.snakefile)]
        words += ["--configfile", *map(str, self.configfiles)] if self.configfiles else []
        return words + (["--config", *self.values] if self.values else [])

    def config(self) -> Mapping[str, Any]:
        """The merged config, by Snakemake's own functions.

        Raises:
            UserError: a file is no config, or a value is not key=value.
        """
        own = self.snakefile.parent / "config.yaml"
        for file in self.configfiles or (own,):
            read_yaml(file)
        return merged_config(own, self.configfiles, self.values)


def find_workflow(
    snakefile: Path | None = None,
    directory: Path = Path(),
    configfiles: Sequence[Path] = (),
    values: Sequence[str] = (),
) -> Workflow:
    """The run that a command line identifies, found from the current folder.

    Raises:
        UserError: no Snakefile is here, nor one beside the package.
    """
    found = [snakefile] if snakefile else [Path("Snakefile"), PACKAGE.parent / "Snakefile"]
    existing = next((path for path in found if path.is_file()), None)
    if existing is None:
        raise UserError(f"no Snakefile in {Path.cwd()}; go to the folder that has it, or name it with --snakefile")
    files = tuple(path.absolute() for path in configfiles)
    return Workflow(existing.resolve(), directory.resolve(), files, tuple(values))
