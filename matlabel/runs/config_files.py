"""Checks of a run's config files before Snakemake merges them."""

import sys
from collections.abc import Iterable
from pathlib import Path

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.yaml_files import read_yaml
from matlabel.utf8 import speak_utf8


def refuse_odd_files(files: Iterable[str | Path]) -> None:
    """Exit with one message where a config file is not a YAML mapping or has a duplicate key."""
    speak_utf8()
    try:
        for file in files:
            read_yaml(file)
    except UserError as error:
        sys.exit(f"matlabel: {error}")
