import numpy as np
import pytest

from matlabel.artifacts.errors import UserError
from matlabel.artifacts.png_folder import write_png_folder


@pytest.mark.parametrize("name", ["mine.png", "notes.txt"])
def test_a_folder_that_holds_anything_is_never_written_over(tmp_path, name):
    (tmp_path / "pictures").mkdir()
    with write_png_folder(tmp_path / "pictures") as add:
        add("a", np.zeros((3, 4), np.uint8))
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["a.png"]
    (tmp_path / "pictures" / name).write_text("mine")
    with pytest.raises(UserError, match="pictures: there already, and not empty"):
        with write_png_folder(tmp_path / "pictures") as add:
            pass
    assert (tmp_path / "pictures" / name).read_text() == "mine"
