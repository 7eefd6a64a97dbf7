"""The nodes that set all variants and seeds side by side: the report's page and the ablation's table."""

from collections.abc import Mapping
from typing import Any

from matlabel.artifacts.digest import canonical, text_sha256
from matlabel.runs.chain import STAGES, Node, add_node
from matlabel.settings.base import Settings
from matlabel.settings.config import StageSettings
from matlabel.settings.report import ReportSettings

# (variant, seed) -> stage -> key.
Chains = Mapping[tuple[str, int], dict[str, str]]


def report_node(
    nodes: dict[str, Node],
    chains: Chains,
    variants: Mapping[str, StageSettings],
    settings: ReportSettings,
    splits: list[str],
) -> Node:
    """The page's node, added to `nodes`.

    Args:
        settings: of the report.
        splits: all splits of the data.
    """
    runs = []
    for (variant, seed), keys in chains.items():
        of_variant = variants[variant]
        everywhere = set(of_variant.evaluation.splits) <= set(of_variant.labels.splits or splits)
        runs.append({"variant": variant, "seed": seed, "keys": _ordered(keys), "held_out_labelled": everywhere})
    payload = {"stage": "report", "settings": settings.keyed(), "upstream": {}, "runs": runs}
    return add_node(nodes, "report", payload, {}, next(iter(variants.values())))


def ablation_node(chains: Chains, variants: Mapping[str, StageSettings]) -> Node:
    """The table's node. Each run says what decided its labels: a matting method, or true masks."""
    runs = []
    for (variant, seed), keys in chains.items():
        settings = variants[variant]
        decided = "masks" if settings.labels.source == "masks" else settings.mattes.method
        runs.append({"variant": variant, "seed": seed, "method": decided, "keys": _ordered(keys)})
    payload: dict[str, Any] = {"stage": "ablation", "settings": {}, "upstream": {}, "runs": runs}
    first = next(iter(variants.values()))
    return Node("ablation", text_sha256(canonical(payload))[:8], Settings(), first, {}, payload)


def _ordered(keys: dict[str, str]) -> dict[str, str]:
    return {stage: keys[stage] for stage in STAGES if stage in keys}
