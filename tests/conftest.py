"""Data made on the fly."""

from pathlib import Path

import pytest
from animals import write_folder


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    """Twelve pictures of cats and dogs, two of them held out."""
    rows = {f"a{number}": ("train", ("cat", "dog", "cat;dog")[number % 3]) for number in range(10)}
    return write_folder(tmp_path / "animals", {**rows, "v0": ("val", "cat"), "v1": ("val", "dog")})
