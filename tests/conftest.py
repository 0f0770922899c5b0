"""Fixtures shared by the tests: a folder and a home of one's own, and the genuine data sets."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from mnist_kit import data, folders

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def own_folders(tmp_path, monkeypatch):
    """Empty data folder, home and Keras cache below `tmp_path`, no address, nothing loaded yet."""
    home, store = tmp_path / "home", tmp_path / "data"
    home.mkdir()
    store.mkdir()
    for name in ("MNIST_KIT_DATA", "MNIST_KIT_SOURCE", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setattr(folders, "data_folder", lambda: store)
    monkeypatch.setattr(data, "_used", {})
    return tmp_path


@pytest.fixture
def arrays():
    """A small sound MNIST as the four arrays of an `.npz` file."""
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (30, 28, 28), np.uint8),
        "y_train": np.arange(30, dtype=np.uint8) % 10,
        "x_test": rng.integers(0, 256, (10, 28, 28), np.uint8),
        "y_test": np.arange(10, dtype=np.uint8),
    }


@pytest.fixture(scope="session")
def real_mnist_path():
    """A genuine `mnist.npz`; the test is skipped where there is none."""
    return _find("mnist.npz")


@pytest.fixture(scope="session")
def real_cifar10_path():
    """A genuine `cifar10.npz`; the test is skipped where there is none."""
    return _find("cifar10.npz")


def _find(name):
    named = Path(os.environ.get("MNIST_KIT_DATA") or ROOT / "data")
    keras_home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    places = [
        named if named.name == name else named / name,
        ROOT / "data" / name,
        keras_home / "datasets" / name,
        *sorted(ROOT.parent.glob(f"*/data/{name}")),
    ]
    for place in places:
        if place.is_file():
            return place
    pytest.skip(f"no {name} on this machine")


@pytest.fixture
def limited():
    """Run code in a process of its own that may not do everything; return (code, what it said).

    `file_size` limits the files it writes, in bytes. With `unprivileged`, root becomes another
    user first, since root may read and write everything. The code finds an empty folder that any
    user may enter, its working folder, in the variable `folder`; `prepare` runs before the limits.
    """
    resource = pytest.importorskip("resource")

    def run(code, *, prepare="", file_size=None, unprivileged=False):
        lines = ["import os, pathlib, resource", "folder = pathlib.Path.cwd()"]
        lines += ["from mnist_kit import data, files, folders, standin", prepare]
        if unprivileged:
            lines += ["if os.geteuid() == 0:", "    os.setgid(65534); os.setuid(65534)"]
        if file_size:
            lines += [f"resource.setrlimit({resource.RLIMIT_FSIZE}, ({file_size}, {file_size}))"]
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            finished = subprocess.run(
                [sys.executable, "-c", "\n".join([*lines, code])],
                capture_output=True,
                text=True,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": folder},
            )
        return finished.returncode, finished.stdout + finished.stderr

    return run
