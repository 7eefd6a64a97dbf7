import pickle

import pytest
import torch

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.state_dict import load_state, save_state


def test_equal_tensors_give_equal_bytes_under_any_name(tmp_path):
    content = {"network": {"w": torch.arange(9.0)}, "classes": ["cat"]}
    save_state(tmp_path / "a.pt", content)
    save_state(tmp_path / "other-name.pt", content)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "other-name.pt").read_bytes()
    assert torch.equal(load_state(tmp_path / "a.pt")["network"]["w"], torch.arange(9.0))


class Bomb:
    def __reduce__(self):
        return (print, ("unpickled",))


def test_code_in_a_file_is_never_run(tmp_path, capsys):
    (tmp_path / "bomb.pkl").write_bytes(pickle.dumps(Bomb()))
    torch.save({"w": Bomb()}, tmp_path / "bomb.pt")
    for name in ("bomb.pkl", "bomb.pt"):
        with pytest.raises(UserError, match=name):
            load_state(tmp_path / name)
    assert "unpickled" not in capsys.readouterr().out
