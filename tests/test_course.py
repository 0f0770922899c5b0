"""Running notebooks: real notebooks, real kernels, small ones."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from rich.console import Console

from mnist_kit import course, pages
from mnist_kit.course import CourseError, find_notebooks, run_course, select

ROOT = Path(__file__).resolve().parents[1]
ONE_PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
PICTURE = f"""from IPython.display import display
display({{"image/png": "{ONE_PIXEL}"}}, raw=True,
        metadata={{"image/png": {{"alt": "One \\"grey\\" pixel"}}}})"""


@pytest.fixture
def place(tmp_path):
    """Write notebooks by `place.write`, run them by `place.run`, look at `place.printed`."""
    return Place(tmp_path)


class Place:
    def __init__(self, folder):
        self.notebooks, self.target = folder / "notebooks", folder / "course"
        self.notebooks.mkdir()
        self.printed = ""

    def write(self, name, *cells):
        cells = [new_code_cell(each) if isinstance(each, str) else each for each in cells]
        path = self.notebooks / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=cells), path)
        return path

    def run(self, only=None, **options):
        console = Console(file=io.StringIO(), width=200)
        runs = run_course(
            only, notebooks=self.notebooks, target=self.target, console=console, **options
        )
        self.printed = console.file.getvalue()
        return {run.name: run for run in runs}

    def page(self, name):
        text = (self.target / f"{name}.html").read_text(encoding="utf-8")
        return BeautifulSoup(text, "html.parser")

    def outputs(self, name):
        copy = nbformat.read(self.target / f"{name}.ipynb", as_version=4)
        return [cell.outputs for cell in copy.cells if cell.cell_type == "code"]


def counting(path):
    """A cell that leaves a line in a file each time it runs."""
    return f"with open({str(path)!r}, 'a') as file:\n    file.write('run\\n')"


def test_a_course_run_leaves_pages_contents_and_a_table(place):
    opening = new_markdown_cell("# 1 · Counting\n\nHow far do we count? To two.\n\nMore.")
    place.write("01_counting", opening, "1 + 1")
    place.write("02_more", "print('more')")

    runs = place.run(jobs=2)

    assert [run.result for run in runs.values()] == ["passed", "passed"]
    assert place.outputs("01_counting")[0][0].data["text/plain"] == "2"
    assert "2" in place.page("01_counting").select_one(".jp-OutputArea-output").text
    contents = place.page("index")
    assert contents.select_one("h2 a[href='01_counting.html']").text == "1 · Counting"
    assert contents.select_one("li p").text == "How far do we count?"
    for heading in ("Notebook", "Seconds", "Result"):
        assert heading in place.printed


def test_pages_lead_to_their_neighbours(place):
    for name in ("01_a", "02_b", "03_c"):
        place.write(name, new_markdown_cell(f"# {name}"))
    place.run("2")
    links = [link["href"] for link in place.page("02_b").select("nav")[0].select("a")]
    assert links == ["01_a.html", "index.html", "03_c.html"]


def test_a_failing_notebook_stops_no_other_and_is_explained(place):
    place.write("01_bad", "x = 1", "x / 0", "print('never')")
    place.write("02_good", "1")

    runs = place.run(jobs=1)

    assert runs["01_bad"].result == "failed"
    assert runs["01_bad"].error == "In [2]: ZeroDivisionError: division by zero"
    assert runs["02_good"].result == "passed"
    assert "ZeroDivisionError" in place.page("01_bad").select("pre")[-2].text
    assert "In [2]: ZeroDivisionError" in place.printed


def test_outputs_of_an_older_run_do_not_outlive_a_failure(place):
    path = place.write("01_bad", "1 / 0", "2")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="old")]
    nbformat.write(notebook, path)
    place.run()
    assert place.outputs("01_bad")[1] == []


def test_a_kernel_that_dies_is_a_failure_like_any_other(place):
    place.write("01_dies", "import os\nos._exit(3)")
    run = place.run()["01_dies"]
    assert run.result == "failed"
    assert "Kernel died" in run.error


def test_an_unchanged_notebook_that_passed_is_kept(place, tmp_path):
    place.write("01_a", counting(tmp_path / "runs"))
    place.run()
    again = place.run()
    assert again["01_a"].result == "kept"
    assert "kept" in place.printed
    assert (tmp_path / "runs").read_text() == "run\n"


def test_a_failed_notebook_is_run_again(place, tmp_path):
    place.write("01_a", counting(tmp_path / "runs"), "1 / 0")
    place.run()
    place.run()
    assert (tmp_path / "runs").read_text() == "run\nrun\n"


def test_fresh_runs_what_could_be_kept(place):
    place.write("01_a", "1")
    place.run()
    assert place.run(fresh=True)["01_a"].result == "passed"


def test_a_changed_cell_runs_its_notebook_again_and_no_other(place):
    place.write("01_a", "1")
    place.write("02_b", "1")
    place.run()
    place.write("01_a", "2")
    again = place.run()
    assert [run.result for run in again.values()] == ["passed", "kept"]


def test_other_data_run_a_notebook_again(place, own_folders, arrays, monkeypatch):
    import numpy as np

    monkeypatch.setenv("MNIST_KIT_DATA", str(own_folders / "mnist.npz"))
    np.savez(own_folders / "mnist.npz", **arrays)
    place.write("01_a", "# load_mnist() is what the runner looks for")
    assert place.run()["01_a"].data == "MNIST"
    assert place.run()["01_a"].result == "kept"
    np.savez(own_folders / "mnist.npz", **{**arrays, "x_train": arrays["x_train"][::-1]})
    assert place.run()["01_a"].result == "passed"


def test_another_kit_runs_a_notebook_again(place, monkeypatch):
    place.write("01_a", "1")
    place.run()
    monkeypatch.setattr(course, "_kit_digest", lambda: "another")
    assert place.run()["01_a"].result == "passed"


def test_a_damaged_record_is_no_record(place):
    place.write("01_a", "1")
    place.run()
    (place.target / "01_a.ipynb").write_text("{", encoding="utf-8")
    assert place.run()["01_a"].result == "passed"


def test_kernels_do_not_search_the_network_again(place, monkeypatch):
    monkeypatch.delenv("MNIST_KIT_SOURCE", raising=False)
    monkeypatch.setenv("MNIST_KIT_DATA", "here")
    place.write("01_a", "import os\nprint(os.environ['MNIST_KIT_SOURCE'])")
    place.write("02_b", "import os\nprint(os.environ['MNIST_KIT_DATA'])")
    place.run()
    assert place.outputs("01_a")[0][0].text == "offline\n"
    assert place.outputs("02_b")[0][0].text.strip() == os.path.abspath("here")


def test_a_source_that_was_demanded_reaches_the_kernels(monkeypatch):
    monkeypatch.setenv("MNIST_KIT_SOURCE", "standin")
    assert course._environment(1)["MNIST_KIT_SOURCE"] == "standin"


def test_kernels_share_the_cores(monkeypatch):
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    environment = course._environment(3)
    assert environment["TF_NUM_INTRAOP_THREADS"] == environment["OMP_NUM_THREADS"] == "3"


def test_a_notebook_runs_in_its_folder_and_in_this_python(place):
    place.write("01_a", "import os, sys\nprint(os.getcwd())\nprint(sys.executable)")
    place.run()
    assert place.outputs("01_a")[0][0].text.split() == [str(place.notebooks), sys.executable]


def test_only_runs_what_it_names_and_contents_tell_of_all(place):
    for name in ("01_a", "02_b"):
        place.write(name, "1")
    assert list(place.run("2")) == ["02_b"]
    assert [each.text for each in place.page("index").select("strong")] == ["not run", "passed"]


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (None, "01 02 03 05"),
        ("2", "02"),
        ("05,1", "01 05"),
        ("2-4", "02 03"),
        ("1-2, 5", "01 02 05"),
    ],
)
def test_only_takes_numbers_and_ranges(only, names):
    paths = [Path(f"{number}_x.ipynb") for number in ("01", "02", "03", "05")]
    assert " ".join(path.name[:2] for path in select(paths, only)) == names


@pytest.mark.parametrize("only", ["4", "two", "", "3-2", "1-"])
def test_only_refuses_what_is_not_there(only):
    with pytest.raises(CourseError, match="notebook"):
        select([Path("01_x.ipynb"), Path("02_x.ipynb"), Path("03_x.ipynb")], only)


def test_a_folder_without_numbered_notebooks_is_refused(tmp_path):
    (tmp_path / "draft.ipynb").touch()
    with pytest.raises(CourseError, match="checkout of the course"):
        find_notebooks(tmp_path)


def test_zero_jobs_are_refused(place):
    with pytest.raises(CourseError, match="jobs is 0"):
        place.run(jobs=0)


def test_a_file_that_is_no_notebook_is_named(place):
    (place.notebooks / "01_a.ipynb").write_text("no", encoding="utf-8")
    with pytest.raises(CourseError, match="01_a.ipynb"):
        place.run()


def test_storing_keeps_outputs_and_tags_and_drops_the_rest(place):
    cell = new_code_cell(
        "1 + 1", metadata={"tags": ["solution"], "execution": {"iopub.status.idle": "then"}}
    )
    path = place.write("01_a", cell)
    place.run(store=True)

    stored = nbformat.read(path, as_version=4)
    nbformat.validate(stored)
    assert stored.cells[0].outputs[0].data["text/plain"] == "2"
    assert stored.cells[0].metadata == {"tags": ["solution"]}
    assert stored.metadata.kernelspec.name == "python3"
    assert set(stored.metadata.mnist_kit) == {"measured"}
    assert set(stored.metadata.mnist_kit.measured) == {"seconds", "data", "cores"}


def test_storing_leaves_a_failing_notebook_as_it_was(place):
    path = place.write("01_a", "1 / 0")
    before = path.read_bytes()
    place.run(store=True)
    assert path.read_bytes() == before


def test_storing_refuses_an_output_that_names_a_folder_of_the_machine(place):
    path = place.write("01_a", "import sys\nprint(sys.prefix)")
    before = path.read_bytes()
    with pytest.raises(CourseError, match="folder of this machine"):
        place.run(store=True)
    assert path.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a child process")
def test_ctrl_c_stops_the_kernels_and_leaves_whole_files(place, tmp_path):
    place.write("01_quick", "1")
    place.write("02_long", "import time\nprint('busy', flush=True)", _say_pid_and_wait(tmp_path))
    command = (
        "from mnist_kit.course import run_course; "
        f"run_course(jobs=1, notebooks={str(place.notebooks)!r}, target={str(place.target)!r})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", command], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    with open(tmp_path / "pid") as fifo:  # opens when the kernel's cell does
        kernel = psutil.Process(int(fifo.read()))
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)

    assert "Stopped: 1 of 2 notebooks are done and kept" in printed
    assert not kernel.is_running()
    assert {path.name for path in place.target.iterdir()} == {
        *("01_quick.html", "01_quick.ipynb", "index.html")
    }
    json.loads((place.target / "01_quick.ipynb").read_text(encoding="utf-8"))
    assert place.run("1")["01_quick"].result == "kept"


def _say_pid_and_wait(folder):
    os.mkfifo(folder / "pid")
    return f"""import os, threading
with open({str(folder / "pid")!r}, "w") as fifo:
    fifo.write(str(os.getpid()))
threading.Event().wait()"""


def page(*cells, folder="."):
    html = pages.notebook_page(new_notebook(cells=list(cells)), "01_a", folder=folder)
    return BeautifulSoup(html, "html.parser")


def test_alternative_text_reaches_the_page(place):
    place.write("01_a", PICTURE)
    place.run()
    assert place.page("01_a").img["alt"] == 'One "grey" pixel'


def test_a_page_asks_the_network_for_nothing():
    made = page(new_markdown_cell("# A\n\n$x$"), new_code_cell("1"))
    assert made.find_all(["script", "link", "iframe"]) == []
    styles = " ".join(style.text for style in made.find_all("style"))
    assert not re.search(r"@import|url\([\"']?(https?:)?//", styles)


def test_formulas_need_no_script():
    made = page(new_markdown_cell(r"Here $\hat{y}_i$ and $$\begin{aligned}a &= b\end{aligned}$$"))
    inline, block = made.find_all("math")
    assert inline["alttext"] == r"\hat{y}_i"
    assert block["display"] == "block"


@pytest.mark.parametrize("tex", [r"\nosuchcommand{x}", r"\frac{1}{"])
def test_a_formula_that_cannot_be_set_stays_readable(tex):
    assert page(new_markdown_cell(f"${tex}$")).select_one("code.tex").text == tex


@pytest.mark.parametrize(
    ("source", "label"),
    [("# Solution to exercise 1\n1", "Solution to exercise 1"), ("1", "Solution")],
)
def test_hidden_cells_are_folded_under_a_label(source, label):
    made = page(new_code_cell(source, metadata={"tags": ["hide-cell"]}), new_code_cell("2"))
    (fold,) = made.find_all("details")
    assert fold.summary.text == label
    assert not fold.has_attr("open")


def test_links_between_notebooks_lead_to_pages_and_others_stay():
    made = page(new_markdown_cell("[a](02_b.ipynb#top) [b](https://example.org/c.ipynb)"))
    links = [link["href"] for link in made.select("main a")]
    assert links == ["02_b.html#top", "https://example.org/c.ipynb"]


def test_pictures_beside_a_notebook_are_embedded(tmp_path):
    (tmp_path / "dot.png").write_bytes(b"not looked at")
    made = page(new_markdown_cell("![A dot](dot.png)"), folder=tmp_path)
    assert made.img["src"].startswith("data:image/png;base64,")
