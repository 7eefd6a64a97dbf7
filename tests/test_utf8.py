import json
import os
import subprocess
import sys

import pytest

# As a cluster's jobs have it, and without what Python does about it by itself.
ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize("environment", [ASCII, {**ASCII, "PYTHONUTF8": "1"}])
def test_names_that_are_not_ascii_are_found_and_shown_under_any_locale(tmp_path, environment):
    folder = tmp_path / "käse/seed-0/evaluation"
    folder.mkdir(parents=True)
    scores = {"labels": {"miou": 0.5}, "warnings": ["too few “käse”"]}
    (folder / "scores.json").write_text(json.dumps(scores, ensure_ascii=False), encoding="utf-8")
    command = [sys.executable, "-c", "from matlabel.cli import main; main()", "headline", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, env={**os.environ, **environment})
    assert (done.returncode, done.stderr) == (0, b"")
    assert "käse, seed-0: too few “käse”" in done.stdout.decode("utf-8")
