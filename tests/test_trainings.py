"""Many trainings at once: same results at any number of jobs, and nothing lost on the way."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from mnist_kit import trainings


def square(x, log):
    """Return x squared, and note in a file that it was computed."""
    with open(log, "a") as file:
        file.write(f"{x}\n")
    return x * x


def process_number(x):
    return os.getpid()


def threads_seen(x):
    return os.environ["TF_NUM_INTRAOP_THREADS"]


def odd_only(x):
    if x % 2 == 0:
        raise ValueError(f"{x} is even")
    return x


def unwritable(x):
    return {1, 2}


def dies_once(x, marker):
    """Kill the own process at the first call, as the system does when memory runs out."""
    if x == 3 and not os.path.exists(marker):
        open(marker, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def dies(x):
    os.kill(os.getpid(), signal.SIGKILL)


def accuracy_after_training(seed):
    """Train a few steps of a real network."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(seed)
    x = np.random.random((64, 5)).astype("float32")
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, np.arange(64) % 3, epochs=2, verbose=0)
    return float(model.evaluate(x, np.arange(64) % 3, verbose=0))


@pytest.fixture
def log(tmp_path):
    return str(tmp_path / "log")


def computed(log):
    return sorted(int(line) for line in open(log)) if os.path.exists(log) else []


def squares(count, log):
    return [{"x": x, "log": log} for x in range(count)]


def test_results_come_in_the_order_of_the_tasks(tmp_path, log):
    assert trainings.run(square, squares(5, log), tmp_path / "kept", jobs=2) == [0, 1, 4, 9, 16]


def test_second_call_computes_nothing_again(tmp_path, log):
    for _ in range(2):
        trainings.run(square, squares(3, log), tmp_path / "kept", jobs=2)
    assert computed(log) == [0, 1, 2]


def test_more_tasks_run_only_what_is_new(tmp_path, log):
    trainings.run(square, squares(2, log), tmp_path / "kept", jobs=2)
    assert trainings.run(square, squares(4, log), tmp_path / "kept", jobs=2) == [0, 1, 4, 9]
    assert computed(log) == [0, 1, 2, 3]


def test_equal_tasks_are_computed_once(tmp_path, log):
    assert trainings.run(square, squares(2, log) * 3, tmp_path / "kept", jobs=2) == [0, 1] * 3
    assert computed(log) == [0, 1]


def test_another_function_shares_no_results(tmp_path):
    trainings.run(process_number, [{"x": 1}], tmp_path, jobs=1)
    assert trainings.run(odd_only, [{"x": 1}], tmp_path, jobs=1) == [1]


def test_a_damaged_result_is_computed_again(tmp_path, log):
    trainings.run(square, squares(1, log), tmp_path / "kept", jobs=1)
    [kept] = (tmp_path / "kept").glob("*.json")
    kept.write_text(kept.read_text()[:20])
    assert trainings.run(square, squares(1, log), tmp_path / "kept", jobs=1) == [0]
    assert computed(log) == [0, 0]


def test_processes_live_on_from_task_to_task(tmp_path):
    numbers = trainings.run(process_number, [{"x": x} for x in range(8)], tmp_path, jobs=2)
    assert len(set(numbers)) <= 2
    assert os.getpid() not in numbers


def test_kept_file_says_what_was_asked_and_how_long_it_took(tmp_path, log):
    trainings.run(square, squares(1, log), tmp_path / "kept", jobs=1)
    [kept] = (tmp_path / "kept").glob("*.json")
    written = json.loads(kept.read_text())
    assert written["task"] == {"x": 0, "log": log}
    assert written["seconds"] >= 0


@pytest.mark.parametrize("jobs", [1, 3])
def test_training_does_not_depend_on_the_number_of_jobs(tmp_path, jobs):
    tasks = [{"seed": seed} for seed in range(3)]
    alone = trainings.run(accuracy_after_training, tasks, tmp_path / "alone", jobs=1)
    assert trainings.run(accuracy_after_training, tasks, tmp_path / "beside", jobs=jobs) == alone
    assert len(set(alone)) == 3


@pytest.mark.parametrize("threads", [1, 2])
def test_processes_compute_with_the_threads_asked_for(tmp_path, threads):
    assert trainings.run(threads_seen, [{"x": 1}], tmp_path, threads=threads) == [str(threads)]


def test_failures_are_named_and_the_others_kept(tmp_path):
    tasks = [{"x": x} for x in range(1, 5)]
    with pytest.raises(trainings.TrainingError, match=r"2 of 4 .*\"x\": [24].* is even"):
        trainings.run(odd_only, tasks, tmp_path, jobs=2)
    assert trainings.run(odd_only, tasks[::2], tmp_path, jobs=2) == [1, 3]


def test_a_result_that_json_cannot_hold_is_a_failure(tmp_path):
    with pytest.raises(trainings.TrainingError, match="set is not JSON serializable"):
        trainings.run(unwritable, [{"x": 1}], tmp_path, jobs=1)


def test_a_killed_process_costs_only_its_own_task(tmp_path):
    tasks = [{"x": x, "marker": str(tmp_path / "marker")} for x in range(6)]
    assert trainings.run(dies_once, tasks, tmp_path / "kept", jobs=2) == list(range(6))


def test_processes_that_die_again_and_again_are_reported(tmp_path):
    with pytest.raises(trainings.TrainingError, match="died 3 times.* fewer jobs"):
        trainings.run(dies, [{"x": 1}], tmp_path, jobs=1)


@pytest.mark.parametrize("wrong", [{"jobs": 0}, {"threads": 0}])
def test_no_jobs_or_threads_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match="at least 1"):
        trainings.run(odd_only, [{"x": 1}], tmp_path, **wrong)


def test_a_task_that_json_cannot_hold_is_refused(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        trainings.run(odd_only, [{"x": {1}}], tmp_path, jobs=1)


SLOW = """
import sys, time
from mnist_kit import trainings

def wait(x, folder):
    open(f"{folder}/started-{x}", "a").close()
    while x >= 2 and not __import__("os").path.exists(f"{folder}/go"):
        time.sleep(0.01)
    with open(f"{folder}/log", "a") as file:
        file.write(f"{x}\\n")
    return x

if __name__ == "__main__":
    folder = sys.argv[1]
    tasks = [{"x": x, "folder": folder} for x in range(4)]
    print(trainings.run(wait, tasks, f"{folder}/kept", jobs=2))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_after_an_interruption_the_next_call_goes_on(tmp_path, how):
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    command = [sys.executable, str(script), str(tmp_path)]
    first = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while len(list((tmp_path / "kept").glob("[0-9a-f]*.json"))) < 2:
        assert time.monotonic() < deadline
    if how == signal.SIGKILL:
        os.killpg(first.pid, how)
    else:
        first.send_signal(how)
    first.communicate(timeout=60)
    (tmp_path / "go").touch()
    second = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert second.stdout == "[0, 1, 2, 3]\n"
    assert sorted((tmp_path / "log").read_text().split()) == ["0", "1", "2", "3"]
