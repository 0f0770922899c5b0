"""The table of results: one row for each model and data set, however often and from where."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import pytest

from mnist_kit import results

ROW = results.Row("MLP", "MNIST", 111_146, 10, 9.5, 0.99, 0.975)


def test_kept_row_is_found_again(tmp_path):
    results.keep(ROW, tmp_path)
    assert results.find("MLP", "MNIST", tmp_path) == ROW


def test_missing_row_is_none(tmp_path):
    assert results.find("MLP", "MNIST", tmp_path) is None


def test_second_run_replaces_the_row(tmp_path):
    results.keep(ROW, tmp_path)
    results.keep(replace(ROW, test_accuracy=0.98), tmp_path)
    assert results.table(folder=tmp_path)["test_accuracy"].tolist() == [0.98]


def test_data_sets_are_kept_apart(tmp_path):
    results.keep(ROW, tmp_path)
    results.keep(replace(ROW, data="CIFAR-10"), tmp_path)
    assert results.table("MNIST", tmp_path)["data"].tolist() == ["MNIST"]
    assert len(results.table(folder=tmp_path)) == 2


def test_table_starts_with_the_smallest_model(tmp_path):
    results.keep(ROW, tmp_path)
    results.keep(replace(ROW, model="softmax regression", parameters=7_850), tmp_path)
    assert results.table("MNIST", tmp_path)["model"].tolist() == ["softmax regression", "MLP"]


def test_empty_table_has_all_columns(tmp_path):
    assert list(results.table(folder=tmp_path)) == list(ROW.__dataclass_fields__)


def test_processes_side_by_side_lose_no_row(tmp_path):
    rows = [replace(ROW, model=f"model {i}") for i in range(20)]
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(results.keep, rows, [tmp_path] * len(rows)))
    assert len(results.table(folder=tmp_path)) == 20


def test_results_stand_in_the_build_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "build_folder", lambda: tmp_path)
    results.keep(ROW)
    assert (tmp_path / "results" / "mnist--mlp.json").exists()


@pytest.mark.parametrize("text", ["", "{}", '{"model": "MLP"', '{"model": "MLP", "size": 3}'])
def test_damaged_row_is_named(tmp_path, text):
    results.keep(ROW, tmp_path)
    (tmp_path / "mnist--mlp.json").write_text(text)
    with pytest.raises(ValueError, match="mnist--mlp.json holds no result"):
        results.table(folder=tmp_path)


@pytest.mark.parametrize(
    "wrong", [{"test_accuracy": 97.5}, {"train_accuracy": -1}, {"epochs": 0}, {"seconds": -1}]
)
def test_impossible_results_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(ROW, **wrong)
