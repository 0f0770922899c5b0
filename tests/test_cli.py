"""The command line: that each command reaches its module and reports by its exit status."""

import subprocess
import sys

import numpy as np
import pytest
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook
from typer.testing import CliRunner

from mnist_kit import cli, doctor, folders


def mnist_kit(*arguments):
    return CliRunner().invoke(cli.app, arguments, env={"COLUMNS": "300"})


@pytest.fixture
def main(monkeypatch):
    """Call `main` with arguments; return the exit status."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["mnist-kit", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code

    return call


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """Write the only notebook of a course that the commands will find."""
    monkeypatch.setattr(folders, "notebooks_folder", lambda: tmp_path)
    monkeypatch.setattr(folders, "build_folder", lambda: tmp_path / "build")

    def make(source):
        write(new_notebook(cells=[new_code_cell(source)]), tmp_path / "01_a.ipynb")
        return tmp_path / "build" / "course" / "index.html"

    return make


@pytest.mark.parametrize("module", ["tensorflow", "keras", "numpy", "matplotlib", "nbconvert"])
def test_help_loads_no(module):
    code = (
        "import sys; from typer.testing import CliRunner; from mnist_kit import cli; "
        f"CliRunner().invoke(cli.app, ['--help']); sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_help_names_every_command():
    printed = mnist_kit("--help").output
    for command in ("course", "data", "doctor", "lab"):
        assert command in printed


def test_version():
    from importlib import metadata

    assert mnist_kit("--version").output.strip() == metadata.version("mnist-kit")


def test_course_that_passes(notebook):
    index = notebook("1")
    assert mnist_kit("course").exit_code == 0
    assert index.exists()


def test_course_that_fails(notebook):
    notebook("1 / 0")
    assert mnist_kit("course", "--only", "1", "--jobs", "1").exit_code == 1


def test_course_that_was_stopped(monkeypatch):
    from mnist_kit import course

    monkeypatch.setattr(course, "run_course", lambda *_, **__: [course.Run("01_a", "stopped")])
    assert mnist_kit("course").exit_code == 130


def test_course_fresh(notebook):
    notebook("1")
    mnist_kit("course")
    assert "kept" in mnist_kit("course").output
    assert "kept" not in mnist_kit("course", "--fresh").output


def test_course_store(notebook, tmp_path):
    notebook("1 + 1")
    mnist_kit("course", "--store")
    assert "measured" in (tmp_path / "01_a.ipynb").read_text()


def test_the_kits_own_errors_are_one_line(main, notebook, capsys):
    notebook("1")
    assert main("course", "--only", "9") == 1
    assert capsys.readouterr().err.splitlines() == [
        "mnist-kit: there is no notebook 9; there are 01"
    ]


def test_other_errors_keep_their_traceback(monkeypatch):
    def fail():
        raise ValueError("a bug")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(ValueError, match="a bug"):
        cli.main()


def test_data_lists_the_places_of_both_data_sets(own_folders):
    printed = mnist_kit("data").output
    for word in ("MNIST", "CIFAR-10", "download", "standin"):
        assert word in printed


def test_data_verify_of_nothing(own_folders):
    result = mnist_kit("data", "verify")
    assert (result.exit_code, "Nothing to verify" in result.output) == (0, True)


def test_data_verify_of_a_sound_file(own_folders, arrays):
    np.savez(own_folders / "mine.npz", **arrays)
    result = mnist_kit("data", "verify", str(own_folders / "mine.npz"))
    assert (result.exit_code, "found" in result.output) == (0, True)


def test_data_verify_of_a_damaged_file(own_folders):
    (folders.data_folder() / "mnist.npz").write_bytes(b"no array")
    result = mnist_kit("data", "verify")
    assert (result.exit_code, "damaged" in result.output) == (1, True)


def test_data_fetch_says_where_the_file_is(own_folders, monkeypatch):
    from mnist_kit import data

    monkeypatch.setattr(data, "fetch", lambda name: folders.data_folder() / f"{name}.npz")
    printed = mnist_kit("data", "fetch").output
    assert printed == f"mnist: {folders.data_folder() / 'mnist.npz'}\n"


def test_data_fetch_of_an_unknown_data_set(main, own_folders, capsys):
    assert main("data", "fetch", "nist") == 1
    assert "nist" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("essential", "remedy", "status"), [(True, "repair", 1), (False, "repair", 0), (True, "", 0)]
)
def test_doctor_fails_for_what_is_essential(monkeypatch, essential, remedy, status):
    finding = doctor.Finding("Memory", "little", remedy, essential)
    monkeypatch.setattr(doctor, "examine", lambda: [finding])
    result = mnist_kit("doctor")
    assert (result.exit_code, remedy in result.output) == (status, True)


def test_lab_opens_the_notebooks(notebook, tmp_path, monkeypatch):
    notebook("1")
    commands = []
    monkeypatch.setattr(cli.subprocess, "call", lambda command: commands.append(command) or 0)
    assert mnist_kit("lab").exit_code == 0
    assert commands == [[sys.executable, "-m", "jupyterlab", str(tmp_path)]]


def test_lab_without_notebooks(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "notebooks_folder", lambda: tmp_path / "none")
    assert mnist_kit("lab").exit_code == 1
