"""The stage report: one self-contained page about all variants and random seeds of a config.

settings.yaml holds, beside the settings, `runs: [{variant, seed, keys: {stage: key}}]`; what the stages left is found
by the layout results/<stage>/<key>/. The page needs no script and no other file, and equal inputs give equal bytes.
"""

from collections.abc import Sequence
from pathlib import Path

import yaml

from matlabel.artifacts.atomic import write_text
from matlabel.artifacts.context import load_context
from matlabel.artifacts.provenance import Inputs, recorded
from matlabel.dataset.manifest import ShardManifest, load_shards, read_entries
from matlabel.dataset.true_masks import TrueMasks
from matlabel.report import page
from matlabel.report.pictures import ALL_STAGES, HELD_OUT_STAGES, Pictures, Row
from matlabel.report.runs import Run, load_run, number, settings_of
from matlabel.report.selection import select
from matlabel.report.tables import by_variant
from matlabel.settings.report import ReportSettings


def run(settings: Path, dataset: Path, masks: Path | None, results: Path, out: Path, code: str = "") -> None:
    """Write the page.

    Args:
        settings: settings.yaml of the report.
        dataset: CSV or list of all shards of the data set.
        masks: CSV or list of the true masks, for the gallery.
        results: the folder of all artifacts; activations, trimaps, mattes, labels and predictions may lack shards.
        out: report.html.
        code: digest of the sources, for the provenance.

    Raises:
        UserError: an evaluation or a settings file is missing, or an image or artifact cannot be read.
    """
    context = load_context(settings, "report", ReportSettings)
    with recorded([out], stage="report", key=context.key, code=code) as inputs:
        inputs.add([settings, dataset, *([masks] if masks else [])])
        shards = load_shards(dataset)
        for shard in shards:
            inputs.add(shard.files)
        runs = [load_run(entry, results, inputs) for entry in context.runs(settings)]
        truth = TrueMasks(masks, len(context.classes), inputs)
        pictures = Pictures(shards, truth, results, context.settings.thumbnail, inputs)
        rows = _gallery(runs, pictures, context.settings.gallery)
        rejected = _rejected(shards)
        images = sum(len(shard.entries) for shard in shards) + len(rejected)
        sections = [
            ("warnings", "Warnings", page.warnings_section(runs)),
            ("scores", "Scores", page.scores_section(runs)),
            ("check", "By the tags alone", page.check_section(runs)),
            ("classes", "Classes", page.classes_section(runs)),
            ("curves", "Curves", page.curves_section(runs)),
            ("differences", "What matting changes", page.differences_section(runs)),
            ("gallery", "Gallery", page.gallery_section(rows, context.classes, context.settings.thumbnail)),
            ("enforced", "Enforced trimaps", page.enforced_section(runs)),
            ("rejected", "Rejected images", page.rejected_section(rejected)),
            ("settings", "Settings", page.settings_section(_settings(runs, results, inputs))),
        ]
        header = page.header(runs, context.classes, images, len(rejected))
        write_text(out, page.page(context.settings.title, sections, header))


def _gallery(runs: Sequence[Run], pictures: Pictures, size: int) -> list[tuple[str, str, list[Row]]]:
    """Training and held-out images of each variant's first random seed: two thirds and one third, if there are both."""
    groups = []
    for variant, group in by_variant(runs).items():
        held_out = group[0].value("images", "labels") or 0
        training, unseen = group[0].images[:held_out], group[0].images[held_out:]
        of_unseen = size // 3 if training and "predictions" in group[0].keys else 0 if training else size
        shown = min(of_unseen, len(unseen))
        # Shards that this run does not ask for may lie there from another: they are not the page's to show.
        stages = ALL_STAGES if group[0].held_out_labelled else HELD_OUT_STAGES
        for heading, images, by, many, shown_stages in (
            ("Training images", training, "labels", size - shown, ALL_STAGES),
            ("Held-out images", unseen, "predictions", shown, stages),
        ):
            scores = {row["id"]: row for row in images}
            # An image without tags is right by being left alone: it is no example of anything.
            ranked = [number(row[by]) if row["tags"] else None for row in images]
            chosen = select(list(scores), ranked, many)
            rows = [pictures.row(group[0], image, why, scores[image], shown_stages) for image, why in chosen]
            groups.append((variant, heading, [row for row in rows if row]))
    return groups


def _rejected(shards: Sequence[ShardManifest]) -> list[tuple[str, str, str]]:
    return [
        (entry.split, entry.id, shard.rejected[entry.id])
        for shard in shards
        if shard.rejected
        for entry in read_entries(shard.csv)
        if entry.id in shard.rejected
    ]


def _settings(runs: Sequence[Run], results: Path, inputs: Inputs) -> list[tuple[str, str, list[str], str]]:
    """(stage, key, runs that use it, YAML of what differs from the defaults), in the order of the stages."""
    users: dict[tuple[str, str], list[str]] = {}
    order: list[str] = []
    for run in runs:
        for stage, key in run.keys.items():
            users.setdefault((stage, key), []).append(run.name)
            if stage not in order:
                order.append(stage)
    found = []
    for stage, key in sorted(users, key=lambda pair: order.index(pair[0])):
        values = settings_of(results, stage, key)
        inputs.add(results / stage / key / "settings.yaml")
        text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True) if values else ""
        found.append((stage, key, users[stage, key], text))
    return found
