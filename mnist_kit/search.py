"""Searches: lists of experiments, many of them run at once, halving, the spread over seeds.

Every outcome is kept in a `Record`; what it holds already is not run again.
"""

import dataclasses
import functools
import itertools
import json
import math
import statistics

import numpy as np

from mnist_kit import experiments as single
from mnist_kit import tables, trainings
from mnist_kit.experiments import Experiment, LabelledImages, Outcome
from mnist_kit.files import write_whole
from mnist_kit.runtime import usable_cores
from mnist_kit.settings import SPARSE


def grid(base=None, **choices):
    """List all combinations of choices, and point out those that are the same training.

    Parameters
    ----------
    base : Experiment, optional
        Gives all other settings; by default ``Experiment()``.
    **choices
        Values to try for each setting, such as ``hidden_layers=[(64,), (128,)]``.

    Returns
    -------
    list of Experiment
        No two alike; the last choice varies fastest. What was left out is printed.

    Raises
    ------
    ValueError
        If a name is no setting, a choice is empty, or a combination is impossible.
    """
    choices = {name: _values(name, values) for name, values in choices.items()}
    combinations = [
        dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())
    ]
    listed, repeated = {}, {}
    for wanted in combinations:
        experiment = dataclasses.replace(base or Experiment(), **wanted)
        twin, asked = listed.setdefault(_essence(experiment), (experiment, wanted))
        if asked is not wanted:
            without_effect = tuple(name for name in choices if wanted[name] != asked[name])
            repeated.setdefault(without_effect, []).append((wanted, asked))
    if repeated:
        print(f"{len(combinations)} combinations are {len(listed)} different trainings:")
    for names, pairs in repeated.items():
        wanted, asked = ({name: each[name] for name in names} for each in pairs[0])
        print(
            f"  {' and '.join(names)} changed nothing in {len(pairs)} of them; for example, "
            f"{_settings(wanted)} trains as {_settings(asked)} does"
            f"{_beside(pairs[0][0], names)}."
        )
    return [experiment for experiment, _ in listed.values()]


def sample(base=None, count=10, *, random_state=0, **choices):
    """Draw combinations at random, no two alike: the list of a random search.

    Parameters
    ----------
    base : Experiment, optional
        As for `grid`.
    count : int
        How many; where the choices do not have as many, fewer are drawn, and said so.
    random_state : int
        Seed of the draw.
    **choices
        For each setting its values, drawn with equal chances, or a distribution of
        `scipy.stats`, such as ``learning_rate=loguniform(1e-4, 1e-1)``.

    Returns
    -------
    list of Experiment
    """
    if count < 1:
        raise ValueError(f"count is {count}; expected at least 1")
    rng = np.random.default_rng(random_state)
    draws = {
        name: functools.partial(values.rvs, random_state=rng)
        if hasattr(values, "rvs")
        else functools.partial(_one_of, _values(name, values), rng)
        for name, values in choices.items()
    }
    drawn = {}
    for _ in range(100 * count):
        wanted = {name: draw() for name, draw in draws.items()}
        experiment = dataclasses.replace(base or Experiment(), **wanted)
        drawn.setdefault(_essence(experiment), experiment)
        if len(drawn) == count:
            break
    else:
        print(f"These choices gave {len(drawn)} different trainings, not {count}.")
    return list(drawn.values())


def run(experiments, data, record, *, folds=None, jobs=None, threads=1, cluster=None, seconds=None):
    """Run experiments, several at once, and keep every outcome.

    How many there are is printed first, and the minutes expected: from `seconds`, else from
    outcomes on these data in the record, else after the first ones, one for each job, have run.
    After a crash the next call goes on with what is missing.

    Parameters
    ----------
    experiments : sequence of Experiment
        Equal ones are run once.
    data : LabelledImages
    record : Record
        Beside its file a folder keeps the data and what each process has finished.
    folds : int, optional
        Cross-validate: run each experiment on so many stratified folds instead of once on its
        `validation_split`.
    jobs, threads, cluster
        As for `trainings.run`.
    seconds : float, optional
        Of one training, for the expected minutes alone.

    Returns
    -------
    list of Outcome
        In the order of `experiments`, fold by fold.

    Raises
    ------
    trainings.TrainingError
        If some failed; all others are kept.
    """
    record.check_data(data.title, data.fingerprint)
    wanted = [
        (experiment, fold)
        for experiment in dict.fromkeys(experiments)
        for fold in ([None] if folds is None else [(index, folds) for index in range(folds)])
    ]
    folder = record.path.with_name(f"{record.path.stem}-trainings").resolve()
    _gather(folder, wanted, data, record)
    held = _held(data, record)
    missing = [each for each in wanted if each not in held]
    jobs = jobs or max(1, usable_cores() // threads)
    kept = f", {len(wanted) - len(missing)} of them kept from before" if missing != wanted else ""
    print(f"{_count(len(wanted), 'training')}{kept}; {jobs} at a time.")
    tasks = _tasks(missing, data, folder) if missing else []
    together = functools.partial(
        trainings.run, _train, folder=folder, jobs=jobs, threads=threads, cluster=cluster
    )
    try:
        if seconds is None and not held:
            together(tasks[:jobs])
            _gather(folder, wanted, data, record)
            held, missing = _held(data, record), missing[jobs:]
        if missing:
            minutes = _expected_seconds(missing, held, jobs, seconds) / 60
            told = "Less than a minute" if minutes < 1 else f"About {minutes:.1f} minutes"
            print(f"{told} for {_count(len(missing), 'training')}.")
        together(tasks)
    finally:
        _gather(folder, wanted, data, record)
    held = _held(data, record)
    return [held[each] for each in wanted]


def halve(experiments, data, record, *, factor=3, **options):
    """Run successive halving: all experiments for few epochs, the best of them for more.

    Each round trains its experiments from the start, for `factor` times as many epochs as the
    round before, and passes on the best of `factor` by validation accuracy; the last round
    trains for as many epochs as the experiments ask for. Jamieson and Talwalkar, "Non-stochastic
    best arm identification and hyperparameter optimization", 2016.

    Parameters
    ----------
    experiments : sequence of Experiment
        All with the same number of epochs.
    data, record, **options
        As for `run`.
    factor : int
        At least 2.

    Returns
    -------
    list of Outcome
        Of the last round, best first.
    """
    experiments = list(dict.fromkeys(experiments))
    epochs = {experiment.epochs for experiment in experiments}
    if len(epochs) != 1:
        raise ValueError(f"epochs are {sorted(epochs)}; halving needs one number for all")
    if factor < 2:
        raise ValueError(f"factor is {factor}; expected at least 2")
    plan = _rounds(len(experiments), epochs.pop(), factor)
    spent, full = sum(count * each for count, each in plan), len(experiments) * plan[-1][1]
    steps = ", then ".join(f"{count} for {_count(each, 'epoch')}" for count, each in plan)
    print(f"Halving: {steps}; {spent} epochs in place of {full}.")
    for count, budget in plan:
        tried = [dataclasses.replace(each, epochs=budget) for each in experiments[:count]]
        outcomes = run(tried, data, record, **options)
        outcomes = _best_first(outcomes, tried)
        experiments = [experiment for experiment, _ in outcomes]
    return [outcome for _, found in outcomes for outcome in found]


def spread(experiments, data, record, *, seeds=3, **options):
    """Run each experiment with several seeds and summarise: the spread beside the winner.

    Parameters
    ----------
    experiments : sequence of Experiment
    seeds : int or sequence of int
        How many, counted from each experiment's own seed on, or which.
    data, record, **options
        As for `run`.

    Returns
    -------
    pandas.DataFrame
        As `tables.spread` returns it: best mean first, and which others are told apart from it.
    """
    repeated = [
        dataclasses.replace(experiment, seed=seed)
        for experiment in experiments
        for seed in (
            range(experiment.seed, experiment.seed + seeds) if isinstance(seeds, int) else seeds
        )
    ]
    return tables.spread(run(repeated, data, record, **options))


def _train(experiment, fold, data, title):
    """Run one experiment in a worker; the data lie in a file."""
    import keras

    keras.utils.clear_session()  # or the graphs of all trainings stay in this process's memory
    outcome = single.run(Experiment.from_dict(experiment), _loaded(data, title), fold=fold)
    return outcome.as_dict()


@functools.lru_cache(maxsize=1)
def _loaded(path, title):
    with np.load(path) as file:
        return LabelledImages(file["images"], file["labels"], title)


def _tasks(wanted, data, folder):
    """Write the data to a file for the workers; return what `_train` is called with."""
    path = folder / f"data-{data.fingerprint}.npz"
    if not path.exists():
        write_whole(
            path, lambda temporary: np.savez(temporary, images=data.images, labels=data.labels)
        )
    return [_task(experiment, fold, path, data.title) for experiment, fold in wanted]


def _task(experiment, fold, path, title):
    fold = None if fold is None else list(fold)
    return {"experiment": experiment.as_dict(), "fold": fold, "data": str(path), "title": title}


def _gather(folder, wanted, data, record):
    """Put into the record what processes finished and it does not hold, after a crash perhaps."""
    held, finished = _held(data, record), {}
    for path in folder.glob("*.json"):
        try:
            outcome = Outcome.from_dict(json.loads(path.read_text(encoding="utf-8"))["result"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # damaged, or another version's: trained again
        if outcome.fingerprint == data.fingerprint:
            finished[outcome.experiment, outcome.fold] = outcome
    for key in wanted:
        if key in finished and key not in held:
            record.add(finished[key])


def _held(data, record):
    """Return outcomes on these data by experiment and fold, the last of each."""
    return {
        (outcome.experiment, outcome.fold): outcome
        for outcome in record.outcomes()
        if outcome.fingerprint == data.fingerprint
    }


def _expected_seconds(missing, held, jobs, seconds):
    if seconds is None:
        an_epoch = statistics.median(each.seconds / each.epochs for each in held.values())
        each_takes = [experiment.epochs * an_epoch for experiment, _ in missing]
    else:
        each_takes = [seconds] * len(missing)
    return max(sum(each_takes) / jobs, max(each_takes))


def _rounds(count, epochs, factor):
    """List pairs of how many experiments run, and for how many epochs."""
    last = int(math.log(count, factor) + 1e-9)
    return [
        (max(1, count // factor**step), max(1, round(epochs / factor ** (last - step))))
        for step in range(last + 1)
    ]


def _best_first(outcomes, tried):
    """Pairs of experiment and its outcomes, one or as many as folds, by mean accuracy."""
    each = len(outcomes) // len(tried)
    found = [outcomes[start : start + each] for start in range(0, len(outcomes), each)]
    pairs = list(zip(tried, found, strict=True))
    return sorted(
        pairs, key=lambda pair: -statistics.fmean(one.validation_accuracy for one in pair[1])
    )


def _essence(experiment):
    """Return the experiment that stands for all that train exactly as this one does."""
    same = {}
    if experiment.loss == "categorical_crossentropy":
        same["loss"] = SPARSE  # the same loss, for labels in another form
    if experiment.epochs == 1:
        same |= {"schedule": "constant", "decay_rate": None, "patience": None}
    elif experiment.decay_rate == 1:
        same |= {"schedule": "constant", "decay_rate": None}
    return dataclasses.replace(experiment, **same)


def _values(name, values):
    """Return a setting's choices as a list of hashable values, each once; say what was twice."""
    if name not in tables.SETTINGS:
        raise ValueError(f"{name!r} is no setting; expected one of {', '.join(tables.SETTINGS)}")
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise ValueError(f"{name} is {values!r}; expected a list of values to try")
    values = [tuple(each) if isinstance(each, list) else each for each in values]
    if not values:
        raise ValueError(f"{name} has no value to try")
    for value in dict.fromkeys(values):
        if values.count(value) > 1:
            print(f"{name} lists {value!r} {values.count(value)} times; once is enough.")
    return list(dict.fromkeys(values))


def _one_of(values, rng):
    return values[rng.integers(len(values))]


def _settings(settings):
    return ", ".join(f"{name}={value!r}" for name, value in settings.items())


def _beside(wanted, names):
    others = {name: value for name, value in wanted.items() if name not in names}
    return f", beside {_settings(others)}" if others else ""


def _count(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
