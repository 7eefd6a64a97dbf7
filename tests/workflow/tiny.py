"""A tiny config and a working directory to run it in, counting the jobs."""

import os
import re
import subprocess
import sys
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
        "backbone": "resnet18",
        "weights": "cam",
        "norm": "train",
        "epochs": 1,
        "batch_size": 4,
        "crop": 48,
        "resize": [48, 60],
        "threads": 1,
    },
    "predictions": {"size": 64, "scales": [1.0]},
    "evaluation": {"splits": ["val"], "bootstrap": 20},
}


class Run:
    """A working directory in which the workflow runs."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.config(TINY)

    def config(self, config: dict) -> None:
        """Write the config file."""
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(config))

    def snakemake(self, *options: str, fails: bool = False) -> str:
        """Run it, and return all it printed; the exit status must be as expected."""
        command = [str(BIN / "snakemake"), "-s", str(ROOT / "Snakefile"), "--directory", str(self.folder)]
        command += ["--configfile", str(self.folder / "tiny.yaml"), "--cores", "2", *options]
        environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=self.folder)
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, output
        return output

    def planned(self, *options: str) -> dict[str, int]:
        """Rule -> number of jobs that a run would start."""
        output = self.snakemake("-n", *options)
        if "Nothing to be done" in output:
            return {}
        table = output.split("Job stats:")[-1]
        jobs = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE)}
        return {name: count for name, count in jobs.items() if name not in ("total", "all") and "all_" not in name}

    def artifacts(self) -> dict[str, bytes]:
        """Path -> bytes of everything that jobs have made, without provenance and driver files."""
        found = {}
        for pattern in ("*/*/*.h5", "*/*/*.pt", "*/*/*.csv", "*/*/*.json", "*/*/*.html", "*/*/png/*/*.png"):
            for path in (self.folder / "results").glob(pattern):
                name = str(path.relative_to(self.folder))
                if not name.endswith("provenance.json") and "runs/" not in name and "/dataset/" not in name:
                    found[name] = path.read_bytes()
        return found
