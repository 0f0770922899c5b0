"""One frozen configuration drives the whole training, and impossible ones are refused at once."""

import dataclasses
import inspect
import os
import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest

from mnist_kit import experiments, settings
from mnist_kit.experiments import Experiment, LabelledImages, Outcome

BASE = Experiment(hidden_layers=(8,), epochs=2, batch_size=20, learning_rate=0.01)

# For every setting: what it is compared with, beside BASE, and what it becomes.
CHANGES = {
    "hidden_layers": ({}, (9,)),
    "activation": ({}, "tanh"),
    "optimizer": ({}, "rmsprop"),
    "loss": ({}, "mean_squared_error"),
    "learning_rate": ({}, 0.02),
    "schedule": ({}, "cosine"),
    "decay_rate": ({"schedule": "decay_per_epoch"}, 0.5),
    "epochs": ({}, 3),
    "batch_size": ({}, 30),
    "validation_split": ({}, 0.4),
    "dropout": ({}, 0.3),
    "l1": ({}, 0.01),
    "l2": ({}, 0.01),
    "max_norm": ({}, 0.5),
    "noise": ({}, 0.2),
    "batch_norm": ({}, True),
    "shift": ({}, 2),
    "rotation": ({}, 30),
    "flip": ({}, True),
    "patience": ({"epochs": 12, "learning_rate": 0.1}, 1),
    "seed": ({}, 1),
}


def images_of(shape=(8, 8), count=120, seed=0):
    """Make images of three classes, each bright in a row of its own, left of the middle."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = rng.normal(0.2, 0.15, (count, *shape)).astype("float32")
    images[np.arange(count), 2 * labels, : shape[1] // 2] += 0.4
    return LabelledImages(images, labels, "stripes")


@pytest.fixture(scope="module")
def data():
    return images_of()


@pytest.fixture(scope="module")
def trained(data):
    """Train experiments, each once for all tests."""
    done = {}

    def train(experiment):
        if experiment not in done:
            done[experiment] = experiments.train(experiment, data)
        return done[experiment]

    return train


def weights(model):
    return np.concatenate([each.ravel() for each in model.get_weights()])


def same(a, b):
    return a.shape == b.shape and np.array_equal(a, b)


@pytest.mark.parametrize("name", [each.name for each in fields(Experiment)])
def test_every_setting_changes_the_training(trained, name):
    beside, value = CHANGES[name]
    before = replace(BASE, **beside)
    after = replace(before, **{name: value})
    assert not same(weights(trained(before)[0]), weights(trained(after)[0]))


def test_no_setting_is_tested_that_does_not_exist():
    assert set(CHANGES) == {each.name for each in fields(Experiment)}


def test_the_same_experiment_trains_the_same_weights(trained, data):
    again, _ = experiments.train(BASE, data)
    assert same(weights(again), weights(trained(BASE)[0]))


@pytest.mark.parametrize("name", ["noise", "rotation"])
def test_a_layer_that_does_next_to_nothing_changes_nothing(trained, data, name):
    model, _ = experiments.train(replace(BASE, **{name: 1e-9}), data)
    np.testing.assert_allclose(weights(model), weights(trained(BASE)[0]), atol=1e-5)


@pytest.mark.parametrize("name", ["activation", "dropout", "batch_norm", "noise", "flip", "loss"])
def test_first_weights_depend_on_layers_and_seed_alone(name):
    changed = replace(BASE, **{name: CHANGES[name][1]})
    kernels = [
        [each for each in experiment.build((8, 8), 3).get_weights() if each.ndim == 2]
        for experiment in (BASE, changed)
    ]
    assert all(same(a, b) for a, b in zip(*kernels, strict=True))


def test_training_learns_the_stripes(trained):
    _, outcome = trained(replace(BASE, epochs=12, learning_rate=0.03))
    assert outcome.validation_accuracy > 0.9


@pytest.mark.parametrize("loss", settings.LOSSES)
def test_every_loss_takes_class_numbers_as_labels(data, loss):
    experiment = replace(BASE, loss=loss)
    model = experiment.compile(experiment.build((8, 8), 3))
    measured, accuracy = experiment.evaluate(model, data)
    assert np.isfinite(measured)
    assert 0 <= accuracy <= 1


def test_sparse_and_categorical_cross_entropy_are_the_same_training(trained):
    other = replace(BASE, loss="categorical_crossentropy")
    np.testing.assert_allclose(
        weights(trained(other)[0]), weights(trained(BASE)[0]), rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize("optimizer", settings.OPTIMIZERS)
def test_every_optimizer_gets_the_learning_rate(optimizer):
    experiment = replace(BASE, optimizer=optimizer, learning_rate=0.25)
    model = experiment.compile(experiment.build((8, 8), 3))
    assert float(model.optimizer.get_config()["learning_rate"]) == 0.25


@pytest.mark.parametrize("activation", settings.ACTIVATIONS)
def test_every_activation_is_known_to_keras(activation):
    model = replace(BASE, activation=activation).build((8, 8), 3)
    names = [each.activation.__name__ for each in model.layers if hasattr(each, "activation")]
    assert activation in names


@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3)])
def test_augmentation_takes_grey_and_coloured_images(shape):
    experiment = replace(BASE, shift=2, rotation=10, flip=True, epochs=1)
    outcome = experiments.run(experiment, images_of(shape, 30))
    assert np.isfinite(outcome.validation_loss)


def augmented(image, repeats=64, **settings_):
    """Pass one image through the layers of augmentation, as in training, many times."""
    from keras import ops

    images = np.repeat(image[None], repeats, axis=0)
    for layer in Experiment(**settings_)._augmentation(image.shape):
        images = layer(images, training=True)
    return ops.convert_to_numpy(images).reshape(repeats, *image.shape)


def one_bright_pixel():
    image = np.zeros((9, 9), "float32")
    image[4, 6] = 1
    return image


def test_shift_moves_by_so_many_pixels_at_most():
    places = [np.argwhere(each > 0.3) for each in augmented(one_bright_pixel(), shift=2)]
    moved = np.abs(np.concatenate(places) - (4, 6)).max()
    assert 1 <= moved <= 2


def test_rotation_turns_by_so_many_degrees_at_most():
    turned = augmented(one_bright_pixel(), rotation=90)
    rows, columns = np.indices((9, 9)) - 4
    heavy = [(each * columns).sum() > -0.1 for each in turned]
    assert all(heavy)
    assert any(np.abs((each * rows).sum()) > 1 for each in turned)


def test_flip_mirrors_left_to_right_half_of_the_time():
    image = one_bright_pixel()
    flipped = [np.array_equal(each, image[:, ::-1]) for each in augmented(image, flip=True)]
    kept = [np.array_equal(each, image) for each in augmented(image, flip=True)]
    assert 10 < sum(flipped) < 54
    assert 10 < sum(kept) < 54


def test_max_norm_bounds_the_weights_into_each_unit(trained):
    model, _ = trained(replace(BASE, max_norm=0.5))
    norms = [np.linalg.norm(each, axis=0) for each in model.get_weights() if each.ndim == 2]
    assert np.concatenate(norms).max() <= 0.5 + 1e-5


def test_dropout_may_differ_from_layer_to_layer():
    model = replace(BASE, hidden_layers=(8, 8), dropout=(0.4, 0.1)).build((8, 8), 3)
    assert [each.rate for each in model.layers if hasattr(each, "rate")] == [0.4, 0.1]


def test_batch_normalisation_stands_between_sum_and_activation():
    kinds = [type(each).__name__ for each in replace(BASE, batch_norm=True).build((8, 8), 3).layers]
    assert kinds[1:4] == ["Dense", "BatchNormalization", "Activation"]


def test_no_hidden_layers_are_softmax_regression():
    assert Experiment(hidden_layers=()).build((28, 28), 10).count_params() == 7850


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ({}, [0.1, 0.1, 0.1]),
        ({"schedule": "decay_per_epoch"}, [0.1, 0.06, 0.036]),
        ({"schedule": "decay_per_epoch", "decay_rate": 0.5}, [0.1, 0.05, 0.025]),
        ({"schedule": "cosine"}, [0.1, 0.075, 0.025]),
    ],
)
def test_schedules_set_the_rate_of_each_epoch(schedule, rates):
    experiment = Experiment(learning_rate=0.1, epochs=3, **schedule)
    assert [experiment.learning_rate_at(epoch) for epoch in range(3)] == pytest.approx(rates)


def test_the_schedule_reaches_the_optimizer(trained):
    _, outcome = trained(replace(BASE, schedule="decay_per_epoch"))
    assert outcome.history["learning_rate"] == pytest.approx([0.01, 0.006])


def test_early_stopping_brings_back_the_best_weights(trained):
    _, outcome = trained(replace(BASE, epochs=12, learning_rate=0.1, patience=1))
    reached = outcome.history["val_accuracy"]
    assert outcome.epochs < 12
    assert reached[-1] < max(reached)
    assert outcome.validation_accuracy == pytest.approx(max(reached))


def test_without_early_stopping_the_last_weights_count(trained):
    _, outcome = trained(BASE)
    assert outcome.validation_accuracy == pytest.approx(outcome.history["val_accuracy"][-1])


def test_the_last_share_of_the_images_validates(data):
    (_, y_train), (x_valid, y_valid) = replace(BASE, validation_split=0.25)._parts(data, None)
    assert (len(y_train), len(y_valid)) == (90, 30)
    assert np.array_equal(x_valid, data.images[90:])


def test_folds_are_those_of_scikit_learn(data):
    from sklearn.model_selection import StratifiedKFold

    expected = [valid for _, valid in StratifiedKFold(3).split(data.images, data.labels)]
    found = [data.fold(index, 3)[1] for index in range(3)]
    assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))


def test_labels_in_order_are_refused(data):
    order = np.argsort(data.labels, kind="stable")
    with pytest.raises(ValueError, match="class 2 is validated but never trained on.*shuffle"):
        experiments.run(
            replace(BASE, validation_split=0.34),
            LabelledImages(data.images[order], data.labels[order]),
        )


def test_running_takes_no_test_data():
    assert list(inspect.signature(experiments.run).parameters) == ["experiment", "data", "fold"]


def test_an_outcome_tells_what_was_trained_on_what_by_which_versions(trained, data):
    import keras

    model, outcome = trained(BASE)
    assert outcome.experiment == BASE
    assert (outcome.data, outcome.fingerprint) == ("stripes", data.fingerprint)
    assert outcome.parameters == model.count_params() == 64 * 8 + 8 + 8 * 3 + 3
    assert outcome.seconds > 0
    assert outcome.versions["keras"] == keras.__version__
    assert set(outcome.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_an_outcome_survives_json(trained):
    import json

    _, outcome = trained(replace(BASE, dropout=0.3))
    assert Outcome.from_dict(json.loads(json.dumps(outcome.as_dict()))) == outcome


def test_losses_beyond_all_bounds_are_kept_as_strict_json(trained):
    import json

    _, outcome = trained(BASE)
    history = outcome.history | {"loss": [float("nan"), 1.0]}
    kept = json.dumps(replace(outcome, history=history).as_dict(), allow_nan=False)
    assert np.isnan(Outcome.from_dict(json.loads(kept)).history["loss"][0])


def test_images_of_0_to_255_are_scaled(data):
    grey = np.rint(np.clip(data.images, 0, 1) * 255).astype(np.uint8)
    (x_train, _), _ = BASE._parts(LabelledImages(grey, data.labels), None)
    assert x_train.max() <= 1
    assert x_train.dtype == np.float32


def test_fingerprint_follows_every_pixel_and_label(data):
    images, labels = data.images.copy(), data.labels.copy()
    images[5, 5, 5] += 1
    labels[5] = (labels[5] + 1) % 3
    prints = {
        LabelledImages(x, y).fingerprint
        for x, y in [(data.images, data.labels), (images, data.labels), (data.images, labels)]
    }
    assert len(prints) == 3


def test_labels_in_a_column_are_the_same_labels(data):
    column = LabelledImages(data.images, data.labels[:, None])
    assert column.fingerprint == data.fingerprint


def test_training_data_are_the_training_images_alone(own_folders, arrays, monkeypatch):
    np.savez(own_folders / "mnist.npz", **arrays)
    monkeypatch.setenv("MNIST_KIT_DATA", str(own_folders / "mnist.npz"))
    found = experiments.training_data("mnist")
    assert np.array_equal(found.images, arrays["x_train"])
    assert found.title == "MNIST"
    assert experiments.training_data("mnist", 20).title == "MNIST, first 20"


@pytest.mark.parametrize("wrong", [("cifar100", None), ("mnist", 1), ("mnist", 31)])
def test_training_data_that_do_not_exist_are_refused(own_folders, arrays, monkeypatch, wrong):
    np.savez(own_folders / "mnist.npz", **arrays)
    monkeypatch.setenv("MNIST_KIT_DATA", str(own_folders / "mnist.npz"))
    with pytest.raises(ValueError, match="expected"):
        experiments.training_data(*wrong)


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (np.zeros((3, 2, 2)), [0, 1], "expected one class number for each"),
        (np.zeros((2, 2, 2)), np.eye(2), "expected one class number for each"),
        (np.zeros((2, 2, 2)), [0.5, 1.0], "expected class numbers"),
        (np.zeros((2, 2, 2)), [-1, 1], "expected class numbers"),
        (np.zeros((2, 2, 2), int), [0, 1], "expected uint8"),
        (np.zeros((2, 2, 2)), [0, 0], "at least two classes"),
    ],
)
def test_images_and_labels_that_do_not_fit_are_refused(images, labels, said):
    with pytest.raises(ValueError, match=said):
        LabelledImages(images, np.asarray(labels))


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden_layers": 128},
        {"hidden_layers": (0,)},
        {"hidden_layers": (12.5,)},
        {"hidden_layers": "128"},
        {"activation": "rleu"},
        {"activation": None},
        {"activation": "softmax"},
        {"optimizer": "adma"},
        {"optimizer": None},
        {"loss": "hinge of doom"},
        {"loss": ["huber"]},
        {"learning_rate": -0.1},
        {"learning_rate": 0},
        {"learning_rate": "fast"},
        {"learning_rate": float("nan")},
        {"schedule": "sometimes"},
        {"schedule": "decay_per_epoch", "decay_rate": 1.5},
        {"schedule": "decay_per_epoch", "decay_rate": 0},
        {"decay_rate": 0.5},
        {"epochs": 0},
        {"epochs": 2.5},
        {"epochs": True},
        {"batch_size": -1},
        {"validation_split": 1.5},
        {"validation_split": 0},
        {"dropout": 1.2},
        {"dropout": 1},
        {"dropout": -0.1},
        {"dropout": (0.1, 0.2)},
        {"dropout": ()},
        {"l1": -1},
        {"l2": -1},
        {"l2": True},
        {"max_norm": 0},
        {"noise": -1},
        {"batch_norm": "yes"},
        {"shift": -1},
        {"shift": 0.5},
        {"rotation": 200},
        {"flip": 2},
        {"patience": 0},
        {"seed": -1},
        {"seed": 2**32},
        {"hidden_layers": (), "dropout": 0.2},
        {"hidden_layers": (), "batch_norm": True},
    ],
    ids=str,
)
def test_impossible_settings_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=list(wrong)[-1]):
        Experiment(**wrong)


@pytest.mark.parametrize(
    ("shape", "num_classes", "settings_", "said"),
    [
        ((8, 8, 3, 1), 3, {}, "input_shape"),
        ((0, 8), 3, {}, "input_shape"),
        ((8, 8), 1, {}, "num_classes"),
        ((64,), 3, {"flip": True}, "need images of shape"),
        ((8, 8), 3, {"shift": 8}, "shift is 8 for images of 8 x 8"),
    ],
)
def test_images_that_do_not_suit_the_network_are_refused(shape, num_classes, settings_, said):
    with pytest.raises(ValueError, match=said):
        replace(BASE, **settings_).build(shape, num_classes)


def test_too_few_images_for_the_split_are_refused(data):
    few = LabelledImages(data.images[:2], data.labels[:2])
    with pytest.raises(ValueError, match="leaves none"):
        experiments.run(replace(BASE, validation_split=0.9), few)


@pytest.mark.parametrize("fold", [(3, 3), (-1, 3), (0, 1)])
def test_folds_that_do_not_exist_are_refused(data, fold):
    with pytest.raises(ValueError, match="expected \\(index, count\\)"):
        experiments.run(BASE, data, fold=fold)


def test_an_experiment_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        BASE.epochs = 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"hidden_layers": [64]}, {"hidden_layers": (np.int64(64),)}),
        ({"hidden_layers": (), "activation": "tanh"}, {"hidden_layers": (), "activation": "relu"}),
        ({"schedule": "decay_per_epoch"}, {"schedule": "decay_per_epoch", "decay_rate": 0.6}),
        ({"dropout": (0.2,)}, {"dropout": 0.2}),
        ({"learning_rate": 1}, {"learning_rate": np.float32(1)}),
        ({"flip": np.True_}, {"flip": True}),
    ],
)
def test_settings_that_mean_the_same_are_equal(one, other):
    assert Experiment(**one) == Experiment(**other)
    assert repr(Experiment(**one)) == repr(Experiment(**other))


def test_repr_names_what_differs_from_the_defaults():
    experiment = Experiment(hidden_layers=(64, 32), learning_rate=0.01)
    assert repr(experiment) == "Experiment(hidden_layers=(64, 32), learning_rate=0.01)"
    assert eval(repr(experiment)) == experiment


@pytest.mark.parametrize("change", ["missing", "unknown"])
def test_settings_of_another_version_are_refused(change):
    plain = BASE.as_dict()
    if change == "missing":
        del plain["seed"]
    else:
        plain["momentum"] = 0.9
    with pytest.raises(ValueError, match="(seed|momentum); another version"):
        Experiment.from_dict(plain)


def test_settings_are_checked_without_keras():
    code = (
        "import sys; from mnist_kit import experiments, record, search; "
        "experiments.Experiment(seed=3); print([name for name in ('keras', 'tensorflow', "
        "'matplotlib', 'pandas', 'sklearn') if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert found.stdout == "[]\n"
