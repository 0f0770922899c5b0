"""Scaling of images: to [0, 1], and to mean 0 and standard deviation 1."""

import numpy as np


def scale(images):
    """Scale grey levels or colours from 0-255 to [0, 1].

    Parameters
    ----------
    images : ndarray of uint8, any shape

    Returns
    -------
    ndarray of float32, same shape
        ``images / 255``.

    Raises
    ------
    TypeError
        If `images` is not uint8: scaled twice, every picture is nearly blank.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise TypeError(
            f"images have dtype {images.dtype}; expected uint8 from 0 to 255. "
            "Were they scaled before?"
        )
    return images / np.float32(255)


class Standardizer:
    """Standardise to mean 0 and standard deviation 1, as measured on the training images alone.

    One mean and one standard deviation serve all pixels of a channel: pixel by pixel, the
    corners of MNIST, empty in every image, would be divided by zero.

    Attributes
    ----------
    mean_, std_ : float64, or ndarray of float64, shape (channels,), for colour images
        In the units of the images that were fitted.
    """

    def fit(self, images):
        """Measure `images`, shape (n, height, width) or (n, height, width, channels)."""
        images = np.asarray(images)
        if images.ndim not in (3, 4) or not len(images):
            raise ValueError(
                f"images have shape {images.shape}; expected (n, height, width) or "
                "(n, height, width, channels) with n at least 1"
            )
        self.mean_ = images.mean(axis=(0, 1, 2), dtype=np.float64)
        self.std_ = images.std(axis=(0, 1, 2), dtype=np.float64)
        if not np.all(self.std_ > 0):
            raise ValueError("all pixels of a channel are equal: there is no spread to divide by")
        return self

    def transform(self, images):
        """Return ``(images - mean_) / std_`` as float32, same shape."""
        if not hasattr(self, "mean_"):
            raise ValueError("call fit with the training images first")
        return ((np.asarray(images) - self.mean_) / self.std_).astype(np.float32)

    def fit_transform(self, images):
        """Fit on `images` and return them standardised; for training images only."""
        return self.fit(images).transform(images)
