"""Files are written whole or not at all."""

import os
import stat

import pytest

from mnist_kit import files, folders


def test_a_file_holds_what_was_written(tmp_path):
    path = files.write_text_whole(tmp_path / "a.txt", "größer")
    assert path.read_text(encoding="utf-8") == "größer"


def test_folders_above_the_file_are_made(tmp_path):
    assert files.write_text_whole(tmp_path / "new" / "deep" / "a.txt", "x").exists()


def test_the_temporary_file_has_the_same_folder_and_suffix(tmp_path):
    seen = []
    files.write_whole(tmp_path / "a.npz", lambda path: (seen.append(path), path.write_bytes(b"x")))
    assert (seen[0].parent, seen[0].suffix) == (tmp_path, ".npz")


def test_others_may_read_the_file_as_any_other(tmp_path):
    (tmp_path / "plain").write_text("x")
    files.write_text_whole(tmp_path / "whole", "x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "whole")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("interruption", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, interruption):
    path = files.write_text_whole(tmp_path / "a.txt", "old")

    def write(temporary):
        temporary.write_text("ne")
        raise interruption

    with pytest.raises(interruption):
        files.write_whole(path, write)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "old")]


def test_an_error_that_is_not_the_disks_passes_through(tmp_path):
    def write(temporary):
        raise ConnectionResetError(104, "the other side hung up")

    with pytest.raises(ConnectionResetError):
        files.write_whole(tmp_path / "a.txt", write)


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(files.FileError, match=r"a.b\.txt could not be written.*move it"):
        files.write_text_whole(tmp_path / "a" / "b.txt", "x")


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(files.FileError, match="move it"):
        files.write_text_whole(tmp_path / "a.txt", "x")


def test_a_full_device_names_the_file_and_the_remedy(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")

    def write(temporary):
        with open("/dev/full", "w") as full:
            full.write("x")

    with pytest.raises(files.FileError, match=r"a\.txt could not be written: the disk is full"):
        files.write_whole(tmp_path / "a.txt", write)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_may_not_grow_leaves_nothing(limited):
    code = """
try:
    files.write_text_whole(folder / "a.txt", "x" * 5000)
except files.FileError as error:
    print(error, "left:", list(folder.iterdir()))
"""
    _, said = limited(code, file_size=1000)
    assert "grew beyond the size allowed here" in said and "left: []" in said


def test_a_closed_folder_names_the_remedy(limited):
    code = "files.write_text_whole(folder / 'closed' / 'a.txt', 'x')"
    _, said = limited(code, prepare="(folder / 'closed').mkdir(mode=0o555)", unprivileged=True)
    assert "FileError" in said and "writing is not permitted there; change the permissions" in said


def test_the_checkout_is_the_folder_of_pyproject():
    assert (folders.checkout() / "mnist_kit" / "folders.py").samefile(folders.__file__)


def test_in_a_checkout_everything_lies_in_it():
    root = folders.checkout()
    assert folders.data_folder() == root / "data"
    assert folders.build_folder() == root / "build"
    assert folders.notebooks_folder() == root / "notebooks"


@pytest.fixture
def installed(monkeypatch, tmp_path):
    monkeypatch.setattr(folders, "__file__", str(tmp_path / "site-packages" / "kit" / "folders.py"))
    monkeypatch.chdir(tmp_path)


def test_outside_a_checkout_there_is_none(installed):
    assert folders.checkout() is None


def test_outside_a_checkout_data_lie_in_the_users_cache(installed, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert folders.data_folder().name == "mnist-kit"


def test_outside_a_checkout_results_lie_in_the_current_folder(installed, tmp_path):
    assert folders.build_folder() == tmp_path / "build"
    assert folders.notebooks_folder() == tmp_path / "notebooks"


def test_a_stranger_pyproject_is_no_checkout(installed, tmp_path):
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "pyproject.toml").write_text('[project]\nname = "other"\n')
    assert folders.checkout() is None
