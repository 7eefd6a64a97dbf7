"""The stage activations from user-supplied maps: reads the .npz files of a shard's images, needs no network."""

import hashlib
from pathlib import Path

import numpy as np

from matlabel.activations.maps_file import MOST_BYTES, read_maps
from matlabel.activations.resample import resampled
from matlabel.activations.silent import SilentMaps
from matlabel.activations.sizes import grid
from matlabel.activations.stored import stored
from matlabel.artifacts.context import load_context
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.reading import read_bytes
from matlabel.artifacts.shard import write_shard
from matlabel.dataset.manifest import load_shard, read_files, tag_indices
from matlabel.settings.activations import ActivationsSettings

_NAMED = 5


def run(settings: Path, dataset: Path, maps: Path, out: Path, code: str = "") -> None:
    """Read the activations of a shard.

    Args:
        settings: settings.yaml of the stage.
        dataset: the shard's CSV.
        maps: CSV of the .npz files of this shard's images: id, path, SHA-256. An image without tags needs none: it is
            background.
        out: the shard to write, as from a classifier (`activations/stored.py`), without `unspread`.
        code: digest of the sources, for the provenance.

    Raises:
        UserError: the settings name another source; files that are missing, changed since the run began, or not as
            `activations/maps_file.py` says: a line each, of the first five; or maps most of which say nothing.
    """
    context = load_context(settings, "activations", ActivationsSettings)
    context.settings.expect("files", settings)
    with recorded([out], stage="activations", key=context.key, code=code) as inputs:
        shard = load_shard(dataset)
        inputs.add([settings, maps, *shard.files])
        files, problems, silent = read_files(maps), [], SilentMaps()
        with write_shard(out, **context.shard_attributes) as writer:
            for entry in shard.entries:
                labels, extent = tag_indices(entry, context.classes), shard.sizes[entry.id]
                size = grid(*extent)
                planes = np.ones((1, *size), np.float32)
                if labels:
                    try:
                        path, content = _content(files, entry.id, maps)
                        found = read_maps(path, content, labels, context.classes, context.settings.gamma, extent)
                    except UserError as error:
                        problems.append(str(error))
                        continue
                    inputs.files[str(path)] = files[entry.id][1]
                    silent.add(entry.id, labels, found.silent, context.classes)
                    planes = resampled(found.probabilities, *size)
                writer.add(entry.id, **stored(labels, planes))
            if problems:
                more = [f"and {len(problems) - _NAMED} more files"] if len(problems) > _NAMED else []
                raise UserError("\n".join([*problems[:_NAMED], *more]))
            silent.refuse(str(maps))
        if silent.named:
            print(f"{maps}: {silent.text()}")


def _content(files: dict[str, tuple[Path, str]], image_id: str, listed: Path) -> tuple[Path, bytes]:
    if image_id not in files:
        raise UserError(f"{listed}: names no maps of {image_id}; add {image_id}.npz to the folder and run again")
    path, expected = files[image_id]
    content = read_bytes(path, MOST_BYTES)
    if hashlib.sha256(content).hexdigest() != expected:
        raise UserError(f"{path}: changed since the run began; run again, only what it touches is computed")
    return path, content
