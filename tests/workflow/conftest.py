"""One real run of the workflow on a tiny data set."""

import pytest
from animals import write_folder
from tiny import Run


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Run:
    """The tiny config run to its end once, for tests that only look; who runs something takes a copy (`moved`)."""
    folder = tmp_path_factory.mktemp("run")
    rows = {f"a{number}": ("train", ("cat", "dog", "cat;dog")[number % 3]) for number in range(10)}
    write_folder(folder / "animals", {**rows, "v0": ("val", "cat"), "v1": ("val", "dog")}, size=(56, 64))
    run = Run(folder)
    run.printed = run.snakemake()
    return run
