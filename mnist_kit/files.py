"""Files written whole or not at all."""

import errno
import os
import secrets
from pathlib import Path

_FULL = "the disk is full; free some space and try again"
_FORBIDDEN = "writing is not permitted there; change the permissions or choose another folder"
_MISPLACED = "a file stands where a folder should be, or a folder where a file should be; move it"

_REMEDIES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "the file grew beyond the size allowed here; raise the limit or free some space",
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: _FORBIDDEN,
    errno.EEXIST: _MISPLACED,
    errno.EISDIR: _MISPLACED,
    errno.ENOTDIR: _MISPLACED,
    errno.EIO: "the disk reported a fault; try another disk",
}


class FileError(OSError):
    """A file could not be written; the message names it and the remedy."""


def write_whole(path, write):
    """Write a file so that `path` holds either all of it or what it held before.

    Parameters
    ----------
    path : str or Path
        The file; missing folders above it are made.
    write : callable
        Called as `write(temporary)` with a Path in the same folder and with the same suffix.
        What it raises of its own passes through, and the temporary file is removed.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    FileError
        If the disk is full, writing is not permitted, or something is in the way.
    """
    path = Path(path)
    # Not tempfile's: its files are closed to other users, and the mode would stay.
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        remedy = _REMEDIES.get(error.errno)
        if remedy is None:
            raise
        refused = FileError(f"{path} could not be written: {remedy}.")
        refused.errno = error.errno
        raise refused from error
    finally:
        _remove(temporary)
    return path


def write_text_whole(path, text):
    """Write a UTF-8 text file whole or not at all; see `write_whole`."""
    return write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _remove(path):
    try:
        path.unlink(missing_ok=True)
    except OSError:  # the folder itself is closed to us or is none, so there is nothing in it
        pass
