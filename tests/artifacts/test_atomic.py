import pytest

from matlabel.artifacts.atomic import add_text, atomic_path, write_text


def test_a_failing_writer_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail():
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_folders_on_the_way_are_made(tmp_path):
    write_text(tmp_path / "a" / "b" / "c.txt", "text")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "text"


def test_a_content_addressed_file_is_never_rewritten(tmp_path):
    path = tmp_path / "a.csv"
    add_text(path, "first")
    before = path.stat().st_mtime_ns
    add_text(path, "first")
    assert path.stat().st_mtime_ns == before
