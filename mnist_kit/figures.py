"""Put a finished figure into the notebook, small and with alternative text."""

import base64
import io


def show(figure, alt):
    """Display a figure once, with a description for those who cannot see it.

    The picture is stored with a palette of 256 colours, a third of the usual size, and the
    figure is closed, so that Jupyter does not draw it a second time.

    Parameters
    ----------
    figure : matplotlib.figure.Figure or matplotlib.axes.Axes
        What to show; an axes stands for its whole figure.
    alt : str
        What the figure shows, in a sentence or two.

    Raises
    ------
    ValueError
        If `alt` is empty.
    """
    import matplotlib.pyplot as plt
    from IPython.display import display
    from PIL import Image

    if not alt.strip():
        raise ValueError("alt is empty; say in a sentence what the figure shows")
    figure = figure.get_figure(root=True) if hasattr(figure, "get_figure") else figure
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100, bbox_inches="tight", facecolor="white")
    plt.close(figure)
    picture = Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    stored = io.BytesIO()
    picture.save(stored, format="png", optimize=True)
    bundle = {"image/png": base64.b64encode(stored.getvalue()).decode(), "text/plain": alt}
    display(bundle, metadata={"image/png": {"alt": alt}}, raw=True)
