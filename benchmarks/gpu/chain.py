"""The whole chain of a config by the stages' own functions, each timed: for machines without Snakemake."""

import os
import time
from pathlib import Path

from matlabel.activations import stage as activations
from matlabel.artifacts.digest import file_sha256
from matlabel.cam import stage as cam
from matlabel.dataset import stage as dataset
from matlabel.evaluation import stage as evaluation
from matlabel.labels import stage as labels
from matlabel.mattes import stage as mattes
from matlabel.predictions import stage as predictions
from matlabel.runs import Plan
from matlabel.runs.inputs import evaluation_inputs
from matlabel.runs.links import set_links
from matlabel.segmenter import stage as segmenter
from matlabel.trimaps import stage as trimaps


def run(
    config: dict, folder: Path, device: str, workers: int | None = None, matting: int | None = None
) -> tuple[Path, dict[str, float]]:
    """Run variant `default` with its first seed.

    Args:
        config: as for the workflow, without variants; dataset.path must be absolute.
        folder: where results/ is made; it becomes the working directory.
        device: cuda or cpu.
        workers: loading processes of the trainings; None: as they choose.
        matting: processes of matting; None: one a core.

    Returns:
        results/runs/default/seed-<n>, and stage -> seconds, in the order they ran.
    """
    os.chdir(folder)
    plan = Plan(config, write=True)
    seed = plan.config.seeds[0]
    keys = plan.chains["default", seed]
    seconds: dict[str, float] = {}

    def timed(stage, call, *arguments, **options):
        begin = time.perf_counter()
        call(*arguments, **options)
        seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - begin

    def settings(stage):
        return Path(plan.settings_file(keys[stage]))

    def shards(stage):
        for number in plan.shards(plan.splits(plan.node(keys[stage]))):
            yield Path(plan.shard_csv(number)), lambda of, number=number: Path(plan.artifact(keys[of], number))

    def all_of(stage):
        return Path(plan.list_file(plan.splits(plan.node(keys[stage]))))

    def folder_of(stage):
        return Path(plan.node(keys[stage]).folder)

    for csv, shard in shards("dataset"):
        timed("dataset", dataset.run, settings("dataset"), csv, shard("dataset"))
    weights = Path(plan.artifact(keys["cam"]))
    timed("cam", cam.run, settings("cam"), all_of("cam"), weights, device, workers=workers)
    for csv, shard in shards("activations"):
        timed("activations", activations.run, settings("activations"), csv, weights, shard("activations"), device)
    for csv, shard in shards("trimaps"):
        timed("trimaps", trimaps.run, settings("trimaps"), csv, shard("activations"), shard("trimaps"))
    for csv, shard in shards("mattes"):
        made = (csv, shard("activations"), shard("mattes"), shard("trimaps"))
        timed("mattes", mattes.run, settings("mattes"), *made, "cpu", matting or os.cpu_count())
    for csv, shard in shards("labels"):
        timed("labels", labels.run, settings("labels"), csv, shard("labels"), shard("mattes"))
    segmenters = None
    if "segmenter" in keys:
        learned = Path(plan.artifact(keys["segmenter"]))
        timed(
            "segmenter", segmenter.run, settings("segmenter"), all_of("segmenter"), folder_of("labels"), learned,
            cam=weights if plan.node(keys["segmenter"]).settings.weights == "cam" else None, device=device,
        )  # fmt: skip
        segmenters = folder_of("predictions")
        for csv, shard in shards("predictions"):
            timed("predictions", predictions.run, settings("predictions"), csv, learned, shard("predictions"),
                  device=device)  # fmt: skip
    inputs = evaluation_inputs(plan, keys["evaluation"])
    held_out, masks = (Path(inputs[name]) if name in inputs else None for name in ("held_out", "masks"))
    made = [folder_of(stage) for stage in ("activations", "trimaps", "mattes", "labels")]
    scores = Path(plan.artifact(keys["evaluation"]))
    timed("evaluation", evaluation.run, settings("evaluation"), Path(inputs["list"]), held_out, masks, *made,
          segmenters, scores, cam=folder_of("cam"))  # fmt: skip
    set_links(plan)
    assert file_sha256(scores)
    return Path(f"results/runs/default/seed-{seed}"), seconds
