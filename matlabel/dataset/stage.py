"""The stage dataset: opens every image of a shard once and says which ones later stages skip, and why."""

from pathlib import Path

from matlabel.artifacts.atomic import write_json
from matlabel.artifacts.context import load_context
from matlabel.artifacts.digest import file_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import recorded
from matlabel.dataset.images import load_image
from matlabel.dataset.manifest import Entry, data_folder, read_entries
from matlabel.settings.dataset import DatasetSettings


def run(settings: Path, dataset: Path, out: Path, code: str = "") -> None:
    """Check a shard.

    Args:
        settings: settings.yaml of the data set.
        dataset: the shard's CSV.
        out: the checks: {"shard", "sha256", "images", "sizes": {id: [H, W]}, "rejected": {id: why}}.
        code: digest of the sources, for the provenance.

    Raises:
        UserError: an image cannot be read and dataset.unreadable is refuse.
    """
    context = load_context(settings, "dataset", DatasetSettings)
    folder = data_folder(dataset)
    with recorded([out], stage="dataset", key=context.key, code=code) as inputs:
        inputs.add([settings, dataset])
        entries = read_entries(dataset)
        sizes, rejected, unreadable = {}, {}, []
        for entry in entries:
            reason = wrong_tags(entry, context.classes, context.settings)
            if reason:
                rejected[entry.id] = reason
                continue
            try:
                sizes[entry.id] = list(load_image(folder, entry).shape[:2])
            except UserError as error:
                rejected[entry.id] = str(error)
                unreadable.append(str(error))
        if unreadable and context.settings.unreadable == "refuse":
            raise UserError("\n".join([*unreadable, "replace them, or leave them out with dataset.unreadable: reject"]))
        write_json(
            out,
            {
                "shard": dataset.name,
                "sha256": file_sha256(dataset),
                "images": len(entries),
                "sizes": sizes,
                "rejected": rejected,
            },
        )


def wrong_tags(entry: Entry, classes: list[str], settings: DatasetSettings) -> str | None:
    """Why the tags of an image put it out, or None."""
    unknown = [tag for tag in entry.tags if tag not in classes]
    if unknown:
        return f"{entry.id}: tag {', '.join(unknown)} is not in classes.txt"
    if not entry.tags and settings.untagged == "reject":
        return f"{entry.id}: no tags"
    return None
