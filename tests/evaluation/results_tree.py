"""A small results tree as the stages leave it: invented artifacts, real evaluation."""

import hashlib
import json
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from matlabel.artifacts.format import FORMAT
from matlabel.artifacts.label_image import VOID, write_label_image
from matlabel.artifacts.shard import write_shard
from matlabel.dataset.manifest import Entry, shard_text
from matlabel.evaluation import stage as evaluation

SIZE = (48, 64)
CLASSES = ["circle", "square", "<b>star</b> & co"]


class ResultsTree:
    """Builds results/ and data under `root`; paths in it are absolute."""

    def __init__(self, root: Path, classes=CLASSES, size=SIZE, images=6, held_out=4, masks=True, seed=0):
        self.root, self.classes, self.size, self.masks = root, list(classes), size, masks
        self.results = root / "results"
        self.generator = np.random.default_rng(seed)
        self.truths, self.tags, self.shards = {}, {}, []
        self._dataset([("train", images), ("val", held_out)])

    def _dataset(self, splits):
        folder = self.results / "dataset" / "da7a0000"
        folder.mkdir(parents=True)
        (self.root / "data").mkdir()
        self._settings("dataset", "da7a0000", {"path": str(self.root / "data")}, {})
        shard_names, mask_names = [], []
        for number, (split, count) in enumerate(splits):
            if not count:
                continue
            entries, sizes, rows = [], {}, []
            for slot in range(count):
                image_id = f"{split}_{slot:03d}"
                truth = self._truth(slot)
                path = self.root / "data" / f"{image_id}.png"
                Image.fromarray(self._photograph(truth)).save(path)
                tags = [self.classes[value - 1] for value in self.tags_of(truth)]
                self.truths[image_id], self.tags[image_id] = truth, self.tags_of(truth)
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                entries.append(Entry(slot, split, image_id, path.name, digest, tuple(tags)))
                sizes[image_id] = list(self.size)
                mask = self.root / "data" / f"{image_id}_mask.png"
                write_label_image(mask, truth)
                rows.append(f"{image_id},{mask},{hashlib.sha256(mask.read_bytes()).hexdigest()},colour\n")
            rejected = {f"{split}_999": f"{split}_999.jpg: not a <readable> image"}
            entries.append(Entry(count, split, f"{split}_999", f"{split}_999.jpg", "", ()))
            csv = folder / f"shard-{number:05d}-{'0' * 11}{number}.csv"
            csv.write_text(shard_text(entries))
            checks = {"shard": csv.name, "images": count, "sizes": sizes, "rejected": rejected}
            (folder / f"shard-{number:05d}.checks.json").write_text(json.dumps(checks))
            masks = folder / f"masks-{number:05d}-{'0' * 11}{number}.csv"
            masks.write_text("id,path,sha256,read\n" + "".join(rows))
            shard_names.append(csv.name)
            mask_names.append(masks.name)
            self.shards.append((f"{number:05d}", split, [entry.id for entry in entries[:-1]], csv))
        self.dataset = folder / "shards-all.txt"
        self.dataset.write_text("\n".join(shard_names))
        self.mask_list = folder / "masks-all.txt"
        self.mask_list.write_text("\n".join(mask_names))

    def _truth(self, slot):
        height, width = self.size
        truth = np.zeros(self.size, np.uint8)
        for value in range(1, len(self.classes) + 1):
            if (slot + value) % 2 == 0 or value == 1 + slot % len(self.classes):
                top, left = self.generator.integers(0, height // 2), self.generator.integers(0, width // 2)
                truth[top : top + height // 3, left : left + width // 3] = value
        edge = truth != np.roll(truth, 1, axis=0)
        truth[edge & (self.generator.random(self.size) < 0.5)] = VOID
        return truth

    @staticmethod
    def tags_of(truth):
        return [int(value) for value in np.unique(truth) if 0 < value < VOID]

    def _photograph(self, truth):
        base = np.array([[90, 120, 80], [200, 80, 60], [60, 80, 200], [220, 200, 80]], np.float32)
        colours = base[np.where(truth == VOID, 0, truth) % 4]
        return np.clip(colours + self.generator.normal(0, 18, (*self.size, 3)), 0, 255).astype(np.uint8)

    def _settings(self, stage, key, settings, upstream, **more):
        folder = self.results / stage / key
        folder.mkdir(parents=True, exist_ok=True)
        content = {"format": FORMAT, "key": key, "classes": self.classes, "stage": stage}
        content |= {"settings": settings, "upstream": upstream}
        (folder / "settings.yaml").write_text(yaml.safe_dump({**content, **more}, sort_keys=False))
        return folder

    def chain(
        self, variant, seed=0, noise=0.3, trimaps=True, predictions=True, source="mattes", method=None, reads=None
    ):
        """Artifacts and evaluation of one variant; returns its entry in the report's `runs`.

        Activations come from a classifier or from what `reads` says: files:<folder>, or the key of a segmenter.
        """
        key = hashlib.sha256(f"{variant}{seed}".encode()).hexdigest()[:8]
        full = source == "masks"
        first = [] if reads else ["cam"]
        stages = ["labels"] if full else [*first, "activations", *(["trimaps"] if trimaps else []), "mattes", "labels"]
        stages += ["segmenter", "predictions"] if predictions else []
        for stage in stages:
            settings = {"source": "masks"} if stage == "labels" and full else {"noise": noise}
            if stage == "mattes" and method:
                settings["method"] = method
            upstream = {"dataset": "da7a0000", **dict.fromkeys(stages[: stages.index(stage)], key)}
            if stage == "activations" and reads:
                files = reads.startswith("files:")
                settings["source"] = reads if files else "segmenter"
                upstream |= {} if files else {"segmenter": reads}
            folder = self._settings(stage, key, settings, upstream)
            if stage in ("cam", "segmenter"):
                rows = [f"{epoch},{1 / (epoch + 1):.4f},{0.3 / (epoch + 1):.4f},{0.01:.4f}" for epoch in range(5)]
                (folder / "history.csv").write_text("epoch,loss,category,lr\n" + "\n".join(rows) + "\n")
            if stage == "cam":
                self._check(folder)
        for number, split, ids, _ in self.shards:
            for stage in set(stages) - {"cam", "segmenter"}:
                if (stage == "predictions") != (split == "val") and any(s == "val" for _, s, _, _ in self.shards):
                    continue
                self._shard(stage, key, number, ids, noise)
        self.evaluate(key, stages)
        keys = dict.fromkeys(stages, key)
        return {"variant": variant, "seed": seed, "keys": {"dataset": "da7a0000", **keys, "evaluation": key}}

    def _check(self, folder):
        """What tags say of an invented classifier: it knows all of them, but takes the last class of one for absent."""
        look = {"loss": 0.2, "mean_ap": 0.9, "without_region": 0.1, "without_region_shuffled": 0.6}
        ap = {"loss": 0.3, "mean_ap": 0.9, "mean_ap_shuffled": 0.4, "mean_ap_deviation": 0.05}
        check = {
            "format": 1,
            "images": 6,
            "classes": 2,
            "trainings": 4,
            **ap,
            "look": look,
            "plain": None,
            "objection": None,
        }
        (folder / "check.json").write_text(json.dumps(check))
        lines = ["id," + ",".join(f'"{name}"' for name in self.classes)]
        for image_id in [name for name in self.tags if name.startswith("train")]:
            known = [0.9 if value in self.tags[image_id] else 0.1 for value in range(1, len(self.classes) + 1)]
            if image_id == "train_001":
                known[self.tags[image_id][-1] - 1] = 0.02
            lines.append(",".join([image_id, *(f"{value:.4f}" for value in known)]))
        (folder / "held_out.csv").write_text("\n".join(lines) + "\n")

    def _shard(self, stage, key, number, ids, noise):
        path = self.results / stage / key / f"shard-{number}.h5"
        generator = np.random.default_rng([int(number), round(noise * 100)])
        with write_shard(path, stage=stage, key=key, classes=self.classes, settings={}) as shard:
            for image_id in ids:
                shard.add(image_id, **self._arrays(stage, image_id, noise, generator))

    def _arrays(self, stage, image_id, noise, generator):
        truth, tags = self.truths[image_id], self.tags[image_id]
        clean = np.where(truth == VOID, 0, truth)
        planes = np.stack([clean == value for value in [0, *tags]]).astype(np.float32)
        soft = planes + noise * generator.random(planes.shape)
        soft /= soft.sum(axis=0)
        classes = np.array(tags, np.uint8)
        winner = np.array([0, *tags], np.uint8)[soft.argmax(axis=0)]
        if stage == "activations":
            small = np.round(255 * soft[:, ::4, ::4]).astype(np.uint8)
            return {"classes": classes, "probabilities": small, "unspread": small // 2 + 40}
        if stage == "trimaps":
            trimap = np.where(soft.max(axis=0) > 0.65, winner, VOID).astype(np.uint8)
            return {"trimap": trimap, "enforced": classes[: int(image_id.endswith("2"))]}
        if stage == "mattes":
            alphas = np.floor(255 * soft).astype(np.uint8)
            alphas[0] += 255 - alphas.sum(axis=0, dtype=np.int64).astype(np.uint8)
            return {"classes": classes, "alphas": alphas}
        flipped = generator.random(truth.shape) < noise / 4
        labels = np.where(flipped, 0, clean).astype(np.uint8)
        if stage == "predictions":
            return {"labels": labels}
        labels[:2] = VOID
        return {"labels": labels, "margin": np.full(truth.shape, 180, np.uint8)}

    def evaluate(self, key, stages, **settings):
        """Run the stage evaluation on the artifacts of `key`."""
        folder = self._settings("evaluation", key, {"bootstrap": 50, **settings}, {"labels": key})
        lists = {}
        for name, wanted in (("train", "train"), ("val", "val")):
            csvs = [csv.name for _, split, _, csv in self.shards if split == wanted]
            lists[name] = self.dataset.with_name(f"shards-{name}.txt")
            lists[name].write_text("\n".join(csvs))
        held_out = any(split == "val" for _, split, _, _ in self.shards)
        at = {
            stage: self.results / stage / key if stage in stages else None
            for stage in ("cam", "activations", "trimaps", "mattes", "labels", "predictions")
        }
        evaluation.run(
            settings=folder / "settings.yaml",
            dataset=lists["train"],
            held_out=lists["val"] if held_out else None,
            masks=self.mask_list if self.masks else None,
            out=folder / "scores.json",
            **at,
        )

    def replace_mask(self, image_id, mask):
        """Give an image another true mask, in the manifest too; the artifacts stay as they were."""
        path = self.root / "data" / f"{image_id}_mask.png"
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        write_label_image(path, mask)
        after = hashlib.sha256(path.read_bytes()).hexdigest()
        for csv in self.dataset.parent.glob("masks-*.csv"):
            csv.write_text(csv.read_text().replace(f"{path},{before}", f"{path},{after}"))

    def report_settings(self, runs, **settings):
        """Write settings.yaml of a report over `runs`; returns its path."""
        return self._settings("report", "4e904700", settings, {}, runs=runs) / "settings.yaml"
