"""The record survives crashes, mixes nothing silently, and is read as people want it."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from mnist_kit import record, tables
from mnist_kit.experiments import Experiment, LabelledImages, Outcome
from mnist_kit.record import Record, RecordError

matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402

BASE = Experiment(hidden_layers=(8,), epochs=1)


def outcome(accuracy=0.5, *, fold=None, data="stripes", fingerprint="f" * 16, **settings):
    """Make an outcome that no training gave."""
    return Outcome(
        experiment=replace(BASE, **settings),
        fold=fold,
        data=data,
        fingerprint=fingerprint,
        validation_accuracy=accuracy,
        validation_loss=1.5,
        seconds=0.25,
        parameters=100,
        history={"loss": [1.0]},
        versions={"keras": "3"},
    )


def stripes(seed):
    rng = np.random.default_rng(seed)
    labels = np.arange(60) % 3
    images = rng.normal(0.2, 0.1, (60, 6, 6)).astype("float32")
    images[np.arange(60), labels] += 0.5
    return LabelledImages(images, labels, "stripes")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "experiments.jsonl"


@pytest.fixture
def kept(path):
    """A record of three outcomes."""
    found = Record(path)
    for accuracy, rate in [(0.5, 0.01), (0.9, 0.1), (0.7, 0.001)]:
        found.add(outcome(accuracy, learning_rate=rate))
    return found


@pytest.fixture(scope="module")
def data():
    return stripes(0)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def test_what_is_added_is_found_again(path):
    added = outcome(0.5, dropout=0.2, hidden_layers=(64, 32), fold=(0, 3))
    Record(path).add(added)
    assert Record(path).outcomes() == [added]


def test_a_record_without_a_file_is_empty(path):
    assert Record(path).outcomes() == []
    assert len(Record(path).table()) == 0
    assert not path.exists()


def test_every_line_is_strict_json(kept, path):
    def refuse(word):
        raise AssertionError(word)

    kept.add(replace(outcome(), validation_loss=float("nan")))
    rows = [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]
    assert [row["version"] for row in rows] == [record.VERSION] * 4


def test_a_last_line_cut_off_anywhere_costs_that_line_alone(kept, path, capsys):
    whole = path.read_bytes()
    first_two = kept.outcomes()[:2]
    beginning = whole[: whole[:-1].rindex(b"\n") + 1]
    for length in range(len(beginning) + 1, len(whole), 7):
        path.write_bytes(whole[:length])
        assert Record(path).outcomes() == first_two
        assert "experiments.jsonl: line 3 was cut off" in capsys.readouterr().out


def test_a_cut_off_line_is_told_once(kept, path, capsys):
    path.write_bytes(path.read_bytes()[:-5])
    kept.outcomes()
    kept.outcomes()
    assert capsys.readouterr().out.count("cut off") == 1


def test_what_follows_a_cut_off_line_is_kept(kept, path):
    path.write_bytes(path.read_bytes()[:-5])
    kept.add(outcome(0.6, seed=5))
    assert [each.validation_accuracy for each in Record(path).outcomes()] == [0.5, 0.9, 0.6]


def test_nothing_that_stands_is_written_again(kept, path):
    before = path.read_bytes()
    kept.add(outcome(0.6, seed=5))
    assert path.read_bytes().startswith(before)


# Runs in a process of its own: this file's helpers, and a record in the working folder.
PREPARED = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_record import Record, outcome
from mnist_kit.files import FileError
"""


def test_a_full_disk_is_named_and_costs_nothing_kept(limited):
    code = """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
record = Record(folder / "experiments.jsonl")
try:
    for seed in range(99):
        record.add(outcome(seed=seed))
except FileError as error:
    print("refused:", error)
print("kept:", len(record.outcomes()) == seed > 0)
"""
    status, said = limited(code, prepare=PREPARED, file_size=5000)
    assert status == 0, said
    assert "refused:" in said and "free some space" in said
    assert "kept: True" in said


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match=r"file/experiments.jsonl cannot be read: Not a dir"):
        Record(tmp_path / "file" / "experiments.jsonl").add(outcome())


def test_a_file_that_may_not_be_written_is_named(limited):
    code = """
try:
    Record("/experiments.jsonl").add(outcome())
except FileError as error:
    print("refused:", error)
"""
    _, said = limited(code, prepare=PREPARED, unprivileged=True)
    assert "refused: /experiments.jsonl could not be written: Permission denied" in said


def add_many(path, first):
    for seed in range(first, first + 25):
        Record(path).add(outcome(seed=seed))


def test_several_processes_keep_one_record(path):
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:
        for future in [pool.submit(add_many, path, 25 * index) for index in range(4)]:
            future.result()
    seeds = sorted(each.experiment.seed for each in Record(path).outcomes())
    assert seeds == list(range(100))


@pytest.mark.parametrize(
    "damage",
    [
        lambda row: "no JSON",
        lambda row: "null",
        lambda row: json.dumps({"version": 1}),
        lambda row: json.dumps(row | {"kind": "poem"}),
        lambda row: json.dumps(row | {"kept": {}}),
        lambda row: json.dumps(row | {"kept": row["kept"] | {"experiment": {"seed": 0}}}),
        lambda row: json.dumps(row | {"kept": row["kept"] | {"validation_accuracy": 93}}),
        lambda row: json.dumps(row | {"kept": row["kept"] | {"validation_accuracy": "good"}}),
        lambda row: json.dumps(row | {"kept": row["kept"] | {"history": {}}}),
        lambda row: json.dumps(row | {"kept": row["kept"] | {"colour": "blue"}}),
    ],
)
def test_a_damaged_line_is_named(kept, path, damage):
    lines = path.read_text().splitlines()
    lines[1] = damage(json.loads(lines[1]))
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(RecordError, match=r"experiments\.jsonl, line 2 is damaged .* delete"):
        kept.outcomes()


def test_a_line_of_another_version_is_named(kept, path):
    lines = path.read_text().splitlines()
    lines[2] = json.dumps({"version": 7, "anything": "else"})
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(RecordError, match=r"line 3 was written in version 7 .* reads version 1"):
        kept.outcomes()


def test_other_data_are_refused_and_both_named(kept):
    with pytest.raises(RecordError, match=r"on stripes \(f+\); these data are dots \(d+\)"):
        kept.add(outcome(data="dots", fingerprint="d" * 16))
    assert len(kept.outcomes()) == 3


def test_other_data_are_refused_before_anything_is_trained(kept, data, monkeypatch):
    monkeypatch.setattr(record, "run", None)
    with pytest.raises(RecordError, match="these data are stripes"):
        kept.run(BASE, data)


def test_data_are_mixed_where_that_is_wanted_and_the_table_tells_them_apart(path):
    mixed = Record(path, mixed=True)
    mixed.add(outcome())
    mixed.add(outcome(data="dots", fingerprint="d" * 16))
    assert list(mixed.table()["Data"]) == ["stripes", "dots"]


def test_an_experiment_is_run_once(path, data):
    first = Record(path).run(BASE, data)
    assert Record(path).run(BASE, data) == first
    assert len(Record(path).outcomes()) == 1


def test_an_experiment_is_run_again_where_that_is_asked(path, data):
    first = Record(path).run(BASE, data)
    second = Record(path).run(BASE, data, again=True)
    assert second.validation_loss == pytest.approx(first.validation_loss)
    assert len(Record(path).outcomes()) == 2


def test_a_fold_is_a_run_of_its_own(path, data):
    outcomes = [Record(path).run(BASE, data, fold=fold) for fold in [None, (0, 3), (1, 3)]]
    assert Record(path).outcomes() == outcomes
    assert list(Record(path).table()["Fold"]) == ["none", "1 of 3", "2 of 3"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory, data):
    """A record with one experiment, and its test accuracy."""
    found = Record(tmp_path_factory.mktemp("record") / "experiments.jsonl")
    found.run(replace(BASE, epochs=30, learning_rate=0.05), data)
    test = stripes(1)
    [chosen] = [each.experiment for each in found.outcomes()]
    return found, chosen, found.test_score(chosen, data, test.images, test.labels)


def test_the_test_score_is_that_of_the_trained_model(measured):
    assert measured[2] > 0.9


def test_the_test_score_is_recorded(measured):
    found, _, accuracy = measured
    scores = found.test_scores()
    assert list(scores.columns) == ["Exp", "Test accuracy", "When"]
    assert scores.iloc[0, :2].tolist() == [1, accuracy]


def test_a_second_test_score_is_refused(measured, data):
    found, chosen, accuracy = measured
    with pytest.raises(RecordError, match=f"measured on test images before.*{accuracy:.4f}"):
        found.test_score(chosen, data, data.images, data.labels)


def test_a_second_test_score_is_given_and_recorded_where_that_is_asked(measured, data, path):
    found, chosen, accuracy = measured
    path.write_bytes(found.path.read_bytes())
    test = stripes(1)
    again = Record(path).test_score(chosen, data, test.images, test.labels, again=True)
    assert again == pytest.approx(accuracy)
    assert len(Record(path).test_scores()) == 2


def test_test_scores_add_no_row_to_the_table(measured):
    assert len(measured[0].table()) == 1


def test_a_test_score_without_an_outcome_is_refused(path, data):
    with pytest.raises(RecordError, match="run it first"):
        Record(path).test_score(BASE, data, data.images, data.labels)


def test_training_images_are_no_test_images(path, data):
    found = Record(path)
    found.run(BASE, data)
    with pytest.raises(RecordError, match="are the training images"):
        found.test_score(BASE, data, data.images, data.labels)


def test_table_has_the_columns_of_the_sources(kept):
    assert list(kept.table()) == [
        "Exp",
        "Activation",
        "Optimizer",
        "Loss",
        "Hidden layers",
        "Learning rate",
        "Accuracy",
        "Epochs",
    ]
    assert kept.table().iloc[1].tolist() == [
        2,
        "relu",
        "adam",
        "sparse_categorical_crossentropy",
        "1 x 8",
        0.1,
        0.9,
        1,
    ]


@pytest.mark.parametrize(
    ("layers", "words"),
    [((128, 128), "2 x 128"), ((128, 64, 32), "128, 64, 32"), ((), "none"), ((16,), "1 x 16")],
)
def test_hidden_layers_are_written_short(layers, words):
    assert tables.layers_in_words(layers) == words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, 0.001),
        ({"schedule": "cosine"}, "0.001, cosine"),
        ({"schedule": "decay_per_epoch"}, "0.001 x 0.6^epoch"),
    ],
)
def test_a_schedule_stands_with_the_learning_rate(path, settings, words):
    Record(path).add(outcome(**settings))
    assert Record(path).table()["Learning rate"].tolist() == [words]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ({}, [1, 2, 3]),
        ({"sort": "Accuracy"}, [2, 3, 1]),
        ({"sort": "Accuracy", "ascending": True}, [1, 3, 2]),
        ({"sort": "Learning rate"}, [3, 1, 2]),
        ({"learning_rate": 0.1}, [2]),
        ({"learning_rate": [0.1, 0.01]}, [1, 2]),
        ({"learning_rate": lambda rate: rate < 0.05}, [1, 3]),
        ({"hidden_layers": (8,), "optimizer": "sgd"}, []),
    ],
)
def test_table_is_sorted_and_filtered(kept, options, numbers):
    assert kept.table(**options)["Exp"].tolist() == numbers


def test_numbers_and_words_sort_together(kept):
    kept.add(outcome(schedule="cosine", learning_rate=0.02))
    assert kept.table(sort="Learning rate")["Exp"].tolist() == [3, 1, 2, 4]


def test_more_settings_get_a_column(kept):
    kept.add(outcome(hidden_layers=(8, 8), dropout=(0.2, 0.1)))
    table = kept.table(more=("dropout", "max_norm", "learning_rate"))
    assert list(table.columns[-2:]) == ["dropout", "max_norm"]
    assert table["dropout"].tolist() == [0.0, 0.0, 0.0, "0.2, 0.1"]
    assert table["max_norm"].tolist() == ["none"] * 4


@pytest.mark.parametrize(
    "options", [{"sort": "Colour"}, {"more": ["colour"]}, {"colour": "blue"}], ids=str
)
def test_what_the_table_does_not_know_is_refused(kept, options):
    with pytest.raises(ValueError, match="olour.*expected one of"):
        kept.table(**options)


def test_markdown_is_a_table(kept):
    lines = kept.markdown(sort="Accuracy").splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[1].replace("|", "").split() == ["---"] * 8
    assert lines[2].split(" | ")[5:7] == ["0.1", "0.9000"]


def test_csv_gives_the_table_back(kept):
    import io

    import pandas as pd

    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(kept.csv())), kept.table())


def test_settings_that_vary_are_named(kept):
    assert kept.settings_that_vary() == ["learning_rate"]
    assert kept.settings_that_vary(learning_rate=0.1) == []


@pytest.fixture
def seeded(path):
    """Three experiments, of three, three and one seeds: the second is close to the best."""
    found = Record(path)
    for rate, accuracies in {0.1: (0.90, 0.94, 0.92), 0.2: (0.89, 0.93, 0.91)}.items():
        for seed, accuracy in enumerate(accuracies):
            found.add(outcome(accuracy, learning_rate=rate, seed=seed))
    found.add(outcome(0.5, learning_rate=0.3))
    return found


def test_spread_ranks_by_the_mean_over_seeds(seeded):
    spread = seeded.spread()
    assert spread["learning_rate"].tolist() == [0.1, 0.2, 0.3]
    assert spread["runs"].tolist() == [3, 3, 1]
    assert spread["mean"].tolist() == pytest.approx([0.92, 0.91, 0.5])
    assert spread["std"].tolist() == pytest.approx([0.02, 0.02, np.nan], nan_ok=True)
    assert spread["behind"].tolist() == pytest.approx([0, 0.01, 0.42])


def test_a_difference_within_the_spread_is_not_told_apart(seeded):
    assert seeded.spread()["told_apart"].tolist() == [None, False, None]


def test_a_difference_beyond_the_spread_is_told_apart(seeded):
    seeded.add(outcome(0.51, learning_rate=0.3, seed=1))
    assert seeded.spread()["told_apart"].tolist() == [None, False, True]


def test_spread_over_different_data_is_refused():
    outcomes = [outcome(), outcome(fingerprint="d" * 16)]
    with pytest.raises(ValueError, match="different data"):
        tables.spread(outcomes)


def test_plot_has_a_dot_for_each_seed_and_a_mean_for_each_value(seeded):
    ax = plt.subplots()[1]
    assert seeded.plot("learning_rate", ax=ax) is ax
    dots = [line.get_ydata().tolist() for line in ax.lines]
    assert dots == [[0.90, 0.94, 0.92], [0.89, 0.93, 0.91], [0.5]]
    means = [lines.get_segments()[0][0][1] for lines in ax.collections]
    assert means == pytest.approx([0.92, 0.91, 0.5])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.1", "0.2", "0.3"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "validation accuracy")


def test_plot_makes_axes_and_filters(seeded):
    ax = seeded.plot("seed", learning_rate=0.1)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2"]


def test_plot_of_no_setting_is_refused(seeded):
    with pytest.raises(ValueError, match="no setting"):
        seeded.plot("colour")
