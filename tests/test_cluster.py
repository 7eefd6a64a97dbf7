"""Jobs that a killed driver left behind, as far as it can be seen without a scheduler; tests/slurm has one."""

import json

from matlabel.cluster import settle


def marks(folder, *numbers):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"mark-{number}").write_text(json.dumps({"external_jobid": number}))
    (folder / "damaged").write_text("{")
    return folder


def test_without_marks_or_a_scheduler_nothing_is_waited_for(tmp_path, monkeypatch):
    settle(tmp_path / "missing")
    monkeypatch.setenv("PATH", str(tmp_path))
    settle(marks(tmp_path / "incomplete", "17", None, "--help"))


def test_running_jobs_are_waited_for_and_waiting_ones_cancelled(tmp_path, monkeypatch, capsys):
    # Programs of these names that behave as SLURM's: one look finds both jobs, the next one, the third none.
    looks = "17 RUNNING\n18 PENDING\n", "17 RUNNING\n", ""
    for number, text in enumerate(looks):
        (tmp_path / f"look-{number}").write_text(text)
    programs = {
        "squeue": f'cd {tmp_path}; echo "$@" >> asked; for f in look-*; do cat $f; rm $f; break; done',
        "scancel": f'echo "$@" >> {tmp_path}/cancelled',
    }
    for name, line in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    settle(marks(tmp_path / "incomplete", "18", "17"), every=0.01)
    assert (tmp_path / "cancelled").read_text() == "18\n"
    assert not list(tmp_path.glob("look-*"))
    assert "--jobs=17,18" in (tmp_path / "asked").read_text()
    assert capsys.readouterr().err.count("its jobs 17 go on; waiting for them") == 1
