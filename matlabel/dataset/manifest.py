"""The manifest that jobs read: shard CSVs written by the driver, and the checks of the stage dataset beside them."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.reading import read_json, read_text
from matlabel.artifacts.yaml_files import read_yaml

COLUMNS = ("slot", "split", "id", "path", "sha256", "tags")
_SHARD_NAME = re.compile(r"(?:shard|masks|corrections)-(\d{5})-[0-9a-f]{12}\.csv")


class _Checks(BaseModel):
    model_config = ConfigDict(strict=True)

    shard: str
    sizes: dict[str, list[int]]
    rejected: dict[str, str]


@dataclass(frozen=True)
class Entry:
    """One image of the manifest.

    Attributes:
        slot: its place in the shard, from 0.
        split: name of its split.
        id: file stem, unique in the data set.
        path: of the image, relative to the data folder.
        sha256: of the image's bytes; empty when there was no such file.
        tags: class names.
    """

    slot: int
    split: str
    id: str
    path: str
    sha256: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class ShardManifest:
    """One shard: its images, where they lie, and what the check found.

    Attributes:
        csv: the shard's file.
        number: the shard's number, five digits.
        folder: what the entries' paths are relative to.
        entries: the images that the check accepted, in slot order.
        sizes: image id -> (height, width), upright.
        rejected: image id -> why later stages skip it.
    """

    csv: Path
    number: str
    folder: Path
    entries: list[Entry]
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> list[Path]:
        """The files that this was read from."""
        return [self.csv, checks_path(self.csv)]


def shard_text(entries: Iterable[Entry]) -> str:
    """The CSV of a shard."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([entry.slot, entry.split, entry.id, entry.path, entry.sha256, ";".join(entry.tags)])
    return out.getvalue()


def read_entries(path: str | Path) -> list[Entry]:
    """The images of a shard CSV, accepted or not.

    Raises:
        UserError: missing, or not a shard's CSV.
    """
    try:
        return [
            Entry(int(row["slot"]), row["split"], row["id"], row["path"], row["sha256"], _tags(row["tags"]))
            for row in _rows(path)
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path}: not a shard of a manifest ({error!s:.100}); delete it and run again") from error


def shard_number(path: str | Path) -> str:
    """'00003' of shard-00003-<sha12>.csv.

    Raises:
        UserError: the file is not named so.
    """
    found = _SHARD_NAME.fullmatch(Path(path).name)
    if not found:
        raise UserError(f"{path}: not a shard of a manifest (shard-00000-<sha12>.csv)")
    return found[1]


def checks_path(shard_csv: str | Path) -> Path:
    """Where the check of a shard lies: beside its CSV."""
    shard_csv = Path(shard_csv)
    return shard_csv.with_name(f"shard-{shard_number(shard_csv)}.checks.json")


def data_folder(shard_csv: str | Path) -> Path:
    """The folder that a shard's paths are relative to: dataset.path, or the demo's own."""
    folder = Path(shard_csv).parent
    settings = read_yaml(folder / "settings.yaml").get("settings") or {}
    path = settings.get("path") if isinstance(settings, dict) else None
    return Path(path) if isinstance(path, str) else folder


def load_shard(shard_csv: str | Path) -> ShardManifest:
    """A shard's images that the stage dataset has accepted.

    Raises:
        UserError: not checked yet, or checked when it held other images.
    """
    shard_csv = Path(shard_csv)
    path = checks_path(shard_csv)
    if not path.exists():
        raise UserError(f"{shard_csv}: not checked yet; run the stage dataset first (it writes {path})")
    try:
        checks = _Checks.model_validate(read_json(path))
        sizes = {image: (height, width) for image, (height, width) in checks.sizes.items()}
    except ValueError as error:
        raise UserError(f"{path}: not what the stage dataset writes; delete it and run again") from error
    if checks.shard != shard_csv.name:
        raise UserError(f"{path}: checked {checks.shard:.100}, not {shard_csv.name}; run the stage dataset again")
    return ShardManifest(
        csv=shard_csv,
        number=shard_number(shard_csv),
        folder=data_folder(shard_csv),
        entries=[entry for entry in read_entries(shard_csv) if entry.id not in checks.rejected],
        sizes=sizes,
        rejected=checks.rejected,
    )


def load_shards(source: str | Path) -> list[ShardManifest]:
    """The shards of one CSV, or of a list: a .txt file that names a CSV of its own folder on each line."""
    return [load_shard(path) for path in _listed(Path(source))]


def read_files(source: str | Path | None) -> dict[str, tuple[Path, str]]:
    """Image id -> (path, SHA-256) from a CSV of masks or corrections, or a list of them; {} for None.

    Raises:
        UserError: missing, or not such a CSV.
    """
    if source is None:
        return {}
    found = {}
    for path in _listed(Path(source)):
        try:
            found.update({row["id"]: (Path(row["path"]), row["sha256"]) for row in _rows(path)})
        except (KeyError, TypeError) as error:
            raise UserError(f"{path}: not a list of files of images; delete it and run again") from error
    return found


def read_masks(source: str | Path | None) -> dict[str, tuple[Path, str, bool]]:
    """Image id -> (path, SHA-256, whether indices are read and no colours) from a CSV of masks, or a list; {} for None.

    Raises:
        UserError: missing, or not such a CSV.
    """
    found = {}
    for path in _listed(Path(source)) if source else []:
        try:
            rows = {row["id"]: (Path(row["path"]), row["sha256"], row["read"] == "index") for row in _rows(path)}
        except (KeyError, TypeError) as error:
            raise UserError(f"{path}: not a list of masks; delete it and run again") from error
        found.update(rows)
    return found


def _listed(source: Path) -> list[Path]:
    return [source.with_name(name) for name in read_text(source).split()] if source.suffix == ".txt" else [source]


def _rows(path: str | Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV that the driver has written.

    Raises:
        UserError: it cannot be read as one.
    """
    try:
        yield from csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    except csv.Error as error:
        raise UserError(f"{path}: not a CSV ({error}); delete it and run again") from error


def tag_indices(entry: Entry, classes: list[str]) -> list[int]:
    """Label values 1..K of an image's tags, ascending."""
    return sorted(classes.index(tag) + 1 for tag in entry.tags)


def _tags(text: str) -> tuple[str, ...]:
    return tuple(tag for tag in text.split(";") if tag)
