"""Whether the files of a results folder are still those that were written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matlabel.artifacts.digest import file_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import SUFFIX, provenance_path, read_provenance

# The driver's files carry the digest of their content in their name; an index, that of the folder it remembers.
_ADDRESSED = re.compile(r"(?!index-).+-([0-9a-f]{12})\.(?:csv|txt)")
# What jobs write, and so has a provenance beside it.
_ARTIFACT = re.compile(
    r".+\.(?:h5|html|png)|weights\.pt|history\.csv|.+\.checks\.json|scores\.json|ablation\.(?:md|csv)"
)
_DAMAGED = ("damaged", "truncated")


@dataclass(frozen=True)
class Finding:
    """A file that is not what it should be.

    Attributes:
        path: of the file.
        problem: "damaged" (other bytes, or an unreadable provenance), "truncated" (fewer bytes), "missing" (its
            provenance is there alone), or "foreign" (no provenance, or that of another place: copied or made by hand).
    """

    path: Path
    problem: str

    @property
    def repairable(self) -> bool:
        """Whether deleting it makes the next run compute it again: a foreign file may be somebody's own."""
        return self.problem in _DAMAGED


def verify(results: Path) -> Iterator[Finding]:
    """Hold every artifact below a results folder against its provenance, and the driver's files against their names.

    Label PNGs below a `png` folder are exports of a shard and are not looked at.
    """
    for folder in sorted(path for path in results.glob("*/*") if path.is_dir() and not path.is_symlink()):
        if folder.parent.name == "runs":
            continue
        for path in sorted(folder.iterdir()):
            if path.name.startswith(".") or not path.is_file():
                continue
            problem = _problem(path)
            if problem:
                yield Finding(path, problem)


def repair(finding: Finding) -> None:
    """Delete a damaged file, so that the next run computes it again; its provenance goes first, as it goes with it."""
    provenance_path(finding.path).unlink(missing_ok=True)
    finding.path.unlink(missing_ok=True)


def _problem(path: Path) -> str | None:
    if path.name.endswith(SUFFIX):
        return None if path.with_name(path.name.removesuffix(SUFFIX)).exists() else "missing"
    if addressed := _ADDRESSED.fullmatch(path.name):
        return None if file_sha256(path)[:12] == addressed[1] else "damaged"
    if not _ARTIFACT.fullmatch(path.name):
        return None
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
