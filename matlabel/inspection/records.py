"""What Snakemake keeps: the lock of a run, the files that it has begun and not finished, and those it has made."""

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.reading import read_json
from matlabel.runs.driver import at_work


def locked(directory: Path) -> bool:
    """Whether a run holds the lock of a working directory, or was killed and left it."""
    locks = directory / ".snakemake/locks"
    return locks.is_dir() and any(locks.iterdir())


def refuse_during_a_run(directory: Path) -> None:
    """Before something is deleted that a run may need: do nothing, or refuse.

    Snakemake's lock alone does not tell: the end of any other run in the directory takes it away.

    Raises:
        UserError: a run is at work in the working directory, or may be.
    """
    if why := at_work(directory / "results"):
        raise UserError(f"{directory}: {why}")
    if locked(directory):
        raise UserError(
            f"{directory}: a run is going on and may need what would be deleted; wait for its end "
            "(after a killed one, run again first)"
        )


def begun(directory: Path) -> set[str]:
    """Files, relative to the working directory, whose jobs have begun and not ended."""
    return {name for name, _ in _records(directory / ".snakemake/incomplete")}


def made(directory: Path) -> set[str]:
    """Files and folders, relative to the working directory, that jobs have made, whether or not they still stand."""
    return {name for name, _ in _records(directory / ".snakemake/metadata")}


def submitted(directory: Path) -> dict[str, set[str]]:
    """What a scheduler calls a job -> files, relative to the working directory, that it has begun and not ended."""
    found: dict[str, set[str]] = {}
    for name, path in _records(directory / ".snakemake/incomplete"):
        try:
            number = read_json(path).get("external_jobid")
        except UserError:
            # Being written, or gone.
            continue
        if isinstance(number, str):
            found.setdefault(number, set()).add(name)
    return found


def _records(root: Path) -> Iterator[tuple[str, Path]]:
    for path in root.rglob("*"):
        # Snakemake names each record by the file's path in base64, long ones over folders that begin with @.
        name = "".join(part.removeprefix("@") for part in path.relative_to(root).parts)
        try:
            yield base64.urlsafe_b64decode(name).decode(), path
        except (binascii.Error, UnicodeDecodeError):
            continue
