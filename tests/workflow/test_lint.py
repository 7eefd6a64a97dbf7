"""The workflow is clean to Snakemake's own linter, but for what is explained here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXPLAINED = {
    # All stages run in the one environment that runs Snakemake itself: the lock pins it, and a rule is one CLI call.
    "Specify a conda environment or container for each rule.:",
}

pytestmark = pytest.mark.workflow


def test_lint_finds_nothing_that_is_not_explained(tmp_path):
    binaries = Path(sys.executable).parent
    done = subprocess.run(
        [binaries / "snakemake", "-s", ROOT / "Snakefile", "--directory", tmp_path, "--lint"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
    )
    lints = re.findall(r"^    \* (.+)$", done.stdout + done.stderr, flags=re.MULTILINE)
    assert [lint for lint in lints if lint not in EXPLAINED] == []
    # The linter has spoken at all: it had this to say of each rule when this was written.
    assert len(lints) >= 10


def test_the_snakefile_is_short_and_a_rule_file_holds_one_stage():
    assert len((ROOT / "Snakefile").read_text().splitlines()) < 60
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        rules = [line for line in path.read_text().splitlines() if line.startswith("rule ")]
        assert rules == ([] if path.stem == "common" else [f"rule {path.stem}:"])
