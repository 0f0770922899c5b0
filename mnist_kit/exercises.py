"""Checks of the notebooks' exercises: hints in words, and no traceback in a student's way.

A check is a generator that is given the student's answer and yields pairs: is it right, and the
hint to print where it is not. Nothing here decides a mark.
"""

import functools

EMPTY = "The answer is still empty."


class Unfinished(AssertionError):
    """An exercise that had to pass did not; the message names it and gives the hint."""


def exercise(title):
    """Turn a generator of (is it right, hint) into a check that prints its finding.

    The check stops at the first hint. Called with ``must_pass=True``, as the solutions are, it
    raises `Unfinished` instead of printing one.

    Parameters
    ----------
    title : str
        Number and name of the exercise, which each message begins with.

    Examples
    --------
    >>> @exercise("Exercise 0.1 · Double it")
    ... def check_double(double):
    ...     yield double(2) == 4, "double(2) should be 4"
    >>> check_double(lambda x: x + 2)
    Exercise 0.1 · Double it: passed.
    """

    def decorate(conditions):
        @functools.wraps(conditions)
        def check(answer, *, must_pass=False):
            hint = _first_hint(conditions, answer)
            if hint is None:
                print(f"{title}: passed.")
            elif must_pass:
                raise Unfinished(f"{title}: {hint}")
            else:
                print(f"{title}: not yet. {hint}")

        return check

    return decorate


def _first_hint(conditions, answer):
    if answer is None or answer is ... or _is_unwritten(answer):
        return EMPTY
    try:
        for is_right, hint in conditions(answer):
            if not is_right:
                return hint
    except NotImplementedError:
        return EMPTY
    except Exception as error:  # whatever a student's code may raise becomes a hint
        if "NoneType" in str(error):
            return "There is None where a value should be. Does the function return its result?"
        first_line = str(error).strip().partition("\n")[0]
        return f"It stopped with {type(error).__name__}: {first_line[:200]}"
    return None


def _is_unwritten(answer):
    """Tell whether a function's body is nothing but ``...``, with or without a docstring."""

    def bare(): ...

    def documented():
        """Document only."""
        ...

    code = getattr(answer, "__code__", None)
    if code is None or not set(code.co_consts) <= {None, answer.__doc__}:
        return False
    return code.co_code in (bare.__code__.co_code, documented.__code__.co_code)
