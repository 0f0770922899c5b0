"""A network that reads 99% of MNIST's test digits after seconds of training.

Ordinary Keras: `compile` and `fit`. What makes it fast stands in `network` and `train`. Every
value was chosen on the last 10,000 training images.
"""

import json
import logging
import statistics
import time
from dataclasses import asdict, dataclass

import numpy as np

from mnist_kit.runtime import device, set_seeds
from mnist_kit.schedules import one_cycle

BATCH_SIZE = 128
PEAK_RATE = 0.03
LABEL_SMOOTHING = 0.1


@dataclass(frozen=True)
class Recipe:
    """What a higher mark costs: more filters, and more epochs of slightly moved images."""

    filters: tuple
    epochs: int
    shift: int  # pixels


RECIPES = {
    99.0: Recipe(filters=(24, 48, 64), epochs=1, shift=0),
    99.5: Recipe(filters=(32, 64, 96), epochs=10, shift=1),
}


def network(input_shape=(28, 28), num_classes=10, filters=(24, 48, 64)):
    """Build the network: three convolutions, and one dense layer that gives logits.

    Strides of 2 shrink the image at once, so that it costs 0.6 million multiplications; pooling
    would compute four sums to keep one. Batch normalisation lets the learning rate be large, and
    its own shift makes a bias idle. He initialisation keeps the size of the signal under ReLU.

    Parameters
    ----------
    input_shape : tuple of int
        (height, width), at least 17 pixels each.
    num_classes : int
    filters : sequence of three int
    """
    import keras
    from keras import layers

    hidden = []
    for count, (size, strides) in zip(filters, ((5, 2), (3, 2), (3, 1)), strict=True):
        hidden += [
            layers.Conv2D(count, size, strides, use_bias=False, kernel_initializer="he_normal"),
            # Statistics of the last batches alone: so short a training has no time to settle.
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        ]
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Reshape((*input_shape, 1)),
            *hidden,
            layers.Flatten(),
            layers.Dense(num_classes),
        ],
        name="speedrun",
    )


def batches(images, labels, epochs, shift=0, seed=0):
    """Shuffle and cut all epochs into one run of batches, gathered from whole tensors.

    A tf.data pipeline that handles single images spends longer on them than this network; here
    the unit is a batch, picked out by its indices.

    Parameters
    ----------
    images : ndarray of float32, shape (n, height, width)
    labels : ndarray of float32, shape (n, classes)
    epochs : int
        Each is a new order of the images; what fills no batch is left out.
    shift : int
        Each batch is moved by up to so many pixels, down or up and right or left; what leaves
        at one edge comes back at the other.
    seed : int

    Returns
    -------
    tf.data.Dataset
        Of pairs (images of shape (128, height, width), labels of shape (128, classes)).
    """
    import tensorflow as tf

    generator = np.random.default_rng(seed)
    steps = len(images) // BATCH_SIZE
    orders = [
        generator.permutation(len(images))[: steps * BATCH_SIZE].reshape(steps, BATCH_SIZE)
        for _ in range(epochs)
    ]
    moves = generator.integers(-shift, shift + 1, (epochs * steps, 2))
    images, labels = tf.constant(images), tf.constant(labels)

    def pick(indices, move):
        picked = tf.gather(images, indices)
        return tf.roll(picked, move, (1, 2)) if shift else picked, tf.gather(labels, indices)

    indices = tf.data.Dataset.from_tensor_slices((np.concatenate(orders), moves))
    return indices.map(pick).prefetch(tf.data.AUTOTUNE)


def train(data, seed=0, target=99.0):
    """Train from nothing to the target; time everything, building and tracing included.

    Batches of 128 make many steps of one epoch. The learning rate rises to a peak at which a
    constant one would fail, then falls to 0. Smoothed labels keep the network from being too
    sure of itself, which costs nothing. All steps are one call of one TensorFlow graph, so that
    Python is called once instead of once a batch.

    Parameters
    ----------
    data : pair of ndarray
        Images scaled to [0, 1], shape (n, height, width), and labels from 0, shape (n,).
    seed : int
    target : float
        Mean test accuracy on MNIST in percent: 99.0 or 99.5.

    Returns
    -------
    model : keras.Model
        Trained; its outputs are logits.
    seconds : float

    Raises
    ------
    ValueError
        If there is no recipe for `target`, or there are less images than a batch has.
    """
    import keras
    import tensorflow  # noqa: F401 - loading it is no part of the training

    start = time.perf_counter()
    images, labels = data
    if target not in RECIPES:
        raise ValueError(f"target is {target!r}; expected one of {', '.join(map(str, RECIPES))}")
    if len(images) < BATCH_SIZE:
        raise ValueError(f"{len(images)} images; expected at least one batch of {BATCH_SIZE}")
    recipe = RECIPES[target]
    set_seeds(seed)
    model = network(images.shape[1:], int(labels.max()) + 1, recipe.filters)
    one_hot = np.eye(model.output_shape[-1], dtype=np.float32)[labels]
    training = batches(images, one_hot, recipe.epochs, recipe.shift, seed)
    steps = len(training)
    model.compile(
        keras.optimizers.Adam(one_cycle(PEAK_RATE, steps), beta_2=0.99),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=LABEL_SMOOTHING),
        steps_per_execution=steps,
        jit_compile=False,
    )
    # Were its averages first made by the first step, the graph would be traced twice.
    model.optimizer.build(model.trainable_variables)
    model.fit(training, shuffle=False, verbose=0)
    return model, time.perf_counter() - start


@dataclass(frozen=True)
class Run:
    """One training: its seed, seconds, and share of test images read correctly."""

    seed: int
    seconds: float
    test_accuracy: float


def repeat(seeds=10, target=99.0):
    """Train with the seeds 0, 1, … on MNIST, or what stands in for it, and measure each.

    Returns
    -------
    runs : list of Run
    circumstances : dict
        Target, data and device of these figures.
    """
    import keras
    from rich.console import Console
    from rich.progress import Progress

    from mnist_kit.data import load_mnist, source_of
    from mnist_kit.preprocessing import scale

    (x_train, y_train), (x_test, y_test) = load_mnist()
    x_train, x_test = scale(x_train), scale(x_test)
    source = source_of("mnist")
    # Each seed is a new model with a new graph, which TensorFlow takes for an oversight.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    runs = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for seed in progress.track(range(seeds), description="training"):
            keras.utils.clear_session()  # else each seed keeps its graph and copy of the images
            model, seconds = train((x_train, y_train), seed, target)
            predicted = model.predict(x_test, batch_size=1000, verbose=0).argmax(axis=1)
            runs.append(Run(seed, seconds, float(np.mean(predicted == y_test))))
    circumstances = {
        "target": target,
        "data": source.title,
        "fingerprint": source.fingerprint,
        "device": device(),
    }
    return runs, circumstances


def summary(runs):
    """Return mean and standard deviation of the accuracies, and the median of the seconds."""
    accuracies = [run.test_accuracy for run in runs]
    return {
        "mean": statistics.mean(accuracies),
        "standard_deviation": statistics.stdev(accuracies) if len(runs) > 1 else None,
        "median_seconds": statistics.median(run.seconds for run in runs),
    }


def report(runs, circumstances, as_json=False):
    """Print what `repeat` returned, as a table or as JSON."""
    found = summary(runs)
    if as_json:
        print(json.dumps(circumstances | found | {"runs": list(map(asdict, runs))}, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    described = "Target {target}%, {data}, {device}".format(**circumstances)
    table = Table(title=described, title_justify="left", show_footer=True)
    spread = found["standard_deviation"]
    accuracy = f"{found['mean']:.2%}" + (f" ± {100 * spread:.2f}" if spread is not None else "")
    for heading, footer in {
        "Seed": "mean ± deviation" if spread is not None else "",
        "Seconds": f"median {found['median_seconds']:.2f}",
        "Test accuracy": accuracy,
    }.items():
        table.add_column(heading, footer, justify="right")
    for run in runs:
        table.add_row(str(run.seed), f"{run.seconds:.2f}", f"{run.test_accuracy:.2%}")
    Console().print(table)
