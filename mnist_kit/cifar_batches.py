"""Reading CIFAR-10 as its authors distribute it: pickled batches, read without unpickling.

A pickle is a program, and running one from a stranger is running the stranger's code. These six
have one simple form (a dictionary that Python 2 wrote by protocol 2), so their opcodes are only
listed, and the labels and the pixels picked out of the list.
"""

import pickletools
import tarfile
import zlib
from pathlib import Path

import numpy as np

from mnist_kit.npz import DataError, checked, unreadable

ROWS = 10_000
IMAGE_SHAPE = (32, 32, 3)
TRAIN_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST_BATCH = "test_batch"

_KEYS = {"batch_label", "labels", "data", "filenames"}
_GLOBALS = {"numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"}
_STRINGS = {"BINSTRING", "SHORT_BINSTRING"}
_NUMBERS = {"BININT", "BININT1", "BININT2"}
_REST = set(
    "PROTO EMPTY_DICT EMPTY_LIST MARK BINPUT LONG_BINPUT BINGET LONG_BINGET APPEND APPENDS GLOBAL "
    "TUPLE TUPLE1 TUPLE2 TUPLE3 REDUCE NONE NEWFALSE BUILD SETITEM SETITEMS STOP".split()
)


def read(path):
    """Read CIFAR-10 from its archive, or from the folder that holds the unpacked batches.

    Parameters
    ----------
    path : str or Path
        `cifar-10-python.tar.gz`, read in memory, or a folder of `data_batch_1` to `data_batch_5`
        and `test_batch`.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images uint8 of shape (50000, 32, 32, 3) and (10000, 32, 32, 3), labels uint8 of shape (n,).

    Raises
    ------
    DataError
        If a batch is missing, damaged, or anything but pixels and labels.
    """
    path = Path(path)
    try:
        blobs = _from_folder(path) if path.is_dir() else _from_archive(path)
    except OSError as error:
        raise unreadable(path, error) from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: cut short or damaged ({error}); expected CIFAR-10's archive"
        ) from error
    missing = [name for name in (*TRAIN_BATCHES, TEST_BATCH) if name not in blobs]
    if missing:
        raise DataError(f"{path}: no {', '.join(missing)}; expected CIFAR-10's six batches")
    batches = [read_batch(path / name, blobs.pop(name)) for name in TRAIN_BATCHES]
    train = tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))
    return train, read_batch(path / TEST_BATCH, blobs.pop(TEST_BATCH))


def read_batch(name, blob):
    """Images (10000, 32, 32, 3) and labels (10000,), uint8, from the bytes of one batch.

    `name` is used in messages. Nothing in `blob` is executed.
    """
    key, labels, between, pixels = None, [], [], None
    try:
        for opcode, argument, _ in pickletools.genops(blob):
            if opcode.name not in _STRINGS | _NUMBERS | _REST or (
                opcode.name == "GLOBAL" and argument not in _GLOBALS
            ):
                raise DataError(
                    f"{name}: holds {opcode.name} {argument or ''}, "
                    "which no CIFAR-10 batch does; nothing of it was executed"
                )
            if opcode.name in _STRINGS and argument in _KEYS:
                key = argument
            elif key == "labels" and opcode.name in _NUMBERS:
                labels.append(argument)
            elif key == "data" and opcode.name in _STRINGS and len(argument) > 2:
                pixels = argument
            elif key == "data" and pixels is None:
                between.append(argument)
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name}: cut short or damaged; expected a CIFAR-10 batch") from error

    width = int(np.prod(IMAGE_SHAPE))
    if pixels is None or len(pixels) != ROWS * width or not {ROWS, width, "u1"} <= set(between):
        raise DataError(f"{name}: no pixels as expected: {ROWS:,} rows of {width:,} bytes")
    rows = np.frombuffer(pixels.encode("latin-1"), np.uint8).reshape(ROWS, 3, 32, 32)
    images = np.ascontiguousarray(rows.transpose(0, 2, 3, 1))
    return checked(name, ("data", "labels"), images, np.array(labels, int), IMAGE_SHAPE)


def _from_folder(folder):
    inner = folder / "cifar-10-batches-py"  # where Keras's extraction leaves them
    paths = [(inner if inner.is_dir() else folder) / name for name in (*TRAIN_BATCHES, TEST_BATCH)]
    return {path.name: path.read_bytes() for path in paths if path.exists()}


def _from_archive(path):
    with tarfile.open(path) as archive:
        return {
            Path(member.name).name: archive.extractfile(member).read()
            for member in archive
            if member.isfile() and Path(member.name).name in (*TRAIN_BATCHES, TEST_BATCH)
        }
