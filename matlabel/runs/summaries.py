"""The nodes that compare all variants and random seeds: report and ablation."""

from collections.abc import Mapping
from typing import Any

from matlabel.artifacts.format import FORMAT
from matlabel.runs.chain import Node, add_node, node_of
from matlabel.settings.base import Settings
from matlabel.settings.config import StageSettings
from matlabel.settings.report import ReportSettings
from matlabel.stages import ABLATION, REPORT, STAGES

# (variant, seed) -> stage -> key.
Chains = Mapping[tuple[str, int], dict[str, str]]


def report_node(
    nodes: dict[str, Node],
    chains: Chains,
    variants: Mapping[str, StageSettings],
    settings: ReportSettings,
    splits: list[str],
) -> Node:
    """Add the report's node to `nodes`.

    Args:
        settings: of the report.
        splits: all splits of the data.
    """
    runs = []
    for (variant, seed), keys in chains.items():
        of_variant = variants[variant]
        everywhere = set(of_variant.evaluation.splits) <= set(of_variant.labels.splits or splits)
        runs.append({"variant": variant, "seed": seed, "keys": _ordered(keys), "held_out_labelled": everywhere})
    payload = {"format": FORMAT, "stage": REPORT.name, "settings": settings.keyed(), "upstream": {}, "runs": runs}
    node = add_node(nodes, REPORT.name, payload, {}, settings)
    node.users.extend(chains)
    return node


def ablation_node(chains: Chains, variants: Mapping[str, StageSettings]) -> Node:
    """Add the ablation's node. Each run names its matting method, or true masks."""
    runs = []
    for (variant, seed), keys in chains.items():
        settings = variants[variant]
        decided = "masks" if settings.labels.source == "masks" else settings.mattes.method
        runs.append({"variant": variant, "seed": seed, "method": decided, "keys": _ordered(keys)})
    payload: dict[str, Any] = {
        "format": FORMAT,
        "stage": ABLATION.name,
        "settings": {},
        "upstream": {},
        "runs": runs,
    }
    return node_of(ABLATION.name, payload, {}, Settings())


def _ordered(keys: dict[str, str]) -> dict[str, str]:
    return {stage: keys[stage] for stage in STAGES if stage in keys}
