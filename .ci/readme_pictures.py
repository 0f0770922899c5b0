"""Copy the figures that README.md shows out of the notebooks' stored outputs; see `make taught`."""

import base64
import json
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
# Name of the picture, its notebook, and words of the figure's alternative text.
PICTURES = [
    ("predictions", "02_softmax_regression", "Six digits recognised wrongly"),
    ("confusion", "10_judging_a_model", "Confusion matrix of the errors alone"),
    ("ladder", "10_judging_a_model", "A row per model with its share of errors"),
]


def figure(notebook, words):
    """Return the PNG of the first figure whose alternative text holds `words`."""
    cells = json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        if words in output.get("metadata", {}).get("image/png", {}).get("alt", ""):
            return base64.b64decode(output["data"]["image/png"])
    raise SystemExit(f"{notebook}: no figure is described with «{words}»")


if __name__ == "__main__":
    (NOTEBOOKS / "pictures").mkdir(exist_ok=True)
    for name, notebook, words in PICTURES:
        (NOTEBOOKS / "pictures" / f"{name}.png").write_bytes(figure(notebook, words))
