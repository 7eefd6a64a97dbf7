"""The config files of a run, looked at before Snakemake merges them."""

import sys
from collections.abc import Iterable
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.yaml_files import read_yaml
from matlabel.utf8 import speak_utf8


def refuse_odd_files(files: Iterable[str | Path]) -> None:
    """End this process with one message where a config file is none, or says something twice."""
    speak_utf8()
    try:
        for file in files:
            read_yaml(file)
    except UserError as error:
        sys.exit(f"matlabel: {error}")
