"""Imports that take a blink, seeds, devices, and a TensorFlow without start-up noise."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from mnist_kit import runtime


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )


def test_importing_the_kit_loads_nothing_heavy():
    heavy = {"tensorflow", "keras", "numpy", "matplotlib", "pandas", "sklearn", "IPython"}
    code = f"import sys, mnist_kit; print(sorted({heavy!r} & set(sys.modules)))"
    assert run(code).stdout == "[]\n"


def test_public_names_are_all_there():
    assert run("import mnist_kit\nfor n in mnist_kit.__all__: getattr(mnist_kit, n)").stderr == ""


def test_unknown_names_are_refused():
    import mnist_kit

    with pytest.raises(AttributeError, match="no attribute 'load_minst'"):
        mnist_kit.load_minst  # noqa: B018


def test_tensorflow_starts_without_noise():
    code = "import mnist_kit, keras; keras.ops.ones(3) + keras.random.normal((3,))"
    assert run(code).stderr == ""


def test_real_warnings_come_through_while_tensorflow_starts():
    code = (
        "import os, sys; from mnist_kit import runtime\n"
        "with runtime._filtered_stderr():\n"
        "    os.write(2, b'W0000 the disk is on fire\\n')\n"
        "    os.write(2, b'I0000 port.cc:153] oneDNN custom operations are on. You may\\n')\n"
        "    print('said by Python', file=sys.stderr)"
    )
    assert set(run(code).stderr.splitlines()) == {"W0000 the disk is on fire", "said by Python"}


def test_errors_during_the_import_come_through():
    code = (
        "import os; from mnist_kit import runtime\n"
        "try:\n"
        "    with runtime._filtered_stderr():\n"
        "        os.write(2, b'E0000 broken\\n'); raise ImportError\n"
        "except ImportError: print('raised')"
    )
    done = run(code)
    assert (done.stderr, done.stdout) == ("E0000 broken\n", "raised\n")


def test_a_log_level_that_is_set_stays():
    code = "import os; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '0'; import mnist_kit"
    assert run(code + "; print(os.environ['TF_CPP_MIN_LOG_LEVEL'])").stdout == "0\n"


def drawn():
    return np.random.random(), float(keras.random.uniform(()))


def test_same_seed_draws_the_same_numbers():
    runtime.set_seeds(3)
    first = drawn()
    runtime.set_seeds(3)
    assert drawn() == first


def test_another_seed_draws_others():
    runtime.set_seeds(3)
    first = drawn()
    runtime.set_seeds(4)
    assert drawn() != first


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", True])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(ValueError, match="expected an integer"):
        runtime.set_seeds(seed)


def test_device_line_names_hardware_and_backend():
    line = runtime.device()
    assert line.startswith(("CPU with", "GPU: "))
    assert keras.backend.backend() in line


def test_cores_are_those_the_process_may_use():
    assert 1 <= runtime.usable_cores() <= os.cpu_count()
