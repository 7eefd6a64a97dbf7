"""Special inputs of jobs: weight files, true masks, and artifacts of many jobs."""

from pathlib import Path
from typing import Any

from matlabel.artifacts.errors import UserError
from matlabel.runs.plan import Plan
from matlabel.stages import FIRST, LAST, REPORT, STAGES


def weight_files(plan: Plan, key: str) -> list[str]:
    """Weight files that a job starts from or takes over; a folder of weights stands for the files in it."""
    node = plan.node(key)
    found = []
    for name in map(Path, node.definition.weights(node.settings)):
        files = sorted(path for path in name.iterdir() if path.is_file()) if name.is_dir() else [name]
        # What is there is no file for Snakemake: the name of a network on a hub.
        found += [str(file) for file in files if node.definition.training or file.is_file()]
    return found


def label_masks(plan: Plan, key: str, number: str) -> list[str]:
    """The CSV of a shard's true masks, for labels that are made of them."""
    return [str(plan.data.shards[number].masks)] if plan.node(key).settings.source == "masks" else []


def evaluation_inputs(plan: Plan, key: str) -> dict[str, Any]:
    """The inputs of one evaluation, by name."""
    node = plan.node(key)
    upstream = {STAGES[name]: artifact for name, artifact in node.upstream.items()}
    labelled = plan.splits(node)
    held_out = node.settings.splits if any(stage.held_out for stage in upstream) else []
    inputs: dict[str, Any] = {"list": plan.list_file(labelled)}
    if held_out:
        inputs["held_out"] = plan.list_file(held_out)
    inputs.update(plan.masks(labelled + held_out))
    for stage, artifact in upstream.items():
        if stage.judged:
            inputs[stage.name] = [f"{plan.node(artifact).folder}/{name}" for name in stage.judged]
        elif stage is FIRST:
            inputs["checks"] = plan.artifacts(artifact, labelled + held_out)
        elif stage.held_out:
            # Without held-out splits predictions are scored on training images, as far as those are predicted.
            predicted = set(labelled) <= set(plan.splits(plan.node(artifact)))
            inputs[stage.name] = plan.artifacts(artifact, held_out or (labelled if predicted else []))
        else:
            inputs[stage.name] = plan.artifacts(artifact, labelled)
    return inputs


def report_inputs(plan: Plan) -> dict[str, Any]:
    """The inputs of the report: all scores and histories, and the shards that its gallery shows."""
    inputs: dict[str, Any] = {"list": plan.list_file(plan.data.splits), **plan.masks(plan.data.splits)}
    return inputs | {stage: plan.main_files(stage) for stage in STAGES if stage != REPORT.name}


def ablation_inputs(plan: Plan) -> dict[str, Any]:
    """The inputs of the ablation: all scores. Writes its settings, too, as it is seldom asked for.

    Raises:
        UserError: there is no mask to score against.
    """
    if not plan.masks(plan.data.splits):
        raise UserError("dataset: the ablation scores against true masks, and no image has one; add masks/<id>.png")
    settings = plan.add(f"{plan.ablation.folder}/settings.yaml", plan.ablation.settings_text(plan.classes))
    return {"settings": settings, "scores": plan.main_files(LAST.name)}
