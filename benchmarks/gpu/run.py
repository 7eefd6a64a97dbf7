"""The chain on a GPU: what the card can do, training steps, activations, matting, and the time of each stage.

    python benchmarks/gpu/run.py PHOTOGRAPHS --weights resnet18.pt --device cuda --out tables.md

PHOTOGRAPHS is a data set in the folder format with masks. Needs no Snakemake. With --device cpu and --images 20 it is
a rehearsal.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# Below, what a section needs is imported where it begins: the processes that matting starts import this file.
from measure import table

PRESET = Path(__file__).resolve().parents[2] / "workflow/presets/own-images.yaml"


def ceilings(device: str) -> str:
    """What no program on this device can beat."""
    import matting_gpu

    size = 8192 if device == "cuda" else 512
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in "ab")
    seconds = matting_gpu.timed(lambda: left @ right, device, 10)
    small = torch.zeros(8, device=device)
    launch = matting_gpu.timed(lambda: [small.add_(1) for _ in range(1000)], device, 5)
    rows = [
        ["bfloat16 matrix product, TFLOP/s", 2 * size**3 / seconds / 1e12],
        ["copy, GB/s", matting_gpu.copy_bandwidth(device) / 1e9],
        ["a launch, µs", 1000 * launch],
    ]
    return table(["ceiling", "measured"], rows)


def cam_steps(folder: Path, device: str, batches: list[int], repeats: int) -> str:
    """Milliseconds an image of a training step at 448 pixels, ResNet-50, by term."""
    from training_inputs import loading, photographs, pictures
    from training_steps import SETUPS, Training, compare

    from matlabel.settings.cam import CamSettings

    parts = []
    for batch in batches:
        settings = CamSettings(weights="none", norm="frozen", crop=448, resize=(384, 640), batch_size=batch, lr=1e-9)
        inputs = pictures(photographs(folder / "images", 6), 6, settings)
        load = loading(inputs, repeats)
        rows = {
            name: SETUPS[name] for name in ("plain", "foreground", "consistency", "exclusivity", "paste", "default")
        }
        trainings = {name: Training.of(settings, weights, inputs.batch, device) for name, weights in rows.items()}
        parts += [
            f"batch {batch}, loading {load:.1f} ms an image on one core",
            table(*compare(trainings, 4, repeats, load)),
        ]
    return "\n\n".join(parts)


def activation_rates(run: Path, device: str, images: int, batches: list[int]) -> str:
    """Images a second of reading activations, pictures decoded already, by the size of the batch."""
    from matlabel.activations.stage import _read, readable
    from matlabel.dataset.images import load_image
    from matlabel.dataset.manifest import load_shard, tag_indices
    from matlabel.networks.trained_classifier import load_classifier
    from matlabel.settings.activations import ActivationsSettings

    root = Path.cwd()
    provenance = json.loads(next((run / "activations").glob("*.h5.provenance.json")).read_text())
    shard = load_shard(
        root / next(name for name in provenance["inputs"] if "/dataset/" in name and name.endswith(".csv"))
    )
    weights = next((run / "cam").glob("model.safetensors"))
    classifier = load_classifier(weights, device)
    rows = []
    for precision in ("32-true", "bf16-mixed"):
        settings = readable(ActivationsSettings(size=448, precision=precision), classifier, weights)
        for batch in batches:
            entries = shard.entries[:images]
            # One size, as a padded batch would have.
            pictures = [
                np.asarray(np.resize(load_image(shard.folder, entry)[:256, :256], (256, 256, 3))) for entry in entries
            ]
            labels = [[label - 1 for label in tag_indices(entry, classifier.classes)] for entry in entries]
            taken = []
            for _ in range(3):
                begin = time.perf_counter()
                for first in range(0, len(entries), batch):
                    found = _read(
                        pictures[first : first + batch], labels[first : first + batch], classifier, settings, None
                    )
                    [one.probabilities.cpu() for one in found]
                taken.append(time.perf_counter() - begin)
            rows.append([precision, batch, len(entries) / statistics.median(taken[1:])])
    return table(["precision", "batch", "images/s"], rows)


def main(
    photographs: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    weights: Annotated[Path, typer.Option(exists=True, help="State dict of a ResNet-18.")],
    out: Path = Path("gpu.md"),
    device: str = "cuda",
    images: Annotated[int, typer.Option(help="Photographs of each split that go through the chain.")] = 200,
    repeats: int = 5,
    batch: list[int] = [16, 64],  # noqa: B006
) -> None:
    """Print the tables as they come, and write them to --out."""
    out, photographs, weights = out.absolute(), photographs.absolute(), weights.absolute()
    tables: list[str] = []

    def section(title: str, make) -> object:
        begin = time.perf_counter()
        try:
            made = make()
        except Exception as error:  # the other sections are worth having
            made = f"failed: {type(error).__name__}: {error}"
        text = made if isinstance(made, str) else made[1]
        tables.append(f"## {title}\n\n{text}\n\n({time.perf_counter() - begin:.0f} s)")
        print(tables[-1], end="\n\n", flush=True)
        out.write_text("\n\n".join(tables) + "\n")
        return made

    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    tables.append(f"# {name}, torch {torch.__version__}")
    section("Ceilings", lambda: ceilings(device))
    with tempfile.TemporaryDirectory() as folder:

        def whole():
            import chain

            config = yaml.safe_load(PRESET.read_text())
            config["dataset"] |= {"path": str(photographs), "untagged": "background", "shard_size": 1024}
            splits = {line.split(",")[1] for line in (photographs / "labels.csv").read_text().splitlines()[1:]}
            config["dataset"]["subset"] = dict.fromkeys(sorted(splits), max(images, 10))
            config["cam"] |= {"backbone": "resnet18", "weights": str(weights)}
            config["segmenter"] |= {"encoder": "resnet18", "weights": str(weights)}
            run, seconds = chain.run(config, Path(folder), device)
            scores = json.loads((run / "evaluation/scores.json").read_text())
            total = sum(seconds.values())
            rows = [[stage, f"{taken:.1f}", f"{100 * taken / total:.0f} %"] for stage, taken in seconds.items()]
            text = table(["stage", "seconds", "share"], [*rows, ["all", f"{total:.1f}", ""]])
            return run, f"{text}\n\npseudo-labels {100 * scores['labels']['miou']:.1f} mIoU"

        found = section("Chain, ResNet-18, the preset", whole)
        if not isinstance(found, str):
            run = found[0]
            import matting_gpu
            import matting_speed

            section("Activations", lambda: activation_rates(run, device, min(images, 24), [1, 8, 32]))
            section("Matting, batched", lambda: matting_gpu.run(run, device, 32, [8, 32, 128], [4], repeats))
            section("Matting, all cores", lambda: matting_speed.all_cores(run, torch.multiprocessing.cpu_count(), 1))
    section("cam steps", lambda: cam_steps(photographs, device, batch, repeats))


if __name__ == "__main__":
    typer.run(main)
