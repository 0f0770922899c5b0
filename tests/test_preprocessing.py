"""Scaling to [0, 1] and standardising."""

import numpy as np
import pytest

from mnist_kit.preprocessing import Standardizer, scale


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (50, 4, 5), dtype=np.uint8)


def test_scale_maps_0_to_0_and_255_to_1():
    assert scale(np.array([0, 51, 255], np.uint8)).tolist() == pytest.approx([0, 0.2, 1])


def test_scale_returns_float32_of_the_same_shape(images):
    scaled = scale(images)
    assert (scaled.dtype, scaled.shape) == (np.float32, images.shape)


def test_scaling_twice_is_refused(images):
    with pytest.raises(TypeError, match="scaled before"):
        scale(scale(images))


def test_standardised_training_images_have_mean_0_and_deviation_1(images):
    standardised = Standardizer().fit_transform(images)
    assert standardised.mean() == pytest.approx(0, abs=1e-5)
    assert standardised.std() == pytest.approx(1, abs=1e-5)
    assert standardised.dtype == np.float32


def test_new_images_are_measured_with_the_training_images(images):
    fitted = Standardizer().fit(images)
    brighter = np.full((2, 4, 5), 255, np.uint8)
    assert fitted.transform(brighter).mean() == pytest.approx(
        (255 - images.mean()) / images.std(), rel=1e-5
    )


def test_colour_channels_are_standardised_each_by_itself():
    images = np.random.default_rng(0).normal([0, 50, 100], [1, 2, 3], (30, 4, 4, 3))
    standardised = Standardizer().fit_transform(images)
    assert np.allclose(standardised.mean(axis=(0, 1, 2)), 0, atol=1e-4)
    assert np.allclose(standardised.std(axis=(0, 1, 2)), 1, atol=1e-4)


def test_transform_before_fit_is_refused(images):
    with pytest.raises(ValueError, match="call fit"):
        Standardizer().transform(images)


def test_images_without_spread_are_refused():
    with pytest.raises(ValueError, match="no spread"):
        Standardizer().fit(np.zeros((3, 4, 4)))


@pytest.mark.parametrize("shape", [(3,), (0, 4, 4), (2, 3, 4, 5, 6)])
def test_what_is_no_stack_of_images_is_refused(shape):
    with pytest.raises(ValueError, match="height, width"):
        Standardizer().fit(np.zeros(shape))
