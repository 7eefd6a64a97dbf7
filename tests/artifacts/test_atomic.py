import errno

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


def test_trouble_is_named_after_the_file_that_it_is_with(tmp_path):
    with pytest.raises(FileNotFoundError) as read:
        with atomic_path(tmp_path / "made.h5"):
            (tmp_path / "input.png").read_bytes()
    assert read.value.filename == str(tmp_path / "input.png")
    for error in (OSError(errno.ENOSPC, ""), OSError("Can't write (errno = 28, 'No space left on device')")):
        with pytest.raises(OSError, match="No space left") as written:
            with atomic_path(tmp_path / "made.h5"):
                raise error
        assert (written.value.errno, written.value.filename) == (errno.ENOSPC, str(tmp_path / "made.h5"))
    with pytest.raises(OSError, match=r"^no superblock$"):
        with atomic_path(tmp_path / "made.h5"):
            raise OSError("no superblock")
