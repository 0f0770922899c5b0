"""Look at the machine and the environment, and say what to do about what is wrong.

TensorFlow is asked in another process, so that a broken one cannot take this one with it.
"""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement

from mnist_kit import folders
from mnist_kit.runtime import usable_cores

_GB = 1e9
_LOWEST, _HIGHEST = (3, 11), (3, 13)
_LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "pandas", "matplotlib", "scikit-learn")
_ASK_TENSORFLOW = """
import os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf
print("devices:", ", ".join(each.name.removeprefix("/physical_device:")
                            for each in tf.config.list_physical_devices()))
"""


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `remedy` is empty where all is well; `essential` if work stops there."""

    subject: str
    found: str
    remedy: str = ""
    essential: bool = False

    @property
    def ok(self):
        return not self.remedy


def examine(timeout=120):
    """Look at everything, in the order a newcomer would repair it.

    Parameters
    ----------
    timeout : float
        Seconds to wait for TensorFlow's answer about devices.

    Yields
    ------
    Finding
    """
    yield python()
    yield from map(library, _LIBRARIES)
    yield cores()
    yield memory()
    yield disk()
    yield devices(timeout=timeout)
    yield kernel()
    yield graphviz()
    yield from data_sets()


def python(version=None):
    """Is this a Python for which the pinned TensorFlow is built?"""
    version = version or sys.version_info[:3]
    remedy = ""
    if not _LOWEST <= version[:2] <= _HIGHEST:
        remedy = "install Python 3.11, 3.12 or 3.13, remove .venv and run `make course` again"
    return Finding("Python", ".".join(map(str, version)), remedy, essential=True)


def library(name):
    """Which version of a library is installed, and does the kit accept it?"""
    requirements = map(Requirement, metadata.requires("mnist-kit") or [])
    wanted = next((each.specifier for each in requirements if each.name == name), "")
    repair = f"`{sys.executable} -m pip install '{name}{wanted}'`"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, "not installed", repair, essential=True)
    fits = not wanted or wanted.contains(version, prereleases=True)
    return Finding(name, version, "" if fits else repair, essential=True)


def cores(count=None):
    """How many cores may be used?"""
    count = count or usable_cores()
    remedy = "" if count > 1 else "expect twice the course's times; close other programs"
    return Finding("Cores", str(count), remedy)


def memory(available=None):
    """Is there memory for one kernel with TensorFlow and a data set?"""
    if available is None:
        import psutil

        available = psutil.virtual_memory().available
    remedy = "" if available >= 3 * _GB else "close other programs; 3 GB free are comfortable"
    return Finding("Memory", f"{available / _GB:.1f} GB free", remedy)


def disk(free=None):
    """Is there room for data, models and the executed course?"""
    folder = folders.build_folder()
    if free is None:
        there = next(each for each in (folder, *folder.parents) if each.exists())
        free = shutil.disk_usage(there).free
    remedy = "" if free >= 1 * _GB else f"free some space on the disk of {folder}: 1 GB is enough"
    return Finding("Disk", f"{free / _GB:.1f} GB free", remedy, essential=True)


def devices(command=None, timeout=120):
    """What does TensorFlow compute on, and does it start at all?"""
    repair = "install it again: `make clean`, remove .venv, `make course`"
    try:
        answer = subprocess.run(
            command or [sys.executable, "-c", _ASK_TENSORFLOW],
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        remedy = "try once more; if it stays so, " + repair
        return Finding("Devices", f"no answer in {timeout:g} s", remedy, essential=True)
    found = re.search(r"^devices: (.*)$", answer.stdout, re.MULTILINE)
    if answer.returncode or not found:
        last = (answer.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return Finding("Devices", f"TensorFlow does not start: {last}", repair, essential=True)
    return Finding("Devices", found[1])


def kernel():
    """Will Jupyter's «Python 3» be this Python, the one the kit is installed for?"""
    from jupyter_client.kernelspec import KernelSpecManager

    try:
        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except Exception as error:
        repair = f"`{sys.executable} -m pip install ipykernel`"
        return Finding("Jupyter kernel", str(error), repair, essential=True)
    # Jupyter itself puts its own interpreter in place of a bare "python".
    ours = command in (sys.executable, "python", "python3", f"python3.{sys.version_info.minor}")
    remedy = "" if ours else f"`{sys.executable} -m ipykernel install --sys-prefix`"
    return Finding("Jupyter kernel", "this Python" if ours else command, remedy)


def graphviz(path=None):
    """Can models be drawn? Without it the course draws them as text."""
    found = shutil.which("dot", path=path)
    remedy = "" if found else "optional: install Graphviz (apt, brew or conda install graphviz)"
    return Finding("Graphviz", found or "not found", remedy)


def data_sets():
    """Where would each data set come from? Yields a Finding for each."""
    from mnist_kit import data

    for name, dataset in data.DATASETS.items():
        there = [place for place in data.status(name) if place.state != "not found"]
        damaged = [place for place in there if place.state == "damaged"]
        real = [place for place in there if place.kind != "standin"]
        if damaged:
            path = str(damaged[0].path)
            yield Finding(dataset.title, f"{path} is damaged", damaged[0].note, essential=True)
        elif real:
            yield Finding(dataset.title, str(real[0].path))
        else:
            remedy = f"`mnist-kit data fetch {name}`, or work on the stand-in"
            yield Finding(dataset.title, "not here", remedy)
