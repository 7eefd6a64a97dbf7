"""The stage segmenter: trains a model of segmentation_models.pytorch on the pseudo-labels."""

from pathlib import Path

from matlabel.artifacts.atomic import write_text
from matlabel.artifacts.context import Context, load_context
from matlabel.artifacts.digest import canonical, file_sha256, text_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.weights import save_weights
from matlabel.dataset.manifest import load_shards
from matlabel.networks.segmenter import SegmenterNetwork, build_segmenter, config_text
from matlabel.segmenter.model import Segmenter
from matlabel.segmenter.samples import LabelledImages
from matlabel.settings.segmenter import SegmenterSettings
from matlabel.training.launch import Job, start
from matlabel.training.loop import fit, write_history


def run(
    settings: Path,
    dataset: Path,
    labels: Path,
    out: Path,
    mattes: Path | None = None,
    cam: Path | None = None,
    device: str = "auto",
    code: str = "",
    workers: int | None = None,
) -> None:
    """Train on the shards of `dataset`.

    Args:
        settings: settings.yaml of the stage.
        dataset: list of shard CSVs (or one of them).
        labels: folder of the stage labels, shard-00000.h5 and so on.
        out: model.safetensors; config.json (with which it is a model of segmentation_models.pytorch), history.csv
            and the checkpoint are written beside it.
        mattes: folder of the stage mattes, for target soft.
        cam: model.safetensors of the stage cam, for weights cam.
        device: auto, cpu, cuda or mps.
        code: digest of the sources; a checkpoint of other code is not resumed.
        workers: loading processes.

    Raises:
        UserError: weights that do not fit, too few images, no such device, target soft without mattes.
    """
    context = load_context(settings, "segmenter", SegmenterSettings)
    if context.settings.target == "soft" and mattes is None:
        raise UserError("segmenter.target soft needs --mattes")
    history_file, config_file = out.with_name("history.csv"), out.with_name("config.json")
    with recorded([out, history_file, config_file], stage="segmenter", key=context.key, code=code) as inputs:
        shards = load_shards(dataset)
        folders = [labels] + ([mattes] if context.settings.target == "soft" else [])
        inputs.add([settings, *(file for shard in shards for file in shard.files)])
        inputs.add([folder / f"shard-{shard.number}.h5" for folder in folders for shard in shards])
        weights = context.settings.weights
        if weights == "cam" and cam is None:
            raise UserError("segmenter.weights cam needs --cam")
        weights = str(cam) if weights == "cam" else weights
        started_from = file_sha256(weights) if Path(weights).is_file() else weights
        fingerprint = text_sha256(canonical([context.raw, sorted(inputs.files.values()), code, started_from]))
        job = Job("segmenter", context.seed, device, out.with_name("checkpoint.pt"), fingerprint, workers)
        fabric = start(job, context.settings)
        inputs.write = fabric.is_global_zero
        network = build_segmenter(context.settings, weights, len(context.classes))
        samples = LabelledImages(shards, labels, mattes, len(context.classes), context.settings, context.seed)
        history = fit(fabric, job, context.settings, Segmenter(network), samples)
        if fabric.is_global_zero:
            write_history(history_file, history)
            write_text(config_file, config_text(context.settings, len(context.classes)))
            save_weights(out, network.cpu().model.state_dict(), _metadata(context, network))
            job.checkpoint.unlink(missing_ok=True)


def _metadata(context: Context[SegmenterSettings], network: SegmenterNetwork) -> dict[str, str]:
    """The metadata of model.safetensors."""
    return {
        "stage": "segmenter",
        "key": context.key,
        "classes": canonical(context.classes),
        "backbone": context.settings.encoder,
        **network.scale.metadata,
        "licence": network.licence,
        "settings": canonical(context.settings.keyed()),
    }
