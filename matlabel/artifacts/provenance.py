"""Beside every artifact, `<file>.provenance.json`: what it is, what made it, from what, where and how long."""

import os
import platform
import resource
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from matlabel.artifacts.atomic import write_json
from matlabel.artifacts.digest import file_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.reading import read_json

SUFFIX = ".provenance.json"
_PACKAGES = (
    "matlabel",
    "torch",
    "torchvision",
    "timm",
    "segmentation-models-pytorch",
    "numpy",
    "scipy",
    "h5py",
    "pillow",
    "scikit-image",
)


class Inputs:
    """The files a job has read.

    Attributes:
        files: path -> SHA-256.
        write: whether this process writes the provenance; of several that train together, one does.
    """

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.write = True

    def add(self, paths: str | Path | Iterable[str | Path]) -> None:
        """Note one file or several as read.

        Raises:
            UserError: an artifact is not the one that was written.
        """
        for path in [paths] if isinstance(paths, str | Path) else paths:
            self.files[str(path)] = checked_sha256(path)


@contextmanager
def recorded(outputs: list[Path], *, stage: str, key: str, code: str | None = None) -> Iterator[Inputs]:
    """Write the provenance of `outputs` once the block has made them.

    Args:
        outputs: the files that the block writes.
        stage, key: the artifact's address.
        code: digest of the stage's sources, if the caller knows it.

    Yields:
        an `Inputs`, to which the block adds the files it reads.
    """
    inputs = Inputs()
    begin = time.monotonic()
    yield inputs
    seconds = time.monotonic() - begin
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    for output in outputs if inputs.write else []:
        write_json(
            provenance_path(output),
            {
                "file": Path(output).name,
                "sha256": file_sha256(output),
                "bytes": Path(output).stat().st_size,
                "stage": stage,
                "key": key,
                "code": code,
                "inputs": inputs.files,
                "versions": {"python": platform.python_version(), **_versions()},
                "host": socket.gethostname(),
                "machine": platform.machine(),
                "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
                "seconds": round(seconds, 2),
                "peak_memory_mb": round(peak / 1024),
            },
        )


def checked_sha256(path: str | Path) -> str:
    """SHA-256 of a file, which must be the one in its provenance, if it has any.

    Raises:
        UserError: it is another, or the provenance cannot be read.
    """
    found, written = file_sha256(path), read_provenance(path)
    if written is not None and written["sha256"] != found:
        raise UserError(
            f"{path}: damaged, its bytes are not those that were written; "
            "`matlabel verify --repair` deletes it, the next run computes it again"
        )
    return found


def read_provenance(artifact: str | Path) -> dict | None:
    """The provenance of an artifact; None where there is none.

    Raises:
        UserError: it cannot be read.
    """
    path = provenance_path(artifact)
    # Of a name that no file can have, Path.exists does not say False.
    if not os.path.exists(path):
        return None
    try:
        found = read_json(path)
    except UserError as error:
        raise UserError(f"{error}: not a provenance; delete it and {artifact}, and run again") from error
    inputs = found.setdefault("inputs", {})
    if (
        not isinstance(found.get("sha256"), str)
        or not isinstance(inputs, dict)
        or not all(isinstance(digest, str) for digest in inputs.values())
    ):
        raise UserError(f"{path}: not a provenance; delete it and {artifact}, and run again")
    return found


def provenance_path(artifact: str | Path) -> Path:
    """Where the provenance of an artifact lies."""
    artifact = Path(artifact)
    return artifact.with_name(artifact.name + SUFFIX)


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
