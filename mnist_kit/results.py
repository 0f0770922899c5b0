"""The table of results that grows from notebook to notebook.

One small file for each model and data set, so that notebooks running side by side never write
the same file, and a second run replaces a row instead of adding one.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from mnist_kit.files import write_text_whole
from mnist_kit.folders import build_folder


@dataclass(frozen=True)
class Row:
    """One trained model: its data set, size, cost and accuracies (shares from 0 to 1)."""

    model: str
    data: str
    parameters: int
    epochs: int
    seconds: float
    train_accuracy: float
    test_accuracy: float

    def __post_init__(self):
        for name in ("train_accuracy", "test_accuracy"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected 0 to 1")
        if self.seconds < 0 or self.parameters < 1 or self.epochs < 1:
            raise ValueError(f"a result needs parameters, epochs and seconds: {self}")


def keep(row, folder=None):
    """Write a `Row`, replacing an earlier one of the same model and data set.

    Parameters
    ----------
    row : Row
    folder : path, optional
        By default ``results`` in the build folder.
    """
    path = _folder(folder) / _file_name(row.model, row.data)
    write_text_whole(path, json.dumps(asdict(row), indent=1))


def find(model, data, folder=None):
    """Return the kept `Row` of this model and data set, or None.

    Raises
    ------
    ValueError
        If its file is damaged.
    """
    path = _folder(folder) / _file_name(model, data)
    return _read(path) if path.exists() else None


def table(data=None, folder=None):
    """Tabulate the kept rows, of one data set or of all, fewest parameters first.

    Returns
    -------
    pandas.DataFrame
        A column for each field of `Row`.
    """
    rows = [_read(path) for path in sorted(_folder(folder).glob("*.json"))]
    rows = [asdict(row) for row in rows if data is None or row.data == data]
    fields = list(Row.__dataclass_fields__)
    found = pd.DataFrame(rows, columns=fields)
    return found.sort_values(["data", "parameters", "model"], ignore_index=True)


def _folder(folder):
    return build_folder() / "results" if folder is None else Path(folder)


def _file_name(model, data):
    safe = "".join(c if c.isalnum() else "-" for c in f"{data}--{model}".lower())
    return f"{safe}.json"


def _read(path):
    try:
        return Row(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        remedy = "delete it and run its notebook again"
        raise ValueError(f"{path} holds no result ({error}); {remedy}") from error
