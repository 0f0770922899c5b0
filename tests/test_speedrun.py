"""The speedrun trains one network from nothing, in batches gathered by index."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from mnist_kit import speedrun
from mnist_kit.cli import Target
from mnist_kit.preprocessing import scale


@pytest.fixture(scope="module")
def bars():
    """Images that a network tells apart at a glance: class i has row 2i + 4 bright."""
    labels = np.arange(640) % 10
    images = np.random.default_rng(0).integers(0, 60, (640, 28, 28), dtype=np.uint8)
    images[np.arange(640), 2 * labels + 4] = 255
    return images, labels


@pytest.fixture(scope="module")
def data(bars):
    return scale(bars[0]), bars[1]


def numbered(count):
    """Images and labels that all hold their own number."""
    numbers = np.arange(count, dtype=np.float32)
    return np.broadcast_to(numbers[:, None, None], (count, 4, 4)), numbers[:, None]


def test_network_learns_what_is_plain_to_see(data):
    model, _ = speedrun.train(data, target=99.5)
    predicted = model.predict(data[0], verbose=0).argmax(axis=1)
    assert np.mean(predicted == data[1]) > 0.5


def test_same_seed_repeats_the_weights_and_another_does_not(data):
    first, again, other = (speedrun.train(data, seed)[0].get_weights()[-2] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_every_batch_is_a_step_and_the_rate_ends_at_nothing(data):
    model, seconds = speedrun.train(data, target=99.5)
    assert int(model.optimizer.iterations) == 5 * speedrun.RECIPES[99.5].epochs
    assert float(model.optimizer.learning_rate) == pytest.approx(0, abs=1e-8)
    assert seconds > 0


def test_network_gives_a_logit_for_each_class():
    model = speedrun.network((17, 24), num_classes=7, filters=(2, 3, 4))
    assert model.output_shape == (None, 7)
    assert model.layers[-2].output.shape[-1] == 1 * 2 * 4
    assert model.layers[-1].activation.__name__ == "linear"


def test_an_image_costs_0_6_million_multiplications():
    costs = [
        np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:-1], dtype=int)
        for layer in speedrun.network().layers
        if hasattr(layer, "kernel")
    ]
    assert sum(costs) == 600_192


def test_each_epoch_shows_every_image_once_in_an_order_of_its_own():
    images, labels = numbered(256)
    orders = np.concatenate([y for _, y in speedrun.batches(images, labels, 2)]).reshape(2, 256)
    assert [sorted(order) for order in orders] == [list(range(256))] * 2
    assert not np.array_equal(*orders)


def test_images_stay_beside_their_labels():
    for images, labels in speedrun.batches(*numbered(128), 1):
        np.testing.assert_array_equal(images[:, 0, 0], labels[:, 0])


def test_what_fills_no_batch_is_left_out():
    assert [x.shape for x, _ in speedrun.batches(*numbered(300), 1)] == [(128, 4, 4)] * 2


def test_order_follows_the_seed():
    first, again, other = (
        next(iter(speedrun.batches(*numbered(128), 1, seed=seed)))[1].numpy() for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_batches_are_moved_by_no_more_than_the_shift():
    image = np.zeros((128, 9, 9), np.float32)
    image[:, 4, 4] = 1
    labels = np.zeros((128, 1), np.float32)
    places = {
        tuple(np.argwhere(x[0] == 1)[0] - 4)
        for x, _ in speedrun.batches(image, labels, 60, shift=1)
    }
    assert places == {(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)}


def test_only_known_targets_are_trained(data):
    with pytest.raises(ValueError, match=r"98.*expected one of 99.0, 99.5"):
        speedrun.train(data, target=98)


def test_less_than_one_batch_is_refused(data):
    with pytest.raises(ValueError, match="at least one batch of 128"):
        speedrun.train((data[0][:127], data[1][:127]))


def test_summary_of_one_run_has_no_deviation():
    runs = [speedrun.Run(0, 2.0, 0.99), speedrun.Run(1, 4.0, 0.97)]
    assert speedrun.summary(runs) == pytest.approx(
        {"mean": 0.98, "standard_deviation": 0.0141421, "median_seconds": 3}, rel=1e-4
    )
    assert speedrun.summary(runs[:1])["standard_deviation"] is None


def test_table_shows_each_run_and_their_mean(capsys):
    runs = [speedrun.Run(0, 2.0, 0.99), speedrun.Run(1, 4.0, 0.97)]
    speedrun.report(runs, {"target": 99.0, "data": "bars", "device": "CPU"})
    printed = capsys.readouterr().out
    for expected in ("Target 99.0%, bars, CPU", "2.00", "97.00%", "98.00% ± 1.41", "median 3.00"):
        assert expected in printed


def test_command_knows_the_targets_of_the_recipes():
    assert [float(target) for target in Target] == list(speedrun.RECIPES)


@pytest.fixture(scope="module")
def bars_file(bars, tmp_path_factory):
    """The bars as a file in Keras's format."""
    path = tmp_path_factory.mktemp("bars") / "mnist.npz"
    images, labels = bars[0], bars[1].astype(np.uint8)
    np.savez(path, x_train=images, y_train=labels, x_test=images[:64], y_test=labels[:64])
    return path


def command(bars_file, *options):
    return subprocess.run(
        [sys.executable, "-m", "mnist_kit", "speedrun", *options],
        env=os.environ | {"MNIST_KIT_DATA": str(bars_file)},
        capture_output=True,
        text=True,
    )


def test_command_prints_json_and_nothing_else(bars_file):
    printed = json.loads(command(bars_file, "--json", "--seeds", "2", "--target", "99.5").stdout)
    assert printed["target"] == 99.5
    assert [run["seed"] for run in printed["runs"]] == [0, 1]
    assert printed["mean"] == pytest.approx(np.mean([r["test_accuracy"] for r in printed["runs"]]))


def test_unknown_target_is_refused_by_the_command(bars_file):
    refused = command(bars_file, "--target", "98")
    assert refused.returncode == 2
    assert "99.5" in refused.stderr
