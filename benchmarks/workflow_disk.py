"""Bytes an image that a run's stages leave, against the float32 dictionaries that older code keeps of the same images.

Two conventions. Two full dictionaries: an array of the image's size for each tag, kept twice, as code in the line of
AffinityNet does. IRN: `cam` at a quarter of the size and `high_res` at the full one, for each tag. Only the numbers in
the arrays are counted, not the pickle round them.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from measure import table

from matlabel.activations.sizes import grid
from matlabel.artifacts.provenance import provenance_path
from matlabel.artifacts.shard import open_shard
from matlabel.dataset.manifest import Entry, ShardManifest, load_shard

FLOAT32 = 4
# What a shard of a stage consists of; beside each file lies its provenance, counted with it.
STAGES = {
    "activations": "shard-*.h5*",
    "trimaps": "shard-*.h5*",
    "mattes": "shard-*.h5*",
    "labels": "shard-*.h5*",
    "labels as PNG": "png/*/*.png",
    "predictions": "shard-*.h5*",
    "predictions as PNG": "png/*/*.png",
}


def run(folder: Path) -> str:
    """The table: a row for each stage, and one for all of them.

    Args:
        folder: results/runs/<variant>/seed-<n>.
    """
    sizes = [(len(entry.tags), shard.sizes[entry.id]) for shard, entry in images_of(folder)]
    full = sum(2 * tags * height * width for tags, (height, width) in sizes) * FLOAT32 / len(sizes)
    small = [(tags, *grid(*size)) for tags, size in sizes]
    irn = full / 2 + sum(tags * height * width for tags, height, width in small) * FLOAT32 / len(sizes)
    rows, total = [], 0.0
    for name, pattern in STAGES.items():
        stage = folder / name.split()[0]
        files = sorted(stage.glob(pattern))
        if not files:
            continue
        kept = sum(file.stat().st_size for file in files) / _images(stage)
        total += kept
        rows.append([name, _images(stage), *_compared(kept, full, irn)])
    rows.append(["all of these", "", *_compared(total, full, irn)])
    head = ["stage", "images", "kB an image", "two full dictionaries to it", "IRN's to it"]
    tags = sum(tags for tags, _ in sizes) / len(sizes)
    megapixels = sum(height * width for _, (height, width) in sizes) / len(sizes) / 1e6
    about = f"{len(sizes)} images of {megapixels:.3f} megapixels with {tags:.2f} tags"
    dumps = f"two full dictionaries {full / 1000:.0f} kB an image, IRN's {irn / 1000:.0f} kB"
    return f"{about}; {dumps}\n\n{table(head, rows)}"


def images_of(folder: Path) -> Iterator[tuple[ShardManifest, Entry]]:
    """The images that a run has activations of, with the shard of the manifest that each is in."""
    root = folder.absolute().parents[3]
    for path in sorted((folder / "activations").glob("shard-*.h5")):
        # The manifest that the shard was made from; relative paths are relative to where the run was started.
        inputs = json.loads(provenance_path(path).read_text())["inputs"]
        shard = load_shard(root / next(name for name in inputs if "/dataset/" in name and name.endswith(".csv")))
        yield from ((shard, entry) for entry in shard.entries)


def _images(stage: Path) -> int:
    found = 0
    for path in stage.glob("shard-*.h5"):
        with open_shard(path) as shard:
            found += len(shard.ids)
    return found


def _compared(kept: float, full: float, irn: float) -> list[str]:
    return [f"{kept / 1000:.1f}", f"{full / kept:.1f} x", f"{irn / kept:.1f} x"]
