"""What Snakemake keeps: the lock of a run, the files that it has begun and not finished, and those it has made."""

import base64
import binascii
from pathlib import Path


def locked(directory: Path) -> bool:
    """Whether a run holds the lock of a working directory, or was killed and left it."""
    locks = directory / ".snakemake/locks"
    return locks.is_dir() and any(locks.iterdir())


def begun(directory: Path) -> set[str]:
    """Files, relative to the working directory, whose jobs have begun and not ended."""
    return _recorded(directory / ".snakemake/incomplete")


def made(directory: Path) -> set[str]:
    """Files and folders, relative to the working directory, that jobs have made, whether or not they still stand."""
    return _recorded(directory / ".snakemake/metadata")


def _recorded(root: Path) -> set[str]:
    found = set()
    for path in root.rglob("*"):
        # Snakemake names each record by the file's path in base64, long ones over folders that begin with @.
        name = "".join(part.removeprefix("@") for part in path.relative_to(root).parts)
        try:
            found.add(base64.urlsafe_b64decode(name).decode())
        except (binascii.Error, UnicodeDecodeError):
            continue
    return found
