"""The plan of a run: validated config, scanned data, and the paths of all artifacts and inputs."""

from collections.abc import Collection, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from matlabel.artifacts.atomic import add_text
from matlabel.artifacts.digest import text_sha256
from matlabel.artifacts.errors import UserError
from matlabel.dataset.scan import ShardFiles
from matlabel.devices import has_nvidia_gpu
from matlabel.runs.chain import Node, add_chain
from matlabel.runs.checks import check_mattes, check_rounds, check_splits, check_tags, unscored_masks
from matlabel.runs.data_set import class_names, scanned
from matlabel.runs.second_round import earlier_round, in_rounds
from matlabel.runs.sources import sources_digest, sources_text
from matlabel.runs.starts import check_starts, check_steps, check_weights
from matlabel.runs.summaries import ablation_node, report_node
from matlabel.runs.user_files import corrections_of, maps_of
from matlabel.settings.config import Config, StageSettings, load_config
from matlabel.settings.start_weights import timm_name
from matlabel.stages import FIRST, Splits


class Plan:
    """Paths and shards of every artifact that a config asks for.

    Paths are relative to the working directory. With `write`, the driver's own files are added (manifest, settings,
    code files); they are content-addressed, so that adding them disturbs no job that is running.

    Raises:
        UserError: anything wrong in the config or the data, before any job starts.
    """

    def __init__(self, raw: Mapping[str, Any], write: bool = False):
        self.config: Config
        self.variants: dict[str, StageSettings]
        self.config, self.variants = load_config(raw)
        self._write = write
        self._texts: dict[str, str] = {}
        self._covered: dict[str, list[str]] = {}
        self.nodes: dict[str, Node] = {}
        self.chains: dict[tuple[str, int], dict[str, str]] = {}

        self.classes = class_names(self.config.dataset)
        self._add_chains()
        root = self._dataset_root
        self.add(f"{root}/settings.yaml", self.nodes[root.name].settings_text(self.classes))
        self.data = scanned(self.config.dataset, root, self.classes, write)
        for variant, settings in self.variants.items():
            where = self._where(variant)
            check_splits(where, settings, self.data)
            self.data.notes += check_tags(where, settings, self.data, self.classes)
            self.data.notes += unscored_masks(settings, self.data)
            check_weights(where, settings)
            check_mattes(where, settings)
            check_rounds(where, variant, self.variants, self.data)
        self.data.notes = list(dict.fromkeys(self.data.notes))
        self.report = report_node(self.nodes, self.chains, self.variants, self.config.report, self.data.splits)
        self.ablation = ablation_node(self.chains, self.variants)
        for node in self.nodes.values():
            self.add(f"{node.folder}/settings.yaml", node.settings_text(self.classes))
        self.corrections = corrections_of(self.nodes.values(), self.data, self.classes, self.add)
        self.maps = maps_of(self.nodes.values(), self.data, self.classes, self.splits, self.add, root, write)

    @property
    def wants_gpu(self) -> bool:
        """Whether network jobs ask the scheduler for a GPU: told to, or with device auto where this machine has one."""
        device = self.config.device
        return device == "cuda" or (device == "auto" and has_nvidia_gpu())

    def check_starts(self, rejected: Collection[str] = ()) -> None:
        """Check images, steps and weight files that the trainings start from; may import torch.

        Args:
            rejected: ids of images that are known to be left out.

        Raises:
            UserError: too few images or steps, or weights that cannot be read or do not fit.
        """
        left = self.data.without(rejected)
        for variant, settings in self.variants.items():
            check_steps(self._where(variant), settings, left)
            if rejected:
                check_tags(self._where(variant), settings, left, self.classes)
        trainings = [node for node in self.nodes.values() if node.definition.training]
        check_starts([(node, Path(self.artifact(node.key))) for node in trainings], self.classes)

    # -- what the rules ask ------------------------------------------------------------------------------------

    def node(self, key: str) -> Node:
        """The artifact folder of a key.

        Raises:
            UserError: the config does not lead to this key.
        """
        if key not in self.nodes:
            raise UserError(f"no settings of this config have the key {key}")
        return self.nodes[key]

    def settings_file(self, key: str) -> str:
        """settings.yaml of a key."""
        return f"{self.node(key).folder}/settings.yaml"

    def code_file(self, stage: str, entry: str = "stage") -> str:
        """The file named by the digest of a stage's sources, from the file that its command calls."""
        return self.add(f"results/.code/{stage}-{sources_digest(stage, entry)}", sources_text(stage, entry))

    def splits(self, node: Node) -> list[str]:
        """The splits that an artifact folder covers or, of a training, learns from."""
        if node.key not in self._covered:
            # Variants may share an artifact and ask for different shards of it.
            asked: set[str] = set()
            for variant in {variant for variant, _ in node.users}:
                settings = self.variants[variant]
                trained = [split for split in self.data.splits if split not in settings.evaluation.splits]
                asked.update(node.definition.covers(settings, Splits(self.data.splits, trained, self.data.masked)))
            self._covered[node.key] = [split for split in self.data.splits if split in asked]
        return self._covered[node.key]

    def shards(self, splits: list[str]) -> list[str]:
        """Numbers of the shards of some splits, ascending."""
        return [number for number, shard in self.data.shards.items() if shard.split in splits]

    def images(self, key: str, number: str | None = None) -> int:
        """How many images a job of this key reads: those of its shard, or of all splits that the artifact covers."""
        numbers = [number] if number else self.shards(self.splits(self.node(key)))
        return sum(self.data.shards[each].images for each in numbers)

    def shard_csv(self, number: str) -> str:
        """The manifest of a shard."""
        return str(self.data.shards[number].csv)

    def list_file(self, splits: list[str]) -> str:
        """A list of the shard CSVs of some splits, for jobs that read many."""
        return self._list("shards", [shard.csv for shard in self._shards_of(splits)])

    def masks(self, splits: list[str]) -> dict[str, Any]:
        """The mask files' CSVs of some splits and their list; {} where no image has a mask."""
        files = [shard.masks for shard in self._shards_of(splits) if shard.masks]
        return {"mask_csvs": [str(file) for file in files], "masks": self._list("masks", files)} if files else {}

    def artifact(self, key: str, number: str | None = None) -> str:
        """The main output of a key: a shard's file, or the one file of a stage without shards."""
        node = self.node(key)
        return f"{node.folder}/{node.definition.main.format(shard=number)}"

    def artifacts(self, key: str, splits: list[str] | None = None) -> list[str]:
        """All main outputs of a key, or those of some splits."""
        node = self.node(key)
        if not node.definition.sharded:
            return [self.artifact(key)]
        return [self.artifact(key, number) for number in self.shards(self.splits(node) if splits is None else splits)]

    def outputs(self, key: str) -> list[str]:
        """All files that jobs leave under a key, and the folders of exported PNGs; shard by shard."""
        node = self.node(key)
        if node.definition.png:
            shards = self.shards(self.splits(node))
            return [path for number in shards for path in (self.artifact(key, number), self.export(key, number))]
        return [*self.artifacts(key), *(f"{node.folder}/{name}" for name in node.definition.beside)]

    def export(self, key: str, number: str) -> str:
        """The folder of a shard's PNGs, of a stage that is exported."""
        node = self.node(key)
        return f"{node.folder}/{node.definition.png.format(shard=number)}"

    def frozen(self, key: str) -> bool:
        """Whether a classifier is taken over (cam.weights_from) and not trained, so that it depends on no image."""
        node = self.node(key)
        return node.definition.training and not node.definition.trains(node.settings)

    def downloads(self) -> list[str]:
        """Weights that `fetch` can download for the trainings: backbones (imagenet), and timm's names."""
        trainings = [node for node in self.nodes.values() if node.definition.trains(node.settings)]
        starts = {(node.settings.backbone, node.settings.weights) for node in trainings}
        found = {backbone if weights == "imagenet" else timm_name(weights, backbone) for backbone, weights in starts}
        return sorted(found - {None})

    def add(self, path: str, text: str) -> str:
        """Write a content-addressed file of the driver if it is missing and this plan writes; returns its path."""
        if self._write and self._texts.get(path) != text:
            add_text(Path(path), text)
        self._texts[path] = text
        return path

    def targets(self, stage: str) -> list[str]:
        """The targets of `all_<stage>`: all outputs, as Snakemake remakes lost files only if they are targets."""
        return [path for node in self._of(stage) for path in self.outputs(node.key)]

    def main_files(self, stage: str) -> list[str]:
        """The main output of each job of a stage."""
        return [path for node in self._of(stage) for path in self.artifacts(node.key)]

    # -- how it is made ----------------------------------------------------------------------------------------

    def _where(self, variant: str) -> str:
        """The start of a message about a variant's settings."""
        return f"config: variant {variant}: " if self.config.variants else "config: "

    def _of(self, stage: str) -> list[Node]:
        return [node for node in self.nodes.values() if node.stage == stage]

    def _add_chains(self) -> None:
        chains: dict[tuple[str, int], dict[str, str]] = {}
        for variant, seed in product(in_rounds(self.variants), self.config.seeds):
            settings = self.variants[variant]
            earlier = earlier_round(settings)
            before = chains[earlier, seed] if earlier else None
            chains[variant, seed] = add_chain(self.nodes, variant, seed, settings, self.classes, before)
        self.chains = {pair: chains[pair] for pair in product(self.variants, self.config.seeds)}

    def _list(self, name: str, files: list[Path]) -> str:
        text = "".join(f"{file.name}\n" for file in files)
        return self.add(str(self._dataset_root / f"{name}-{text_sha256(text)[:12]}.txt"), text)

    def _shards_of(self, splits: list[str]) -> list[ShardFiles]:
        return [shard for shard in self.data.shards.values() if shard.split in splits]

    @property
    def _dataset_root(self) -> Path:
        return Path(next(node.folder for node in self._of(FIRST.name)))
