"""The pictures of the course. Each function draws on the axes it is given and returns them.

Nothing here computes a metric, shows a figure or touches Matplotlib's global state. Colours are
two of Okabe and Ito's palette, which stay apart for every kind of colour vision, and are always
doubled by a mark, a line style or words.
"""

import numpy as np

RIGHT = "#0072B2"  # blue
WRONG = "#D55E00"  # vermillion
NEUTRAL = "#8C8C8C"
LINE_STYLES = ("-", "--", ":", "-.")


def image_grid(images, captions=None, columns=10, right=None, ax=None):
    """Tile images on one axes, each with an optional caption below it.

    Parameters
    ----------
    images : ndarray, shape (n, height, width) or (n, height, width, 3)
        uint8, or float from 0 to 1.
    captions : sequence of str or int, optional
        One for each image.
    columns : int
        Images in a row.
    right : sequence of bool, optional
        Captions of right ones are blue, those of wrong ones vermillion with a cross before them.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    images = _pictures(images)
    count, height, width = images.shape[:3]
    for name, values in {"captions": captions, "right": right}.items():
        if values is not None and len(values) != count:
            raise ValueError(f"{len(values)} {name} for {count} images")
    if columns < 1:
        raise ValueError(f"columns is {columns}; expected at least 1")
    columns = min(columns, count)
    rows = -(-count // columns)
    gap, room = 2, (round(0.36 * height) if captions is not None else 2)
    ax = _axes(ax, figsize=(0.85 * columns, 0.85 * rows * (height + room) / width))
    for index, image in enumerate(images):
        left = (index % columns) * (width + gap)
        top = (index // columns) * (height + room)
        ax.imshow(
            image, cmap="gray_r", vmin=0, vmax=1, extent=(left, left + width, top + height, top)
        )
        if captions is not None:
            wrong = right is not None and not right[index]
            ax.text(
                left + width / 2,
                top + height + 0.04 * height,
                f"{'✗ ' if wrong else ''}{captions[index]}",
                ha="center",
                va="top",
                fontsize=8,
                color="black" if right is None else WRONG if wrong else RIGHT,
            )
    ax.set(
        xlim=(-gap, columns * (width + gap)), ylim=(rows * (height + room), -gap), aspect="equal"
    )
    ax.axis("off")
    return ax


def digit_as_numbers(image, ax=None):
    """Write each pixel's value into its square, on the image itself.

    Parameters
    ----------
    image : ndarray, shape (height, width)
        uint8, or float from 0 to 1, which is written with one decimal.
    """
    image = np.asarray(image)
    if image.ndim != 2:
        raise ValueError(f"image has shape {image.shape}; expected (height, width)")
    ax = _axes(ax, figsize=(8.4, 8.4))
    top = 255 if image.dtype == np.uint8 else 1
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=top)
    for (row, column), value in np.ndenumerate(image):
        ax.text(
            column,
            row,
            f"{value:.1f}" if top == 1 else str(value),
            ha="center",
            va="center",
            fontsize=6,
            color="white" if value > top / 2 else "black",
        )
    ax.set(xticks=[], yticks=[], title=f"{image.shape[0]} × {image.shape[1]} numbers")
    return ax


def prediction(image, probabilities, true_label, names=None, ax=None):
    """Picture one prediction: the image with «predicted, probability, (true)», then a bar a class.

    The caption and the bars are blue when the prediction is right; a wrong one is vermillion
    and hatched, and the bar of the true class is outlined.

    Parameters
    ----------
    image : ndarray, shape (height, width) or (height, width, 3)
    probabilities : ndarray of float, shape (classes,)
    true_label : int
    names : sequence of str, optional
        One for each class; by default the class indices.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 1:
        raise ValueError(f"probabilities have shape {probabilities.shape}; expected (classes,)")
    names = range(len(probabilities)) if names is None else names
    names = [str(each) for each in names]
    predicted, true_label = int(probabilities.argmax()), int(true_label)
    is_right = predicted == true_label
    ax = _axes(ax, figsize=(4.2, 2.1))
    ax.axis("off")

    picture = ax.inset_axes([0, 0.12, 0.42, 0.88])
    picture.imshow(_pictures(np.asarray(image)[None])[0], cmap="gray_r", vmin=0, vmax=1)
    picture.set(xticks=[], yticks=[])
    caption = f"{names[predicted]} {probabilities[predicted]:.0%} ({names[true_label]})"
    color = RIGHT if is_right else WRONG
    picture.set_xlabel(caption if is_right else f"✗ {caption}", color=color)

    bars = ax.inset_axes([0.62, 0.12, 0.38, 0.8])
    drawn = bars.bar(range(len(names)), probabilities, color=NEUTRAL)
    drawn[predicted].set(facecolor=color, hatch=None if is_right else "////", edgecolor="white")
    bars.bar(true_label, 1, facecolor="none", edgecolor=RIGHT, linestyle="--", linewidth=1)
    bars.set_xticks(range(len(names)), names)
    bars.set(ylim=(0, 1), yticks=[0, 0.5, 1], yticklabels=["0%", "50%", "100%"])
    bars.tick_params(labelsize=8, rotation=90 if max(map(len, names)) > 2 else 0, axis="x")
    bars.spines[["top", "right"]].set_visible(False)
    return ax


def learning_curves(history, metric="accuracy", ax=None):
    """Draw a metric of training, and of validation where there is one, against the epoch.

    Parameters
    ----------
    history : keras.callbacks.History or dict of str to sequence of float
        As `fit` returns it.
    metric : str
        A key of the history, such as "loss".
    """
    values = getattr(history, "history", history)
    if metric not in values:
        raise ValueError(f"history has no {metric!r}; it has {', '.join(sorted(values))}")
    ax = _axes(ax, figsize=(5, 3.2))
    epochs = np.arange(1, len(values[metric]) + 1)
    ax.plot(epochs, values[metric], color=RIGHT, marker="o", markersize=4, label="training")
    if f"val_{metric}" in values:
        ax.plot(
            epochs,
            values[f"val_{metric}"],
            color=WRONG,
            linestyle="--",
            marker="s",
            markersize=4,
            label="validation",
        )
        ax.legend()
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel="epoch", ylabel=metric)
    return _open(ax)


def confusion_matrix(matrix, names=None, ax=None):
    """Draw a matrix of `evaluation.confusion_matrix` as a heat map with its numbers.

    Parameters
    ----------
    matrix : ndarray, shape (classes, classes)
        Counts (int) or shares (float, written in percent).
    names : sequence of str, optional
        One for each class; by default the class indices.
    """
    import seaborn

    matrix = np.asarray(matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"matrix has shape {matrix.shape}; expected (classes, classes)")
    names = [str(each) for each in (range(len(matrix)) if names is None else names)]
    ax = _axes(ax, figsize=(6, 5))
    counts = np.issubdtype(matrix.dtype, np.integer)
    written = matrix if counts else np.round(100 * matrix).astype(int)
    # The diagonal of a good model outshines every mistake: shades follow the square root.
    seaborn.heatmap(
        np.sqrt(matrix),
        annot=np.where(written == 0, "", written.astype(str)),
        fmt="",
        cmap="Blues",
        cbar=False,
        square=True,
        linewidths=0.5,
        annot_kws={"fontsize": 7},
        xticklabels=names,
        yticklabels=names,
        ax=ax,
    )
    ax.set(xlabel="predicted", ylabel="true", title="images" if counts else "percent of the row")
    ax.tick_params(axis="y", rotation=0)
    return ax


def roc(curves, ax=None):
    """Draw the curves of `evaluation.roc_curves`, with the area under each in the legend."""
    ax = _axes(ax, figsize=(5, 4.4))
    shades = _palette(len(curves))
    for index, curve in enumerate(curves):
        ax.plot(
            curve.false_positive_rate,
            curve.true_positive_rate,
            color=shades[index],
            linestyle=LINE_STYLES[index % len(LINE_STYLES)],
            label=f"{curve.name}: area {curve.area:.4f}",
        )
    ax.plot([0, 1], [0, 1], color=NEUTRAL, linewidth=0.8)
    ax.set(
        xlabel="false positive rate",
        ylabel="true positive rate (recall)",
        xlim=(-0.01, 1),
        ylim=(0, 1.01),
    )
    ax.legend(fontsize=8, loc="lower right")
    return _open(ax)


def weights_as_images(weights, image_shape=(28, 28), names=None, columns=5, ax=None):
    """Draw the weights into each unit as an image: blue for positive, vermillion for negative.

    Parameters
    ----------
    weights : ndarray of float, shape (pixels, units)
        A dense layer's kernel on a flattened image.
    image_shape : tuple of int
        (height, width), with height * width equal to pixels.
    names : sequence of str, optional
        One for each unit; by default their indices.
    columns : int
        Images in a row.
    """
    weights = np.asarray(weights)
    height, width = image_shape
    if weights.ndim != 2 or len(weights) != height * width:
        raise ValueError(
            f"weights have shape {weights.shape}; expected ({height * width}, units) "
            f"for images of {height} × {width}"
        )
    units = weights.shape[1]
    names = [str(each) for each in (range(units) if names is None else names)]
    rows = -(-units // columns)
    ax = _axes(ax, figsize=(1.5 * columns, 1.7 * rows))
    gap, room = 2, round(0.25 * height)
    limit = np.abs(weights).max()
    for index in range(units):
        left, top = (index % columns) * (width + gap), (index // columns) * (height + room)
        drawn = ax.imshow(
            weights[:, index].reshape(height, width),
            cmap=_diverging(),
            vmin=-limit,
            vmax=limit,
            extent=(left, left + width, top + height, top),
        )
        ax.text(left + width / 2, top + height + 1, names[index], ha="center", va="top")
    ax.set(xlim=(-gap, columns * (width + gap)), ylim=(rows * (height + room), -gap))
    ax.axis("off")
    ax.figure.colorbar(drawn, ax=ax, shrink=0.7, label="weight")
    return ax


def schedule(learning_rates, unit="epoch", ax=None):
    """Draw learning rates against the epoch or step they belong to, as a staircase.

    Parameters
    ----------
    learning_rates : dict of str to sequence of float, or sequence of float
        One or several named schedules, a rate for each epoch or step from 0 on.
    unit : str
        What the horizontal axis counts.
    """
    named = learning_rates if isinstance(learning_rates, dict) else {None: learning_rates}
    ax = _axes(ax, figsize=(5, 3.2))
    shades = _palette(len(named))
    for index, (name, rates) in enumerate(named.items()):
        style = LINE_STYLES[index % len(LINE_STYLES)]
        ax.step(
            range(len(rates)), rates, where="post", label=name, color=shades[index], linestyle=style
        )
    if list(named) != [None]:
        ax.legend()
    ax.set(xlabel=unit, ylabel="learning rate", ylim=(0, None))
    return _open(ax)


def _axes(ax, figsize):
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=figsize)[1]


def _open(ax):
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _pictures(images):
    """Return images as float from 0 to 1, shape (n, height, width) or (n, height, width, 3)."""
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim not in (3, 4) or not len(images):
        raise ValueError(
            f"images have shape {images.shape}; expected (n, height, width) or "
            "(n, height, width, 3) with n at least 1"
        )
    scaled = images / 255 if images.dtype == np.uint8 else images
    return np.clip(scaled, 0, 1)


def _palette(count):
    """Take shades from light to dark that keep their order in greyscale."""
    import matplotlib

    if count == 1:
        return [RIGHT]
    return matplotlib.colormaps["viridis"](np.linspace(0, 0.85, count))


def _diverging():
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("weights", [WRONG, "white", RIGHT])
