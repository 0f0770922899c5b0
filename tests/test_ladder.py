"""The ladder trains each model as the course does, and measures it."""

import json
import os
import subprocess
import sys

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


@pytest.fixture(scope="module")
def small_data(data, tmp_path_factory):
    """The bars as a file in Keras's format."""
    path = tmp_path_factory.mktemp("bars") / "mnist.npz"
    (x_train, y_train), (x_test, y_test) = data
    images = {"x_train": x_train, "x_test": x_test}
    labels = {"y_train": y_train, "y_test": y_test}
    np.savez(
        path,
        **{name: (255 * x).astype(np.uint8) for name, x in images.items()},
        **{name: y.astype(np.uint8) for name, y in labels.items()},
    )
    return path


def command(small_data, *options):
    return subprocess.run(
        [sys.executable, "-m", "mnist_kit", "ladder", *options],
        env=os.environ | {"MNIST_KIT_DATA": str(small_data), "COLUMNS": "120"},
        capture_output=True,
        text=True,
    )


def test_command_prints_json_and_nothing_else(small_data):
    printed = json.loads(command(small_data, "--json", "--epochs", "1", "--seed", "5").stdout)
    assert (printed["seed"], printed["epochs"]) == (5, 1)
    assert [row["model"] for row in printed["models"]] == [rung.title for rung in ladder.RUNGS]


def test_table_shows_figures_beside_the_sources(capsys):
    rows = [ladder.Row(rung.title, "bars", 7_850, 1, 2.0, 0.5, 0.25) for rung in ladder.RUNGS]
    circumstances = {"data": "bars", "epochs": 1, "seed": 0, "device": "CPU"}
    ladder.report(rows, circumstances)
    printed = capsys.readouterr().out
    for expected in ("softmax", "7,850", "50.00%", "25.00%", "92%", "bars, 1 epochs"):
        assert expected in printed


def test_no_epochs_are_refused(small_data):
    refused = command(small_data, "--epochs", "0")
    assert refused.returncode == 2
    assert "epochs" in refused.stderr
