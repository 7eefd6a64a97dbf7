"""A data folder of any number of images, and a stand-in for the CLI, to measure the workflow without the stages."""

import os
import stat
from pathlib import Path

import yaml

CLASSES = ("cat", "cow", "dog", "horse", "sheep")

# Every rule is one call of the CLI, so a `matlabel` earlier on PATH replaces the work and nothing else. Shards get two
# megabytes, as real ones have and more: Snakemake compares files of up to one by their content.
_STAND_IN = """#!/bin/sh
stage=$1
while [ $# -gt 0 ]; do
  case $1 in
    --out) out=$2 ;;
    --png) png=$2 ;;
  esac
  shift
done
folder=${out%/*}
case $stage in
  dataset) truncate -s 40K "$out" ;;
  cam)
    truncate -s 2M "$out"
    for name in history.csv check.json held_out.csv; do truncate -s 1K "$folder/$name"; done ;;
  segmenter) truncate -s 2M "$out"; for name in config.json history.csv; do truncate -s 1K "$folder/$name"; done ;;
  evaluation)
    echo '{}' > "$out"
    for name in per_class per_image wrong_tags curves; do truncate -s 20K "$folder/$name.csv"; done ;;
  *) truncate -s 2M "$out" ;;
esac
if [ -n "$png" ]; then mkdir -p "$png"; fi
"""


def photographs(folder: Path, count: int, kilobytes: int) -> None:
    """A folder as a user has it, but for what is in the files: every tenth image held out, one or two tags each.

    Files are as long as photographs, since the driver hashes them, but sparse: only the first bytes take space.
    """
    (folder / "images").mkdir(parents=True)
    (folder / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    lines = ["id,split,classes"]
    for number in range(count):
        with (folder / "images" / f"{number:06d}.jpg").open("wb") as file:
            file.write(b"%d" % number)
            file.truncate(kilobytes * 1000)
        tags = sorted({number % len(CLASSES), number // 7 % len(CLASSES)})
        split = "val" if number % 10 == 9 else "train"
        lines.append(f"{number:06d},{split},{';'.join(CLASSES[tag] for tag in tags)}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def config(path: Path, data: Path, shard_size: int | None) -> Path:
    """A config of all ten stages, in which each sharded stage covers all images."""
    dataset = {"format": "folder", "path": str(data)}
    if shard_size:
        dataset["shard_size"] = shard_size
    settings = {
        "dataset": dataset,
        "cam": {"weights": "none", "batch_size": 2},
        "segmenter": {"weights": "none", "batch_size": 2},
        "predictions": {"splits": ["train", "val"]},
        "evaluation": {"splits": ["val"]},
        "device": "cpu",
    }
    path.write_text(yaml.safe_dump(settings))
    return path


def stand_in(folder: Path, environment: dict[str, str]) -> dict[str, str]:
    """The environment, but one in which `matlabel` only leaves the files that it is asked for."""
    folder.mkdir()
    script = folder / "matlabel"
    script.write_text(_STAND_IN)
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {**environment, "PATH": f"{folder}{os.pathsep}{environment['PATH']}"}
