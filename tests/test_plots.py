"""Plots draw on the axes they are given, say what they must, and refuse what does not fit."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex

from mnist_kit import evaluation, plots

matplotlib.use("agg")
from matplotlib import pyplot as plt  # noqa: E402

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 28, 28), dtype=np.uint8)
CURVES = evaluation.roc_curves(np.array([0, 1]), np.array([[0.8, 0.2], [0.3, 0.7]]))
CALLS = {
    "image_grid": lambda ax: plots.image_grid(IMAGES, ax=ax),
    "digit_as_numbers": lambda ax: plots.digit_as_numbers(IMAGES[0], ax=ax),
    "prediction": lambda ax: plots.prediction(IMAGES[0], [0.1, 0.9], 1, ax=ax),
    "learning_curves": lambda ax: plots.learning_curves({"accuracy": [0.5, 0.6]}, ax=ax),
    "confusion_matrix": lambda ax: plots.confusion_matrix(np.eye(3, dtype=int), ax=ax),
    "roc": lambda ax: plots.roc(CURVES, ax=ax),
    "weights_as_images": lambda ax: plots.weights_as_images(RNG.normal(size=(784, 4)), ax=ax),
    "schedule": lambda ax: plots.schedule([0.1, 0.05], ax=ax),
}
every_plot = pytest.mark.parametrize("draw", CALLS.values(), ids=CALLS.keys())


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


def texts(ax):
    """Everything written on the axes and the axes within it."""
    inner = [text for child in ax.child_axes for text in texts(child)]
    own = [text.get_text() for text in ax.texts] + [ax.get_xlabel(), ax.get_title()]
    return own + inner


def test_no_plot_is_missing_from_these_tests():
    public = {name for name, value in vars(plots).items() if callable(value) and name[0] != "_"}
    assert public == set(CALLS)


@every_plot
def test_axes_given_are_drawn_on_and_returned(draw, ax):
    assert draw(ax) is ax
    assert ax.get_children()


@every_plot
def test_a_figure_is_made_where_no_axes_are_given(draw):
    assert draw(None).figure in map(plt.figure, plt.get_fignums())


@every_plot
def test_global_settings_stay_as_they_were(draw, ax):
    before = dict(matplotlib.rcParams)
    draw(ax)
    assert dict(matplotlib.rcParams) == before


@every_plot
def test_plot_can_be_rendered(draw, ax):
    draw(ax).figure.canvas.draw()


def test_grid_captions_its_images(ax):
    plots.image_grid(IMAGES, captions=list("abcdef"), ax=ax)
    assert texts(ax)[:6] == list("abcdef")


def test_grid_marks_wrong_captions_by_colour_and_cross(ax):
    plots.image_grid(IMAGES[:2], captions="ab", right=[True, False], ax=ax)
    assert [text.get_text() for text in ax.texts] == ["a", "✗ b"]
    assert [to_hex(text.get_color()).upper() for text in ax.texts] == [plots.RIGHT, plots.WRONG]


def test_grid_has_the_columns_asked_for(ax):
    plots.image_grid(IMAGES, columns=2, ax=ax)
    lefts = {image.get_extent()[0] for image in ax.images}
    assert len(lefts) == 2


def test_grid_shows_colour_images(ax):
    plots.image_grid(np.zeros((2, 32, 32, 3), np.uint8), ax=ax)
    assert ax.images[0].get_array().shape == (32, 32, 3)


def test_digit_is_written_number_by_number(ax):
    plots.digit_as_numbers(np.array([[0, 255], [7, 9]], np.uint8), ax=ax)
    assert texts(ax)[:4] == ["0", "255", "7", "9"]


def test_scaled_digit_is_written_with_one_decimal(ax):
    plots.digit_as_numbers(np.array([[0, 0.25]]), ax=ax)
    assert texts(ax)[:2] == ["0.0", "0.2"]


def test_right_prediction_has_the_lectures_caption_in_blue(ax):
    plots.prediction(IMAGES[0], [0.25, 0.75], 1, ax=ax)
    assert "1 75% (1)" in texts(ax)
    assert to_hex(ax.child_axes[0].xaxis.label.get_color()).upper() == plots.RIGHT


def test_wrong_prediction_is_vermillion_and_crossed(ax):
    plots.prediction(IMAGES[0], [0.25, 0.75], 0, ax=ax)
    assert "✗ 1 75% (0)" in texts(ax)
    assert to_hex(ax.child_axes[0].xaxis.label.get_color()).upper() == plots.WRONG


def test_bar_of_a_wrong_prediction_is_hatched_visibly(ax):
    plots.prediction(IMAGES[0], [0.25, 0.75], 0, ax=ax)
    bar = ax.child_axes[1].patches[1]
    assert bar.get_hatch()
    assert bar.get_facecolor() != bar.get_edgecolor()


def test_prediction_can_name_its_classes(ax):
    plots.prediction(IMAGES[0], [0.25, 0.75], 1, names=["cat", "dog"], ax=ax)
    assert "dog 75% (dog)" in texts(ax)


def test_validation_curve_is_drawn_where_there_is_one(ax):
    plots.learning_curves({"accuracy": [0.5], "val_accuracy": [0.4]}, ax=ax)
    assert [line.get_label() for line in ax.lines] == ["training", "validation"]


def test_metric_chooses_the_curve(ax):
    plots.learning_curves({"accuracy": [0.5], "loss": [2.0]}, metric="loss", ax=ax)
    assert ax.get_ylabel() == "loss"
    assert ax.lines[0].get_ydata().tolist() == [2.0]


def test_curves_of_training_and_validation_differ_in_more_than_colour(ax):
    plots.learning_curves({"loss": [2, 1], "val_loss": [3, 2]}, metric="loss", ax=ax)
    training, validation = ax.lines
    assert training.get_linestyle() != validation.get_linestyle()
    assert training.get_marker() != validation.get_marker()


def test_counts_are_written_into_the_matrix(ax):
    plots.confusion_matrix(np.array([[5, 0], [2, 8]]), ax=ax)
    assert [text.get_text() for text in ax.texts] == ["5", "", "2", "8"]


def test_shares_are_written_in_percent(ax):
    plots.confusion_matrix(np.array([[0.5, 0.5], [0.0, 1.0]]), ax=ax)
    assert [text.get_text() for text in ax.texts] == ["50", "50", "", "100"]


def test_matrix_bears_the_names_of_its_classes(ax):
    plots.confusion_matrix(np.eye(2), names=["cat", "dog"], ax=ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", "dog"]


def test_roc_legend_gives_each_area(ax):
    plots.roc(CURVES, ax=ax)
    assert ax.get_legend().get_texts()[0].get_text() == "0: area 1.0000"


def test_weights_are_named_and_tiled(ax):
    weights = RNG.normal(size=(6, 3))
    plots.weights_as_images(weights, image_shape=(2, 3), names="abc", columns=1, ax=ax)
    assert texts(ax)[:3] == ["a", "b", "c"]
    assert len({image.get_extent()[0] for image in ax.images}) == 1


def test_weights_of_opposite_sign_get_opposite_colours(ax):
    plots.weights_as_images(np.array([[1.0], [-1.0]]), image_shape=(1, 2), ax=ax)
    low, high = ax.images[0].get_clim()
    assert low == -high


def test_several_schedules_are_named(ax):
    plots.schedule({"flat": [1, 1], "falling": [1, 0.5]}, unit="step", ax=ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["flat", "falling"]
    assert ax.get_xlabel() == "step"


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: plots.image_grid(IMAGES, captions="ab"), "2 captions for 6 images"),
        (lambda: plots.image_grid(IMAGES, captions="abcdef", right=[True]), "1 right for 6"),
        (lambda: plots.image_grid(IMAGES, columns=0), "at least 1"),
        (lambda: plots.image_grid(IMAGES[0]), "height, width"),
        (lambda: plots.digit_as_numbers(IMAGES), "expected"),
        (lambda: plots.prediction(IMAGES[0], [[0.5, 0.5]], 0), "classes"),
        (lambda: plots.learning_curves({"loss": [1]}), "it has loss"),
        (lambda: plots.confusion_matrix(np.ones((2, 3))), "classes, classes"),
        (lambda: plots.weights_as_images(np.ones((10, 2))), "784"),
    ],
)
def test_what_does_not_fit_is_refused(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()
