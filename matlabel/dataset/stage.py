"""The stage dataset: opens every image of a shard once and says which ones later stages skip, and why."""

from pathlib import Path

from matlabel.artifacts.atomic import write_json
from matlabel.artifacts.context import load_context
from matlabel.artifacts.digest import file_sha256
from matlabel.artifacts.provenance import recorded
from matlabel.dataset.checks import check_images, refuse_unreadable
from matlabel.dataset.manifest import data_folder, read_entries
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
        sizes, rejected, unreadable = check_images(folder, entries, context.classes, context.settings)
        refuse_unreadable(unreadable, context.settings)
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
