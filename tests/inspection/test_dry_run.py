"""What Snakemake's log tells of the jobs of a dry run, also where nothing of it is to be shown."""

from matlabel.inspection.dry_run import Job, jobs_to_run
from matlabel.inspection.workflow import Workflow

SNAKEFILE = """
rule all:
    input: "b, b"

rule first:
    output: "a", directory("d")
    shell: "never"

localrules: second
rule second:
    input: "a"
    output: "b, b"
    shell: "never"
"""


def test_jobs_are_told_with_what_they_read_and_write_and_why(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "a").write_text("")
    (tmp_path / "profiles/default").mkdir(parents=True)
    (tmp_path / "profiles/default/config.yaml").write_text("quiet: [all]\n")
    first, second = sorted(
        jobs_to_run(Workflow(tmp_path / "Snakefile", tmp_path), "--forceall"), key=lambda job: job.rule
    )
    assert first == Job("first", [], ["a", "d"], "Forced execution")
    assert (second.rule, second.inputs, second.outputs) == ("second", ["a"], ["b, b"])
    assert second.reason == "Forced execution"


def test_nothing_to_do_is_no_job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").write_text("rule all:\n    input: []\n")
    assert jobs_to_run(Workflow(tmp_path / "Snakefile", tmp_path)) == []
