"""The record of experiments: a table on disk that is only ever appended to.

One line of JSON for each outcome, written by a single system call on a file opened for appending.
The system puts such writes one behind the other, so that several processes may keep one record
without a lock, and a crash can cut off the last line but touch no other. (Windows and network disks
promise less: let one process write there.) A file for each row would be as safe, but one file can
be read, compared and handed in as it is.
"""

import dataclasses
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mnist_kit import tables
from mnist_kit.experiments import Experiment, LabelledImages, Outcome, run, train
from mnist_kit.files import FileError

VERSION = 1
# Ends a line that a crash cut off, so that the next line can begin; it makes the line no JSON.
_CUT_OFF = b" # cut off"


class RecordError(ValueError):
    """A record cannot be read, or would be spoilt by what was asked; the message says which."""


@dataclass(frozen=True)
class TestScore:
    """One use of test images: which experiment, trained on which data, measured on which, when."""

    __test__ = False  # its name is no invitation to pytest

    experiment: Experiment
    fingerprint: str
    test_fingerprint: str
    accuracy: float
    when: str

    def as_dict(self):
        """Return everything as JSON can hold it."""
        return dataclasses.asdict(self) | {"experiment": self.experiment.as_dict()}

    @classmethod
    def from_dict(cls, plain):
        """Make the score that `as_dict` described."""
        return cls(**(plain | {"experiment": Experiment.from_dict(plain["experiment"])}))


_KINDS = {"outcome": Outcome, "test": TestScore}


class Record:
    """The outcomes kept in one file.

    Parameters
    ----------
    path : str or Path
        Of the file, ``experiments.jsonl`` perhaps, which need not exist.
    mixed : bool
        Allow outcomes of several data sets, which otherwise is refused.
    """

    def __init__(self, path, *, mixed=False):
        self.path = Path(path)
        self.mixed = mixed
        self._said = None

    def outcomes(self):
        """Return every `Outcome`, in the order in which they were kept.

        Raises
        ------
        RecordError
            If a line is damaged, or of another version; it names file and line. A last line that
            a crash cut off is left out, and said so.
        """
        return [each for each in self._kept() if isinstance(each, Outcome)]

    def find(self, experiment, fingerprint, fold=None):
        """Return the outcomes of this experiment on the data of this fingerprint, often one."""
        return [
            outcome
            for outcome in self.outcomes()
            if outcome.experiment == experiment
            and outcome.fingerprint == fingerprint
            and outcome.fold == fold
        ]

    def add(self, outcome):
        """Append an `Outcome`.

        Raises
        ------
        RecordError
            If the record holds outcomes of other data, and is not `mixed`.
        FileError
            If the file cannot be written.
        """
        self.check_data(outcome.data, outcome.fingerprint)
        self._append("outcome", outcome)

    def run(self, experiment, data, *, fold=None, again=False):
        """Return the kept outcome of an experiment, which is run and kept if there is none.

        Parameters
        ----------
        experiment : Experiment
        data : LabelledImages
        fold : (int, int), optional
            As for `Experiment.fit`.
        again : bool
            Run it even if it was run before; the table then has both rows.
        """
        self.check_data(data.title, data.fingerprint)
        kept = self.find(experiment, data.fingerprint, fold)
        if kept and not again:
            return kept[-1]
        outcome = run(experiment, data, fold=fold)
        self.add(outcome)
        return outcome

    def test_score(self, experiment, data, test_images, test_labels, *, again=False):
        """Train a chosen experiment once more, measure it on test images, and record that.

        Parameters
        ----------
        experiment : Experiment
            Must be in the record: it is to be chosen by its validation accuracy.
        data : LabelledImages
            What it was trained on; the same seed gives the same model.
        test_images, test_labels : ndarray
            As for `LabelledImages`.
        again : bool
            Measure it even though that was done before.

        Returns
        -------
        float
            Test accuracy, 0 to 1.

        Raises
        ------
        RecordError
            If the experiment is not in the record, was measured before, or the test images are
            those it trained on.
        """
        if not self.find(experiment, data.fingerprint):
            raise RecordError(
                f"{self.path.name} holds no outcome of {experiment} on {data.title}; run it first, "
                "and choose by validation accuracy"
            )
        earlier = [
            score
            for score in self._test_scores()
            if (score.experiment, score.fingerprint) == (experiment, data.fingerprint)
        ]
        if earlier and not again:
            raise RecordError(
                f"{experiment} was measured on test images before ({earlier[0].when}, accuracy "
                f"{earlier[0].accuracy:.4f}). Test images serve once; again=True uses them once "
                "more, and records it"
            )
        test = LabelledImages(test_images, test_labels)
        if test.fingerprint == data.fingerprint:
            raise RecordError("the test images are the training images; give those kept apart")
        model, _ = train(experiment, data)
        _, accuracy = experiment.evaluate(model, test, all_images=True)
        self._append(
            "test",
            TestScore(experiment, data.fingerprint, test.fingerprint, accuracy, _now()),
        )
        return accuracy

    def test_scores(self):
        """Tabulate every use of test images: Exp, as in `table`, Test accuracy, When.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        numbers = {}
        for number, each in enumerate(self.outcomes(), start=1):
            if each.fold is None:
                numbers.setdefault((each.experiment, each.fingerprint), number)
        rows = [
            (numbers.get((each.experiment, each.fingerprint)), each.accuracy, each.when)
            for each in self._test_scores()
        ]
        return pd.DataFrame(rows, columns=["Exp", "Test accuracy", "When"])

    def table(self, *, sort=None, ascending=None, more=(), **where):
        """Tabulate the outcomes that fit `where`, as `tables.select` and `tables.table` say.

        Columns: Exp, Activation, Optimizer, Loss, Hidden layers, Learning rate, Accuracy (on
        validation images), Epochs.
        """
        numbered = tables.select(self.outcomes(), **where)
        return tables.table(numbered, sort=sort, ascending=ascending, more=more)

    def markdown(self, **options):
        """Return `table`, called with these options, as Markdown."""
        return tables.markdown(self.table(**options))

    def csv(self, **options):
        """Return `table`, called with these options, as comma-separated values."""
        return self.table(**options).to_csv(index=False, lineterminator="\n")

    def spread(self, **where):
        """Summarise the outcomes that fit over their seeds and folds; see `tables.spread`."""
        return tables.spread(list(tables.select(self.outcomes(), **where).values()))

    def settings_that_vary(self, **where):
        """List the settings with more than one value in the outcomes that fit."""
        return tables.settings_that_vary(tables.select(self.outcomes(), **where).values())

    def plot(self, setting, ax=None, **where):
        """Draw accuracy against a setting; see `tables.accuracy_by_setting`."""
        fitting = tables.select(self.outcomes(), **where).values()
        return tables.accuracy_by_setting(fitting, setting, ax=ax)

    def check_data(self, title, fingerprint):
        """Raise RecordError unless outcomes of these data may be kept here."""
        if self.mixed:
            return
        for outcome in self.outcomes():
            if outcome.fingerprint != fingerprint:
                raise RecordError(
                    f"{self.path.name} holds outcomes on {outcome.data} ({outcome.fingerprint}); "
                    f"these data are {title} ({fingerprint}), and accuracies on different data do "
                    "not compare. Choose another file, or Record(path, mixed=True)"
                )

    def _test_scores(self):
        return [each for each in self._kept() if isinstance(each, TestScore)]

    def _kept(self):
        """Read every whole line."""
        try:
            *lines, last = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RecordError(f"{self.path} cannot be read: {error.strerror}") from error
        if last and self._said != len(lines):
            self._said = len(lines)
            print(
                f"{self.path.name}: line {len(lines) + 1} was cut off in the middle of a write and "
                "is left out; all before it is kept."
            )
        return [
            self._parsed(line, number)
            for number, line in enumerate(lines, start=1)
            if line.strip() and not line.endswith(_CUT_OFF)
        ]

    def _parsed(self, line, number):
        """Read one line, or raise RecordError with its number."""
        place = f"{self.path}, line {number}"
        try:
            row = json.loads(line)
            version = row["version"]
            if version == VERSION:
                return _KINDS[row["kind"]].from_dict(row["kept"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RecordError(
                f"{place} is damaged ({type(error).__name__}: {error}); mend or delete that line, "
                "then try again"
            ) from error
        raise RecordError(
            f"{place} was written in version {version!r} of the table; this mnist_kit reads "
            f"version {VERSION}. Keep the file aside and begin another"
        )

    def _append(self, kind, kept):
        """Write one line, and nothing of it twice, in a single call."""
        row = {"version": VERSION, "when": _now(), "kind": kind, "kept": kept.as_dict()}
        line = json.dumps(row, allow_nan=False).encode() + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            file = os.open(self.path, flags, 0o666)
            try:
                line = _end_of_cut_off_line(file) + line
                written = os.write(file, line)
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise FileError(
                f"{self.path} could not be written: {error.strerror}. Mend that and run the "
                "experiment again."
            ) from error
        if written < len(line):
            raise FileError(
                f"{self.path} took only part of a line; is the disk full? All before it is kept: "
                "free some space and run the experiment again."
            )


def _end_of_cut_off_line(file):
    """Return what ends the last line of an open file, where a crash cut that off, or nothing."""
    if os.lseek(file, 0, os.SEEK_END) == 0:
        return b""
    os.lseek(file, -1, os.SEEK_END)
    return b"" if os.read(file, 1) == b"\n" else _CUT_OFF + b"\n"


def _now():
    return datetime.now(UTC).isoformat(timespec="seconds")
