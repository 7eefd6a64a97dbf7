"""Jobs that a killed driver left behind, as far as it can be seen without a scheduler; tests/slurm has one."""

from matlabel.cluster import settle

RUNNING_AND_WAITING = (("17", "RUNNING"), ("18", "PENDING"))


def test_without_a_scheduler_nothing_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    settle(tmp_path)


def test_running_jobs_are_waited_for_and_waiting_ones_cancelled(tmp_path, monkeypatch, capsys):
    # Programs of these names that behave as SLURM's: one look finds both jobs, the next one, the third none of ours.
    running, waiting = (f"{number}|{state}|rule_cam_wildcards_a|{tmp_path}" for number, state in RUNNING_AND_WAITING)
    others = f"3|RUNNING|rule_cam_wildcards_a|/elsewhere\n4|RUNNING|(null)|{tmp_path}\n5|RUNNING|mine|with|bars|/x"
    looks = (f"{running}\n{waiting}\n{others}\n", f"{running}\n{others}\n", f"{others}\n")
    for number, text in enumerate(looks):
        (tmp_path / f"look-{number}").write_text(text)
    programs = {
        "squeue": f"cd {tmp_path}; for f in look-*; do cat $f; rm $f; break; done",
        "scancel": f'echo "$@" >> {tmp_path}/cancelled',
    }
    for name, line in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    settle(tmp_path, every=0.01)
    assert (tmp_path / "cancelled").read_text() == "18\n"
    assert not list(tmp_path.glob("look-*"))
    assert capsys.readouterr().err.count("its jobs 17 go on; waiting for them") == 1
