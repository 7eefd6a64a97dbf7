"""From settings to keys: one node for each artifact folder, shared by all variants that agree up to there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from matlabel.artifacts.digest import canonical, text_sha256
from matlabel.artifacts.errors import UserError
from matlabel.settings.base import Settings
from matlabel.settings.config import StageSettings
from matlabel.settings.mattes import WITHOUT_TRIMAP

STAGES = (
    "dataset",
    "cam",
    "activations",
    "trimaps",
    "mattes",
    "labels",
    "segmenter",
    "predictions",
    "evaluation",
    "report",
)
TRAININGS = ("cam", "segmenter")
SHARDED = ("dataset", "activations", "trimaps", "mattes", "labels", "predictions")
# Stages whose shards are exported as PNGs, too.
EXPORTED = ("labels", "predictions")
# What the job of a stage without shards leaves beside its main file.
BESIDE = {
    "cam": ("check.json", "held_out.csv", "history.csv"),
    "segmenter": ("config.json", "history.csv"),
    "evaluation": ("per_class.csv", "per_image.csv", "wrong_tags.csv", "curves.csv"),
}


@dataclass
class Node:
    """One artifact folder, results/<stage>/<key>.

    Attributes:
        upstream: stage -> key of what it reads.
        settings: the stage's validated settings.
        payload: what the key is the digest of.
        users: the (variant, seed) pairs that lead here.
    """

    stage: str
    key: str
    settings: Settings
    all_settings: StageSettings
    upstream: dict[str, str]
    payload: dict[str, Any]
    users: list[tuple[str, int]] = field(default_factory=list)

    @property
    def folder(self) -> str:
        """Where its artifacts lie, relative to the working directory."""
        return f"results/{self.stage}/{self.key}"

    def settings_text(self, classes: list[str]) -> str:
        """The content of settings.yaml: it says no more than the key does, so equal keys have equal files."""
        return yaml.safe_dump(
            {"key": self.key, "classes": classes, **self.payload}, sort_keys=False, allow_unicode=True
        )


def upstream_of(stage: str, settings: StageSettings) -> tuple[str, ...]:
    """The stages of its own chain that a stage reads, under these settings."""
    masks = settings.labels.source == "masks"
    if stage == "mattes":
        read = ("dataset", "activations")
        read += () if settings.mattes.method in WITHOUT_TRIMAP else ("trimaps",)
    elif stage == "segmenter":
        read = ("dataset", "labels")
        read += ("mattes",) if settings.segmenter.target == "soft" else ()
        read += ("cam",) if settings.segmenter.weights == "cam" else ()
    elif stage == "activations":
        read = ("dataset", "cam") if settings.activations.kind == "cam" else ("dataset",)
    elif stage == "evaluation":
        read = ("dataset", "labels") if masks else ("dataset", "activations", "trimaps", "mattes", "labels")
        read += ("cam",) if not masks and settings.activations.kind == "cam" else ()
        read += ("predictions",) if settings.segmenter.train else ()
    else:
        read = {
            "dataset": (),
            "cam": ("dataset",),
            "trimaps": ("dataset", "activations"),
            "labels": ("dataset",) if masks else ("dataset", "mattes"),
            "predictions": ("dataset", "segmenter"),
        }[stage]
    return read


def stages_of(settings: StageSettings) -> list[str]:
    """The stages that a variant needs, in order, without the report."""
    needed, todo = set(), ["evaluation"]
    while todo:
        stage = todo.pop()
        if stage not in needed:
            needed.add(stage)
            todo.extend(upstream_of(stage, settings))
    return [stage for stage in STAGES if stage in needed]


def add_chain(
    nodes: dict[str, Node],
    variant: str,
    seed: int,
    settings: StageSettings,
    classes: list[str],
    earlier: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Add the nodes of one variant and seed; returns stage -> key.

    Args:
        nodes: key -> node, added to.
        variant, seed: who asks.
        settings: of the variant.
        classes: the class names.
        earlier: in a second round, the chain whose segmenter the activations are read with: stage -> key.

    Raises:
        UserError: two different payloads share a key (one chance in billions: any setting changed resolves it).
    """
    keys: dict[str, str] = {}
    for stage in stages_of(settings):
        block = getattr(settings, stage)
        upstream = {name: keys[name] for name in upstream_of(stage, settings)}
        if stage == "activations" and earlier is not None:
            upstream["segmenter"] = earlier["segmenter"]
        payload: dict[str, Any] = {"stage": stage, "settings": block.keyed(), "upstream": upstream}
        if stage == "dataset":
            payload["classes"] = classes
        if stage in TRAININGS:
            frozen = stage == "cam" and block.weights_from
            # Weights that are taken over depend on no seed and no image.
            payload["seed"] = 0 if frozen else seed
            if block.splits is None and not frozen:
                payload["splits"] = {"all_except": settings.evaluation.splits}
        if stage == "evaluation" and block.label_splits is None:
            payload["splits"] = {"all_except": settings.evaluation.splits}
        keys[stage] = add_node(nodes, stage, payload, upstream, settings).key
        nodes[keys[stage]].users.append((variant, seed))
    return keys


def add_node(
    nodes: dict[str, Node], stage: str, payload: dict[str, Any], upstream: dict[str, str], settings: StageSettings
) -> Node:
    """The node of a payload, made if it is new: its key is the digest's first 8 hex digits."""
    key = text_sha256(canonical(payload))[:8]
    node = nodes.setdefault(key, Node(stage, key, getattr(settings, stage), settings, upstream, payload))
    if node.payload != payload:
        raise UserError(f"the settings of {node.stage} and {stage} happen to share the key {key}: change any of them")
    return node
