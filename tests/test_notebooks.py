"""The form of every notebook: frame, rhythm, exercises, and clean stored outputs."""

import ast
import re
import statistics
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
PATHS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture
def number(path):
    return int(path.stem[:2])


def code_cells(book, tag=None):
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    return [cell for cell in cells if tag is None or tag in cell.metadata.get("tags", [])]


def text(book):
    return "\n\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")


def headings(book):
    """(level, title) of each Markdown heading, in order."""
    fences_removed = re.sub(r"```.*?```", "", text(book), flags=re.S)
    return [(len(m[1]), m[2]) for m in re.finditer(r"^(#+) (.+)$", fences_removed, re.M)]


def section(book, title):
    return re.split(r"^## ", text(book).split(f"## {title}")[1], flags=re.M)[0]


def outputs(book):
    return [output for cell in code_cells(book) for output in cell.outputs]


def code_lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def test_there_are_notebooks_to_check():
    assert PATHS


def test_notebook_is_valid(notebook):
    nbformat.validate(notebook)


def test_kernel_is_the_one_that_every_machine_has(notebook):
    assert notebook.metadata.kernelspec.name == "python3"


def test_first_cell_says_what_is_learnt_needed_and_how_long(notebook, number):
    first = notebook.cells[0].source
    assert first.startswith(f"# {number} · ")
    for words in ("You will learn", "You need", "Time", "Data"):
        assert f"\n- **{words}** " in first
    assert re.search(r"\d+ minutes to read, about \d+ seconds to run", first)


def test_stated_time_is_within_a_factor_of_two_of_the_measured(notebook):
    stated = int(re.search(r"about (\d+) seconds to run", notebook.cells[0].source)[1])
    measured = notebook.metadata.mnist_kit["measured"]["seconds"]
    assert measured / 2 <= stated <= 2 * measured


def test_headings_skip_no_level_and_there_is_one_title(notebook):
    levels = [level for level, _ in headings(notebook)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below <= above + 1 for above, below in zip(levels, levels[1:], strict=False))


def test_key_points_are_three_to_six(notebook):
    assert 3 <= len(re.findall(r"^[-*] ", section(notebook, "Key points"), re.M)) <= 6


def test_exercises_are_three_to_five_and_numbered(notebook, number):
    found = re.findall(r"^### Exercise (\S+) · ", section(notebook, "Exercises"), re.M)
    assert found == [f"{number}.{k}" for k in range(1, len(found) + 1)]
    assert 3 <= len(found) <= 5


def test_each_exercise_has_a_check_an_unfinished_cell_and_a_solution(notebook):
    tagged = [
        tag
        for cell in code_cells(notebook)
        for tag in cell.metadata.get("tags", [])
        if tag in ("check", "exercise", "solution")
    ]
    exercises = section(notebook, "Exercises").count("### Exercise")
    assert tagged == ["check", "exercise", "solution"] * exercises


def test_unfinished_exercises_say_so_by_name(notebook, number):
    for k, cell in enumerate(code_cells(notebook, "exercise"), start=1):
        printed = "".join(output.get("text", "") for output in cell.outputs)
        assert re.match(rf"Exercise {number}\.{k} · .+: not yet\. ", printed)
        assert "nbval-ignore-output" not in cell.metadata.tags


def test_solutions_must_pass_and_are_folded(notebook):
    for cell in code_cells(notebook, "solution"):
        assert "must_pass=True" in cell.source
        assert "hide-cell" in cell.metadata.tags
        assert cell.metadata.jupyter.source_hidden


def test_code_cells_are_short(notebook):
    lines = [len(code_lines(cell)) for cell in code_cells(notebook)]
    assert max(lines) <= 25
    assert statistics.median(lines) <= 6


def test_prose_and_code_are_in_balance(notebook):
    words = len(text(notebook).split())
    lines = sum(len(code_lines(cell)) for cell in code_cells(notebook))
    assert 4 <= words / lines <= 12


def test_no_variable_is_set_and_never_used(notebook):
    tree = ast.parse("\n".join(cell.source for cell in code_cells(notebook)))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    stored = {name.id for name in names if isinstance(name.ctx, ast.Store)}
    used = {name.id for name in names if isinstance(name.ctx, ast.Load | ast.Del)}
    assert {name for name in stored - used if not name.startswith("_")} == set()


def test_stored_outputs_are_of_one_run_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_stored_outputs_come_from_the_real_data(notebook):
    assert "stand-in" not in notebook.metadata.mnist_kit["measured"]["data"]


def test_nothing_is_stored_from_stderr_and_no_error(notebook):
    assert [o for o in outputs(notebook) if o.get("name") == "stderr"] == []
    assert [o for o in outputs(notebook) if o.output_type == "error"] == []


def test_every_figure_has_alternative_text(notebook):
    figures = [output for output in outputs(notebook) if "image/png" in output.get("data", {})]
    alts = [figure.metadata.get("image/png", {}).get("alt", "") for figure in figures]
    assert all(len(alt) > 20 for alt in alts)


def test_no_output_is_larger_than_a_picture_may_be(notebook):
    assert max(len(str(output)) for output in outputs(notebook)) < 150_000


def test_file_is_under_600_kb(path):
    assert path.stat().st_size < 600 * 1024


def test_cells_that_nbval_compares_hold_no_picture(notebook):
    for cell in code_cells(notebook):
        if "nbval-ignore-output" not in cell.metadata.get("tags", []):
            assert not any("image/png" in output.get("data", {}) for output in cell.outputs)


def test_most_of_what_is_by_hand_is_compared_exactly(notebook):
    tags = [cell.metadata.get("tags", []) for cell in code_cells(notebook) if cell.outputs]
    compared = sum("nbval-ignore-output" not in each for each in tags)
    assert compared >= 3
