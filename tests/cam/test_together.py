"""Two processes train as one: they hold the same, stop together, and go on together."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("together.py")


def train(folder, animals, devices=2, nodes=1, die_in="inf", environments=({},)):
    """Exit codes and what was said, of one process for each environment."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, SCRIPT, folder, animals, str(devices), str(nodes), str(die_in)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **own})
        for own in environments
    ]
    said = [process.communicate(timeout=240)[1] for process in processes]
    return [process.returncode for process in processes], "".join(said)


def results(folder):
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def as_torchrun():
    """The environment of two processes, each the only one of its machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {"TORCHELASTIC_RUN_ID": "test", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    return [{**common, "RANK": rank, "GROUP_RANK": rank, "LOCAL_RANK": "0"} for rank in "01"]


def test_two_processes_hold_the_same_stop_together_and_go_on_together(animals, tmp_path):
    codes, said = train(tmp_path / "a", animals)
    assert codes == [0], said
    first, second = results(tmp_path / "a")
    # Weights, teacher, centres, queue and counters.
    assert first == second
    assert all(row["category"] > 0 and row["foreground"] > 0 and row["consistency"] > 0 for row in first[1][1:])

    codes, said = train(tmp_path / "b", animals, die_in=0.5)
    assert codes == [143], said
    assert "told to stop; the checkpoint holds epoch 1" in said
    codes, said = train(tmp_path / "b", animals)
    assert codes == [0], said
    assert "resuming after epoch 1" in said
    assert results(tmp_path / "b") == results(tmp_path / "a")

    # Two machines of one process each instead of one of two.
    codes, said = train(tmp_path / "c", animals, devices=1, nodes=2, environments=as_torchrun())
    assert codes == [0, 0], said
    assert results(tmp_path / "c") == results(tmp_path / "a")


def test_processes_that_cannot_be_had_are_a_message_with_the_setting(animals, tmp_path):
    codes, said = train(tmp_path, animals, 1, 2)
    assert codes == [1]
    assert "srun or torchrun" in said
    assert "Traceback" not in said
