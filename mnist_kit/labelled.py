"""Images with their labels, as experiments take them, and their fingerprint."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mnist_kit.preprocessing import scale


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images, a label for each, and a title.

    Parameters
    ----------
    images : ndarray, shape (n, ...)
        uint8 ones are scaled to [0, 1] when used, float ones are taken as they are.
    labels : ndarray of int, shape (n,) or (n, 1)
    title : str
        What the data are called in tables and messages.
    """

    images: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    title: str = "own data"

    def __post_init__(self):
        images, labels = np.asarray(self.images), np.asarray(self.labels)
        if labels.shape not in ((len(images),), (len(images), 1)):
            raise ValueError(
                f"labels have shape {labels.shape} for {len(images):,} images; expected one class "
                "number for each"
            )
        if not np.issubdtype(labels.dtype, np.integer) or labels.min(initial=0) < 0:
            raise ValueError(f"labels of {labels.dtype}; expected class numbers from 0 on")
        if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
            raise ValueError(f"images of {images.dtype}; expected uint8, or float if scaled")
        if labels.max(initial=0) < 1:
            raise ValueError("all labels are 0; expected at least two classes")
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", labels.reshape(-1).astype(np.int64))

    @property
    def num_classes(self):
        """The greatest label and one."""
        return int(self.labels.max()) + 1

    @cached_property
    def fingerprint(self):
        """16 hexadecimal digits of the SHA-256 of both arrays."""
        digest = hashlib.sha256(f"{self.images.shape} {self.images.dtype}".encode())
        digest.update(np.ascontiguousarray(self.images))
        digest.update(np.ascontiguousarray(self.labels))
        return digest.hexdigest()[:16]

    def fold(self, index, count):
        """Return two arrays of indices, training and validation, of one stratified fold.

        The folds are scikit-learn's, as its searches make them for classifiers.
        """
        from sklearn.model_selection import StratifiedKFold

        if count < 2 or not 0 <= index < count:
            raise ValueError(f"fold is {(index, count)}; expected (index, count), such as (0, 3)")
        return list(StratifiedKFold(count).split(self.labels, self.labels))[index]


def training_data(dataset="mnist", count=None):
    """Load the training images of "mnist" or "cifar10", or the first `count` of them.

    Returns
    -------
    LabelledImages
        Titled by what was loaded; see `mnist_kit.data`.
    """
    from mnist_kit import data

    load = {"mnist": data.load_mnist, "cifar10": data.load_cifar10}.get(dataset)
    if load is None:
        raise ValueError(f"data set {dataset!r} is unknown; expected 'mnist' or 'cifar10'")
    images, labels = load()[0]
    title = data.source_of(dataset).title
    if count is not None:
        if not 2 <= count <= len(images):
            raise ValueError(f"count is {count}; expected 2 to {len(images):,}")
        title = f"{title}, first {count:,}"
    return LabelledImages(images[:count], labels[:count], title)


def scaled(images):
    """Scale uint8 images to [0, 1]; return others as they are."""
    return scale(images) if images.dtype == np.uint8 else images
