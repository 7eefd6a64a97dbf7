"""The stage segmenter: trains DeepLabV3 on the pseudo-labels."""

from pathlib import Path

from matlabel.artifacts.context import load_context
from matlabel.artifacts.digest import canonical, file_sha256, text_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.weights import save_weights
from matlabel.dataset.manifest import load_shards
from matlabel.networks.backbones import build_trunk
from matlabel.networks.deeplab import DeepLab
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
        out: weights.pt; history.csv and the checkpoint are written beside it.
        mattes: folder of the stage mattes, for target soft.
        cam: weights.pt of the stage cam, for weights cam.
        device: auto, cpu, cuda or mps.
        code: digest of the sources; a checkpoint of other code is not resumed.
        workers: loading processes.

    Raises:
        UserError: weights that do not fit, too few images, no such device, target soft without mattes.
    """
    context = load_context(settings, "segmenter", SegmenterSettings)
    if context.settings.target == "soft" and mattes is None:
        raise UserError("segmenter.target soft needs --mattes")
    history_file = out.with_name("history.csv")
    with recorded([out, history_file], stage="segmenter", key=context.key, code=code) as inputs:
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
        trunk = build_trunk(context.settings.backbone, weights, context.settings, "segmenter")
        network = DeepLab(trunk, len(context.classes), context.settings.atrous_rates)
        samples = LabelledImages(shards, labels, mattes, len(context.classes), context.settings, context.seed)
        history = fit(fabric, job, context.settings, Segmenter(network), samples)
        if fabric.is_global_zero:
            content = {"classes": context.classes, "settings": canonical(context.settings.keyed())}
            write_history(history_file, history)
            save_weights(out, {**content, "segmenter": network.cpu().state_dict()})
            job.checkpoint.unlink(missing_ok=True)
