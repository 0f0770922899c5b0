"""The tf.data pipelines: endless, batched, shuffled for training and in order for evaluation."""

import itertools

import numpy as np
import pytest

from mnist_kit.pipelines import evaluation_pipeline, training_pipeline
from mnist_kit.runtime import set_seeds


def first_labels(dataset, batches):
    return np.concatenate([y for _, y in itertools.islice(dataset.as_numpy_iterator(), batches)])


@pytest.fixture
def data():
    labels = np.arange(10)
    return np.repeat(labels[:, None], 3, axis=1), labels


def test_images_stay_with_their_labels(data):
    images, labels = next(training_pipeline(*data, batch_size=5).as_numpy_iterator())
    assert (images == labels[:, None]).all()


@pytest.mark.parametrize("pipeline", [training_pipeline, evaluation_pipeline])
def test_pipelines_never_end(pipeline, data):
    assert len(first_labels(pipeline(*data, batch_size=5), 7)) == 35


def test_training_batches_are_all_full(data):
    batches = itertools.islice(training_pipeline(*data, batch_size=4).as_numpy_iterator(), 9)
    assert {len(labels) for _, labels in batches} == {4}


def test_training_order_is_shuffled(data):
    set_seeds(1)
    shuffled = first_labels(training_pipeline(*data, batch_size=10), 1).tolist()
    assert sorted(shuffled) == list(range(10)) != shuffled


def test_shuffle_buffer_of_one_keeps_the_order(data):
    kept = first_labels(training_pipeline(*data, batch_size=10, shuffle_buffer=1), 1)
    assert kept.tolist() == list(range(10))


def test_seeds_make_the_order_repeatable(data):
    orders = []
    for seed in (1, 1, 2):
        set_seeds(seed)
        orders.append(first_labels(training_pipeline(*data, batch_size=10), 2).tolist())
    assert orders[0] == orders[1] != orders[2]


def test_evaluation_keeps_the_order_and_starts_anew(data):
    labels = first_labels(evaluation_pipeline(*data, batch_size=5), 3)
    assert labels.tolist() == [*range(10), *range(5)]


@pytest.mark.parametrize("batch_size", [0, 11])
def test_a_batch_size_that_cannot_be_filled_is_refused(data, batch_size):
    with pytest.raises(ValueError, match="batch_size"):
        training_pipeline(*data, batch_size=batch_size)


def test_unequal_numbers_of_images_and_labels_are_refused(data):
    with pytest.raises(ValueError, match="10 images but 9 labels"):
        evaluation_pipeline(data[0], data[1][:9], batch_size=2)
