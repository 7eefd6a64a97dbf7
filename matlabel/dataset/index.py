"""SHA-256 of many files, reading only those that are new or changed since the last scan."""

import csv
import io
import os
from contextlib import suppress
from pathlib import Path

from matlabel.artifacts.atomic import write_text
from matlabel.artifacts.digest import file_sha256


class FileIndex:
    """Remembers path -> (size, time of modification, of change, SHA-256) in a CSV between scans.

    A file is read again when its size or one of its times (in nanoseconds) differs from what was seen. Whoever writes
    other bytes of the same length and sets the time of modification back cannot set that of change back.
    """

    def __init__(self, cache: Path):
        self._cache = cache
        self._known: dict[str, tuple[int, int, int, str]] = {}
        self._seen: dict[str, tuple[int, int, int, str]] = {}
        with suppress(OSError, ValueError, csv.Error):  # else every file is read anew
            rows = list(csv.reader(io.StringIO(cache.read_text(encoding="utf-8"), newline="")))
            self._known = {row[0]: (int(row[1]), int(row[2]), int(row[3]), row[4]) for row in rows if len(row) == 5}

    def sha256(self, folder: Path, path: str) -> str:
        """Digest of folder/path; empty when there is no such file or it cannot be read."""
        file = os.path.join(folder, path)
        try:
            state = os.stat(file)
            now = (state.st_size, state.st_mtime_ns, state.st_ctime_ns)
            known = self._known.get(path)
            if known is None or known[:3] != now:
                known = (*now, file_sha256(file))
        except OSError:
            return ""
        self._seen[path] = known
        return known[3]

    def save(self) -> None:
        """Write the digests of this scan, if any has changed."""
        if self._seen == self._known:
            return
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([path, *state] for path, state in self._seen.items())
        write_text(self._cache, out.getvalue())
        self._known = dict(self._seen)
