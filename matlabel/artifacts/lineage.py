"""Where an artifact comes from, back to the photographs."""

from collections.abc import Iterator
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import read_provenance

# Shards of one folder beyond these are counted and not named.
_NAMED = 3


def lineage_text(artifact: Path, root: Path) -> str:
    """An indented tree of the artifact and everything it was made from, as far back as is known.

    Args:
        artifact: a file that a job has written.
        root: the folder that Snakemake ran in, which the paths in provenances are relative to.

    Raises:
        UserError: it has no provenance.
    """
    if read_provenance(artifact) is None:
        raise UserError(f"{artifact}: has no provenance beside it; name a file below results/<stage>/<key>/")
    return "\n".join(_lines(artifact, root, 0, set()))


def _lines(artifact: Path, root: Path, depth: int, told: set[Path]) -> Iterator[str]:
    written = read_provenance(artifact)
    indent = "  " * depth
    if written is None:
        yield f"{indent}{artifact}"
        return
    code = f", code {written['code']}" if written.get("code") else ""
    finished, seconds, host = (written.get(name, "?") for name in ("finished", "seconds", "host"))
    yield f"{indent}{artifact}  ({finished}, {seconds} s on {host}{code})"
    if artifact in told:
        yield f"{indent}  as above"
        return
    told.add(artifact)
    by_folder: dict[Path, list[Path]] = {}
    for name in written["inputs"]:
        by_folder.setdefault(Path(name).parent, []).append(Path(name))
    for files in by_folder.values():
        for file in files[:_NAMED]:
            yield from _lines(root / file if not file.is_absolute() else file, root, depth + 1, told)
        if len(files) > _NAMED:
            yield f"{indent}  … and {len(files) - _NAMED} more in {files[0].parent}"
