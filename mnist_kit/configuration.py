"""The settings of one training, and how they build, compile and fit: `Experiment`."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from mnist_kit import schedules
from mnist_kit.labelled import scaled
from mnist_kit.runtime import set_seeds
from mnist_kit.settings import OPTIMIZERS, SPARSE, checked

_EVALUATION_BATCH = 1000  # it changes no result, and small batches take several times as long


@dataclass(frozen=True, repr=False)
class Experiment:
    """All settings of one training of a multilayer perceptron that ends in softmax.

    Equal settings are equal objects, and hashable; `dataclasses.replace` makes variants.

    Parameters
    ----------
    hidden_layers : tuple of int
        Units of each hidden layer; ``()`` is softmax regression, which has no activation and takes
        neither dropout nor batch normalisation.
    activation : str
        Of the hidden layers, one of `settings.ACTIVATIONS`.
    optimizer : str
        One of `settings.OPTIMIZERS`; "momentum" and "nesterov" are SGD with momentum 0.9.
    loss : str
        One of `settings.LOSSES`; all but the sparse one are given one-hot labels.
    learning_rate : float
        At the start; positive.
    schedule : str
        "constant"; "decay_per_epoch", which multiplies the rate by `decay_rate` after each epoch;
        or "cosine", which lets it fall along half a cosine towards 0 over all epochs.
    decay_rate : float or None
        In (0, 1]; for "decay_per_epoch" alone, where None stands for 0.6.
    epochs, batch_size : int
    validation_split : float
        Share of the images, the last ones as in Keras's `fit`, that validate; between 0 and 1.
    dropout : float or tuple of float
        Share dropped after each hidden layer, in [0, 1); a tuple gives each layer its own.
    l1, l2 : float
        Penalties on the weights of every dense layer.
    max_norm : float or None
        Greatest norm of the weights into a unit.
    noise : float
        Standard deviation of Gaussian noise on the inputs in training, in units of scaled images.
    batch_norm : bool
        Batch normalisation between each hidden layer's sum and its activation.
    shift : int
        Augmentation: each training image is moved by up to so many pixels.
    rotation : float
        Augmentation: each training image is turned by up to so many degrees, at most 180.
    flip : bool
        Augmentation: each training image is mirrored, left to right, half of the time.
    patience : int or None
        Early stopping: epochs to wait for a better validation accuracy; the weights of the best
        epoch come back. None trains all epochs and keeps the last weights.
    seed : int
        0 to 2**32 - 1.

    Raises
    ------
    ValueError
        At once, for a value that is none of these.
    """

    hidden_layers: tuple = (128,)
    activation: str | None = "relu"
    optimizer: str = "adam"
    loss: str = SPARSE
    learning_rate: float = 0.001
    schedule: str = "constant"
    decay_rate: float | None = None
    epochs: int = 5
    batch_size: int = 128
    validation_split: float = 0.2
    dropout: float | tuple = 0.0
    l1: float = 0.0
    l2: float = 0.0
    max_norm: float | None = None
    noise: float = 0.0
    batch_norm: bool = False
    shift: int = 0
    rotation: float = 0.0
    flip: bool = False
    patience: int | None = None
    seed: int = 0

    def __post_init__(self):
        settings = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        for name, value in checked(settings).items():
            object.__setattr__(self, name, value)

    def __repr__(self):
        """Name what differs from the defaults; evaluates to an equal experiment."""
        told = (f"{name}={value!r}" for name, value in self.changes(Experiment()).items())
        return f"Experiment({', '.join(told)})"

    def changes(self, base):
        """Return the settings in which this experiment differs from `base`, as a dict."""
        pairs = ((each.name, getattr(self, each.name)) for each in dataclasses.fields(self))
        return {name: value for name, value in pairs if value != getattr(base, name)}

    def as_dict(self):
        """Return all settings as JSON can hold them."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_dict(cls, settings):
        """Make the experiment that `as_dict` described.

        Raises
        ------
        ValueError
            If settings are missing or unknown, as those of another version are.
        """
        odd = set(settings) ^ {each.name for each in dataclasses.fields(cls)}
        if odd:
            raise ValueError(
                f"settings missing or unknown here: {', '.join(sorted(odd))}; another version of "
                "mnist_kit wrote them"
            )
        lists = {name: tuple(value) for name, value in settings.items() if isinstance(value, list)}
        return cls(**(settings | lists))

    def build(self, input_shape, num_classes=10):
        """Set the seed and build the network, as yet uncompiled.

        The first weights depend on `hidden_layers` and `seed` alone, so that two experiments
        differ by their settings and not by luck.

        Parameters
        ----------
        input_shape : tuple of int
            (height, width), (height, width, channels), or (pixels,), which excludes augmentation.
        num_classes : int
            At least 2.

        Returns
        -------
        keras.Sequential
        """
        import keras

        shape = tuple(map(int, input_shape))
        if len(shape) not in (1, 2, 3) or min(shape) < 1:
            raise ValueError(
                f"input_shape is {shape}; expected (height, width), (height, width, channels) or "
                "(pixels,)"
            )
        if num_classes < 2:
            raise ValueError(f"num_classes is {num_classes}; softmax needs at least 2")
        set_seeds(self.seed)
        # All dense layers before any other: each draws its first weights' seed when it is made.
        *hidden, output = [self._dense(units) for units in (*self.hidden_layers, num_classes)]
        body = []
        for layer, rate in zip(hidden, self._dropout_rates(), strict=True):
            normalised = [keras.layers.BatchNormalization()] if self.batch_norm else []
            dropped = [keras.layers.Dropout(rate)] if rate else []
            body += [layer, *normalised, keras.layers.Activation(self.activation), *dropped]
        first = [*self._augmentation(shape), keras.layers.Flatten()]
        if self.noise:
            first.append(keras.layers.GaussianNoise(self.noise))
        softmax = keras.layers.Activation("softmax")
        return keras.Sequential([keras.Input(shape), *first, *body, output, softmax])

    def compile(self, model):
        """Compile a model of `build` with this loss, optimizer and accuracy; return it."""
        import keras

        name, beside = OPTIMIZERS[self.optimizer]
        optimizer = getattr(keras.optimizers, name)(learning_rate=self.learning_rate, **beside)
        model.compile(optimizer, self.loss, metrics=["accuracy"])
        return model

    def fit(self, model, data, *, fold=None, callbacks=()):
        """Fit a compiled model.

        Parameters
        ----------
        model : keras.Model
        data : LabelledImages
        fold : (int, int), optional
            Index and number of folds: validate on that stratified fold instead of on the last
            share of `validation_split`.
        callbacks : sequence of keras.callbacks.Callback
            Beside those of the schedule and of early stopping.

        Returns
        -------
        keras.callbacks.History
        """
        (x, y), validation = self._parts(data, fold)
        return model.fit(
            x,
            y,
            batch_size=self.batch_size,
            epochs=self.epochs,
            validation_data=validation,
            validation_batch_size=_EVALUATION_BATCH,
            callbacks=[*self._callbacks(), *callbacks],
            verbose=0,
        )

    def evaluate(self, model, data, *, fold=None, all_images=False):
        """Measure a compiled model: (loss, accuracy from 0 to 1).

        Parameters
        ----------
        model : keras.Model
        data : LabelledImages
        fold
            As for `fit`.
        all_images : bool
            Use all of the data instead of the part that validates.
        """
        if all_images:
            part = scaled(data.images), self._targets(data.labels, model.output_shape[-1])
        else:
            _, part = self._parts(data, fold)
        loss, accuracy = model.evaluate(*part, batch_size=_EVALUATION_BATCH, verbose=0)
        return float(loss), float(accuracy)

    def _dense(self, units):
        import keras

        penalty = keras.regularizers.L1L2(self.l1, self.l2) if self.l1 or self.l2 else None
        bound = keras.constraints.MaxNorm(self.max_norm) if self.max_norm else None
        return keras.layers.Dense(units, kernel_regularizer=penalty, kernel_constraint=bound)

    def _dropout_rates(self):
        if isinstance(self.dropout, tuple):
            return self.dropout
        return (self.dropout,) * len(self.hidden_layers)

    def _augmentation(self, shape):
        """Layers that change training images and let others through."""
        from keras import layers

        if not (self.shift or self.rotation or self.flip):
            return []
        if len(shape) == 1:
            raise ValueError(
                f"input_shape is {shape}; shift, rotation and flip need images of shape "
                "(height, width) or (height, width, channels)"
            )
        height, width = shape[:2]
        if self.shift >= min(height, width):
            raise ValueError(f"shift is {self.shift} for images of {height} x {width} pixels")
        chosen = [layers.Reshape((height, width, 1))] if len(shape) == 2 else []
        if self.flip:
            chosen.append(layers.RandomFlip("horizontal"))
        if self.rotation:
            chosen.append(layers.RandomRotation(self.rotation / 360, fill_mode="nearest"))
        if self.shift:
            shares = self.shift / height, self.shift / width
            chosen.append(layers.RandomTranslation(*shares, fill_mode="nearest"))
        return chosen

    def _callbacks(self):
        from keras.callbacks import EarlyStopping, LearningRateScheduler

        chosen = []
        if self.schedule != "constant":
            chosen.append(LearningRateScheduler(self.learning_rate_at))
        if self.patience is not None:
            chosen.append(
                EarlyStopping(
                    "val_accuracy", patience=self.patience, mode="max", restore_best_weights=True
                )
            )
        return chosen

    def learning_rate_at(self, epoch):
        """Return the learning rate in an epoch, counted from 0."""
        if self.schedule == "decay_per_epoch":
            return schedules.decay_per_epoch(
                epoch, initial_learning_rate=self.learning_rate, decay_rate=self.decay_rate
            )
        if self.schedule == "cosine":
            return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2
        return self.learning_rate

    def _parts(self, data, fold):
        """Split into pairs (images, labels) for training and validation, in the loss's form."""
        if fold is None:
            cut = math.floor(len(data.labels) * (1 - self.validation_split))
            chosen = slice(None, cut), slice(cut, None)
        else:
            chosen = data.fold(*fold)
        labels = data.labels
        if not len(labels[chosen[0]]) or not len(labels[chosen[1]]):
            raise ValueError(
                f"validation_split {self.validation_split} of {len(labels)} images leaves none to "
                "train on or none to validate with"
            )
        unseen = set(labels[chosen[1]].tolist()) - set(labels[chosen[0]].tolist())
        if unseen:
            raise ValueError(
                f"class {min(unseen)} is validated but never trained on; the labels seem to lie "
                "in order: shuffle images and labels together first"
            )
        targets = self._targets(labels, data.num_classes)
        return tuple((scaled(data.images[part]), targets[part]) for part in chosen)

    def _targets(self, labels, num_classes):
        """Give labels the form that the loss asks for: class numbers or one-hot rows."""
        return labels if self.loss == SPARSE else np.eye(num_classes, dtype=np.float32)[labels]
