"""Verifying the files of a results folder against their recorded SHA-256."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matlabel.artifacts.digest import file_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import SUFFIX, provenance_path, read_provenance
from matlabel.inspection.result_files import (
    content_digest,
    in_key_folder,
    is_artifact,
    is_provenance,
    key_folders,
    refuse_during_a_run,
)

_DAMAGED = ("damaged", "truncated")


@dataclass(frozen=True)
class Finding:
    """A file that is not what it should be.

    Attributes:
        path: of the file.
        problem: "damaged" (other bytes, or an unreadable provenance), "truncated" (fewer bytes), "missing" (its
            provenance is there alone), or "foreign" (a link, no provenance, or that of another place: copied or made
            by hand).
    """

    path: Path
    problem: str

    @property
    def repairable(self) -> bool:
        """Whether deleting it makes the next run compute it again: a foreign file may be a user's own."""
        return self.problem in _DAMAGED


def verify(results: Path) -> Iterator[Finding]:
    """Check every artifact below a results folder against its provenance, and the driver's files against their names.

    Looked at is what is called as this program calls its files, in its own folders; label PNGs are exports of a shard
    and are not looked at.
    """
    for folder in key_folders(results):
        for path in sorted(folder.iterdir()):
            problem = _problem(path)
            if problem:
                yield Finding(path, problem)


def repair(finding: Finding, results: Path) -> None:
    """Delete a damaged file, so that the next run computes it again; its provenance goes first, as it goes with it.

    A job that runs replaces an artifact first and its provenance afterwards: what lies between looks damaged.

    Raises:
        UserError: a run is at work, or it is not a damaged file of ours below `results`, or not one any more; nothing
            is deleted.
    """
    refuse_during_a_run(results.absolute().parent)
    path = finding.path
    own = in_key_folder(path, results) and (is_artifact(path) or content_digest(path))
    if not own or not finding.repairable or path.is_symlink() or _problem(path) not in _DAMAGED:
        raise UserError(f"{path}: not a damaged artifact below {results}; it was left alone")
    if is_artifact(path):
        provenance_path(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _problem(path: Path) -> str | None:
    if is_provenance(path):
        return None if path.with_name(path.name.removesuffix(SUFFIX)).exists() else "missing"
    digest = content_digest(path)
    if not digest and not is_artifact(path):
        return None
    if path.is_symlink() or not path.is_file():
        return "foreign"
    if digest:
        return None if file_sha256(path)[:12] == digest else "damaged"
    try:
        written = read_provenance(path)
    except UserError:
        return "damaged"
    place = {"file": path.name, "stage": path.parent.parent.name, "key": path.parent.name}
    if written is None or any(written.get(name) != value for name, value in place.items()):
        return "foreign"
    if path.stat().st_size < written.get("bytes", 0):
        return "truncated"
    return None if file_sha256(path) == written["sha256"] else "damaged"
