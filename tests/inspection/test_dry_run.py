from matlabel.inspection.dry_run import read_jobs

OUTPUT = """
[Wed Nov 25 09:46:14 2026]
rule labels:
    input: results/mattes/7266e527/shard-00002.h5, results/.code/labels-ec0741970a3e
    output: results/labels/c90081a4/shard-00002.h5, results/labels/c90081a4/png/shard-00002
    log: logs/labels/c90081a4/00002.log
    jobid: 17
    reason: Missing output files: results/labels/c90081a4/shard-00002.h5; Params have changed since last execution
    wildcards: key=c90081a4, shard=00002

localrule all:
    input: results/report/db2f8abf/report.html
    jobid: 0
    reason: Input files updated by another job: results/report/db2f8abf/report.html
"""


def test_jobs_are_read_with_what_they_read_and_write_and_why():
    labels, target = read_jobs(OUTPUT)
    assert (labels.rule, labels.key) == ("labels", "c90081a4")
    assert labels.inputs == ["results/mattes/7266e527/shard-00002.h5", "results/.code/labels-ec0741970a3e"]
    assert labels.outputs == ["results/labels/c90081a4/shard-00002.h5", "results/labels/c90081a4/png/shard-00002"]
    assert labels.reason.startswith("Missing output files: results/labels")
    assert (target.rule, target.outputs) == ("all", [])
