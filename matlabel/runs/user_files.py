"""User files for single images, corrections and maps: one content-addressed CSV a shard."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from matlabel.artifacts.digest import file_sha256, text_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.naming import some
from matlabel.dataset.file_names import list_images, list_others
from matlabel.dataset.index import FileIndex
from matlabel.dataset.manifest import Entry
from matlabel.dataset.matching import match_ids, nearest
from matlabel.dataset.scan import Scan, files_text
from matlabel.runs.chain import Node
from matlabel.runs.checks import check_corrections, check_maps

# (key, shard) -> the CSV of its files: id, path, SHA-256.
ShardFiles = dict[tuple[str, str], str]
Add = Callable[[str, str], str]
_NAMED = 5
# Maps that the driver itself opens, with their photographs: some seconds at most.
_LOOKED_AT = 64


def corrections_of(nodes: Iterable[Node], data: Scan, classes: list[str], add: Add) -> ShardFiles:
    """The corrections drawn for the shards of the stage trimaps.

    Args:
        nodes: of all stages.
        data: the scanned data set.
        classes: the class names.
        add: path, text -> path: writes a driver's file, or not.

    Raises:
        UserError: no such folder, a correction of no image, or one that does not fit its image.
    """
    found = {}
    for node in [node for node in nodes if "corrections" in node.definition.csvs and node.settings.corrections]:
        folder = Path(node.settings.corrections)
        if not folder.is_dir():
            raise UserError(f"config: trimaps.corrections: no such folder: {folder}")
        rows: dict[str, list[tuple[str, str, str]]] = {}
        files = list_images(folder, ".", (".png",))
        images = {stem: image_id for image_id, (stem, _) in match_ids(data.ids, files).items()}
        for stem, name in files.items():
            if stem not in images:
                like = nearest(stem, data.ids)
                hint = f"; there is {like}" if like else ""
                raise UserError(f"{folder / name}: the data has no image {stem}{hint}; a correction is called <id>.png")
            path = folder / name
            rows.setdefault(data.ids[images[stem]], []).append((images[stem], str(path), file_sha256(path)))
        if others := list_others(folder, (".png",)):
            data.notes.append(f"{folder}: {len(others)} entries are no PNG and are not looked at: {some(others)}")
        for number, pairs in rows.items():
            text = files_text(pairs)
            path = f"{node.folder}/corrections-{number}-{text_sha256(text)[:12]}.csv"
            if not Path(path).exists():
                # Drawn or edited since the last run.
                check_corrections(data, {row[0]: Path(row[1]) for row in pairs}, classes)
            found[node.key, number] = add(path, text)
    return found


def maps_of(
    nodes: Iterable[Node],
    data: Scan,
    classes: list[str],
    splits: Callable[[Node], list[str]],
    add: Add,
    root: Path,
    write: bool,
) -> ShardFiles:
    """The maps of the shards of the stage activations, where their source is files.

    That they are there is checked of all; what they hold, of some of those that are new or edited since the last run,
    as the job will check it of all: a mistake in how they were written is in most of them.

    Args:
        nodes: of all stages.
        data: the scanned data set.
        classes: the class names.
        splits: of a node, the splits that are asked for.
        add: path, text -> path: writes a driver's file, or not.
        root: results/dataset/<key>, where the digests of the files are remembered.
        write: whether to remember them.

    Raises:
        UserError: no such folder, an image without maps, or maps that do not fit their image.
    """
    found, indices = {}, {}
    for node in [node for node in nodes if "maps" in node.definition.csvs and node.settings.kind == "files"]:
        folder, asked = Path(node.settings.named), splits(node)
        if not folder.is_dir():
            raise UserError(f"config: activations.source: no such folder: {folder}")
        rows = {number: [] for number, shard in data.shards.items() if shard.split in asked}
        missing = []
        # Two artifacts may take their maps from one folder.
        digests = indices.setdefault(folder, FileIndex(root / f"index-{text_sha256(str(folder))[:12]}.csv"))
        for entry in data.entries.values():
            if entry.split not in asked or not _needs_maps(entry, classes):
                continue
            # A pipe of that name would never end.
            regular = os.path.isfile(folder / f"{entry.id}.npz")
            digest = digests.sha256(folder, f"{entry.id}.npz") if regular else ""
            if digest:
                rows[data.ids[entry.id]].append((entry.id, str(folder / f"{entry.id}.npz"), digest))
            elif _readable(data, entry):
                missing.append(f"{entry.id}.npz")
            if len(missing) > _NAMED:
                break
        if missing:
            names = ", ".join(missing[:_NAMED]) + (" and more" if len(missing) > _NAMED else "")
            raise UserError(
                f"config: activations.source: {folder} holds no {names}; every tagged image of the splits "
                f"{', '.join(asked)} needs its maps (labels.splits may name fewer splits)"
            )
        # Also where no image needs any: the job is told so.
        texts = {number: files_text(files) for number, files in rows.items()}
        paths = {number: f"{node.folder}/maps-{number}-{text_sha256(text)[:12]}.csv" for number, text in texts.items()}
        fresh = [row for number, files in rows.items() if not Path(paths[number]).exists() for row in files]
        check_maps(data, {row[0]: Path(row[1]) for row in fresh[:: len(fresh) // _LOOKED_AT + 1]}, classes, folder)
        found.update({(node.key, number): add(paths[number], text) for number, text in texts.items()})
    for used in indices.values() if write else []:
        used.save()
    return found


def _needs_maps(entry: Entry, classes: list[str]) -> bool:
    """Whether an image needs maps, by the manifest alone; one without tags is all background and needs none."""
    return bool(entry.sha256 and entry.tags) and set(entry.tags) <= set(classes)


def _readable(data: Scan, entry: Entry) -> bool:
    """Whether an image can be opened: one that cannot will be rejected and needs no maps."""
    from matlabel.dataset.images import load_image

    try:
        load_image(data.folder, entry, data.max_pixels)
    except UserError:
        return False
    return True
