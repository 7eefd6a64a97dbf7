"""Which files below results/ are matlabel's own, by place and name: nothing else is ever deleted."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from matlabel.artifacts import format
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.format import KEY
from matlabel.artifacts.provenance import SUFFIX
from matlabel.artifacts.shard import open_shard
from matlabel.runs.driver_file import at_work
from matlabel.runs.snakemake_internals import TIMESTAMP, locked
from matlabel.stages import FIRST, FOLDERS, STAGES

# What the jobs of a stage leave under a final name, a provenance beside each.
_ARTIFACTS = {
    stage.name: "|".join(re.escape(name).replace(r"\{shard\}", r"\d{5}") for name in (stage.main, *stage.beside))
    for stage in FOLDERS.values()
}
# The driver's files that carry the digest of their content in their name: CSVs of shards, and lists of those.
_ADDRESSED = {
    stage.name: rf"(?:{'|'.join(stage.csvs)})-\d{{5}}-[0-9a-f]{{12}}\.csv" for stage in STAGES.values() if stage.csvs
}
_ADDRESSED[FIRST.name] += r"|(?:shards|masks)-[0-9a-f]{12}\.txt"
# What else the driver keeps; `index-` is named by the folder whose digests it remembers.
_KEPT = {FIRST.name: r"order\.csv|masks\.csv|index(?:-[0-9a-f]{12})?\.csv|\.lock(?:\.\d+)?"}
# The generated demo, a folder, and what is in it.
_SHAPES = re.compile(r"shapes-[0-9a-f]{12}")
_PICTURE = re.compile(r"labels\.csv|classes\.txt|images/\w+-\d{4}\.jpg|masks/\w+-\d{4}\.png")
# Of a training, of what it falls back to, and of its short ones.
_CHECKPOINT = re.compile(r"checkpoint(?:-plain|-folds|-fold-\d)?\.pt")
_CODE = re.compile(rf"(?:{'|'.join(FOLDERS)})-[0-9a-f]{{12}}")
_EXPORT = re.compile(r"shard-\d{5}")
# As `tempfile` names what is half written: .<name>.<8 letters> and, but for the demo's pictures, .tmp.
_TEMPORARY = re.compile(r"\.(?P<name>.+)\.[a-z0-9_]{8}(?:\.tmp)?")
# results/runs/<variant>/seed-<n>/<stage>; half made, by a driver of some process number.
_LINK = re.compile(rf"(?P<stage>{'|'.join(STAGES)})|\.(?P<half>{'|'.join(STAGES)})\.\d+")
# What `clean` has set aside and was killed over.
REMOVED = re.compile(r"\.[0-9a-f]{8}\.\d+\.removed")


def refuse_during_a_run(directory: Path) -> None:
    """Refuse to delete anything while a run may need it.

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


def key_folders(results: Path) -> list[Path]:
    """The folders results/<stage>/<key> of this version, by stage and name; no link is followed below `results`."""
    return [folder for folder in format.key_folders(results, FOLDERS) if not format.is_foreign(folder)]


def foreign_folders(results: Path) -> list[Path]:
    """The key folders of another version."""
    return [folder for folder in format.key_folders(results, FOLDERS) if format.is_foreign(folder)]


def linked_folders(results: Path) -> Iterator[Path]:
    """Links in the place of a stage's folder or of a key's, which are not followed."""
    for stage in FOLDERS:
        root = results / stage
        if root.is_symlink():
            yield root
        elif root.is_dir():
            yield from (path for path in sorted(root.iterdir()) if KEY.fullmatch(path.name) and path.is_symlink())


def in_key_folder(path: Path, results: Path) -> bool:
    """Whether a path is that of an entry of one of `key_folders`, and no link leads out of `results` on the way."""
    folder = path.parent
    return (
        folder.parent.name in FOLDERS
        and KEY.fullmatch(folder.name) is not None
        and folder.resolve() == results.resolve() / folder.parent.name / folder.name
    )


def is_artifact(path: Path) -> bool:
    """Whether the stage that a key folder is of writes files of this name."""
    return _matches(_ARTIFACTS, path, path.name)


def is_provenance(path: Path) -> bool:
    """Whether the name is that of such a file's provenance."""
    return path.name.endswith(SUFFIX) and _matches(_ARTIFACTS, path, path.name.removesuffix(SUFFIX))


def content_digest(path: Path) -> str | None:
    """The digest in the name of a driver's file, 12 hex digits; None for any other file."""
    return path.stem[-12:] if _matches(_ADDRESSED, path, path.name) else None


def is_checkpoint(path: Path) -> bool:
    """Whether the path is that of a training's checkpoint."""
    stage = FOLDERS.get(path.parent.parent.name)
    return stage is not None and stage.training and _CHECKPOINT.fullmatch(path.name) is not None


def is_code_file(path: Path) -> bool:
    """Whether the path is results/.code/<stage>-<digest>."""
    return path.parent.name == ".code" and _CODE.fullmatch(path.name) is not None


def is_run_link(path: Path, results: Path) -> bool:
    """Whether the path is a link results/runs/<variant>/seed-<n>/<stage> to a key folder of its stage."""
    found = _LINK.fullmatch(path.name)
    if not found or not path.is_symlink() or path.parents[2] != results / "runs":
        return False
    if path.parent.resolve() != results.resolve() / "runs" / path.parents[1].name / path.parent.name:
        return False
    target = re.fullmatch(r"(?:\.\./)+([a-z]+)/([0-9a-f]{8})", os.readlink(path))
    return target is not None and target[1] == (found["stage"] or found["half"])


def is_temporary(path: Path) -> bool:
    """Whether the path is that of a half-written file of matlabel's: in a key folder, its png/, .code/ or runs/."""
    if path.is_symlink():
        return (half := _LINK.fullmatch(path.name)) is not None and half["half"] is not None
    found = _TEMPORARY.fullmatch(path.name)
    if not found:
        return False
    final = path.with_name(found["name"])
    if final.parent.parent.name == "dataset" and _SHAPES.fullmatch(final.name):
        return True
    if path.parent.name == "png":
        return _EXPORT.fullmatch(final.name) is not None
    return is_code_file(final) or _is_final(final)


def strangers(folder: Path) -> list[Path]:
    """Entries of a key folder that are links or not named like files of matlabel's, sorted."""
    return [path for path in sorted(folder.iterdir()) if path.is_symlink() or not _is_own(path)]


def _is_own(path: Path) -> bool:
    if not path.is_dir():
        return _is_final(path) or is_temporary(path)
    stage = FOLDERS.get(path.parent.parent.name)
    if path.name == "png" and stage and stage.png:
        return all(_is_export(each) or is_temporary(each) for each in path.iterdir())
    if path.parent.parent.name == FIRST.name and _SHAPES.fullmatch(path.name):
        return _is_demo(path)
    return is_temporary(path)


def _is_export(path: Path) -> bool:
    if not _EXPORT.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
        return False
    try:
        with open_shard(path.parents[1] / f"{path.name}.h5") as shard:
            # Snakemake leaves its mark in a folder that a job has made.
            ours = {TIMESTAMP, *(f"{image_id}.png" for image_id in shard.ids)}
    except (UserError, OSError):
        return not any(path.iterdir())  # which pictures are ours can no longer be known
    return all(each.name in ours and each.is_file() and not each.is_symlink() for each in path.iterdir())


def _is_demo(folder: Path) -> bool:
    """Whether a folder of the generated demo holds nothing else."""
    names = [
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()
    ]
    return all(_PICTURE.fullmatch(name) for name in names)


def _is_final(path: Path) -> bool:
    return (
        path.name == "settings.yaml"
        or is_artifact(path)
        or is_provenance(path)
        or is_checkpoint(path)
        or content_digest(path) is not None
        or _matches(_KEPT, path, path.name)
    )


def _matches(patterns: dict[str, str], path: Path, name: str) -> bool:
    """Whether a name fits the pattern of the stage whose key folder a path lies in."""
    pattern = patterns.get(path.parent.parent.name)
    return pattern is not None and re.fullmatch(pattern, name) is not None
