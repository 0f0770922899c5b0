"""The learning-rate schedules."""

import pytest

from mnist_kit.schedules import decay_per_epoch, one_cycle, staircase


def test_rate_falls_by_0_6_each_epoch_from_0_01():
    assert [decay_per_epoch(epoch) for epoch in range(3)] == pytest.approx([0.01, 0.006, 0.0036])


def test_initial_rate_and_decay_can_be_chosen():
    assert decay_per_epoch(2, initial_learning_rate=1.0, decay_rate=0.5) == 0.25


def test_negative_epochs_are_refused():
    with pytest.raises(ValueError, match="counts from 0"):
        decay_per_epoch(-1)


def test_staircase_stays_level_then_falls_at_once():
    rates = [float(staircase()(step)) for step in (0, 99_999, 100_000)]
    assert rates == pytest.approx([0.1, 0.1, 0.096])


def test_each_value_of_the_staircase_counts():
    rate = staircase(initial_learning_rate=1.0, decay_steps=10, decay_rate=0.5)
    assert [float(rate(step)) for step in (9, 10, 20)] == pytest.approx([1, 0.5, 0.25])


def test_one_cycle_rises_from_a_tenth_to_its_peak_and_falls_to_nothing():
    rate = one_cycle(0.04, 100)
    rates = [float(rate(step)) for step in (0, 25, 100)]
    assert rates == pytest.approx([0.004, 0.04, 0], abs=1e-8)


def test_one_cycle_is_halfway_down_in_the_middle_of_its_fall():
    assert float(one_cycle(0.04, 100, warmup=0.5)(75)) == pytest.approx(0.02)


def test_one_cycle_may_start_at_its_peak():
    assert float(one_cycle(0.04, 100, warmup=0)(0)) == pytest.approx(0.04)


def test_one_cycle_must_leave_steps_to_fall():
    with pytest.raises(ValueError, match="warmup is 1"):
        one_cycle(0.04, 100, warmup=1)
