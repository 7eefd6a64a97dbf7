"""SHA-256 of many files, reading only those that are new or changed since the last scan."""

import csv
import io
import os
from pathlib import Path

from matlabel.artifacts.atomic import write_text
from matlabel.artifacts.digest import file_sha256


class FileIndex:
    """Remembers path -> (size, modification time, SHA-256) in a CSV between scans.

    A file is read again when its size or its time (in nanoseconds) differs from what was seen.
    """

    def __init__(self, cache: Path):
        self._cache = cache
        self._known: dict[str, tuple[int, int, str]] = {}
        self._seen: dict[str, tuple[int, int, str]] = {}
        if cache.exists():
            with cache.open(newline="") as file:
                self._known = {row[0]: (int(row[1]), int(row[2]), row[3]) for row in csv.reader(file) if len(row) == 4}

    def sha256(self, folder: Path, path: str) -> str:
        """Digest of folder/path; empty when there is no such file or it cannot be read."""
        file = os.path.join(folder, path)
        try:
            state = os.stat(file)
            known = self._known.get(path)
            if known is None or known[:2] != (state.st_size, state.st_mtime_ns):
                known = (state.st_size, state.st_mtime_ns, file_sha256(file))
        except OSError:
            return ""
        self._seen[path] = known
        return known[2]

    def save(self) -> None:
        """Write what was seen, if it is news."""
        if self._seen == self._known:
            return
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([path, *state] for path, state in self._seen.items())
        write_text(self._cache, out.getvalue())
        self._known = dict(self._seen)
