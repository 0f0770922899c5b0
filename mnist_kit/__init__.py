"""Helpers for a course that meets neural networks on handwritten digits.

The kit loads, scales, plots, records and grades. Learning stays in Keras: `compile`, `fit` and
`evaluate` are called by the reader, never in here.

Importing the package loads neither NumPy, TensorFlow nor Matplotlib; each name loads what it
needs when it is first used.
"""

from importlib import import_module

from mnist_kit.runtime import quiet_tensorflow

_HOME_OF = {
    "load_mnist": "data",
    "load_cifar10": "data",
    "class_names": "data",
    "set_seeds": "runtime",
    "device": "runtime",
    "show": "figures",
    "exercise": "exercises",
}
_MODULES = {
    "data",
    "evaluation",
    "exercises",
    "experiments",
    "ladder",
    "models",
    "pipelines",
    "plots",
    "preprocessing",
    "record",
    "results",
    "runtime",
    "schedules",
    "search",
    "speedrun",
}
__all__ = sorted({*_HOME_OF, *_MODULES})

quiet_tensorflow()


def __getattr__(name):
    if name in _HOME_OF:
        value = getattr(import_module(f"mnist_kit.{_HOME_OF[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"mnist_kit.{name}")
    elif name == "__version__":
        value = import_module("importlib.metadata").version("mnist-kit")
    else:
        raise AttributeError(f"mnist_kit has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
