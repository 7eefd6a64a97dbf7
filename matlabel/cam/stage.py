"""The stage cam: trains the classifier, or takes one that was trained before."""

from pathlib import Path

from matlabel.artifacts.context import Context, load_context
from matlabel.artifacts.digest import canonical, file_sha256, text_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.weights import load_weights, save_weights
from matlabel.backbones import build_trunk
from matlabel.cam.model import D2Cam
from matlabel.cam.samples import TaggedImages
from matlabel.classifier.network import CamNetwork
from matlabel.dataset.manifest import load_shards
from matlabel.launch import Job, start
from matlabel.settings.cam import CamSettings
from matlabel.training import fit, write_history


def run(
    settings: Path, dataset: Path | None, out: Path, device: str = "auto", code: str = "", workers: int | None = None
) -> None:
    """Train on the shards of `dataset`.

    Args:
        settings: settings.yaml of the stage.
        dataset: list of shard CSVs (or one of them); not read with cam.weights_from.
        out: weights.pt; history.csv and the checkpoint are written beside it.
        device: auto, cpu, cuda or mps.
        code: digest of the sources; a checkpoint of other code is not resumed.
        workers: loading processes.

    Raises:
        UserError: weights that do not fit, too few images, no such device.
    """
    context = load_context(settings, "cam", CamSettings)
    history_file = out.with_name("history.csv")
    with recorded([out, history_file], stage="cam", key=context.key, code=code) as inputs:
        inputs.add(settings)
        if context.settings.weights_from:
            _adopt(context, out, history_file)
            inputs.add(context.settings.weights_from)
            return
        if dataset is None:
            raise UserError("cam needs --dataset to train, or cam.weights_from")
        shards = load_shards(dataset)
        inputs.add([file for shard in shards for file in shard.files])
        job = Job(
            "cam", context.seed, device, out.with_name("checkpoint.pt"), _fingerprint(context, inputs.files, code)
        )
        fabric = start(job, context.settings)
        inputs.write = fabric.is_global_zero
        samples = TaggedImages(shards, context.classes, context.settings, context.seed)
        missing = [name for name, count in zip(context.classes, samples.tags.sum(0), strict=True) if not count]
        if missing:
            raise UserError(f"cam.splits: no training image is tagged {', '.join(missing)}; take it out of classes.txt")
        model = D2Cam(build_network(context), context.settings, samples.alone(), context.seed)
        history = fit(fabric, job, context.settings, model, samples)
        if fabric.is_global_zero:
            centres = model.centres.cpu().state_dict() if model.centres is not None else {}
            content = {"classes": context.classes, "settings": canonical(context.settings.recorded())}
            write_history(history_file, history)
            save_weights(out, {**content, "network": model.network.cpu().state_dict(), "centres": centres})
            job.checkpoint.unlink(missing_ok=True)


def build_network(context: Context[CamSettings]) -> CamNetwork:
    """A network to train, its trunk loaded as the settings say."""
    settings = context.settings
    trunk = build_trunk(settings.backbone, settings.weights, settings, "cam")
    return CamNetwork(trunk, len(context.classes), *settings.head_sizes)


def _adopt(context: Context[CamSettings], out: Path, history_file: Path) -> None:
    source = context.settings.weights_from
    content = load_weights(source)
    if content.get("classes") != context.classes:
        raise UserError(
            f"cam.weights_from: {source} knows the classes {', '.join(content.get('classes', []))}, "
            f"this data set has {', '.join(context.classes)}"
        )
    save_weights(out, content)
    write_history(history_file, [{"epoch": 0}])


def _fingerprint(context: Context[CamSettings], files: dict[str, str], code: str) -> str:
    weights = context.settings.weights
    started_from = file_sha256(weights) if Path(weights).is_file() else weights
    return text_sha256(canonical([context.raw, sorted(files.values()), code, started_from]))
