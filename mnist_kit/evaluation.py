"""Judging predictions: accuracy, per-class figures, confusion, ROC, the worst mistakes.

All of it is scikit-learn's arithmetic behind one way of calling: true labels first, then the
model's probabilities, shape (n, classes), rows summing to 1.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn import metrics


def accuracy(y_true, probabilities):
    """Return the share of images whose most probable class is the true one, from 0 to 1.

    Parameters
    ----------
    y_true : ndarray of int, shape (n,) or (n, 1)
        Class indices.
    probabilities : ndarray of float, shape (n, classes)
        As `model.predict` returns them.

    Raises
    ------
    ValueError
        If shapes do not fit, a label is out of range, or a row does not sum to 1.
    """
    y_true, probabilities = _checked(y_true, probabilities)
    return float(metrics.accuracy_score(y_true, probabilities.argmax(axis=1)))


def per_class(y_true, probabilities, names=None):
    """Tabulate precision, recall and F1 for each class.

    Parameters
    ----------
    y_true, probabilities
        As in `accuracy`.
    names : sequence of str, optional
        One for each class; by default the class indices.

    Returns
    -------
    pandas.DataFrame
        Indexed by class name, columns precision, recall, f1 (0 to 1) and images (a count). A
        class that was never predicted has precision 0.
    """
    y_true, probabilities = _checked(y_true, probabilities)
    classes = _names(names, probabilities)
    columns = metrics.precision_recall_fscore_support(
        y_true, probabilities.argmax(axis=1), labels=range(len(classes)), zero_division=0.0
    )
    table = pd.DataFrame(
        dict(zip(["precision", "recall", "f1", "images"], columns, strict=True)),
        index=pd.Index(classes, name="class"),
    )
    return table.astype({"images": int})


def confusion_matrix(y_true, probabilities, show="counts"):
    """Count how often class i (row, true) was taken for class j (column, predicted).

    Parameters
    ----------
    y_true, probabilities
        As in `accuracy`.
    show : {"counts", "by row", "errors"}
        Counts; shares of each true class, so that rows sum to 1; or the mistakes alone, as
        shares of all mistakes with that true class.

    Returns
    -------
    ndarray, shape (classes, classes)
        int for counts, else float; a row without images, or without mistakes, is 0.
    """
    y_true, probabilities = _checked(y_true, probabilities)
    if show not in ("counts", "by row", "errors"):
        raise ValueError(f"show is {show!r}; expected 'counts', 'by row' or 'errors'")
    y_pred = probabilities.argmax(axis=1)
    counts = metrics.confusion_matrix(y_true, y_pred, labels=range(probabilities.shape[1]))
    if show == "counts":
        return counts
    if show == "errors":
        np.fill_diagonal(counts, 0)
    totals = counts.sum(axis=1, keepdims=True)
    return counts / np.maximum(totals, 1)


@dataclass(frozen=True)
class RocCurve:
    """One class against the rest: rates from 0 to 1 as the threshold falls, and their area."""

    name: str
    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    area: float


def roc_curves(y_true, probabilities, names=None):
    """Return a `RocCurve` for each class that has images, one class against the rest.

    Parameters are those of `per_class`. Raises ValueError where all images are of one class.
    """
    y_true, probabilities = _checked(y_true, probabilities)
    present = np.unique(y_true)
    if len(present) < 2:
        raise ValueError("all images are of one class; a ROC curve needs at least two")
    classes = _names(names, probabilities)
    curves = []
    for index in present:
        false_positive, true_positive, _ = metrics.roc_curve(
            y_true == index, probabilities[:, index]
        )
        area = float(metrics.auc(false_positive, true_positive))
        curves.append(RocCurve(classes[index], false_positive, true_positive, area))
    return curves


def worst_mistakes(y_true, probabilities, count=10):
    """Return the indices of the mistakes in which the true class got the least probability.

    Returns
    -------
    ndarray of int, shape (at most count,)
        Worst first; shorter where there are fewer mistakes.
    """
    y_true, probabilities = _checked(y_true, probabilities)
    if count < 1:
        raise ValueError(f"count is {count}; expected at least 1")
    mistakes = np.flatnonzero(probabilities.argmax(axis=1) != y_true)
    belief_in_truth = probabilities[mistakes, y_true[mistakes]]
    return mistakes[np.argsort(belief_in_truth, kind="stable")][:count]


def _names(names, probabilities):
    classes = probabilities.shape[1]
    names = [str(each) for each in (range(classes) if names is None else names)]
    if len(names) != classes:
        raise ValueError(f"{len(names)} names for {classes} classes")
    return names


def _checked(y_true, probabilities):
    y_true, probabilities = np.asarray(y_true), np.asarray(probabilities)
    if y_true.ndim == 2 and y_true.shape[1] == 1:
        y_true = y_true[:, 0]
    if probabilities.ndim != 2 or y_true.shape != (len(probabilities),) or not len(y_true):
        raise ValueError(
            f"y_true has shape {y_true.shape} and probabilities {probabilities.shape}; "
            "expected (n,) and (n, classes)"
        )
    if not np.issubdtype(y_true.dtype, np.integer):
        raise ValueError(f"y_true has dtype {y_true.dtype}; expected integer class indices")
    classes = probabilities.shape[1]
    if y_true.min() < 0 or y_true.max() >= classes:
        raise ValueError(
            f"y_true runs from {y_true.min()} to {y_true.max()}; expected 0 to {classes - 1}"
        )
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3):
        raise ValueError("rows of probabilities do not sum to 1; do they come after a softmax?")
    return y_true, probabilities
