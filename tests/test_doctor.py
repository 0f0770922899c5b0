"""What the doctor finds, and what it tells one to do."""

import sys

import pytest

from mnist_kit import data, doctor


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 13, 9)])
def test_a_supported_python_is_well(version):
    assert doctor.python(version).ok


@pytest.mark.parametrize("version", [(3, 10, 4), (3, 14, 0)])
def test_another_python_is_essential_and_has_a_remedy(version):
    finding = doctor.python(version)
    assert finding.essential
    assert "install Python" in finding.remedy


def test_an_installed_library_is_well():
    assert doctor.library("numpy").ok


def test_a_missing_library_is_named_with_its_remedy():
    finding = doctor.library("no-such-library")
    assert finding.found == "not installed"
    assert "pip install 'no-such-library'" in finding.remedy


def test_a_library_outside_the_kits_range_gets_the_range(monkeypatch):
    monkeypatch.setattr(doctor.metadata, "version", lambda name: "1.0")
    finding = doctor.library("numpy")
    assert "numpy" in finding.remedy and ">=2" in finding.remedy


@pytest.mark.parametrize(
    ("look", "well", "ill"),
    [(doctor.cores, 2, 1), (doctor.memory, 8e9, 1e9), (doctor.disk, 5e9, 0.2e9)],
)
def test_too_little_of_the_machine_has_a_remedy(look, well, ill):
    assert (look(well).ok, look(ill).ok) == (True, False)


def test_devices_come_from_a_process_of_their_own():
    finding = doctor.devices([sys.executable, "-c", "print('devices: CPU:0, GPU:0')"])
    assert (finding.found, finding.ok) == ("CPU:0, GPU:0", True)


def test_a_tensorflow_that_does_not_start_is_quoted():
    finding = doctor.devices([sys.executable, "-c", "raise ImportError('no such symbol')"])
    assert "ImportError: no such symbol" in finding.found
    assert finding.essential and not finding.ok


def test_a_tensorflow_that_hangs_is_given_up():
    finding = doctor.devices(
        [sys.executable, "-c", "import threading; threading.Event().wait()"], timeout=0.2
    )
    assert finding.found == "no answer in 0.2 s"
    assert finding.essential and not finding.ok


def test_graphviz_is_optional(tmp_path):
    finding = doctor.graphviz(path=str(tmp_path))
    assert not finding.ok and not finding.essential


def test_the_jupyter_kernel_is_this_python():
    assert doctor.kernel().ok


def test_a_kernel_of_another_python_is_found_out(tmp_path, monkeypatch):
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(
        '{"argv": ["/elsewhere/python", "-f", "{connection_file}"], "display_name": "Python 3"}'
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    finding = doctor.kernel()
    assert finding.found == "/elsewhere/python"
    assert "ipykernel install" in finding.remedy


def test_absent_data_are_no_fault(own_folders):
    finding = next(doctor.data_sets())
    assert not finding.essential
    assert "mnist-kit data fetch mnist" in finding.remedy


def test_damaged_data_are_a_fault(own_folders):
    path = data.folders.data_folder() / "mnist.npz"
    path.write_bytes(b"no array")
    finding = next(doctor.data_sets())
    assert finding.essential and not finding.ok
    assert str(path) in finding.found


def test_an_examination_covers_every_subject():
    found = {finding.subject: finding.found for finding in doctor.examine()}
    assert {"Python", "tensorflow", "Cores", "Memory", "Disk", "Graphviz", "MNIST"} < set(found)
    assert "CPU:0" in found["Devices"]
