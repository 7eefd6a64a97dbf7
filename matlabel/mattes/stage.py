"""The stage mattes: reads a shard of photographs and trimaps, writes the alphas of all labels."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from matlabel.artifacts.context import load_context
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.provenance import recorded
from matlabel.artifacts.quantise import quantise
from matlabel.artifacts.shard import Packed, Shard, open_shard, pack, write_shard
from matlabel.dataset.images import load_image
from matlabel.dataset.manifest import Entry, ShardManifest, load_shard
from matlabel.devices import has_nvidia_gpu, pick_device
from matlabel.mattes.methods import alphas_of, terms_of
from matlabel.mattes.problem import Problem
from matlabel.processes import ordered, over_processes
from matlabel.settings.mattes import WITHOUT_TRIMAP, MattesSettings


@dataclass(frozen=True)
class Task:
    """One image of the shard: its file, trimap and activations."""

    folder: Path
    entry: Entry
    classes: np.ndarray
    trimap: np.ndarray | None
    prior: np.ndarray | None

    def image(self) -> np.ndarray:
        """The photograph, uint8[H, W, 3], of the trimap's size."""
        image = load_image(self.folder, self.entry)
        if self.trimap is not None and image.shape[:2] != self.trimap.shape:
            raise UserError(f"{self.entry.id}: its trimap is not of the image's size; run the stage trimaps again")
        return image


def run(
    settings: Path,
    dataset: Path,
    activations: Path,
    out: Path,
    trimaps: Path | None = None,
    device: str = "auto",
    workers: int = 1,
    code: str = "",
) -> None:
    """Make the mattes of a shard.

    Args:
        settings: settings.yaml of the stage.
        dataset: the shard's CSV.
        activations: the shard of the stage activations: its classes, and what the settings read of it.
        out: the shard to write: per image `classes` uint8[C] and `alphas` uint8[C + 1, H, W], background first, that
            sum to 255 at every pixel.
        trimaps: the shard of the stage trimaps; not read by methods `none` and `crf`.
        device: auto, cpu, cuda or mps, for what mattes.device leaves open.
        workers: processes over the images; on a GPU, threads that load them.
        code: digest of the sources, for the provenance.

    Raises:
        UserError: trimaps are missing, or of another size than the image; a package, network or device is missing; a
            worker died.
    """
    context = load_context(settings, "mattes", MattesSettings)
    chosen: MattesSettings = context.settings
    reads_trimap = chosen.method not in WITHOUT_TRIMAP
    if reads_trimap and trimaps is None:
        raise UserError(f"mattes.method {chosen.method} needs --trimaps")
    device = device_of(chosen, device)
    with recorded([out], stage="mattes", key=context.key, code=code) as inputs:
        shard = load_shard(dataset)
        inputs.add([settings, activations, *shard.files, *([trimaps] if reads_trimap else [])])
        guided = open_shard(trimaps, "trimaps") if reads_trimap else nullcontext()
        with (
            open_shard(activations, "activations") as source,
            guided as guides,
            write_shard(out, **context.shard_attributes) as writer,
        ):
            tasks = tasks_of(shard, source, guides, chosen)
            if device == "cuda" and chosen.method == "closed_form":
                found = on_device(tasks, device, chosen, workers)
            else:
                # A network on a GPU is loaded once.
                processes = 1 if device != "cpu" else min(workers, len(shard.entries))
                matte = partial(matted, settings=chosen, device=device)
                found = over_processes(matte, tasks, processes, "mattes.workers, or set mattes.scale: 4")
            for entry, alphas in zip(shard.entries, found, strict=True):
                writer.add(entry.id, classes=source.read(entry.id, "classes"), alphas=alphas)


def device_of(settings: MattesSettings, wanted: str) -> str:
    """The device of a method: only closed_form and vitmatte use GPUs, closed_form only CUDA."""
    if settings.device != "auto":
        wanted = settings.device
    if settings.method not in ("closed_form", "vitmatte") or (wanted == "auto" and not has_nvidia_gpu()):
        return "cpu"
    if settings.method == "closed_form" and wanted == "mps":
        return "cpu"
    return pick_device(wanted)


def matted(task: Task, settings: MattesSettings, device: str) -> Packed:
    """The alphas of one image as a shard stores them: uint8[C + 1, H, W], background first."""
    alphas = alphas_of(
        task.image(), task.classes.tolist(), settings, trimap=task.trimap, prior=task.prior, device=device
    )
    return packed(alphas)


def packed(alphas: np.ndarray) -> Packed:
    """Alphas as bytes that sum to 255, compressed in the worker: one process writes what many compute."""
    return pack(quantise(alphas))


def tasks_of(
    shard: ShardManifest, activations: Shard, trimaps: Shard | None, settings: MattesSettings
) -> Iterator[Task]:
    """The method's inputs for each image of a shard, in slot order, read lazily."""
    for entry in shard.entries:
        guide = {} if trimaps is None else trimaps[entry.id]
        prior = None
        if settings.reads_prior:
            # Where a person has drawn, the activations as the strokes have corrected them.
            prior = guide["prior"] if "prior" in guide else activations.read(entry.id, "probabilities")
        yield Task(shard.folder, entry, activations.read(entry.id, "classes"), guide.get("trimap"), prior)


def on_device(tasks: Iterator[Task], device: str, settings: MattesSettings, workers: int) -> Iterator[Packed]:
    """Closed-form alphas as a shard stores them, in batches on one device, while threads load what comes next."""
    from matlabel.mattes.gpu.stream import Prepared, closed_form_stream, ready

    def problem(task: Task) -> Problem | Prepared:
        terms = terms_of(settings, task.prior)
        return ready(Problem.of(task.image(), task.trimap, task.classes.tolist(), terms), settings)

    with ThreadPoolExecutor(workers) as pool:
        problems = ordered(pool, problem, tasks, ahead=2 * settings.batch_size)
        yield from ordered(pool, packed, closed_form_stream(problems, device, settings), ahead=4 * workers)
