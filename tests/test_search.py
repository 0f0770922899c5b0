"""Searches list no training twice, lose nothing, and agree with scikit-learn's."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

from mnist_kit import search, trainings
from mnist_kit.experiments import Experiment, LabelledImages, train
from mnist_kit.record import Record, RecordError

BASE = Experiment(hidden_layers=(8,), epochs=2, batch_size=16, learning_rate=0.01)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    images = rng.normal(0.2, 0.2, (90, 6, 6)).astype("float32")
    images[np.arange(90), labels] += 0.4
    return LabelledImages(images, labels, "stripes")


@pytest.fixture
def record(tmp_path):
    return Record(tmp_path / "experiments.jsonl")


def test_grid_lists_every_combination_the_last_choice_fastest(capsys):
    listed = search.grid(BASE, activation=["relu", "elu"], batch_size=[32, 64])
    assert [(each.activation, each.batch_size) for each in listed] == [
        ("relu", 32),
        ("relu", 64),
        ("elu", 32),
        ("elu", 64),
    ]
    assert capsys.readouterr().out == ""


def test_grid_leaves_all_else_as_in_the_base():
    [one] = search.grid(BASE, seed=[7])
    assert one == replace(BASE, seed=7)


def test_grid_without_a_base_starts_from_the_defaults():
    assert search.grid(epochs=[5]) == [Experiment()]


def test_grid_points_out_a_value_listed_twice(capsys):
    listed = search.grid(BASE, learning_rate=[0.001, 0.01, 0.001], hidden_layers=[[8, 8], (8, 8)])
    assert len(listed) == 2
    said = capsys.readouterr().out
    assert "learning_rate lists 0.001 2 times" in said
    assert "hidden_layers lists (8, 8) 2 times" in said


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"hidden_layers": [()], "activation": ["relu", "tanh"]}, "activation='tanh' trains as"),
        (
            {"loss": ["categorical_crossentropy", "sparse_categorical_crossentropy"]},
            "loss='sparse_categorical_crossentropy' trains as loss='categorical_crossentropy' does",
        ),
        ({"epochs": [1], "schedule": ["constant", "cosine"]}, "schedule='cosine' trains as"),
        ({"epochs": [1], "patience": [None, 3]}, "patience=3 trains as patience=None does"),
        ({"schedule": ["decay_per_epoch"], "decay_rate": [None, 0.6]}, "decay_rate=0.6 trains as"),
    ],
)
def test_grid_points_out_a_choice_that_changes_nothing(capsys, choices, said):
    assert len(search.grid(BASE, **choices)) == 1
    printed = capsys.readouterr().out
    assert "2 combinations are 1 different trainings" in printed
    assert said in printed


@pytest.mark.parametrize(
    "twins",
    [
        ({"schedule": "cosine", "epochs": 1}, {"epochs": 1}),
        ({"patience": 1, "epochs": 1}, {"epochs": 1}),
        ({"schedule": "decay_per_epoch", "decay_rate": 1}, {}),
        ({"loss": "categorical_crossentropy"}, {}),
    ],
    ids=str,
)
def test_what_the_grid_takes_for_the_same_trains_the_same(data, twins):
    weights = [train(replace(BASE, **settings), data)[0].get_weights() for settings in twins]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"colour": ["blue"]}, "'colour' is no setting"),
        ({"epochs": []}, "epochs has no value"),
        ({"epochs": 3}, "expected a list of values"),
        ({"activation": "relu"}, "expected a list of values"),
        ({"activation": ["relu", "rleu"]}, "activation 'rleu' is unknown"),
    ],
)
def test_choices_that_make_no_sense_are_refused(choices, said):
    with pytest.raises(ValueError, match=said):
        search.grid(BASE, **choices)
    with pytest.raises(ValueError, match=said):
        search.sample(BASE, 99, **choices)


def test_sample_draws_no_training_twice():
    drawn = search.sample(BASE, 6, seed=range(3), batch_size=[16, 32])
    assert len(set(drawn)) == 6


def test_sample_says_when_there_are_fewer(capsys):
    assert len(search.sample(BASE, 5, seed=[0, 1])) == 2
    assert "gave 2 different trainings, not 5" in capsys.readouterr().out


def test_sample_depends_on_its_random_state_alone():
    def draw(random_state):
        return search.sample(BASE, 5, random_state=random_state, seed=range(1000))

    assert draw(1) == draw(1) != draw(2)


def test_sample_takes_distributions():
    from scipy.stats import loguniform

    rates = [each.learning_rate for each in search.sample(learning_rate=loguniform(1e-4, 0.1))]
    assert len(set(rates)) == 10
    assert 1e-4 <= min(rates) < 1e-2 < max(rates) <= 0.1


def test_no_sample_is_refused():
    with pytest.raises(ValueError, match="count is 0"):
        search.sample(BASE, 0, seed=[1])


def test_run_gives_what_running_one_by_one_gives(data, record):
    experiments = search.grid(replace(BASE, dropout=0.3), activation=["relu", "tanh"])
    many = search.run(experiments, data, record, jobs=2, seconds=1)
    assert [outcome.experiment for outcome in many] == experiments
    for outcome in many:
        _, alone = train(outcome.experiment, data)
        assert outcome.history["loss"] == pytest.approx(alone.history["loss"], rel=1e-4)


def test_run_keeps_the_outcomes_in_the_order_asked_for(data, record):
    experiments = search.grid(BASE, seed=[3, 1, 2])
    search.run(experiments, data, record, jobs=2)
    assert [each.experiment for each in record.outcomes()] == experiments


def test_count_and_minutes_are_said_from_the_seconds_given(data, record, capsys):
    search.run(search.grid(BASE, seed=[0, 1, 2]), data, record, jobs=2, seconds=240)
    assert capsys.readouterr().out == (
        "3 trainings; 2 at a time.\nAbout 6.0 minutes for 3 trainings.\n"
    )


def test_minutes_come_from_the_first_runs_where_nothing_is_known(data, record, capsys):
    search.run(search.grid(BASE, seed=[0, 1, 2]), data, record, jobs=2)
    assert capsys.readouterr().out.endswith("Less than a minute for 1 training.\n")


def test_what_the_record_holds_is_not_run_again(data, record, capsys):
    first = search.run(search.grid(BASE, seed=[0, 1]), data, record, jobs=2)
    capsys.readouterr()
    more = search.run(search.grid(BASE, seed=[0, 1, 2]), data, record, jobs=2)
    assert more[:2] == first
    assert len(record.outcomes()) == 3
    assert capsys.readouterr().out.startswith("3 trainings, 2 of them kept from before")


def test_equal_experiments_are_run_once(data, record):
    assert len(search.run([BASE, BASE], data, record, jobs=2)) == 1


def test_one_failure_costs_none_of_the_others(data, record):
    experiments = [BASE, replace(BASE, shift=6), replace(BASE, seed=1)]
    with pytest.raises(trainings.TrainingError, match="1 of 3 .*shift is 6 for images of 6 x 6"):
        search.run(experiments, data, record, jobs=2, seconds=1)
    assert [each.experiment for each in record.outcomes()] == [BASE, replace(BASE, seed=1)]


def test_other_data_are_refused_before_anything_is_run(data, record):
    record.run(BASE, data)
    other = LabelledImages(data.images + 1, data.labels, "bright stripes")
    with pytest.raises(RecordError, match="these data are bright stripes"):
        search.run([BASE], other, record, jobs=2)


def test_folds_are_kept_one_by_one(data, record):
    found = search.run([BASE, replace(BASE, seed=1)], data, record, folds=3, jobs=2)
    assert [each.fold for each in found] == [(0, 3), (1, 3), (2, 3)] * 2


def test_halving_gives_the_best_more_epochs(data, record, capsys):
    experiments = search.grid(replace(BASE, epochs=4), learning_rate=[1e-6, 1e-5, 0.01, 0.03])
    [best] = search.halve(experiments, data, record, factor=2, jobs=2)
    assert "4 for 1 epoch, then 2 for 2 epochs, then 1 for 4 epochs; 12 epochs in place of 16" in (
        capsys.readouterr().out
    )
    assert best.experiment.learning_rate >= 0.01
    assert [each.epochs for each in record.outcomes()] == [1, 1, 1, 1, 2, 2, 4]


@pytest.mark.parametrize(
    ("count", "epochs", "factor", "rounds"),
    [
        (9, 9, 3, [(9, 1), (3, 3), (1, 9)]),
        (18, 10, 3, [(18, 1), (6, 3), (2, 10)]),
        (27, 2, 3, [(27, 1), (9, 1), (3, 1), (1, 2)]),
        (1, 5, 2, [(1, 5)]),
        (5, 8, 2, [(5, 2), (2, 4), (1, 8)]),
    ],
)
def test_rounds_of_halving(count, epochs, factor, rounds):
    assert search._rounds(count, epochs, factor) == rounds


@pytest.mark.parametrize(
    ("experiments", "factor", "said"),
    [
        ([BASE, replace(BASE, epochs=3)], 2, r"epochs are \[2, 3\]"),
        ([BASE], 1, "factor is 1"),
        ([], 2, r"epochs are \[\]"),
    ],
)
def test_halving_that_makes_no_sense_is_refused(data, record, experiments, factor, said):
    with pytest.raises(ValueError, match=said):
        search.halve(experiments, data, record, factor=factor)


@pytest.mark.parametrize("seeds", [2, [0, 1]])
def test_spread_runs_every_experiment_with_every_seed(data, record, seeds):
    experiments = search.grid(BASE, learning_rate=[1e-6, 0.03])
    table = search.spread(experiments, data, record, seeds=seeds, jobs=2)
    assert table["learning_rate"].tolist() == [0.03, 1e-6]
    assert table["runs"].tolist() == [2, 2]
    assert {each.experiment.seed for each in record.outcomes()} == {0, 1}


KILLED = """
import sys
import numpy as np
from mnist_kit import search
from mnist_kit.experiments import Experiment, LabelledImages
from mnist_kit.record import Record

if __name__ == "__main__":
    labels = np.arange(90) % 3
    images = np.random.default_rng(0).random((90, 6, 6), "float32")
    base = Experiment(hidden_layers=(8,), epochs=4, batch_size=1)
    experiments = search.grid(base, seed=range(6))
    data = LabelledImages(images, labels)
    search.run(experiments, data, Record(sys.argv[1]), jobs=2, seconds=1)
"""


def test_after_kill_9_nothing_is_lost_and_nothing_run_twice(tmp_path):
    script, path = tmp_path / "script.py", tmp_path / "experiments.jsonl"
    script.write_text(KILLED)
    command = [sys.executable, str(script), str(path)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    folder = tmp_path / "experiments-trainings"
    deadline = time.monotonic() + 120
    while len(list(folder.glob("[0-9a-f]*.json"))) < 2:
        assert time.monotonic() < deadline
        assert first.poll() is None
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    finished = {each.name: each.read_text() for each in folder.glob("[0-9a-f]*.json")}
    assert 2 <= len(finished) < 6
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"6 trainings, {len(finished)} of them kept from before" in second.stdout
    assert all((folder / name).read_text() == text for name, text in finished.items())
    seeds = [each.experiment.seed for each in Record(path).outcomes()]
    assert sorted(seeds) == list(range(6))


# The searches of scikit-learn, on Keras's own wrapper and a function that builds an Experiment.

SKLEARN_BASE = replace(BASE, loss="categorical_crossentropy")  # the wrapper makes labels one-hot
FIT = {"epochs": 2, "batch_size": 16, "verbose": 0}


def build(X, y, **settings):
    experiment = replace(SKLEARN_BASE, **settings)
    return experiment.compile(experiment.build(X.shape[1:], y.shape[1]))


@pytest.fixture(scope="module")
def pixels(data):
    return data.images.reshape(len(data.images), -1), data.labels


@pytest.fixture
def classifier():
    from keras.wrappers import SKLearnClassifier

    return SKLearnClassifier(build)


def test_grid_search_of_scikit_learn_gives_the_same_accuracies(data, pixels, classifier, record):
    from sklearn.model_selection import GridSearchCV

    choices = [{"activation": "relu"}, {"activation": "tanh"}]
    searched = GridSearchCV(classifier, {"model_kwargs": choices}, cv=3, refit=False)
    searched.fit(*pixels, **FIT)
    experiments = [replace(SKLEARN_BASE, **each) for each in choices]
    outcomes = search.run(experiments, data, record, folds=3, jobs=2, seconds=1)
    ours = np.reshape([each.validation_accuracy for each in outcomes], (2, 3))
    theirs = [searched.cv_results_[f"split{fold}_test_score"] for fold in range(3)]
    np.testing.assert_allclose(ours, np.transpose(theirs), atol=1e-6)


def test_randomized_search_of_scikit_learn_finds_the_better_rate(pixels, classifier):
    from sklearn.model_selection import RandomizedSearchCV

    choices = {"model_kwargs": [{"learning_rate": 1e-6}, {"learning_rate": 0.1}]}
    searched = RandomizedSearchCV(classifier, choices, n_iter=2, cv=2, random_state=0)
    searched.fit(*pixels, **FIT)
    assert searched.best_params_ == {"model_kwargs": {"learning_rate": 0.1}}
    assert set(np.ravel(searched.predict(pixels[0]))) <= {0, 1, 2}


def test_cross_val_score_of_scikit_learn_gives_a_score_a_fold(pixels, classifier):
    from sklearn.model_selection import cross_val_score

    scores = cross_val_score(classifier, *pixels, cv=3, params=FIT | {"epochs": 12})
    assert scores.shape == (3,)
    assert scores.mean() > 0.5
