"""Figures that judge predictions."""

import numpy as np
import pytest

from mnist_kit import evaluation

# Four images of three classes: one 2 is taken for a 0, and the 1 is nearly missed.
Y_TRUE = np.array([0, 1, 2, 2])
PROBABILITIES = np.array([[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7], [0.7, 0.2, 0.1]])


def test_accuracy_is_the_share_of_right_images():
    assert evaluation.accuracy(Y_TRUE, PROBABILITIES) == 0.75


def test_labels_in_a_column_count_the_same():
    assert evaluation.accuracy(Y_TRUE[:, None], PROBABILITIES) == 0.75


def test_precision_and_recall_of_each_class():
    table = evaluation.per_class(Y_TRUE, PROBABILITIES)
    assert table["precision"].tolist() == [0.5, 1, 1]
    assert table["recall"].tolist() == [1, 1, 0.5]
    assert table["images"].tolist() == [1, 1, 2]


def test_classes_bear_their_names():
    table = evaluation.per_class(Y_TRUE, PROBABILITIES, names=["cat", "dog", "ship"])
    assert list(table.index) == ["cat", "dog", "ship"]


def test_counts_have_a_row_for_each_true_class():
    matrix = evaluation.confusion_matrix(Y_TRUE, PROBABILITIES)
    assert matrix.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]


def test_rows_sum_to_one():
    matrix = evaluation.confusion_matrix(Y_TRUE, PROBABILITIES, show="by row")
    assert matrix[2].tolist() == [0.5, 0, 0.5]


def test_errors_leave_out_what_was_right():
    matrix = evaluation.confusion_matrix(Y_TRUE, PROBABILITIES, show="errors")
    assert matrix.tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]


def test_unknown_kind_of_matrix_is_refused():
    with pytest.raises(ValueError, match="by row"):
        evaluation.confusion_matrix(Y_TRUE, PROBABILITIES, show="columns")


def test_a_class_that_is_told_apart_perfectly_has_area_one():
    areas = {curve.name: curve.area for curve in evaluation.roc_curves(Y_TRUE, PROBABILITIES)}
    assert areas == {"0": 1.0, "1": 1.0, "2": pytest.approx(0.625)}


def test_roc_curves_bear_names():
    curves = evaluation.roc_curves(Y_TRUE, PROBABILITIES, names=["a", "b", "c"])
    assert [curve.name for curve in curves] == ["a", "b", "c"]


def test_roc_of_one_class_alone_is_refused():
    with pytest.raises(ValueError, match="at least two"):
        evaluation.roc_curves(np.zeros(4, int), PROBABILITIES)


def test_worst_mistake_gives_the_truth_least_belief():
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8]])
    worst = evaluation.worst_mistakes(np.array([1, 1, 1]), probabilities)
    assert worst.tolist() == [1, 0]


def test_no_more_mistakes_than_asked_for():
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1]])
    assert len(evaluation.worst_mistakes(np.array([1, 1]), probabilities, count=1)) == 1


def test_asking_for_no_mistakes_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        evaluation.worst_mistakes(Y_TRUE, PROBABILITIES, count=0)


@pytest.mark.parametrize(
    ("y_true", "probabilities", "complaint"),
    [
        (Y_TRUE[:3], PROBABILITIES, "expected"),
        (np.array([0, 1, 2, 3]), PROBABILITIES, "0 to 3; expected 0 to 2"),
        (np.array([0, 1, 2, -1]), PROBABILITIES, "-1"),
        (Y_TRUE.astype(float), PROBABILITIES, "integer"),
        (Y_TRUE, np.log(PROBABILITIES), "sum to 1"),
        (Y_TRUE, PROBABILITIES.argmax(axis=1), "classes"),
        (Y_TRUE[:0], PROBABILITIES[:0], "expected"),
    ],
)
def test_what_does_not_fit_is_refused(y_true, probabilities, complaint):
    with pytest.raises(ValueError, match=complaint):
        evaluation.accuracy(y_true, probabilities)


def test_a_wrong_number_of_names_is_refused():
    with pytest.raises(ValueError, match="2 names for 3"):
        evaluation.per_class(Y_TRUE, PROBABILITIES, names=["a", "b"])
