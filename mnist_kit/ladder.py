"""The five models of the course, trained alike and compared: the ladder.

Each rung is compiled with Adam and sparse categorical cross-entropy and fitted in batches of
128; two of them let the learning rate fall by epoch, as the article does.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from mnist_kit import models, schedules
from mnist_kit.results import Row
from mnist_kit.runtime import device, set_seeds

BATCH_SIZE = 128
EPOCHS = 10


@dataclass(frozen=True)
class Rung:
    """One model of the ladder, and what the sources say of its test accuracy."""

    title: str
    build: Callable
    decays: bool
    source: str


RUNGS = (
    Rung("softmax regression", models.softmax_regression, False, "92%"),
    Rung("MLP", models.mlp, False, "overfits"),
    Rung("dropout MLP", models.dropout_mlp, True, "97%"),
    Rung("CNN", models.cnn, False, "none given"),
    Rung("CNN with batch norm", models.cnn_batch_norm, True, "99%"),
)


def train(rung, data, data_title, epochs=EPOCHS, seed=0, callbacks=()):
    """Train one rung and measure it on training and test images.

    Parameters
    ----------
    rung : Rung
    data : pair of pairs of ndarray
        ``(x_train, y_train), (x_test, y_test)``, images scaled to [0, 1].
    data_title : str
        Name of the data set, kept in the row.
    epochs, seed : int
    callbacks : sequence of keras.callbacks.Callback
        Given to `fit` beside the learning-rate schedule.

    Returns
    -------
    model : keras.Model
        Trained.
    row : Row
        Its seconds are those of `fit`.
    """
    from keras.callbacks import LearningRateScheduler

    (x_train, y_train), (x_test, y_test) = data
    set_seeds(seed)
    model = rung.build(input_shape=x_train.shape[1:])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    decay = [LearningRateScheduler(schedules.decay_per_epoch)] if rung.decays else []
    start = time.perf_counter()
    model.fit(
        x_train,
        y_train,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        verbose=0,
        callbacks=[*decay, *callbacks],
    )
    seconds = time.perf_counter() - start
    measured = [
        model.evaluate(x, y, batch_size=1000, verbose=0)[1]
        for x, y in ((x_train, y_train), (x_test, y_test))
    ]
    return model, Row(rung.title, data_title, model.count_params(), epochs, seconds, *measured)


def climb(epochs=EPOCHS, seed=0):
    """Train all rungs on MNIST, or what stands in for it, with a progress bar in a terminal.

    Returns
    -------
    rows : list of Row
        In the order of `RUNGS`.
    circumstances : dict
        Data, device and seed of these figures.
    """
    from keras.callbacks import LambdaCallback
    from rich.console import Console
    from rich.progress import Progress

    from mnist_kit.data import load_mnist, source_of
    from mnist_kit.preprocessing import scale

    (x_train, y_train), (x_test, y_test) = load_mnist()
    data = (scale(x_train), y_train), (scale(x_test), y_test)
    source = source_of("mnist")
    rows = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=epochs * len(RUNGS))
        advance = LambdaCallback(on_epoch_end=lambda epoch, logs: progress.advance(bar))
        for rung in RUNGS:
            progress.update(bar, description=rung.title)
            rows.append(train(rung, data, source.title, epochs, seed, [advance])[1])
    circumstances = {
        "data": source.title,
        "fingerprint": source.fingerprint,
        "device": device(),
        "seed": seed,
        "epochs": epochs,
    }
    return rows, circumstances


def report(rows, circumstances, as_json=False):
    """Print what `climb` returned, as a table or as JSON."""
    if as_json:
        print(json.dumps(circumstances | {"models": [asdict(row) for row in rows]}, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    described = "{data}, {epochs} epochs, seed {seed}, {device}".format(**circumstances)
    table = Table("Model", title=described, title_justify="left")
    for heading in ("Parameters", "Seconds", "Training", "Test", "The source says"):
        table.add_column(heading, justify="right")
    for row, rung in zip(rows, RUNGS, strict=True):
        table.add_row(
            row.model,
            f"{row.parameters:,}",
            f"{row.seconds:.1f}",
            f"{row.train_accuracy:.2%}",
            f"{row.test_accuracy:.2%}",
            rung.source,
        )
    Console().print(table)
