"""Reading untrusted .npz archives: only named arrays, of bounded size, never unpickled."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

from matlabel.artifacts.errors import did_you_mean
from matlabel.artifacts.npy import Header, array_of, header_end, read_header

# What zipfile raises for a damaged archive; RuntimeError: it is encrypted, or compressed in an unknown way.
_DAMAGED = (OSError, EOFError, RuntimeError, OverflowError, zipfile.BadZipFile, zlib.error, struct.error)
# np.savez and np.savez_compressed; zipfile bounds what the others expand to only after they have expanded it.
_WAYS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENTRY = b"PK\x01\x02"
_MOST_MEMBERS = 100


def read_npz(content: bytes, known: tuple[str, ...], check: Callable[[str, Header], None]) -> dict[str, np.ndarray]:
    """The arrays of an archive by name.

    Args:
        content: the archive.
        known: names of the arrays that it may hold.
        check: told an array's name and header before it is read; raises ValueError where it is too large.

    Raises:
        ValueError: no such archive, damaged, with other arrays or with pickled ones.
    """
    if not content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise ValueError("not an .npz archive; write it with np.savez_compressed(path, classes=…, maps=…)")
    # Counted here: zipfile makes an object of each entry, hundreds of bytes of every 46, before it can be asked.
    if content.count(_ENTRY) > _MOST_MEMBERS:
        raise ValueError(f"an archive of more than {_MOST_MEMBERS} files; known arrays are {', '.join(known)}")
    arrays = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if name not in known:
                    hint = did_you_mean(name, list(known))
                    raise ValueError(f"unknown array {name:.80}{hint}; known are {', '.join(known)}")
                if name in arrays:
                    raise ValueError(f"holds two arrays {name}; write it again")
                if member.compress_type not in _WAYS:
                    raise zipfile.BadZipFile(f"{name} is not compressed as np.savez_compressed does")
                with archive.open(member) as file:
                    arrays[name] = _array(name, file, check)
    except _DAMAGED as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"not a readable .npz archive ({reason:.200}); write it again") from error
    return arrays


def _array(name: str, file: zipfile.ZipExtFile, check: Callable[[str, Header], None]) -> np.ndarray:
    beginning = file.read(12)
    header = read_header(beginning + file.read(header_end(beginning) - len(beginning)))
    if header.dtype is None:
        raise ValueError(
            "holds pickled objects, which are never read; save plain arrays: classes as integers or np.array(names), "
            "maps as float32 or uint8"
        )
    check(name, header)
    # One byte more than there should be: then the archive's checksum is looked at, and a longer member is seen.
    content = file.read(header.size + 1)
    if len(content) != header.size:
        found = "more" if len(content) > header.size else len(content)
        raise zipfile.BadZipFile(
            f"{name} has the shape {list(header.shape)}, {header.size} bytes, but {found} were found"
        )
    return array_of(content, header.dtype, header.shape, header.fortran)
