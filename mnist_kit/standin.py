"""The embedded stand-ins for MNIST and CIFAR-10, built from what scikit-learn carries.

MNIST's is made of the 1,797 handwritten 8x8 digits of `sklearn.datasets.load_digits`, CIFAR-10's of
the same digits on cuts of the two photographs of `sklearn.datasets.load_sample_images`. Training
and test images never share an original digit, nor the same half of a photograph.
"""

import os

import numpy as np

from mnist_kit import files, folders, npz

IMAGE_SHAPES = {"mnist": (28, 28), "cifar10": (32, 32, 3)}
TRAIN, TEST = 20_000, 4_000
_SEED = 0  # of the seeds tried, one whose split leaves the five models MNIST's own distances
_BLOCK = 1000  # images warped at once, which bounds the memory


def cache_file(dataset):
    """Where the stand-in for "mnist" or "cifar10" is kept once built."""
    return folders.data_folder() / f"standin-{dataset}-v1.npz"


def load(dataset):
    """The stand-in's arrays, as `build` returns them, and the file that holds them.

    Read from `cache_file` if it is there, else built and kept there. A damaged file is built again,
    and said so; where the file cannot be written the arrays are returned all the same, with None.
    """
    path = cache_file(dataset)
    try:
        return npz.read(path, IMAGE_SHAPES[dataset]), path
    except npz.DataError as error:
        if os.path.exists(path):
            print(f"{path.name} was damaged and is built again ({error}).")
    arrays = build(dataset)
    try:
        files.write_whole(path, lambda temporary: _save(temporary, arrays))
    except files.FileError as error:
        print(f"The stand-in is kept in memory only: {error}")
        return arrays, None
    return arrays, path


def _save(path, arrays):
    (x_train, y_train), (x_test, y_test) = arrays
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


def build(dataset):
    """Build the stand-in for "mnist" or "cifar10": `(x_train, y_train), (x_test, y_test)`.

    Images are uint8 of shape (n, 28, 28) or (n, 32, 32, 3), labels uint8 of shape (n,); 20,000
    images for training and 4,000 for testing. The same on every call.
    """
    rng = np.random.default_rng(_SEED)
    papers = _photographs() if dataset == "cifar10" else (None, None)
    splits = []
    for (originals, labels), count, paper in zip(_originals(), (TRAIN, TEST), papers, strict=True):
        chosen = _multiply(labels, count, rng)
        images = [
            _grey(originals[block], rng)
            if paper is None
            else _coloured(originals[block], paper, rng)
            for block in np.split(chosen, count // _BLOCK)
        ]
        splits.append((np.concatenate(images), labels[chosen]))
    return tuple(splits)


def _originals():
    """The digits as float (n, 28, 28) in [0, 1] with labels, split into training and test."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits, labels = load_digits(return_X_y=True)
    enlarged = np.stack([_enlarge(digit) for digit in digits.reshape(-1, 8, 8) / 16])
    x_train, x_test, y_train, y_test = train_test_split(
        enlarged, labels.astype(np.uint8), test_size=0.25, stratify=labels, random_state=_SEED
    )
    return (x_train, y_train), (x_test, y_test)


def _enlarge(digit):
    """One 8x8 digit as MNIST would hold it: 20x20, centred by mass in 28x28."""
    from scipy import ndimage

    digit = ndimage.zoom(digit, 20 / 8, order=3)
    digit = np.clip((digit - 0.3) / 0.4, 0, 1)  # back to ink and paper: zooming left it grey
    centred = np.pad(digit, 4)
    shift = 13.5 - np.array(ndimage.center_of_mass(centred))
    return np.clip(ndimage.shift(centred, shift, order=1), 0, 1)


def _multiply(labels, count, rng):
    """Indices into the originals, each used equally often, give or take one, in random order."""
    return rng.permutation(np.resize(rng.permutation(len(labels)), count))


def _warp(originals, rng, size, shift, scale=(0.92, 1.08)):
    """Every image warped its own way onto a (size, size) canvas; float in [0, 1].

    Rotation by up to 8 degrees, `scale`, shear by up to 0.12, a `shift` of up to so many px, and a
    smooth elastic field (sigma 4 px, half a px root mean square along each axis, 1 to 2 at most).
    """
    from scipy import ndimage

    count, source = len(originals), originals.shape[1]
    angle = np.deg2rad(rng.uniform(-8, 8, count))
    zoom = rng.uniform(*scale, count)
    shear = rng.uniform(-0.12, 0.12, count)
    cosine, sine = np.cos(angle) / zoom, np.sin(angle) / zoom
    matrix = np.array([[cosine, -sine], [sine + shear * cosine, cosine - shear * sine]])
    offset = rng.uniform(-shift, shift, (2, count))
    field = ndimage.gaussian_filter(
        rng.standard_normal((2, count, size, size)), (0, 0, 4, 4), mode="reflect"
    )
    field *= 0.5 / field.std()

    grid = np.indices((size, size)) - (size - 1) / 2
    moved = grid[:, None] - offset[:, :, None, None]
    places = np.einsum("ijn,jnhw->inhw", matrix, moved) + field + (source - 1) / 2
    warped = np.empty((count, size, size))
    for image, original, place in zip(warped, originals, places.swapaxes(0, 1), strict=True):
        ndimage.map_coordinates(original, place, output=image, order=1)
    return warped


def _grey(originals, rng):
    return np.rint(_warp(originals, rng, size=28, shift=0.5) * 255).astype(np.uint8)


def _coloured(originals, photographs, rng):
    count = len(originals)
    ink = _warp(originals, rng, size=32, shift=3, scale=(0.9, 1.15))
    ink = (ink * rng.uniform(0.6, 1, (count, 1, 1)))[..., None]
    colour = rng.uniform(0, 255, (count, 1, 1, 3))
    paper = _cuts(photographs, count, rng)
    return np.rint(ink * colour + (1 - ink) * paper).astype(np.uint8)


def _photographs():
    """The left halves of the two photographs and the right halves, each (2, height, width, 3)."""
    from sklearn.datasets import load_sample_images

    return np.split(np.stack(load_sample_images().images), 2, axis=2)


def _cuts(photographs, count, rng):
    """Random 32x32 cuts of photographs (p, height, width, 3)."""
    windows = np.lib.stride_tricks.sliding_window_view(photographs, (32, 32), axis=(1, 2))
    which = [rng.integers(0, limit, count) for limit in windows.shape[:3]]
    return np.moveaxis(windows[tuple(which)], 1, -1)
