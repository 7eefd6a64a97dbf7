"""Data made on the fly."""

import os
from pathlib import Path

import pytest
from animals import write_folder
from hypothesis import settings

# Tests run side by side on all cores; threads of each on all cores, too, would wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples on every run of CI: a new failure there comes from the change, not from the draw.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    """Let the hundreds of processes that the tests start find bytecode, where the environment does not write any."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ["PYTHONPYCACHEPREFIX"] = str(config.cache.mkdir("bytecode"))


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    """Twelve pictures of cats and dogs, two of them held out."""
    rows = {f"a{number}": ("train", ("cat", "dog", "cat;dog")[number % 3]) for number in range(10)}
    return write_folder(tmp_path / "animals", {**rows, "v0": ("val", "cat"), "v1": ("val", "dog")})
