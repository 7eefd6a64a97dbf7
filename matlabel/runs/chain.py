"""From settings to keys: one node for each artifact folder, shared by all variants that agree up to there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from matlabel.artifacts.digest import canonical, text_sha256
from matlabel.artifacts.errors import UserError
from matlabel.artifacts.format import FORMAT
from matlabel.settings.base import Settings
from matlabel.settings.config import StageSettings
from matlabel.stages import FIRST, FOLDERS, LAST, STAGES, Stage


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
    upstream: dict[str, str]
    payload: dict[str, Any]
    users: list[tuple[str, int]] = field(default_factory=list)

    @property
    def definition(self) -> Stage:
        """The stage's entry in the table."""
        return FOLDERS[self.stage]

    @property
    def folder(self) -> str:
        """Where its artifacts lie, relative to the working directory."""
        return self.definition.folder.format(key=self.key)

    def settings_text(self, classes: list[str]) -> str:
        """The content of settings.yaml: only what enters the key, so equal keys have equal files."""
        # `matlabel.artifacts.format` looks for the format in the first line.
        said = {"format": FORMAT, "key": self.key, "classes": classes, **self.payload}
        return yaml.safe_dump(said, sort_keys=False, allow_unicode=True)


def stages_of(settings: StageSettings) -> list[str]:
    """The stages that a variant needs, in order, without the report."""
    needed, todo = set(), [LAST.name]
    while todo:
        stage = todo.pop()
        if stage not in needed:
            needed.add(stage)
            todo.extend(STAGES[stage].reads(settings))
    return [stage for stage in STAGES if stage in needed]


def add_chain(
    nodes: dict[str, Node],
    variant: str,
    seed: int,
    settings: StageSettings,
    classes: list[str],
    earlier: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Add the nodes of one variant and random seed; returns stage -> key.

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
    for name in stages_of(settings):
        stage, own = STAGES[name], getattr(settings, name)
        upstream = {read: keys[read] for read in stage.reads(settings)}
        if earlier is not None:
            upstream |= {read: earlier[read] for read in stage.reads_earlier(settings)}
        payload: dict[str, Any] = {
            "format": FORMAT,
            "stage": name,
            "settings": own.keyed(),
            "upstream": upstream,
        }
        if stage is FIRST:
            payload["classes"] = classes
        if stage.training:
            # Weights that are taken over depend on no seed and no image.
            payload["seed"] = seed if stage.trains(own) else 0
        if stage.all_but and getattr(own, stage.all_but) is None and (stage.trains(own) or not stage.training):
            payload["splits"] = {"all_except": settings.evaluation.splits}
        keys[name] = add_node(nodes, name, payload, upstream, own).key
        nodes[keys[name]].users.append((variant, seed))
    return keys


def add_node(
    nodes: dict[str, Node], stage: str, payload: dict[str, Any], upstream: dict[str, str], own: Settings
) -> Node:
    """The node of a payload, made if it is new: its key is the digest's first 8 hex digits."""
    node = node_of(stage, payload, upstream, own)
    found = nodes.setdefault(node.key, node)
    if found.payload != payload:
        raise UserError(
            f"the settings of {found.stage} and {stage} happen to share the key {node.key}: change any of them"
        )
    return found


def node_of(stage: str, payload: dict[str, Any], upstream: dict[str, str], own: Settings) -> Node:
    """A node by itself; the arguments are those of `add_node`."""
    return Node(stage, text_sha256(canonical(payload))[:8], own, upstream, payload)
