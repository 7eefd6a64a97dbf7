"""UserError, the exception for what the user can fix, and helpers for its messages."""

import errno
import os
import reprlib
from pathlib import Path
from typing import Any

_STORAGE = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EROFS: "the file system is read-only; run in a folder that can be written to",
    errno.ENAMETOOLONG: "the name is too long; give a shorter one",
    errno.EISDIR: "a folder stands there; give another name",
    errno.ENOTDIR: "a file stands where a folder belongs; move it away",
    errno.EACCES: "permission denied; change the rights, or run in a folder of your own",
}


class UserError(Exception):
    """A mistake in what the user handed in: the message names the file, the key and the fix, and is printed alone."""


class LackOfMemory(UserError):
    """Out of memory: the same job may succeed with more."""


def did_you_mean(word: str, known: list[str]) -> str:
    """' (did you mean "horse"?)' when a known word is close, else ''."""
    import difflib

    # Nobody misspells a word of a thousand letters, and to look for it would take minutes.
    close = difflib.get_close_matches(word[:100], known, n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""


def cut(value: Any, most: int = 200) -> str:
    """repr of a value, shortened to about `most` characters; never raises."""
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = most
    short.maxlevel = 4
    try:
        text = short.repr(value)
    except ValueError:
        # A whole number of over 4,300 digits is not written out.
        text = f"a {type(value).__name__} of many digits"
    return text if len(text) <= most + 20 else f"{text[:most]}..."


def error_number(error: OSError) -> int | None:
    """The errno of an error with files, also where h5py gives it only in words."""
    return error.errno or next((number for number in _STORAGE if os.strerror(number) in str(error)), None)


def storage_problem(error: OSError) -> UserError | None:
    """The message for a full, read-only or vanished folder; None for other errors."""
    number = error_number(error)
    fix = _STORAGE.get(number)
    if number == errno.ENOENT and error.filename and not Path(error.filename).parent.exists():
        fix = "the folder is gone"
    if fix is None:
        return None
    where = f"{error.filename}: " if error.filename else ""
    return UserError(f"{where}{fix}. What is finished stays as it is; run again to go on")
