import os

import pytest

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.reading import read_bytes, read_json, read_text


def test_a_pipe_that_nobody_writes_to_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link"):
        with pytest.raises(UserError, match=rf"{name}: a pipe or device, not a file"):
            read_bytes(tmp_path / name)


def test_what_is_no_readable_file_is_one_message(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read \(No such file"):
        read_bytes(tmp_path / "nowhere")
    with pytest.raises(UserError, match="a folder, not a file"):
        read_bytes(tmp_path)
    with pytest.raises(UserError, match="no path of a file"):
        read_bytes("a\0b")
    (tmp_path / "a").write_bytes(b"12345")
    with pytest.raises(UserError, match="5 bytes; at most 4"):
        read_bytes(tmp_path / "a", most=4)


def test_text_is_utf_8_and_keeps_its_line_ends(tmp_path):
    (tmp_path / "a").write_bytes("hünd\r\nkatze\u2028".encode())
    assert read_text(tmp_path / "a") == "hünd\r\nkatze\u2028"
    (tmp_path / "a").write_bytes(b"h\xfcnd")
    with pytest.raises(UserError, match=r"not UTF-8 text \(byte 1\)"):
        read_text(tmp_path / "a")


@pytest.mark.parametrize("text", ["", "{", "[]", '"a"', "[" * 100_000, '{"a": ' * 100_000, "9" * 5000])
def test_json_that_is_none_too_deep_or_of_another_kind_is_one_message(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=r"a\.json: ") as refusal:
        read_json(tmp_path / "a.json")
    assert len(str(refusal.value)) < 500
