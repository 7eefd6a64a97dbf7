import os
import subprocess
import sys

import pytest
from animals import write_folder

# As a cluster's jobs have it, and without what Python does about it by itself.
ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize("environment", [ASCII, {**ASCII, "PYTHONUTF8": "1"}])
def test_names_that_are_not_ascii_are_found_and_shown_under_any_locale(tmp_path, environment):
    write_folder(tmp_path / "tiere", {"kä1": ("train", "käse"), "kä2": ("train", "dog")}, classes=("käse", "dog"))
    (tmp_path / "käse.yaml").write_text(
        "dataset: {format: folder, path: tiere}\ncam: {weights: none, batch_size: 2}\nsegmenter: {train: false}\n"
    )
    command = [sys.executable, "-c", "from matlabel.cli import main; main()", "validate", "käse.yaml"]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, env={**os.environ, **environment})
    assert (done.returncode, done.stderr) == (0, b"")
    said = done.stdout.decode("utf-8")
    assert "käse.yaml: valid. 2 images" in said
    assert "are tagged käse (1), dog (1)" in said
