"""A tiny config and a working directory to run it in, counting the jobs."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

TINY = {
    "dataset": {"format": "folder", "path": "animals", "shard_size": 6},
    "cam": {
        "backbone": "resnet18",
        "weights": "none",
        "epochs": 2,
        "steps": 0,
        "batch_size": 4,
        "crop": 48,
        "resize": [48, 60],
        "lr": 0.001,
        "optimizer": "adamw",
        "threads": 1,
        "embedding_size": 8,
    },
    "activations": {"size": 64, "scales": [1.0]},
    "segmenter": {
        "encoder": "resnet18",
        "weights": "cam",
        "norm": "train",
        "epochs": 1,
        "steps": 0,
        "batch_size": 4,
        "crop": 48,
        "resize": [48, 60],
        "threads": 1,
    },
    "predictions": {"size": 64, "scales": [1.0]},
    "evaluation": {"splits": ["val"], "bootstrap": 20},
}


# Targets are no jobs.
_NO_JOBS = ("total", "all")


class Run:
    """A working directory in which the workflow of a checkout runs."""

    def __init__(self, folder: Path, checkout: Path = ROOT):
        self.folder, self.checkout, self.printed = folder, checkout, ""
        self.config(TINY)

    def config(self, config: dict) -> None:
        """Write the config file."""
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(config))

    def snakemake(self, *options: str, fails: bool = False) -> str:
        """Run it, and return all it printed; the exit status must be as expected."""
        process = self.start(*options)
        output, _ = process.communicate()
        assert (process.returncode != 0) == fails, output
        return output

    def start(self, *options: str) -> subprocess.Popen:
        """Start it, and do not wait."""
        command = [str(BIN / "snakemake"), "-s", str(self.checkout / "Snakefile"), "--directory", str(self.folder)]
        command += ["--configfile", str(self.folder / "tiny.yaml"), "--cores", "2", *options]
        return self._started(command)

    def matlabel(self, *words: str | Path) -> str:
        """A command of the checkout; all it printed."""
        process = self._started([str(BIN / "matlabel"), *map(str, words)])
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return output

    def _started(self, command: list[str]) -> subprocess.Popen:
        environment = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.checkout),
        }
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=self.folder
        )

    def planned(self, *options: str) -> dict[str, int]:
        """Rule -> number of jobs that a run would start."""
        return _jobs(self.snakemake("-n", *options))

    def ran(self, *options: str) -> dict[str, int]:
        """Run it; rule -> number of jobs that were run to their end."""
        output = self.snakemake(*options)
        finished = re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)$", output, flags=re.MULTILINE)
        return {name: count for name, count in Counter(finished).items() if not _is_target(name)}

    def moved(self, folder: Path, checkout: Path = ROOT) -> "Run":
        """The same run in another working directory, its data, artifacts and Snakemake's memory taken along."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return Run(folder, checkout)

    def artifacts(self) -> dict[str, bytes]:
        """Path -> bytes of everything that jobs have made, without provenance and driver files."""
        found = {}
        for pattern in ("*/*/*.h5", "*/*/*.pt", "*/*/*.csv", "*/*/*.json", "*/*/*.html", "*/*/png/*/*.png"):
            for path in (self.folder / "results").glob(pattern):
                name = str(path.relative_to(self.folder))
                if not name.endswith("provenance.json") and "runs/" not in name and "/dataset/" not in name:
                    found[name] = path.read_bytes()
        return found


def clone(folder: Path) -> Path:
    """Another checkout of the repository, to be edited."""
    for name in ("matlabel", "workflow", "profiles", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    return folder


def _jobs(output: str) -> dict[str, int]:
    if "Nothing to be done" in output:
        return {}
    table = output.split("Job stats:")[-1]
    jobs = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE)}
    return {name: count for name, count in jobs.items() if not _is_target(name)}


def _is_target(name: str) -> bool:
    return name in _NO_JOBS or name.startswith("all_")
