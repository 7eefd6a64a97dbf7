import errno

import pytest

from matlabel.artifacts.errors import storage_problem


@pytest.mark.parametrize(
    ("number", "fix"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "read-only"), (errno.EACCES, "permission denied")],
)
def test_trouble_with_the_disk_is_a_message_with_the_file(number, fix):
    found = str(storage_problem(OSError(number, "in C", "results/mattes/x.h5")))
    assert found.startswith("results/mattes/x.h5: ")
    assert fix in found


def test_a_number_that_a_library_gives_in_words_is_understood():
    error = OSError("Can't write data (file write failed, errno = 28, error message = 'No space left on device')")
    assert "the disk is full" in str(storage_problem(error))


def test_a_folder_that_is_gone_is_named_and_a_file_that_never_was_is_ours_to_explain(tmp_path):
    gone = storage_problem(OSError(errno.ENOENT, "", str(tmp_path / "results/cam/model.safetensors")))
    assert "the folder is gone" in str(gone)
    assert storage_problem(OSError(errno.ENOENT, "", str(tmp_path / "model.safetensors"))) is None
    assert storage_problem(OSError(errno.EPIPE, "broken pipe")) is None
