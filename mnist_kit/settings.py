"""What the settings of an experiment may be, and their one form. Nothing here trains."""

import math
import operator

ACTIVATIONS = (
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "tanh",
    "sigmoid",
    "softplus",
    "linear",
)
OPTIMIZERS = {  # by name: Keras's class and what is set beside the learning rate
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("Adagrad", {}),
    "adadelta": ("Adadelta", {}),
    "rmsprop": ("RMSprop", {}),
    "adam": ("Adam", {}),
    "adamw": ("AdamW", {}),
    "adamax": ("Adamax", {}),
    "nadam": ("Nadam", {}),
}
SPARSE = "sparse_categorical_crossentropy"
LOSSES = (
    SPARSE,
    "categorical_crossentropy",
    "mean_squared_error",
    "mean_absolute_error",
    "mean_squared_logarithmic_error",
    "huber",
    "kl_divergence",
    "poisson",
    "cosine_similarity",
    "categorical_hinge",
)
SCHEDULES = ("constant", "decay_per_epoch", "cosine")

_CHOICES = {
    "activation": ACTIVATIONS,
    "optimizer": tuple(OPTIMIZERS),
    "loss": LOSSES,
    "schedule": SCHEDULES,
    "batch_norm": (False, True),
    "flip": (False, True),
}
_NUMBERS = {
    "learning_rate": ("more than 0", lambda value: value > 0),
    "decay_rate": ("more than 0 and at most 1", lambda value: 0 < value <= 1),
    "validation_split": ("more than 0 and less than 1", lambda value: 0 < value < 1),
    "dropout": ("at least 0 and less than 1", lambda value: 0 <= value < 1),
    "l1": ("at least 0", lambda value: value >= 0),
    "l2": ("at least 0", lambda value: value >= 0),
    "max_norm": ("more than 0", lambda value: value > 0),
    "noise": ("at least 0", lambda value: value >= 0),
    "rotation": ("0 to 180 degrees", lambda value: 0 <= value <= 180),
}
_WHOLE_NUMBERS = {  # least and most
    "hidden_layers": (1, math.inf),
    "epochs": (1, math.inf),
    "batch_size": (1, math.inf),
    "shift": (0, math.inf),
    "patience": (1, math.inf),
    "seed": (0, 2**32 - 1),
}
_OPTIONAL = ("activation", "decay_rate", "max_norm", "patience")


def checked(settings):
    """Return the settings of an `Experiment`, each in its one form.

    Parameters
    ----------
    settings : dict
        A value for every field of `Experiment`.

    Raises
    ------
    ValueError
        If a value is impossible, or could do nothing beside the others.
    """
    found = {
        name: _checked(name, value)
        for name, value in settings.items()
        if name not in ("hidden_layers", "dropout")
    }
    hidden = found["hidden_layers"] = _hidden_layers(settings["hidden_layers"])
    found["dropout"] = _dropout(settings["dropout"], len(hidden))
    if not hidden:
        found["activation"] = None
        if found["batch_norm"] or found["dropout"]:
            name = "batch_norm" if found["batch_norm"] else "dropout"
            raise ValueError(
                f"hidden_layers is empty, so {name}={found[name]} has no layer to act on; leave "
                "it out, or add a hidden layer"
            )
    elif found["activation"] is None:
        raise ValueError(
            "activation is None, which makes all hidden layers one linear map; choose one of "
            f"{', '.join(ACTIVATIONS)}"
        )
    if found["schedule"] == "decay_per_epoch":
        found["decay_rate"] = found["decay_rate"] or 0.6
    elif found["decay_rate"] is not None:
        raise ValueError(
            f"decay_rate={found['decay_rate']} does nothing with schedule={found['schedule']!r}; "
            "leave it out, or choose 'decay_per_epoch'"
        )
    return found


def _checked(name, value):
    """Return one value in its one form, or raise ValueError."""
    if value is None and name in _OPTIONAL:
        return None
    if name in _CHOICES:
        known = _CHOICES[name]
        if value not in known:
            raise ValueError(
                f"{name} {value!r} is unknown; expected one of {', '.join(map(str, known))}"
            )
        return known[known.index(value)]
    if name in _NUMBERS:
        expected, fits = _NUMBERS[name]
        number = _number(value)
        if number is None or not fits(number):
            raise ValueError(f"{name} is {value!r}; expected {expected}")
        return number
    least, most = _WHOLE_NUMBERS[name]
    whole = _whole(value)
    if whole is None or not least <= whole <= most:
        limit = "" if most == math.inf else f" and at most {most}"
        raise ValueError(f"{name} is {value!r}; expected a whole number of at least {least}{limit}")
    return whole


def _hidden_layers(units):
    if isinstance(units, str) or not hasattr(units, "__iter__"):
        raise ValueError(
            f"hidden_layers is {units!r}; expected the units of each layer, such as (128, 64)"
        )
    return tuple(_checked("hidden_layers", each) for each in units)


def _dropout(dropout, layers):
    """Return one rate where it serves all layers, else a tuple with one for each."""
    if isinstance(dropout, str) or not hasattr(dropout, "__iter__"):
        return _checked("dropout", dropout)
    rates = tuple(_checked("dropout", each) for each in dropout)
    if len(rates) != layers:
        raise ValueError(f"dropout has {len(rates)} rates for {layers} hidden layers")
    return rates if len(set(rates)) > 1 else max(rates, default=0.0)


def _whole(value):
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _number(value):
    """Return a finite float, or None for what is no number."""
    if isinstance(value, bool | str):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
