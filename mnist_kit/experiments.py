"""Running one experiment and what comes of it.

The training data come in, the test data never do. Keeping outcomes is `record`'s business, running
many at once `search`'s.
"""

import dataclasses
import logging
import math
import platform
import time
from dataclasses import dataclass, field

import numpy as np

from mnist_kit.configuration import Experiment
from mnist_kit.labelled import LabelledImages, training_data
from mnist_kit.runtime import device

__all__ = ["Experiment", "LabelledImages", "Outcome", "run", "train", "training_data", "versions"]


@dataclass(frozen=True)
class Outcome:
    """What one experiment gave.

    `history` holds a list of floats, one an epoch, for each of loss, accuracy, val_loss and
    val_accuracy; `validation_accuracy` (0 to 1) and `validation_loss` are those of the weights in
    the end; `seconds` are those of `fit`; `fold` is None or (index, count); `fingerprint` is the
    training data's.
    """

    experiment: Experiment
    fold: tuple | None
    data: str
    fingerprint: str
    validation_accuracy: float
    validation_loss: float
    seconds: float
    parameters: int
    history: dict = field(repr=False)
    versions: dict = field(repr=False)

    def __post_init__(self):
        if not 0 <= self.validation_accuracy <= 1:
            raise ValueError(f"validation_accuracy is {self.validation_accuracy}; expected 0 to 1")
        if not self.history.get("loss"):
            raise ValueError("history has no loss; expected one for each epoch")

    @property
    def epochs(self):
        """Epochs trained, which early stopping may have made fewer than were asked for."""
        return len(self.history["loss"])

    def as_dict(self):
        """Return everything as strict JSON can hold it, losses beyond all bounds as None."""
        plain = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        plain |= {"experiment": self.experiment.as_dict(), "fold": self.fold and list(self.fold)}
        return _without_nan(plain)

    @classmethod
    def from_dict(cls, plain):
        """Make the outcome that `as_dict` described; ValueError or TypeError if it is none."""
        known = plain | {
            "experiment": Experiment.from_dict(plain.get("experiment", {})),
            "fold": tuple(plain["fold"]) if plain.get("fold") else None,
            "validation_loss": _nan_for_none(plain.get("validation_loss")),
            "history": {
                name: [_nan_for_none(value) for value in values]
                for name, values in plain.get("history", {}).items()
            },
        }
        return cls(**known)


def train(experiment, data, *, fold=None, callbacks=()):
    """Build, compile, fit and validate.

    Parameters
    ----------
    experiment : Experiment
    data : LabelledImages
    fold, callbacks
        As for `Experiment.fit`.

    Returns
    -------
    model : keras.Model
        Trained.
    outcome : Outcome
    """
    # Every training builds a model of its own, which TensorFlow takes for a mistake after a few.
    logging.getLogger("tensorflow").addFilter(_is_not_about_retracing)
    model = experiment.compile(experiment.build(data.images.shape[1:], data.num_classes))
    start = time.perf_counter()
    history = experiment.fit(model, data, fold=fold, callbacks=callbacks).history
    seconds = time.perf_counter() - start
    loss, accuracy = experiment.evaluate(model, data, fold=fold)
    outcome = Outcome(
        experiment=experiment,
        fold=None if fold is None else tuple(fold),
        data=data.title,
        fingerprint=data.fingerprint,
        validation_accuracy=float(accuracy),
        validation_loss=float(loss),
        seconds=seconds,
        parameters=int(model.count_params()),
        history={name: list(map(float, values)) for name, values in history.items()},
        versions=versions(),
    )
    return model, outcome


def run(experiment, data, *, fold=None):
    """Train, and return the `Outcome` alone; parameters as for `train`."""
    return train(experiment, data, fold=fold)[1]


def versions():
    """Return what trains here, by name: Python, NumPy, Keras, the kit, and the device's line."""
    from importlib.metadata import version

    import keras

    found = {"python": platform.python_version(), "numpy": np.__version__}
    return found | {
        "keras": keras.__version__,
        "mnist-kit": version("mnist-kit"),
        "device": device(),
    }


def _is_not_about_retracing(log):
    return "tf.function retracing" not in str(log.msg)


def _without_nan(value):
    if isinstance(value, dict):
        return {name: _without_nan(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _nan_for_none(value):
    return math.nan if value is None else value
