"""Seeds, devices, and a TensorFlow that starts without noise.

Nothing here trains or changes a model.
"""

import importlib.abc
import importlib.util
import os
import re
import sys
import tempfile
from contextlib import contextmanager

# What TensorFlow says at every start on a machine that is perfectly well. Each pattern names one
# known message; a line that matches none of them is shown.
_STARTUP_NOISE = re.compile(
    rb"All log messages before absl::InitializeLog\(\) is called are written to STDERR"
    rb"|oneDNN custom operations are on"
    rb"|Could not find cuda drivers on your machine"
    rb"|This TensorFlow binary is optimized to use available CPU instructions"
    rb"|^To enable the following instructions: .* rebuild TensorFlow"
    rb"|failed call to cuInit: .*(UNKNOWN ERROR \(303\)|CUDA_ERROR_NO_DEVICE)"
    rb"|Unable to register cu(DNN|FFT|BLAS) factory"
    rb"|computation_placer already registered"
    rb"|TF-TRT Warning: Could not find TensorRT"
)


def set_seeds(seed):
    """Seed Python, NumPy and the Keras backend, so that a second run repeats the first.

    Parameters
    ----------
    seed : int
        0 to 2**32 - 1.

    Raises
    ------
    ValueError
        If `seed` is not such an integer.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed!r}; expected an integer from 0 to 2**32 - 1")
    import keras

    keras.utils.set_random_seed(seed)


def device():
    """Say in one line what Keras computes on, such as ``CPU with 4 cores (tensorflow 2.21.0)``."""
    import keras

    backend = keras.backend.backend()
    gpus = _gpu_names(backend)
    where = f"GPU: {', '.join(gpus)}" if gpus else f"CPU with {usable_cores()} cores"
    return f"{where} ({backend} {sys.modules[backend].__version__}, keras {keras.__version__})"


def usable_cores():
    """Count the processor cores this process may use, which in a container are not all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gpu_names(backend):
    if backend == "tensorflow":
        import tensorflow as tf

        details = map(
            tf.config.experimental.get_device_details, tf.config.list_physical_devices("GPU")
        )
        return [each.get("device_name", "unnamed") for each in details]
    if backend == "torch":
        import torch

        return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    import jax

    return [each.device_kind for each in jax.devices() if each.platform == "gpu"]


def quiet_tensorflow():
    """Keep TensorFlow's start-up messages off stderr whenever it comes to be imported.

    Its log level silences the informative messages but not those written before logging is set
    up; those are filtered while the import runs. Anything unknown still reaches stderr.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    if "tensorflow" not in sys.modules and not any(
        isinstance(finder, _QuietFinder) for finder in sys.meta_path
    ):
        sys.meta_path.insert(0, _QuietFinder())


class _QuietFinder(importlib.abc.MetaPathFinder):
    """Wrap the import of TensorFlow, once, in `_filtered_stderr`."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _QuietLoader(spec.loader)
        return spec


class _QuietLoader(importlib.abc.Loader):
    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        with _filtered_stderr():
            self._loader.exec_module(module)
            # The search for GPUs is as talkative as the import; it costs no memory on them.
            module.config.list_physical_devices()

    def __getattr__(self, name):
        return getattr(self._loader, name)


@contextmanager
def _filtered_stderr():
    """Hold back file descriptor 2, then pass on every line that is no known start-up noise."""
    try:
        sys.stderr.flush()
        kept_aside = os.dup(2)
    except (OSError, AttributeError, ValueError):
        yield  # no stderr to filter, as under pythonw
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept_aside, 2)
            os.close(kept_aside)
            held.seek(0)
            for line in held:
                if not _STARTUP_NOISE.search(line):
                    os.write(2, line)
