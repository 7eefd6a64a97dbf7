"""envs/matlabel.yaml: the versions of the lock, and a command that needs no installed package."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def test_the_environment_pins_what_the_package_needs_in_the_versions_of_the_lock():
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *extras["lite"], *extras["pymatting"], *extras["vitmatte"]]
    names = [re.match(r"[\w-]+", line)[0] for line in needed]
    (pip,) = (entry["pip"] for entry in yaml.safe_load((ROOT / "envs/matlabel.yaml").read_text())["dependencies"][2:])
    assert pip == [f"{name}=={locked[name]}" for name in names]


def test_every_rule_has_the_environment():
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        text = path.read_text()
        assert text.count("\nrule ") + text.startswith("rule ") == text.count('"../../envs/matlabel.yaml"'), path


def test_the_command_of_the_checkout_takes_the_python_of_the_environment(tmp_path):
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / "python").chmod(0o755)
    environment = {"PATH": f"{ROOT}/workflow/bin:{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": "/nowhere"}
    command = ["sh", "-c", "matlabel trimaps --help && command -v matlabel"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "--activations" in done.stdout
    assert done.stdout.splitlines()[-1] == f"{ROOT}/workflow/bin/matlabel"
