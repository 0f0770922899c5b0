"""Outcomes as people read them: the experiments table, Markdown, seeds' spread, a picture.

Nothing here reads or writes a file.
"""

import dataclasses
import math
import statistics

from mnist_kit.configuration import Experiment

COLUMNS = {  # of the table, and the setting that each shows
    "Exp": None,
    "Activation": "activation",
    "Optimizer": "optimizer",
    "Loss": "loss",
    "Hidden layers": "hidden_layers",
    "Learning rate": "learning_rate",
    "Accuracy": None,
    "Epochs": None,
}
SETTINGS = tuple(each.name for each in dataclasses.fields(Experiment))


def select(outcomes, **where):
    """Number outcomes from 1 and keep those that fit.

    Parameters
    ----------
    outcomes : sequence of Outcome
    **where
        Settings by name: a value, a list or set of values, or a function that says whether a
        value is wanted.

    Returns
    -------
    dict of int to Outcome
    """
    for name in where:
        _check_setting(name)
    return {
        number: outcome
        for number, outcome in enumerate(outcomes, start=1)
        if all(_fits(getattr(outcome.experiment, name), test) for name, test in where.items())
    }


def table(numbered, *, sort=None, ascending=None, more=()):
    """Tabulate numbered outcomes in the columns of `COLUMNS`; Accuracy is on validation images.

    Parameters
    ----------
    numbered : dict of int to Outcome
    sort : str, optional
        A column; by default the rows stand as given.
    ascending : bool, optional
        By default False for Accuracy and True for all others.
    more : sequence of str
        Settings that get a column of their own, such as "dropout", if they have none. Fold and Data
        have one wherever they tell rows apart.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    for name in more:
        _check_setting(name)
    more = [name for name in more if name not in COLUMNS.values()]
    rows = [_row(number, outcome, more) for number, outcome in numbered.items()]
    found = pd.DataFrame(rows, columns=[*COLUMNS, *more, "Fold", "Data"])
    for name in ("Fold", "Data"):
        if found[name].nunique() < 2:
            found = found.drop(columns=name)
    if sort is None:
        return found
    if sort not in found:
        raise ValueError(f"sort is {sort!r}; expected one of {', '.join(found)}")
    ascending = sort != "Accuracy" if ascending is None else ascending
    return found.sort_values(
        sort, ascending=ascending, kind="stable", ignore_index=True, key=_ranks
    )


def markdown(frame):
    """Write a table as Markdown, accuracies with four decimals."""
    rows = [frame.columns, ["---"] * len(frame.columns)]
    for values in frame.itertuples(index=False):
        rows.append([_written(*pair) for pair in zip(frame.columns, values, strict=True)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def settings_that_vary(outcomes):
    """List the names of settings with more than one value in these outcomes."""
    return _varying([outcome.experiment for outcome in outcomes])


def spread(outcomes):
    """Summarise outcomes over their seeds and folds, best mean first.

    Parameters
    ----------
    outcomes : sequence of Outcome
        All on the same data.

    Returns
    -------
    pandas.DataFrame
        A column for each setting that varies; then runs, mean, std (of one run, with n - 1), min
        and max of the validation accuracy; behind, the distance to the best mean; and told_apart:
        whether that distance is more than twice its standard error, which is the root of the sum
        of both std² / runs. It is None for the best itself and where one of the two ran once.

    Raises
    ------
    ValueError
        If the data differ.
    """
    import pandas as pd

    if len({outcome.fingerprint for outcome in outcomes}) > 1:
        raise ValueError("the outcomes are on different data, whose accuracies do not compare")
    groups = {}
    for outcome in outcomes:
        alike = dataclasses.replace(outcome.experiment, seed=0)
        groups.setdefault(alike, []).append(outcome.validation_accuracy)
    varying = _varying(groups)
    ranked = sorted(groups.items(), key=lambda item: -statistics.fmean(item[1]))
    return pd.DataFrame(
        [
            {name: _shown(getattr(experiment, name)) for name in varying}
            | _summary(scores, ranked[0][1])
            for experiment, scores in ranked
        ]
    )


def accuracy_by_setting(outcomes, setting, ax=None):
    """Draw accuracy against a setting: a dot for each outcome, a line at the mean of each value.

    Parameters
    ----------
    outcomes : sequence of Outcome
    setting : str
        Name of a field of `Experiment`.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    import numpy as np

    from mnist_kit import plots

    _check_setting(setting)
    groups = {}
    for outcome in outcomes:
        value = getattr(outcome.experiment, setting)
        groups.setdefault(value, []).append(outcome.validation_accuracy)
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=(5, 3.2))[1]
    values = sorted(groups, key=_order)
    for place, value in enumerate(values):
        scores = groups[value]
        aside = np.linspace(-0.12, 0.12, len(scores)) if len(scores) > 1 else [0]
        ax.plot(
            place + np.asarray(aside), scores, "o", color=plots.RIGHT, alpha=0.7, markersize=5,
            label="one training" if place == 0 else None,
        )  # fmt: skip
        ax.hlines(
            statistics.fmean(scores), place - 0.25, place + 0.25, color=plots.WRONG, linewidth=2,
            label="mean" if place == 0 else None,
        )  # fmt: skip
    ax.set_xticks(range(len(values)), [str(_shown(value)) for value in values])
    ax.set(
        xlabel=setting.replace("_", " "),
        ylabel="validation accuracy",
        xlim=(-0.5, len(values) - 0.5),
    )
    ax.spines[["top", "right"]].set_visible(False)
    if values:
        ax.legend(fontsize=8)
    return ax


def layers_in_words(hidden_layers):
    """Write hidden layers as the table does: "2 x 128", "128, 64", or "none"."""
    if not hidden_layers:
        return "none"
    if len(set(hidden_layers)) == 1:
        return f"{len(hidden_layers)} x {hidden_layers[0]}"
    return ", ".join(map(str, hidden_layers))


def _row(number, outcome, more):
    experiment = outcome.experiment
    shown = {
        "Exp": number,
        "Activation": experiment.activation or "none",
        "Hidden layers": layers_in_words(experiment.hidden_layers),
        "Learning rate": _learning_rate(experiment),
        "Accuracy": outcome.validation_accuracy,
        "Epochs": outcome.epochs,
        "Fold": f"{outcome.fold[0] + 1} of {outcome.fold[1]}" if outcome.fold else "none",
        "Data": outcome.data,
    }
    named = {column: getattr(experiment, name) for column, name in COLUMNS.items() if name}
    return named | shown | {name: _shown(getattr(experiment, name)) for name in more}


def _learning_rate(experiment):
    """Return the rate as a number where it is constant, else in words."""
    if experiment.schedule == "constant":
        return experiment.learning_rate
    if experiment.schedule == "cosine":
        return f"{experiment.learning_rate:g}, cosine"
    return f"{experiment.learning_rate:g} x {experiment.decay_rate:g}^epoch"


def _shown(value):
    """Give a setting the form of a table's cell, which no tuple or None has."""
    if isinstance(value, tuple):
        return layers_in_words(value)
    return "none" if value is None else value


def _written(column, cell):
    if column in ("Accuracy", "mean", "std", "min", "max", "behind"):
        return f"{cell:.4f}"
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def _summary(scores, best):
    """Return one row's figures beside the best one's."""
    behind = statistics.fmean(best) - statistics.fmean(scores)
    told_apart = None
    if scores is not best and min(len(scores), len(best)) > 1:
        squares = (statistics.variance(each) / len(each) for each in (best, scores))
        told_apart = behind > 2 * math.sqrt(sum(squares))
    return {
        "runs": len(scores),
        "mean": statistics.fmean(scores),
        "std": statistics.stdev(scores) if len(scores) > 1 else math.nan,
        "min": min(scores),
        "max": max(scores),
        "behind": behind,
        "told_apart": told_apart,
    }


def _varying(experiments):
    return [name for name in SETTINGS if len({getattr(each, name) for each in experiments}) > 1]


def _order(value):
    """Order settings of mixed kinds: none, numbers, tuples by length, words."""
    if value is None:
        return (0, 0)
    if isinstance(value, tuple):
        return (2, (len(value), *value))
    return (3, value) if isinstance(value, str) else (1, value)


def _ranks(column):
    """Rank the values of a column, which may hold numbers and words."""
    ranked = {value: rank for rank, value in enumerate(sorted(set(column), key=_order))}
    return column.map(ranked)


def _fits(value, test):
    if callable(test):
        return bool(test(value))
    return value in test if isinstance(test, list | set | frozenset) else value == test


def _check_setting(name):
    if name not in SETTINGS:
        raise ValueError(f"{name!r} is no setting; expected one of {', '.join(SETTINGS)}")
