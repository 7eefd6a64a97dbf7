"""Reading users' files: only regular files, UTF-8 under any locale, one message for what is wrong."""

import errno
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from matlabel.artifacts.errors import UserError

# What a user can mend; anything else is trouble with the disk or the system.
_MISTAKES = (
    errno.ENOENT,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENXIO,
)


def read_bytes(path: str | Path, most: int | None = None) -> bytes:
    """The bytes of a regular file.

    Args:
        path: of the file; a link is followed.
        most: refuse more bytes than this.

    Raises:
        UserError: there is none, it may not be read, it is larger than `most`, or it is a folder, a device or a pipe:
            reading from a pipe that nobody writes to would never end.
        OSError: the disk or the system fails; another time it may not.
    """
    handle = -1
    try:
        # Without O_NONBLOCK a pipe would wait for its writer here already.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise UserError(f"{path}: {'a folder' if stat.S_ISDIR(state.st_mode) else 'a pipe or device'}, not a file")
        if most is not None and state.st_size > most:
            raise UserError(f"{path}: {state.st_size} bytes; at most {most} are read here")
        with open(handle, "rb", closefd=False) as file:
            return file.read()
    except OSError as error:
        if error.errno not in _MISTAKES:
            raise
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise UserError(f"{path!s:.200}: no path of a file ({error})") from error
    finally:
        if handle >= 0:
            os.close(handle)


class ChangedError(UserError):
    """A file has changed since the run was planned."""


def read_unchanged(path: str | Path, sha256: str) -> bytes:
    """The bytes of a file, checked against the SHA-256 in the manifest.

    Raises:
        ChangedError: other bytes.
        UserError: as `read_bytes`.
    """
    data = read_bytes(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ChangedError(f"{path}: changed since the run began; run again, only what it touches is computed")
    return data


def read_text(path: str | Path, most: int | None = None) -> str:
    """The text of a regular file in UTF-8, line ends as they are.

    Raises:
        UserError: as `read_bytes`, or not UTF-8.
    """
    try:
        return read_bytes(path, most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def read_json(path: str | Path, kind: type = dict) -> Any:
    """The value in a JSON file, which must be a `kind`.

    Raises:
        UserError: as `read_text`, not JSON, nested too deeply, or another kind of value.
    """
    text = read_text(path)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON ({error!s:.200})") from error
    if not isinstance(found, kind):
        raise UserError(f"{path}: holds a {type(found).__name__} and not a {kind.__name__}")
    return found
