import pytest
from tiny import Run

pytestmark = pytest.mark.workflow


def test_a_key_that_is_there_twice_ends_a_run_in_one_line_before_anything_is_written(tmp_path):
    run = Run(tmp_path)
    with (tmp_path / "tiny.yaml").open("a") as file:
        file.write("cam: {lr: 0.5}\n")
    said = run.snakemake("-n", fails=True)
    assert "tiny.yaml, line" in said
    assert "'cam' is there already" in said
    assert "Traceback" not in said
    assert not (tmp_path / "results").exists()
