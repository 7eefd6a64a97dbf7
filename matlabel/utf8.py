"""Forcing Python's UTF-8 mode, whatever the locale."""

import os
import sys

_VARIABLE = "PYTHONUTF8"


def speak_utf8() -> None:
    """Start this process once more in Python's UTF-8 mode, if the locale has another encoding.

    Under LC_ALL=C or an ISO-8859 locale Python cannot open `käse.jpg`, or calls it by another name than the table
    that lists it. The processes that this one starts inherit the mode.
    """
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get(_VARIABLE) == "1":
        return
    os.environ[_VARIABLE] = "1"
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
