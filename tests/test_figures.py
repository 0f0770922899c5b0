"""Figures in notebooks: shown once, small, and described."""

import base64
import io

import matplotlib
import pytest
from PIL import Image

from mnist_kit.figures import show

matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402


@pytest.fixture
def shown(monkeypatch):
    """What reaches the notebook: a list of (bundle, metadata)."""
    published = []
    monkeypatch.setattr(
        "IPython.display.display",
        lambda bundle, metadata, raw: published.append((bundle, metadata)),
    )
    return published


def test_description_is_the_alternative_text(shown):
    show(plt.subplots()[1], alt="An empty frame.")
    [(bundle, metadata)] = shown
    assert metadata["image/png"]["alt"] == "An empty frame."
    assert bundle["text/plain"] == "An empty frame."


def test_picture_is_a_png_with_a_palette(shown):
    show(plt.subplots()[0], alt="An empty frame.")
    picture = Image.open(io.BytesIO(base64.b64decode(shown[0][0]["image/png"])))
    assert (picture.format, picture.mode) == ("PNG", "P")


def test_figure_is_closed_so_that_jupyter_does_not_draw_it_again(shown):
    figure, ax = plt.subplots()
    show(ax, alt="An empty frame.")
    assert figure.number not in plt.get_fignums()


def test_a_figure_without_description_is_refused():
    with pytest.raises(ValueError, match="alt is empty"):
        show(plt.subplots()[1], alt=" ")
