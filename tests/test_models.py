"""The five builders: sizes, what each argument changes, and what they refuse."""

import keras
import numpy as np
import pytest

from mnist_kit import models

BUILDERS = [
    models.softmax_regression,
    models.mlp,
    models.dropout_mlp,
    models.cnn,
    models.cnn_batch_norm,
]
by_name = pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)


@pytest.mark.parametrize(
    ("build", "parameters"),
    list(zip(BUILDERS, [7_850, 111_146, 111_146, 88_730, 241_098], strict=True)),
    ids=lambda value: getattr(value, "__name__", value),
)
def test_sources_values_give_the_sources_parameter_counts(build, parameters):
    assert build().count_params() == parameters


def test_batch_normalisation_keeps_392_parameters_from_training():
    trainable = sum(np.prod(weight.shape) for weight in models.cnn_batch_norm().trainable_weights)
    assert trainable == 240_706


@by_name
def test_model_is_built_at_once_so_that_summary_works(build):
    lines = []
    build().summary(print_fn=lambda text, **_: lines.append(text))
    assert "Total params" in "\n".join(lines)


@by_name
def test_output_is_a_probability_for_each_class(build):
    outputs = build(num_classes=7)(np.zeros((3, 28, 28), "float32"))
    assert outputs.shape == (3, 7)
    assert np.allclose(outputs, keras.ops.softmax(keras.ops.log(outputs)), atol=1e-5)


@by_name
def test_colour_images_are_taken_as_they_are(build):
    assert build(input_shape=(32, 32, 3)).input_shape == (None, 32, 32, 3)


@by_name
def test_model_is_named_after_its_builder(build):
    assert build().name == build.__name__


def layer_of(model, kind):
    return next(layer for layer in model.layers if isinstance(layer, kind))


@pytest.mark.parametrize("build", [models.mlp, models.dropout_mlp])
def test_hidden_layers_set_the_units(build):
    model = build(hidden_layers=(5, 4))
    assert [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)] == [
        5,
        4,
        10,
    ]


@pytest.mark.parametrize("build", [models.mlp, models.dropout_mlp, models.cnn])
def test_activation_reaches_the_hidden_dense_layers(build):
    assert layer_of(build(activation="tanh"), keras.layers.Dense).activation.__name__ == "tanh"


def test_activation_reaches_every_layer_of_the_batch_normalised_cnn():
    model = models.cnn_batch_norm(activation="elu")
    used = [
        layer.activation.__name__
        for layer in model.layers
        if isinstance(layer, keras.layers.Activation)
    ]
    assert used == ["elu"] * 4


def test_one_rate_serves_every_dropout_layer():
    model = models.dropout_mlp(rate=0.3)
    assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == [
        0.3
    ] * 3


def test_a_sequence_gives_each_dropout_layer_its_rate():
    model = models.dropout_mlp(rate=(0.4, 0.2, 0.1))
    assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == [
        0.4,
        0.2,
        0.1,
    ]


def test_rate_reaches_the_dropout_of_the_batch_normalised_cnn():
    assert layer_of(models.cnn_batch_norm(rate=0.5), keras.layers.Dropout).rate == 0.5


@pytest.mark.parametrize("build", [models.cnn, models.cnn_batch_norm])
def test_convolutions_follow_filters_kernels_and_strides(build):
    model = build(filters=(4,), kernel_sizes=(5,), strides=(2,))
    layer = layer_of(model, keras.layers.Conv2D)
    assert (layer.filters, layer.kernel_size, layer.strides) == (4, (5, 5), (2, 2))


@pytest.mark.parametrize("build", [models.cnn, models.cnn_batch_norm])
def test_hidden_units_set_the_dense_layer(build):
    assert layer_of(build(hidden_units=9), keras.layers.Dense).units == 9


def test_convolutions_have_no_activation_unless_asked():
    assert layer_of(models.cnn(), keras.layers.Conv2D).activation.__name__ == "linear"


def test_convolution_activation_reaches_the_convolutions():
    model = models.cnn(convolution_activation="relu")
    assert layer_of(model, keras.layers.Conv2D).activation.__name__ == "relu"


def test_normalisation_stands_between_sum_and_activation():
    kinds = [type(layer).__name__ for layer in models.cnn_batch_norm().layers]
    for place, kind in enumerate(kinds):
        if kind == "BatchNormalization":
            assert kinds[place - 1] in ("Conv2D", "Dense")
            assert kinds[place + 1] == "Activation"


@by_name
@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"num_classes": 0}, "num_classes"),
        ({"num_classes": 1}, "at least 2"),
        ({"input_shape": (784,)}, "height, width"),
        ({"input_shape": (28, 0)}, "input_shape"),
    ],
)
def test_impossible_shapes_are_refused(build, wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        build(**wrong)


@pytest.mark.parametrize(
    ("build", "wrong", "complaint"),
    [
        (models.mlp, {"hidden_layers": (128, 0)}, "hidden_layers"),
        (models.mlp, {"hidden_layers": (12.5,)}, "whole numbers"),
        (models.mlp, {"activation": "rellu"}, "rellu"),
        (models.dropout_mlp, {"rate": 1.2}, "dropout rate is 1.2"),
        (models.dropout_mlp, {"rate": -0.1}, "dropout rate"),
        (models.dropout_mlp, {"rate": (0.1, 0.2)}, "2 values for 3"),
        (models.cnn, {"filters": (12, 24)}, "2 filters"),
        (models.cnn, {"strides": (1, 2, 0)}, "strides"),
        (models.cnn, {"hidden_units": -1}, "hidden_units"),
        (models.cnn_batch_norm, {"rate": 1.0}, "dropout rate"),
    ],
)
def test_wrong_arguments_are_named(build, wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        build(**wrong)
