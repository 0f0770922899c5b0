"""Write notebooks/README.md: the list of notebooks, and what is taught in which section.

Reads notebooks/coverage.toml and the notebooks. `make taught` calls it; a test fails while the
table is out of step, names a heading that does not exist, or leaves a stage out.
"""

import json
import re
import tomllib
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
STAGES = {
    1: "The problem and the data",
    2: "Softmax regression",
    3: "Loss functions",
    4: "Gradient descent, learning rate, optimizers",
    5: "The multilayer perceptron",
    6: "Splits, cross-validation, bias and variance",
    7: "Overfitting and regularisation",
    8: "Convolutional networks",
    9: "Batch normalisation",
    10: "Judging a model",
    15: "Beyond the sources: speed",
}


def markdown(path):
    """Yield the Markdown cells of a notebook."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            yield "".join(cell["source"])


def headings(path):
    """List the headings of a notebook, without their hashes."""
    return re.findall(r"^#+ (.+)$", "\n".join(markdown(path)), re.M)


def items():
    """List the items taught: dicts of stage, item, notebook (its stem) and heading."""
    return tomllib.loads((NOTEBOOKS / "coverage.toml").read_text(encoding="utf-8"))["item"]


def page():
    """Return the text of notebooks/README.md."""
    lines = [
        "# The course",
        "",
        "Made by `make taught` from the notebooks and `coverage.toml`; do not edit by hand.",
        "",
        "| notebook | question | time |",
        "| --- | --- | --- |",
    ]
    for path in sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")):
        first = next(markdown(path)).splitlines()
        title = first[0].removeprefix("# ")
        question = next(line for line in first[1:] if line.strip())
        time = next(line for line in first if line.startswith("- **Time**"))
        time = time.removeprefix("- **Time**").strip().rstrip(".")
        lines.append(f"| [{title}]({path.name}) | {question} | {time} |")
    lines += ["", "## What is taught where"]
    for stage, name in STAGES.items():
        lines += ["", f"### Stage {stage}: {name}", "", "| item | section |", "| --- | --- |"]
        for item in items():
            if item["stage"] == stage:
                where = f"[{item['notebook'][:2]}]({item['notebook']}.ipynb) {item['heading']}"
                lines.append(f"| {item['item']} | {where} |".replace("$", "\\$"))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (NOTEBOOKS / "README.md").write_text(page(), encoding="utf-8")
