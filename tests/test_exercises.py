"""Checks of exercises give hints in words and never a traceback."""

import pytest

from mnist_kit.exercises import Unfinished, exercise


@exercise("Exercise 0.1 · Double it")
def check_double(double):
    yield double(2) == 4, "double(2) should be 4."
    yield double(0.5) == 1, "double should take fractions, too."


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        (lambda x: 2 * x, "passed."),
        (lambda x: x + 1, "not yet. double(2) should be 4."),
        (lambda x: 2 * int(x), "not yet. double should take fractions, too."),
        (None, "not yet. The answer is still empty."),
        (..., "not yet. The answer is still empty."),
        (lambda x: 3, "not yet. double(2) should be 4."),
        (lambda x: x / 0, "not yet. It stopped with ZeroDivisionError: division by zero"),
    ],
)
def test_finding_is_printed_in_words(answer, finding, capsys):
    check_double(answer)
    assert capsys.readouterr().out == f"Exercise 0.1 · Double it: {finding}\n"


def test_unfinished_answer_fails_by_name_where_it_must_pass():
    with pytest.raises(Unfinished, match="Exercise 0.1 · Double it: double"):
        check_double(lambda x: 3, must_pass=True)


def test_right_answer_passes_where_it_must(capsys):
    check_double(lambda x: 2 * x, must_pass=True)
    assert "passed" in capsys.readouterr().out


def test_unwritten_function_counts_as_empty(capsys):
    def double(x):
        raise NotImplementedError

    check_double(double)
    assert "still empty" in capsys.readouterr().out


def test_function_with_no_body_counts_as_empty(capsys):
    def double(x):
        """Return twice x."""
        ...

    check_double(double)
    assert "still empty" in capsys.readouterr().out


def test_result_that_is_not_returned_is_pointed_out(capsys):
    @exercise("Exercise 0.2 · Sum")
    def check_sum(total):
        yield total([1, 2]).real == 3, "1 and 2 make 3."

    def total(values):
        sum(values)

    check_sum(total)
    assert "Does the function return its result?" in capsys.readouterr().out


def test_long_error_is_cut_to_its_first_line(capsys):
    def double(x):
        raise ValueError("too long\n" + "a traceback\n" * 100)

    check_double(double)
    assert capsys.readouterr().out.endswith("It stopped with ValueError: too long\n")
