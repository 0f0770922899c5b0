"""The command `mnist-kit`. What the commands do lives in the modules they import when called."""

import subprocess
import sys
from contextlib import redirect_stdout
from enum import StrEnum
from importlib import metadata
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mnist_kit import folders

app = typer.Typer(
    help="A course in neural networks on handwritten digits.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="Say where the data sets come from, fetch them, verify them.")
app.add_typer(data_app, name="data", invoke_without_command=True)


def main():
    """Run the command line; the kit's own errors become one line and exit status 1."""
    try:
        app()
    except Exception as error:
        if not type(error).__module__.startswith("mnist_kit."):
            raise
        print(f"mnist-kit: {error}", file=sys.stderr)
        sys.exit(1)


def _version(asked: bool):
    if asked:
        print(metadata.version("mnist-kit"))
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
):
    pass


@app.command()
def course(
    only: Annotated[
        str | None, typer.Option(help="Numbers of notebooks, such as 02,05 or 1-3.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Notebooks at once. [default: one per two cores]")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run what could be kept, too.")] = False,
    store: Annotated[
        bool, typer.Option("--store", help="Store the outputs in the notebooks (maintainers).")
    ] = False,
):
    """Run the notebooks and write the course as HTML."""
    from mnist_kit.course import run_course

    results = {run.result for run in run_course(only, jobs=jobs, fresh=fresh, store=store)}
    if "stopped" in results:
        raise typer.Exit(130)
    if "failed" in results:
        raise typer.Exit(1)


@data_app.callback()
def data_list(context: typer.Context):
    if context.invoked_subcommand:
        return
    from mnist_kit import data

    for name, dataset in data.DATASETS.items():
        _print_places(f"{dataset.title}, in the order of the search", data.status(name))


@data_app.command()
def fetch(names: Annotated[list[str] | None, typer.Argument(help="mnist, cifar10")] = None):
    """Download data sets into the kit's folder. Default: mnist."""
    from mnist_kit import data

    for name in names or ["mnist"]:
        print(f"{name}: {data.fetch(name)}")


@data_app.command()
def verify(
    target: Annotated[str | None, typer.Argument(help="mnist, cifar10, a file or a folder")] = None,
):
    """Read every file found in full and check it. Default: both data sets."""
    from mnist_kit import data

    targets = list(data.DATASETS) if target is None else [target]
    places = [place for each in targets for place in data.verify(each)]
    if not places:
        print("Nothing to verify: no file of a data set was found.")
        return
    _print_places("Verified", places)
    if any(place.state != "found" for place in places):
        raise typer.Exit(1)


@app.command()
def doctor():
    """Check versions, machine and data; say what to do about what is wrong."""
    from mnist_kit.doctor import examine

    table = Table("", "Subject", box=None)
    table.add_column("Found", overflow="fold")
    table.add_column("What to do", overflow="fold")
    failed = False
    for finding in examine():
        mark = "ok" if finding.ok else "[bold]WRONG[/]" if finding.essential else "note"
        table.add_row(mark, finding.subject, escape(finding.found), escape(finding.remedy))
        failed |= finding.essential and not finding.ok
    Console().print(table)
    if failed:
        raise typer.Exit(1)


@app.command()
def ladder(
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each model.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of each training.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
):
    """Train the course's five models and compare them."""
    from mnist_kit.ladder import climb, report

    with redirect_stdout(sys.stderr if json else sys.stdout):
        rows, circumstances = climb(epochs, seed)
    report(rows, circumstances, as_json=json)


class Target(StrEnum):
    """Marks of the speedrun, in percent."""

    GOOD = "99.0"
    BETTER = "99.5"


@app.command()
def speedrun(
    seeds: Annotated[int, typer.Option(min=1, help="Trainings, with the seeds 0, 1, …")] = 10,
    target: Annotated[Target, typer.Option(help="Test accuracy, in percent.")] = Target.GOOD,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
):
    """Train to 99% in seconds, once for each seed."""
    from mnist_kit.speedrun import repeat, report

    with redirect_stdout(sys.stderr if json else sys.stdout):
        runs, circumstances = repeat(seeds, float(target))
    report(runs, circumstances, as_json=json)


@app.command()
def lab():
    """Open the notebooks in JupyterLab."""
    folder = folders.notebooks_folder()
    if not folder.is_dir():
        print(
            f"mnist-kit: {folder} is no folder; run this in a checkout of the course",
            file=sys.stderr,
        )
        raise typer.Exit(1)
    raise typer.Exit(subprocess.call([sys.executable, "-m", "jupyterlab", str(folder)]))


def _print_places(title, places):
    table = Table(title=title, title_justify="left")
    for heading in ("Source", "State", "Where", "Remark"):
        table.add_column(heading, overflow="fold")
    for place in places:
        where = "" if place.path is None else str(place.path)
        table.add_row(place.kind, place.state, escape(where), escape(place.note))
    Console().print(table)
