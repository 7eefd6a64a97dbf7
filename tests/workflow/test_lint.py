"""The workflow is clean to Snakemake's own linter."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.workflow


def test_lint_finds_nothing(tmp_path):
    binaries = Path(sys.executable).parent
    done = subprocess.run(
        [binaries / "snakemake", "-s", ROOT / "Snakefile", "--directory", tmp_path, "--lint"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
    )
    lints = re.findall(r"^    \* (.+)$", done.stdout + done.stderr, flags=re.MULTILINE)
    assert lints == []
    assert "your workflow is in a good condition" in done.stdout + done.stderr


def test_the_workflow_is_short_and_a_rule_file_holds_one_stage():
    assert len((ROOT / "Snakefile").read_text().splitlines()) < 60
    for path in (ROOT / "workflow").rglob("*.smk"):
        lines = path.read_text().splitlines()
        assert len(lines) <= 25, path.name
        rules = [line.split()[-1] for line in lines if line.startswith(("rule ", "use rule "))]
        assert len(rules) == (path.stem not in ("common", "driver")), path.name
