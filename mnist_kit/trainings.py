"""Many trainings at once: on the cores of this machine, or on a Dask cluster.

For seed spreads, grids and ladders. Each finished training is written to a file of its own at
once, by the process that ran it, so that a crash or Ctrl-C loses only what was half done and the
next call goes on from there. What is trained is the caller's function; nothing here knows Keras.
"""

import hashlib
import inspect
import json
import time
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from mnist_kit.files import write_text_whole
from mnist_kit.runtime import usable_cores

ATTEMPTS = 3
_THREAD_VARIABLES = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


class TrainingError(RuntimeError):
    """Some trainings failed; the message names the first, and the others are kept."""


def run(function, tasks, folder, *, jobs=None, threads=1, cluster=None):
    """Call ``function(**task)`` for every task, several at once, and keep each result.

    The result of a task does not depend on `jobs`, if the function sets its seeds: every process
    computes with `threads` threads, however many run beside it.

    Parameters
    ----------
    function : callable
        Returns what JSON can hold. Its processes live on from task to task: import TensorFlow
        inside it, and keep data in a `functools.cache`, and both are loaded once in each. Such a
        cache has to stand in a module, not in a notebook's cell, to be found by the processes.
    tasks : sequence of dict
        Keyword arguments that JSON can hold; equal ones are trained once.
    folder : path
        Holds a file for each finished task. A second call, after a crash or with more tasks,
        runs only what is missing there; a change of the function's source makes all of it new.
    jobs : int, optional
        Processes; by default the cores of this machine divided by `threads`.
    threads : int
        Of each process on this machine; Dask's workers bring their own setting.
    cluster : str, optional
        Address of a Dask scheduler, such as ``"tcp://10.0.0.7:8786"``, whose workers are used
        instead of this machine's processes. They must see `folder`, on a shared disk.

    Returns
    -------
    list
        Results in the order of `tasks`.

    Raises
    ------
    ValueError
        If `jobs` or `threads` is less than 1, or a task is no JSON.
    TrainingError
        If the function raised, all other tasks having been run first; or if the processes died
        again and again, or could not be given the function.
    """
    for name, value in {"jobs": jobs, "threads": threads}.items():
        if value is not None and value < 1:
            raise ValueError(f"{name} is {value}; expected at least 1")
    folder = Path(folder)
    paths = [folder / f"{_key(function, task)}.json" for task in tasks]
    missing = {path: task for path, task in zip(paths, tasks, strict=True) if _read(path) is None}
    failures = {}
    with _progress(len(set(paths)), len(set(paths)) - len(missing)) as advance:
        for attempt in range(ATTEMPTS):
            if not missing:
                break
            try:
                with _executor(jobs, threads, cluster) as submit:
                    futures = {
                        submit(_work, function, task, str(path)): path
                        for path, task in missing.items()
                    }
                    for future in as_completed(futures):
                        failure = future.result()
                        if failure is not None:
                            failures[futures[future]] = failure
                        advance()
                break
            except BrokenProcessPool as error:
                # One process was killed, by the system for want of memory perhaps, and the pool
                # died with it: what is still missing gets a new one.
                if attempt == ATTEMPTS - 1:
                    reason = str(error).partition("\n")[0]
                    raise TrainingError(
                        f"the processes died {ATTEMPTS} times ({reason}); finished trainings are "
                        f"kept in {folder}. Where memory ran out, ask for fewer jobs"
                    ) from error
                missing = {
                    path: task
                    for path, task in missing.items()
                    if path not in failures and _read(path) is None
                }
    if failures:
        path, failure = next(iter(failures.items()))
        raise TrainingError(
            f"{len(failures)} of {len(set(paths))} trainings failed; the others are kept in "
            f"{folder}. The first, {json.dumps(missing[path])}, stopped with {failure}"
        )
    return [_read(path) for path in paths]


def _work(function, task, path):
    """Run one task in a worker and write its result; return None, or what went wrong in words."""
    started = time.perf_counter()
    try:
        result = function(**task)
        kept = {"task": task, "result": result, "seconds": time.perf_counter() - started}
        text = json.dumps(kept, indent=1)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    write_text_whole(path, text)
    return None


def _key(function, task):
    """Name a task by its arguments and by the source of what is done with them."""
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):  # typed at a prompt, or compiled
        source = f"{function.__module__}.{function.__qualname__}"
    try:
        text = json.dumps([source, task], sort_keys=True)
    except TypeError as error:
        raise ValueError(f"a task must be something JSON can hold: {error}") from error
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _read(path):
    """Return the kept result, or None where there is none or the file is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["result"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def _executor(jobs, threads, cluster):
    """Give a `submit` as in `concurrent.futures`; what is unfinished at the end is given up."""
    if cluster is None:
        from joblib.externals.loky import get_reusable_executor

        # Variables have to be set before a process starts: TensorFlow counts its threads once.
        executor = get_reusable_executor(
            max_workers=jobs or max(1, usable_cores() // threads),
            timeout=600,
            env=dict.fromkeys(_THREAD_VARIABLES, str(threads)),
        )
        try:
            yield executor.submit
        except BaseException:
            executor.shutdown(wait=False, kill_workers=True)
            raise
        return
    from distributed import Client

    with Client(cluster, set_as_default=False) as client, client.get_executor() as executor:
        yield executor.submit


@contextmanager
def _progress(total, done):
    """Show a bar in a terminal, and nothing in files and notebooks."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("trainings", total=total, completed=done)
        yield lambda: bar.advance(task)
