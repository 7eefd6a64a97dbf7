"""One real run of the workflow on a tiny data set."""

import pytest
from animals import write_folder
from filelock import FileLock
from tiny import Run


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id) -> Run:
    """The tiny config run to its end once, for tests that only look; who runs something takes a copy (`moved`).

    Of several processes of pytest one runs it, and each has a copy: some tests edit a file and put it back.
    """
    if worker_id == "master":
        return _run(tmp_path_factory.mktemp("run"))
    shared = tmp_path_factory.getbasetemp().parent / "finished"
    printed = shared / "printed.txt"
    with FileLock(f"{shared}.lock"):
        if not printed.exists():
            shared.mkdir(exist_ok=True)
            printed.write_text(_run(shared).printed)
    run = Run(shared).moved(tmp_path_factory.mktemp("run"))
    run.printed = printed.read_text()
    return run


def _run(folder) -> Run:
    rows = {f"a{number}": ("train", ("cat", "dog", "cat;dog")[number % 3]) for number in range(10)}
    write_folder(folder / "animals", {**rows, "v0": ("val", "cat"), "v1": ("val", "dog")}, size=(56, 64))
    run = Run(folder)
    run.printed = run.snakemake()
    return run
