"""Reading array files, every byte checked and nothing unpickled."""

import io
import math
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

NAMES = ("x_train", "y_train", "x_test", "y_test")


class DataError(ValueError):
    """A data set cannot be had; the message names the file, what was expected and what to do."""


def read(path, image_shape):
    """Read a data set from an `.npz` file.

    Parameters
    ----------
    path : str or Path
        A zip archive of the arrays `x_train`, `y_train`, `x_test` and `y_test`.
    image_shape : tuple of int
        What each image must measure, such as (28, 28).

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 of shape (n, *image_shape), labels uint8 of shape (n,).

    Raises
    ------
    DataError
        If the file cannot be read or holds anything else.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            missing = [name for name in NAMES if name not in members]
            if missing:
                raise DataError(
                    f"{path}: no array named {' or '.join(missing)}; "
                    f"expected {', '.join(NAMES)}, found {', '.join(members) or 'none'}"
                )
            # Read to the last byte: only then is the member's checksum compared.
            raw = {name: archive.read(members[name]) for name in NAMES}
    except OSError as error:
        raise unreadable(path, error) from error
    except zipfile.BadZipFile as error:
        raise DataError(f"{path}: {_bad_zip(path, error)}") from error
    except (zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError) as error:
        raise DataError(f"{path}: damaged inside ({error}); expected a whole zip file") from error
    arrays = {name: _array(f"{path}: {name}", raw.pop(name)) for name in NAMES}
    return tuple(
        checked(path, names, arrays[names[0]], arrays[names[1]], image_shape)
        for names in (NAMES[:2], NAMES[2:])
    )


def unreadable(path, error):
    """The DataError for a file that the system would not open or read."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return DataError(f"{path}: no such file; expected a data set there")
    if os.path.isdir(path):
        return DataError(f"{path}: a folder; expected a file")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: reading is not permitted; change the permissions")
    return DataError(f"{path}: cannot be read ({error.strerror or error})")


def checked(path, names, images, labels, image_shape):
    """Images and labels of one split, labels as uint8 (n,), or a DataError.

    `path` and `names`, the pair of names the arrays go by, are for the message.
    """
    images_name, labels_name = (f"{path}: {name}" for name in names)
    if images.dtype != np.uint8:
        raise DataError(f"{images_name} is {images.dtype}; expected uint8, 0 to 255")
    if images.shape[1:] != image_shape or not len(images):
        expected = ", ".join(map(str, image_shape))
        raise DataError(
            f"{images_name} has shape {images.shape}; expected (n, {expected}), n at least 1"
        )
    if labels.dtype.kind not in "ui":
        raise DataError(f"{labels_name} is {labels.dtype}; expected integers from 0 to 9")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise DataError(f"{labels_name} has shape {labels.shape}; expected (n,)")
    if len(labels) != len(images):
        raise DataError(f"{labels_name} has {len(labels):,} labels for {len(images):,} images")
    if labels.min() < 0 or labels.max() > 9:
        raise DataError(
            f"{labels_name} runs from {labels.min()} to {labels.max()}; expected 0 to 9"
        )
    return images, labels.astype(np.uint8)


def _bad_zip(path, error):
    if "CRC" in str(error):
        return f"bytes were changed ({error}); expected a whole zip file"
    with open(path, "rb") as file:
        if file.read(2) == b"PK":
            return "cut short or damaged; expected a whole zip file"
    return "no zip file; expected one of arrays, as np.savez writes it"


def _array(what, raw):
    """The array in the bytes of an `.npy` file."""
    stream = io.BytesIO(raw)
    try:
        version = np.lib.format.read_magic(stream)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, by_columns, dtype = header(stream)
    except (ValueError, KeyError, EOFError) as error:
        raise DataError(f"{what} is no array; expected one as np.savez writes it") from error
    if dtype.hasobject:
        raise DataError(f"{what} holds Python objects, which are never loaded; expected numbers")
    # Compared before anything is allocated: a header can claim any size.
    expected, found = math.prod(shape) * dtype.itemsize, len(raw) - stream.tell()
    if expected != found:
        raise DataError(f"{what} has {found:,} bytes; expected {expected:,} for shape {shape}")
    array = np.frombuffer(raw, dtype, offset=stream.tell())
    return array.reshape(shape, order="F" if by_columns else "C").copy()
