"""Paths in the config, which become parts of keys, tables and command lines."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

from matlabel.artifacts.errors import cut

# Bytes of a name, and of a path, that file systems take.
_NAME, _PATH = 255, 4000


def usable(path: str) -> str:
    """The path as it is.

    Raises:
        ValueError: no file can be called that, or only some programs find it.
    """
    if not path.strip():
        raise ValueError("is empty; name a file or folder, or leave the key out")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        raise ValueError(f"{cut(path)} holds a line break or another control character; rename the file or folder")
    if path.startswith("~"):
        raise ValueError(f"{cut(path)}: ~ is a shell's word for your home; write the whole path")
    if len(path.encode()) > _PATH or max(len(part.encode()) for part in path.split("/")) > _NAME:
        raise ValueError(f"{cut(path)} is longer than a path can be ({_PATH} bytes, {_NAME} in a name)")
    return path


PathText = Annotated[str, AfterValidator(usable)]
