"""The ladder trains each model as the course does, and measures it."""

import keras
import numpy as np
import pytest

from mnist_kit import ladder
from mnist_kit.preprocessing import scale

every_rung = pytest.mark.parametrize("rung", ladder.RUNGS, ids=lambda rung: rung.title)


@pytest.fixture(scope="module")
def data():
    """Bars that a network tells apart at a glance: class i has row 2i + 4 bright."""
    rng = np.random.default_rng(0)
    labels = np.arange(320) % 10
    images = rng.integers(0, 60, (320, 28, 28), dtype=np.uint8)
    images[np.arange(320), 2 * labels + 4] = 255
    return (scale(images[:256]), labels[:256]), (scale(images[256:]), labels[256:])


@every_rung
def test_row_names_the_model_the_data_and_what_was_measured(rung, data):
    model, row = ladder.train(rung, data, "bars", epochs=1)
    assert (row.model, row.data, row.epochs) == (rung.title, "bars", 1)
    assert row.parameters == model.count_params()
    measured = model.evaluate(*data[1], verbose=0, batch_size=1000)[1]
    assert row.test_accuracy == pytest.approx(measured)


def test_more_epochs_learn_more(data):
    accuracies = [
        ladder.train(ladder.RUNGS[1], data, "bars", epochs=epochs)[1].train_accuracy
        for epochs in (1, 15)
    ]
    assert accuracies[0] < accuracies[1]


def test_same_seed_repeats_the_result(data):
    rows = [ladder.train(ladder.RUNGS[1], data, "bars", 2, seed=s)[1] for s in (1, 1, 2)]
    assert rows[0].train_accuracy == rows[1].train_accuracy
    assert rows[0] != rows[2]


@every_rung
def test_rate_falls_only_where_the_article_lets_it(rung, data):
    model, _ = ladder.train(rung, data, "bars", epochs=2)
    expected = 0.006 if rung.decays else 0.001
    assert float(model.optimizer.learning_rate) == pytest.approx(expected)


def test_callbacks_are_called_during_training(data):
    epochs = []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: epochs.append(epoch))
    ladder.train(ladder.RUNGS[0], data, "bars", epochs=2, callbacks=[callback])
    assert epochs == [0, 1]


def test_titles_are_told_apart():
    assert len({rung.title for rung in ladder.RUNGS}) == len(ladder.RUNGS) == 5
