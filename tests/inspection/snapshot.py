"""Every file below a folder, with what would show that it was touched."""

import os
from pathlib import Path


def snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Path -> (inode, size, modification time in nanoseconds), folders and links too."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        state = os.lstat(path)
        found[str(path)] = (state.st_ino, state.st_size, state.st_mtime_ns)
    return found
