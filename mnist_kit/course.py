"""Run the numbered notebooks, each in its own kernel, and keep the executed course as HTML.

An executed copy under build/course/ is the record of its run; the page beside it is made from it.
"""

import hashlib
import json
import logging
import os
import re
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from subprocess import DEVNULL

import nbformat
import psutil
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from mnist_kit import data, folders, pages
from mnist_kit.files import write_text_whole
from mnist_kit.runtime import usable_cores

_GIB = 2**30
_MEMORY_PER_KERNEL = 3 * _GIB


class CourseError(ValueError):
    """The course cannot be run as asked."""


@dataclass(frozen=True)
class Run:
    """What became of one notebook.

    `result` is "passed", "kept" (passed earlier, unchanged since), "failed", "stopped" or
    "not run"; `seconds` includes the start of the kernel; `data` names the data sets it loads.
    """

    name: str
    result: str
    seconds: float | None = None
    data: str = ""
    cores: int = 0
    error: str = ""
    fingerprint: str = ""


def find_notebooks(folder=None):
    """The numbered notebooks of a folder (default: the course's own), in order, as Paths."""
    folder = Path(folder or folders.notebooks_folder())
    found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise CourseError(
            f"{folder} holds no numbered notebook such as 01_digits.ipynb; "
            "run this in a checkout of the course"
        )
    return found


def select(paths, only):
    """The notebooks whose numbers `only` names, such as "2", "02,05" or "1-3,7"; None for all."""
    if only is None:
        return list(paths)
    wanted = set()
    for part in only.split(","):
        match = re.fullmatch(r"\s*(\d{1,2})(?:\s*-\s*(\d{1,2}))?\s*", part)
        if not match:
            raise CourseError(f"{part!r} is no notebook number; expected such as 2, 02,05 or 1-3,7")
        first, last = int(match[1]), int(match[2] or match[1])
        numbers = {int(path.name[:2]) for path in paths} & set(range(first, last + 1))
        if not numbers:
            there = ", ".join(path.name[:2] for path in paths)
            raise CourseError(f"there is no notebook {part.strip()}; there are {there}")
        wanted |= numbers
    return [path for path in paths if int(path.name[:2]) in wanted]


def default_jobs():
    """How many notebooks to run at once: one per two cores, and per 3 GiB of free memory."""
    by_memory = psutil.virtual_memory().available // _MEMORY_PER_KERNEL
    return max(1, min(usable_cores() // 2, by_memory))


def run_course(
    only=None, *, jobs=None, fresh=False, store=False, notebooks=None, target=None, console=None
):
    """Run notebooks and write the executed copies, their pages and the page of contents.

    A notebook that passed before is kept as long as its cells, the kit, its data and the main
    libraries are the same. After Ctrl-C the running kernels are stopped and every file is whole.

    Parameters
    ----------
    only : str, optional
        Which notebooks; see `select`.
    jobs : int, optional
        How many to run at once; see `default_jobs`.
    fresh : bool
        Run also what could be kept.
    store : bool
        Run everything selected and store the outputs in the notebooks themselves.
    notebooks, target : Path, optional
        The folder of notebooks, and the folder for the result. Default: the course's own.
    console : rich.console.Console, optional
        Where progress and the table go.

    Returns
    -------
    list of Run
        One for each notebook selected, in order.

    Raises
    ------
    CourseError
        If there are no such notebooks, or `jobs` is less than 1.
    mnist_kit.npz.DataError
        If a file of a data set is damaged.
    """
    if jobs is not None and jobs < 1:
        raise CourseError(f"jobs is {jobs}; expected 1 or more")
    console = console or Console()
    paths = find_notebooks(notebooks)
    target = Path(target or folders.build_folder() / "course")
    chosen = {path.stem: _read(path) for path in select(paths, only)}
    sources = _resolve_data(chosen.values())
    neighbours = _neighbours(paths)

    plan, runs = [], {}
    for path in paths:
        if path.stem not in chosen:
            continue
        job = _Job(path, chosen[path.stem], sources)
        earlier = None if fresh or store else _earlier(target, job)
        if earlier:
            runs[job.name] = earlier
        else:
            plan.append(job)

    def keep(job, run):
        _record(target, job, run)
        _write_page(target, job.path, neighbours)
        if store and run.result == "passed":
            save_outputs(job.path, job.notebook, run)
        runs[job.name] = run

    interrupted = _Crew(jobs or default_jobs(), console).run(plan, keep)
    for name, run in runs.items():
        if run.result == "kept":
            _write_page(target, paths[0].with_name(f"{name}.ipynb"), neighbours)
    _write_contents(target, paths)

    ordered = [runs.get(name, Run(name, "stopped")) for name in chosen]
    console.print(_table(ordered))
    if interrupted:
        done = sum(run.result in ("passed", "kept") for run in ordered)
        console.print(
            f"Stopped: {done} of {len(ordered)} notebooks are done and kept. "
            "The same command goes on from there."
        )
    console.print(f"Read the course: {target / 'index.html'}", soft_wrap=True, highlight=False)
    return ordered


def save_outputs(path, executed, run):
    """Store an executed notebook as its source, with what was measured and nothing personal.

    Raises CourseError where an output names a folder of this machine.
    """
    clean = nbformat.from_dict(executed)
    for cell in clean.cells:
        cell.metadata.pop("execution", None)
    kit = {**clean.metadata.get("mnist_kit", {})}
    kit.pop("run", None)
    kit["measured"] = {"seconds": round(run.seconds), "data": run.data, "cores": run.cores}
    clean.metadata = nbformat.from_dict(
        {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python", "file_extension": ".py"},
            "mnist_kit": kit,
        }
    )
    text = nbformat.writes(clean)
    for private in {str(Path.home()), str(path.parent.resolve().parent), sys.prefix}:
        if len(private) > 1 and private in text:
            raise CourseError(
                f"{path.name}: an output names {private}, a folder of this machine; "
                "nothing was stored. Change the cell so that it prints no path."
            )
    write_text_whole(path, text + "\n")


class _Job:
    """A notebook to run, with what its result depends on."""

    def __init__(self, path, notebook, sources):
        self.path, self.name, self.notebook = path, path.stem, notebook
        used = [source for dataset, source in sources.items() if _loads(notebook, dataset)]
        self.data = " and ".join(source.title for source in used)
        self.cells = sum(_is_executed(cell) for cell in notebook.cells)
        content = [
            [
                (cell.cell_type, cell.source, cell.metadata.get("tags", []))
                for cell in notebook.cells
            ],
            [source.fingerprint for source in used],
            [_version(name) for name in ("tensorflow", "keras", "numpy", "scikit-learn")],
            sys.version_info[:2],
            _kit_digest(),
        ]
        self.fingerprint = hashlib.sha256(json.dumps(content).encode()).hexdigest()


class _Crew:
    """Runs notebooks side by side in threads, each with a kernel of its own."""

    def __init__(self, size, console):
        self._size, self._console = size, console
        self._clients = set()
        self._stopping = threading.Event()

    def run(self, plan, keep):
        """Run every job, call `keep(job, run)` as each ends; True if Ctrl-C cut that short."""
        self._size = max(1, min(self._size, len(plan)))
        columns = (
            *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
            *(TextColumn("cells"), TimeElapsedColumn()),
        )
        with (
            Progress(*columns, console=self._console, transient=True) as progress,
            ThreadPoolExecutor(self._size) as pool,
        ):
            pending = {pool.submit(self._execute, job, progress): job for job in plan}
            try:
                while pending:
                    # Without a time-out Windows would not notice Ctrl-C here.
                    for future in wait(pending, 1, FIRST_COMPLETED).done:
                        job, run = pending.pop(future), future.result()
                        keep(job, run)
                        self._console.print(f"{job.name}: {run.result} in {run.seconds:.0f} s")
            except BaseException as error:
                self._stopping.set()
                pool.shutdown(wait=False, cancel_futures=True)
                for client in list(self._clients):
                    _kill(client)
                if not isinstance(error, KeyboardInterrupt):
                    raise
        return self._stopping.is_set()

    def _execute(self, job, progress):
        task = progress.add_task(job.name, total=job.cells)
        cores = max(1, usable_cores() // self._size)
        executed = 0

        def before(cell, cell_index):
            if self._stopping.is_set():
                raise RuntimeError("stopped")

        def begin(cell, cell_index):
            nonlocal executed
            executed += 1

        client = NotebookClient(
            job.notebook,
            timeout=None,
            kernel_name="python3",
            kernel_manager_class=_KernelOfThisPython,
            resources={"metadata": {"path": str(job.path.parent)}},
            record_timing=False,
            log=_silent,
            on_cell_start=before,
            on_cell_execute=begin,
            on_cell_executed=lambda **_: progress.advance(task),
        )
        self._clients.add(client)
        start, result, error = time.perf_counter(), "passed", ""
        try:
            # What a kernel writes beside its notebook's outputs would only tear the display.
            client.execute(env=_environment(cores), stdout=DEVNULL, stderr=DEVNULL)
        except CellExecutionError as failure:
            reason = str(failure.evalue).strip().partition("\n")[0]
            result, error = "failed", f"In [{executed}]: {failure.ename}: {reason}"
        except RuntimeError as failure:
            result, error = "failed", f"In [{executed}]: {failure} (is there enough memory?)"
        finally:
            self._clients.discard(client)
            progress.remove_task(task)
        seconds = time.perf_counter() - start
        return Run(job.name, result, seconds, job.data, cores, error, job.fingerprint)


class _ThisPython(KernelSpecManager):
    """Knows one kernel: the interpreter that runs this, whatever else is installed for the user."""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(**get_kernel_dict())


class _KernelOfThisPython(AsyncKernelManager):
    def _kernel_spec_manager_default(self):
        return _ThisPython()


_silent = logging.Logger("mnist_kit.course", level=logging.CRITICAL + 1)


def _kill(client):
    """End a kernel and all it started. Its thread notices and cleans up after it."""
    provisioner = getattr(client.km, "provisioner", None)
    pid = getattr(provisioner, "pid", None)
    if pid is None:
        return
    try:
        kernel = psutil.Process(pid)
        for process in [*kernel.children(recursive=True), kernel]:
            process.kill()
    except psutil.NoSuchProcess:
        pass


def _environment(cores):
    """The kernels' environment: a share of the cores, and no second search for the data."""
    environment = {
        "TF_NUM_INTRAOP_THREADS": str(cores),
        "OMP_NUM_THREADS": str(cores),
        **os.environ,
    }
    if environment.get("MNIST_KIT_SOURCE", "") in ("", "auto", "download"):
        environment["MNIST_KIT_SOURCE"] = "offline"
    if environment.get("MNIST_KIT_DATA"):  # relative to this folder, not to the notebooks'
        environment["MNIST_KIT_DATA"] = os.path.abspath(environment["MNIST_KIT_DATA"])
    return environment


def _resolve_data(notebooks):
    """Load what the notebooks load, so that a download happens once; sources by data set."""
    sources = {}
    for dataset in data.DATASETS:
        if any(_loads(notebook, dataset) for notebook in notebooks):
            getattr(data, f"load_{dataset}")()
            sources[dataset] = data.source_of(dataset)
    return sources


def _loads(notebook, dataset):
    call = f"load_{dataset}"
    return any(cell.cell_type == "code" and call in cell.source for cell in notebook.cells)


def _is_executed(cell):
    return cell.cell_type == "code" and bool(cell.source.strip())


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # tensorflow may be installed as tensorflow-cpu
        return None


def _kit_digest():
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(path):
    """A notebook without outputs, so that none of an older run can pass for this one's."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except (ValueError, AttributeError) as error:
        raise CourseError(f"{path} is no valid notebook: {error}") from error
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _record(target, job, run):
    kit = job.notebook.metadata.setdefault("mnist_kit", {})
    kit["run"] = {**asdict(run), "seconds": round(run.seconds, 1)}
    write_text_whole(target / job.path.name, nbformat.writes(job.notebook) + "\n")


def _recorded(target, name):
    """The executed copy and its Run, or (None, None)."""
    try:
        copy = nbformat.read(target / f"{name}.ipynb", as_version=4)
        return copy, Run(**copy.metadata["mnist_kit"]["run"])
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return None, None  # none, or not one of ours: the notebook is simply run


def _earlier(target, job):
    _, run = _recorded(target, job.name)
    if run and run.result == "passed" and run.fingerprint == job.fingerprint:
        return Run(**{**asdict(run), "result": "kept"})
    return None


def _neighbours(paths):
    names = [path.stem for path in paths]
    return dict(zip(names, zip([None, *names], [*names[1:], None], strict=False), strict=True))


def _write_page(target, path, neighbours):
    copy, _ = _recorded(target, path.stem)
    previous, following = neighbours[path.stem]
    page = pages.notebook_page(
        copy, path.stem, folder=path.parent, previous=previous, following=following
    )
    write_text_whole(target / f"{path.stem}.html", page)


def _write_contents(target, paths):
    rows = []
    for path in paths:
        _, recorded = _recorded(target, path.stem)
        run = recorded or Run(path.stem, "not run")
        title, sentence = pages.title_and_sentence(_read(path))
        page = (target / f"{path.stem}.html").exists()
        rows.append({**asdict(run), "title": title, "sentence": sentence, "page": page})
    write_text_whole(target / "index.html", pages.contents_page(rows))


def _table(runs):
    table = Table("Notebook")
    table.add_column("Seconds", justify="right")
    table.add_column("Result", overflow="fold")
    for run in runs:
        seconds = "" if run.seconds is None else f"{run.seconds:.0f}"
        result = {"kept": "kept: passed before, nothing changed"}.get(run.result, run.result)
        table.add_row(run.name, seconds, escape(f"{result}, {run.error}" if run.error else result))
    return table
