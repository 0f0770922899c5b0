"""The five models of the course, from one softmax layer to a CNN with batch normalisation.

Each builder returns a `keras.Sequential` that is built but not compiled: its loss, optimizer
and training are the reader's. Defaults are the sources' values and give, for 28x28 images and
ten classes, 7,850, 111,146, 111,146, 88,730 and 241,098 parameters.
"""


def softmax_regression(input_shape=(28, 28), num_classes=10):
    """Build ``softmax(x W + b)``: one dense layer on the flattened image.

    Parameters
    ----------
    input_shape : tuple of int
        (height, width) or (height, width, channels).
    num_classes : int
        At least 2; the output has this many probabilities.
    """
    return _sequential("softmax_regression", input_shape, num_classes, flat=True)


def mlp(input_shape=(28, 28), num_classes=10, hidden_layers=(128, 64, 32), activation="relu"):
    """Build a multilayer perceptron: dense hidden layers, then softmax.

    Parameters
    ----------
    input_shape, num_classes
        As in `softmax_regression`.
    hidden_layers : sequence of int
        Units of each hidden layer, first to last.
    activation : str or callable
        Of the hidden layers, in any form that Keras takes.
    """
    from keras import layers

    _check_sizes("hidden_layers", hidden_layers)
    hidden = [layers.Dense(units, activation=activation) for units in hidden_layers]
    return _sequential("mlp", input_shape, num_classes, hidden, flat=True)


def dropout_mlp(
    input_shape=(28, 28), num_classes=10, hidden_layers=(128, 64, 32), activation="relu", rate=0.2
):
    """Build the multilayer perceptron with dropout after each hidden layer.

    Parameters
    ----------
    input_shape, num_classes, hidden_layers, activation
        As in `mlp`.
    rate : float or sequence of float
        Share of units dropped, in [0, 1); a sequence gives each hidden layer its own.
    """
    from keras import layers

    _check_sizes("hidden_layers", hidden_layers)
    rates = [rate] * len(hidden_layers) if isinstance(rate, int | float) else list(rate)
    if len(rates) != len(hidden_layers):
        raise ValueError(f"rate has {len(rates)} values for {len(hidden_layers)} hidden layers")
    hidden = []
    for units, each in zip(hidden_layers, rates, strict=True):
        hidden += [layers.Dense(units, activation=activation), layers.Dropout(_rate(each))]
    return _sequential("dropout_mlp", input_shape, num_classes, hidden, flat=True)


def cnn(
    input_shape=(28, 28),
    num_classes=10,
    filters=(12, 24, 32),
    kernel_sizes=(3, 6, 6),
    strides=(1, 2, 2),
    convolution_activation=None,
    hidden_units=32,
    activation="relu",
):
    """Build three convolutions, one dense layer, then softmax.

    The article gives the convolutions no activation, so that the three together are one linear
    map; that is the default here, and ``convolution_activation="relu"`` mends it.

    Parameters
    ----------
    input_shape, num_classes
        As in `softmax_regression`.
    filters, kernel_sizes, strides : sequences of int, of equal length
        One value for each convolution; kernels are square, in pixels; padding is "same".
    convolution_activation : str, callable or None
        Of the convolutions.
    hidden_units : int
        Units of the dense layer.
    activation : str or callable
        Of the dense layer.
    """
    from keras import layers

    _check_sizes("hidden_units", [hidden_units])
    hidden = [
        layers.Conv2D(count, size, step, padding="same", activation=convolution_activation)
        for count, size, step in _convolutions(filters, kernel_sizes, strides)
    ]
    hidden += [layers.Flatten(), layers.Dense(hidden_units, activation=activation)]
    return _sequential("cnn", input_shape, num_classes, hidden)


def cnn_batch_norm(
    input_shape=(28, 28),
    num_classes=10,
    filters=(12, 24, 32),
    kernel_sizes=(3, 6, 6),
    strides=(1, 2, 2),
    hidden_units=128,
    activation="relu",
    rate=0.2,
):
    """Build the CNN with batch normalisation between each sum and its activation, and dropout.

    Parameters
    ----------
    input_shape, num_classes, filters, kernel_sizes, strides, hidden_units
        As in `cnn`.
    activation : str or callable
        Of convolutions and dense layer alike.
    rate : float
        Dropout after the dense layer, in [0, 1).
    """
    from keras import layers

    _check_sizes("hidden_units", [hidden_units])

    def normalised(layer):
        return [layer, layers.BatchNormalization(), layers.Activation(activation)]

    hidden = []
    for count, size, step in _convolutions(filters, kernel_sizes, strides):
        hidden += normalised(layers.Conv2D(count, size, step, padding="same"))
    hidden += [layers.Flatten(), *normalised(layers.Dense(hidden_units))]
    hidden.append(layers.Dropout(_rate(rate)))
    return _sequential("cnn_batch_norm", input_shape, num_classes, hidden)


def _sequential(name, input_shape, num_classes, hidden=(), flat=False):
    import keras

    shape = tuple(input_shape)
    if len(shape) not in (2, 3):
        raise ValueError(
            f"input_shape is {shape}; expected (height, width) or (height, width, channels)"
        )
    _check_sizes("input_shape", shape)
    _check_sizes("num_classes", [num_classes])
    if num_classes < 2:
        raise ValueError(f"num_classes is {num_classes}; softmax needs at least 2")
    if flat:
        first = [keras.layers.Flatten()]
    else:
        first = [keras.layers.Reshape((*shape, 1))] if len(shape) == 2 else []
    output = keras.layers.Dense(num_classes, activation="softmax")
    return keras.Sequential([keras.Input(shape), *first, *hidden, output], name=name)


def _convolutions(filters, kernel_sizes, strides):
    columns = {"filters": filters, "kernel_sizes": kernel_sizes, "strides": strides}
    for name, values in columns.items():
        _check_sizes(name, values)
    if len({len(values) for values in columns.values()}) > 1:
        counted = ", ".join(f"{len(values)} {name}" for name, values in columns.items())
        raise ValueError(f"{counted}; expected one of each for every convolution")
    return zip(filters, kernel_sizes, strides, strict=True)


def _check_sizes(name, values):
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} has {value!r}; expected whole numbers of at least 1")


def _rate(value):
    if not 0 <= value < 1:
        raise ValueError(f"dropout rate is {value!r}; expected at least 0 and less than 1")
    return value
