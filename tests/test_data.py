"""Where the data come from, in which order, and what is said of bad files."""

import functools
import hashlib
import http.server
import importlib.util
import io
import os
import socket
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnist_kit import data, folders, npz, standin
from mnist_kit.data import DataError

KERAS = dict(data.DATASETS)
COLOUR = np.zeros((4, 32, 32, 3), np.uint8)
CIFAR = {"x_train": COLOUR, "y_train": np.arange(4), "x_test": COLOUR, "y_test": np.arange(4)}


@pytest.fixture(autouse=True)
def alone(own_folders, monkeypatch):
    """No test reaches the network, and a stand-in of ten images stands in for the stand-in."""
    nowhere = {
        name: replace(spec, url=f"http://nowhere.invalid/{spec.download}")
        for name, spec in data.DATASETS.items()
    }
    monkeypatch.setattr(data, "DATASETS", nowhere)
    monkeypatch.setattr(standin, "build", little)


def little(dataset):
    images = np.full((10, *standin.IMAGE_SHAPES[dataset]), 7, np.uint8)
    return ((images, np.arange(10, dtype=np.uint8)),) * 2


@pytest.fixture
def store(own_folders):
    return own_folders / "data"


@pytest.fixture
def cache(own_folders):
    folder = own_folders / "home" / ".keras" / "datasets"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def saved(own_folders, arrays):
    """A sound `mnist.npz` that is nowhere the kit would look."""
    return save(own_folders / "mnist.npz", arrays)


def save(path, arrays, **changes):
    np.savez(path, **{**arrays, **changes})
    return path


def kinds(dataset="mnist"):
    return data.source_of(dataset).kind


# Shapes


def test_mnist_comes_as_keras_gives_it(real_mnist_path):
    (x_train, y_train), (x_test, y_test) = data.load_mnist(real_mnist_path)
    assert (x_train.shape, x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert (y_train.shape, y_test.shape) == ((60000,), (10000,))
    assert {array.dtype for array in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert np.bincount(y_train)[5] == 5421  # the rarest of the ten


def test_cifar10_comes_as_keras_gives_it(real_cifar10_path):
    (x_train, y_train), (x_test, y_test) = data.load_cifar10(real_cifar10_path)
    assert (x_train.shape, x_test.shape) == ((50000, 32, 32, 3), (10000, 32, 32, 3))
    assert (y_train.shape, y_test.shape) == ((50000, 1), (10000, 1))
    assert {array.dtype for array in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}


def test_arrays_come_back_unchanged(saved, arrays):
    (x_train, y_train), (x_test, y_test) = data.load_mnist(saved)
    for name, loaded in zip(npz.NAMES, (x_train, y_train, x_test, y_test), strict=True):
        np.testing.assert_array_equal(loaded, arrays[name])


def test_arrays_may_be_written_to(saved):
    (x_train, y_train), _ = data.load_mnist(saved)
    x_train[0], y_train[0] = 1, 1


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_cifar10_labels_may_be_flat_or_a_column(own_folders, shape):
    labels = np.arange(4).reshape(shape)
    path = save(own_folders / "cifar10.npz", CIFAR, y_train=labels, y_test=labels)
    (_, y_train), _ = data.load_cifar10(path)
    assert (y_train.shape, y_train.dtype) == ((4, 1), np.uint8)


def test_one_image_is_enough(own_folders, arrays):
    one = {name: array[:1] for name, array in arrays.items()}
    (x_train, _), _ = data.load_mnist(save(own_folders / "mnist.npz", one))
    assert x_train.shape == (1, 28, 28)


def test_arrays_stored_by_columns_are_read_right(own_folders, arrays):
    path = save(own_folders / "a.npz", arrays, x_train=np.asfortranarray(arrays["x_train"]))
    np.testing.assert_array_equal(data.load_mnist(path)[0][0], arrays["x_train"])


def test_a_compressed_file_is_read(own_folders, arrays):
    np.savez_compressed(own_folders / "a.npz", **arrays)
    np.testing.assert_array_equal(data.load_mnist(own_folders / "a.npz")[1][0], arrays["x_test"])


# The order of sources


def test_each_source_gives_way_to_the_one_before_it(
    own_folders, store, cache, arrays, monkeypatch, serve
):
    steps = []
    named = own_folders / "named.npz"
    serve(arrays)
    for place in (None, cache / "mnist.npz", store / "mnist.npz", named):
        if place == named:
            monkeypatch.setenv("MNIST_KIT_DATA", str(named))
        if place:
            save(place, arrays)
        data.load_mnist()
        steps.append(kinds())
        if place is None:
            (store / "mnist.npz").unlink()
    data.load_mnist(save(own_folders / "argument.npz", arrays))
    steps.append(data.source_of("mnist").path.name)
    assert steps == ["download", "cache", "data", "path", "argument.npz"]


def test_with_nothing_else_it_is_the_standin():
    data.load_mnist()
    assert kinds() == "standin"


def test_offline_does_not_ask_the_network(serve, arrays):
    asked = serve(arrays)
    data.load_mnist(source="offline")
    assert (kinds(), asked) == ("standin", [])


def test_keras_home_names_the_cache(own_folders, arrays, monkeypatch):
    (own_folders / "keras" / "datasets").mkdir(parents=True)
    save(own_folders / "keras" / "datasets" / "mnist.npz", arrays)
    monkeypatch.setenv("KERAS_HOME", str(own_folders / "keras"))
    data.load_mnist(source="cache")
    assert data.source_of("mnist").path.parent.parent == own_folders / "keras"


def test_installed_from_a_wheel_data_in_the_current_folder_are_found(
    own_folders, arrays, monkeypatch
):
    (own_folders / "work" / "data").mkdir(parents=True)
    save(own_folders / "work" / "data" / "mnist.npz", arrays)
    monkeypatch.chdir(own_folders / "work")
    monkeypatch.setattr(folders, "checkout", lambda: None)
    data.load_mnist()
    assert kinds() == "data"


@pytest.mark.parametrize("through", ["argument", "environment"])
def test_a_folder_may_be_named(own_folders, arrays, monkeypatch, through):
    (own_folders / "mine").mkdir()
    path = save(own_folders / "mine" / "mnist.npz", arrays)
    if through == "environment":
        monkeypatch.setenv("MNIST_KIT_DATA", str(path.parent))
    data.load_mnist(path.parent if through == "argument" else None)
    assert data.source_of("mnist").path == path


@pytest.mark.parametrize("through", ["argument", "environment"])
@pytest.mark.parametrize("name", ["none.npz", "none/mnist.npz", "home"])
def test_a_name_for_nothing_is_an_error(own_folders, store, arrays, monkeypatch, through, name):
    save(store / "mnist.npz", arrays)
    path = own_folders / name
    if through == "environment":
        monkeypatch.setenv("MNIST_KIT_DATA", str(path))
    with pytest.raises(DataError, match="no such file.*Correct it, or name another"):
        data.load_mnist(path if through == "argument" else None)


@pytest.mark.parametrize("form", ["file", "folder"])
def test_a_named_mnist_leaves_cifar10_where_it_was(saved, monkeypatch, form):
    monkeypatch.setenv("MNIST_KIT_DATA", str(saved if form == "file" else saved.parent))
    data.load_mnist()
    data.load_cifar10()
    assert (kinds("mnist"), kinds("cifar10")) == ("path", "standin")


def test_the_environment_sets_the_default_source(store, arrays, monkeypatch):
    save(store / "mnist.npz", arrays)
    monkeypatch.setenv("MNIST_KIT_SOURCE", "standin")
    data.load_mnist()
    assert kinds() == "standin"


def test_an_argument_outweighs_the_environment(saved, monkeypatch):
    monkeypatch.setenv("MNIST_KIT_SOURCE", "standin")
    data.load_mnist(saved)
    assert kinds() == "path"


@pytest.mark.parametrize("source", ["path", "data", "cache", "download"])
def test_a_source_demanded_is_had_or_an_error(source):
    with pytest.raises(DataError, match="mnist.npz"):
        data.load_mnist(source=source)
    assert data.source_of("mnist") is None


def test_a_source_demanded_is_used_even_when_others_come_first(store, cache, arrays):
    save(store / "mnist.npz", arrays)
    save(cache / "mnist.npz", arrays)
    data.load_mnist(source="cache")
    assert kinds() == "cache"


def test_an_unknown_source_is_an_error():
    with pytest.raises(DataError, match="'web' is unknown; expected one of auto, offline, path"):
        data.load_mnist(source="web")


def test_a_path_and_another_source_contradict_each_other(saved):
    with pytest.raises(DataError, match="contradict"):
        data.load_mnist(saved, source="standin")


def test_an_unknown_data_set_is_an_error():
    with pytest.raises(DataError, match="expected mnist or cifar10"):
        data.status("fashion")


# What is said


def test_one_line_says_which_source_was_used_and_only_once(saved, capsys):
    data.load_mnist(saved)
    data.load_mnist(saved)
    said = capsys.readouterr().out
    assert said == "MNIST: 30 + 10 images from mnist.npz, the file you named.\n"


def test_each_data_set_has_its_own_line(capsys):
    data.load_mnist(source="offline")
    data.load_cifar10(source="offline")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["MNIST", "CIFAR-10"]


def test_no_absolute_path_is_said(store, cache, serve, arrays, capsys):
    serve(arrays)
    data.load_mnist()
    data.load_mnist()
    (store / "mnist.npz").rename(cache / "mnist.npz")
    data.load_mnist()
    assert capsys.readouterr().out.splitlines() == [
        "MNIST: 30 + 10 images downloaded from Keras's address, now in data/mnist.npz.",
        "MNIST: 30 + 10 images from data/mnist.npz.",
        "MNIST: 30 + 10 images from Keras's cache.",
    ]


def test_a_change_of_source_is_said(saved, capsys):
    data.load_mnist(saved)
    data.load_mnist(source="standin")
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_no_network_is_said_in_one_line(capsys):
    data.load_mnist()
    assert capsys.readouterr().out == (
        "MNIST: no network, so the embedded stand-in: digits after scikit-learn "
        "(10 + 10 images), not MNIST. See `mnist-kit data`.\n"
    )


def test_a_source_says_what_it_is(saved):
    data.load_mnist(saved)
    source = data.source_of("mnist")
    assert (source.dataset, source.kind, source.title) == ("mnist", "path", "MNIST")
    assert source.path == saved


def test_the_title_of_the_standin_denies_that_it_is_mnist():
    data.load_mnist(source="standin")
    title = data.source_of("mnist").title
    assert title == "digits after scikit-learn (stand-in, not MNIST)"


def test_the_fingerprint_is_of_the_arrays_not_of_their_packing(own_folders, saved, arrays):
    np.savez_compressed(own_folders / "packed.npz", **arrays)
    prints = []
    for path in (saved, own_folders / "packed.npz"):
        data.load_mnist(path)
        prints.append(data.source_of("mnist").fingerprint)
    assert prints[0] == prints[1]


def test_the_fingerprint_tells_one_label_apart(own_folders, saved, arrays):
    prints = []
    for path in (saved, save(own_folders / "b.npz", arrays, y_test=arrays["y_test"][::-1])):
        data.load_mnist(path)
        prints.append(data.source_of("mnist").fingerprint)
    assert prints[0] != prints[1]


def test_cifar10_has_names_for_its_classes_and_its_standin_has_digits(own_folders):
    data.load_cifar10(save(own_folders / "cifar10.npz", CIFAR))
    genuine = data.class_names("cifar10")
    data.load_cifar10(source="standin")
    assert (genuine[:2], genuine[9]) == (["airplane", "automobile"], "truck")
    assert data.class_names("cifar10") == list("0123456789")


def test_mnist_has_digits_for_class_names():
    assert data.class_names("mnist") == list("0123456789")


# Bad files


def overwrite(path, start, new):
    raw = bytearray(path.read_bytes())
    raw[start : start + len(new)] = new
    path.write_bytes(raw)


def truncate(path, arrays):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def change_a_pixel(path, arrays):
    at = path.read_bytes().index(arrays["x_train"].tobytes()[:64])
    overwrite(path, at + 9, bytes([arrays["x_train"].tobytes()[9] ^ 1]))


def change_compressed_bytes(path, arrays):
    np.savez_compressed(path, **arrays)
    overwrite(path, 200, bytes(range(100)))


def rename_an_array(path, arrays):
    np.savez(path, **{("images" if name == "x_test" else name): a for name, a in arrays.items()})


def replace_an_array_by_text(path, arrays):
    with zipfile.ZipFile(path, "w") as archive:
        for name in npz.NAMES:
            archive.writestr(f"{name}.npy", "not an array")


def claim_a_huge_array(path, arrays):
    header = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": (1 << 50, 28, 28)}
    np.lib.format.write_array_header_1_0(header, fields)
    with zipfile.ZipFile(path, "w") as archive:
        for name in npz.NAMES:
            archive.writestr(f"{name}.npy", header.getvalue() + bytes(100))


def changed(**changes):
    """Damage that saves the arrays with some of them passed through a function."""

    def damage(path, arrays):
        save(path, arrays, **{name: change(arrays[name]) for name, change in changes.items()})

    return damage


BAD = {
    "empty file": (lambda path, _: path.write_bytes(b""), "no zip file"),
    "not a zip": (lambda path, _: path.write_text("<html>sign in</html>"), "no zip file"),
    "a single array": (lambda path, a: np.save(path.open("wb"), a["x_test"]), "no zip file"),
    "truncated": (truncate, "cut short or damaged"),
    "changed byte": (change_a_pixel, "bytes were changed"),
    "changed compressed bytes": (change_compressed_bytes, "damaged|changed"),
    "wrong name": (rename_an_array, "no array named x_test; expected .* found .*images"),
    "no array": (replace_an_array_by_text, "x_train is no array"),
    "huge claim": (claim_a_huge_array, "x_train has 100 bytes; expected"),
    "flat images": (
        changed(x_train=lambda x: x.reshape(-1, 784)),
        r"x_train has shape \(30, 784\); expected \(n, 28, 28\)",
    ),
    "colour images": (changed(x_test=lambda x: np.stack([x] * 3, -1)), "x_test has shape"),
    "float images": (changed(x_train=lambda x: x / 255), "x_train is float64; expected uint8"),
    "float labels": (changed(y_train=lambda y: y * 1.0), "y_train is float64; expected integers"),
    "one-hot labels": (changed(y_train=lambda y: np.eye(10, dtype=int)[y]), "y_train has shape"),
    "label 10": (changed(y_test=lambda y: y + 1), "y_test runs from 1 to 10; expected 0 to 9"),
    "label -1": (changed(y_test=lambda y: y.astype(int) - 1), "y_test runs from -1 to 8"),
    "too few labels": (changed(y_train=lambda y: y[:-1]), "y_train has 29 labels for 30 images"),
    "no images": (changed(x_test=lambda x: x[:0], y_test=lambda y: y[:0]), "n at least 1"),
    "object array": (
        changed(y_train=lambda y: y.astype(object)),
        "Python objects, which are never",
    ),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("place", ["argument", "data", "cache"])
def test_a_bad_file_is_an_error_that_names_it_and_the_remedy(
    name, place, own_folders, store, cache, arrays
):
    damage, said = BAD[name]
    folder = {"argument": own_folders, "data": store, "cache": cache}[place]
    path = save(folder / "mnist.npz", arrays)
    damage(path, arrays)
    remedy = "name another file" if place == "argument" else "Delete it and run `mnist-kit data"
    with pytest.raises(DataError, match=said) as caught:
        data.load_mnist(path if place == "argument" else None)
    assert str(path) in str(caught.value) and remedy in str(caught.value)


@pytest.mark.parametrize("place", ["data", "cache"])
def test_a_folder_where_a_file_should_be_says_so(place, store, cache):
    path = {"data": store, "cache": cache}[place] / "mnist.npz"
    path.mkdir()
    with pytest.raises(DataError, match=r"mnist\.npz: a folder; expected a file"):
        data.load_mnist()


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_a_pickle_in_an_array_is_not_executed(own_folders, arrays):
    witness = own_folders / "witness"
    trap = np.empty(30, object)
    trap[:] = Trap(str(witness))
    path = save(own_folders / "mnist.npz", arrays, y_train=trap)
    with pytest.raises(DataError, match="never loaded"):
        data.load_mnist(path)
    assert not witness.exists()


def test_a_bad_cifar10_file_names_its_own_remedy(store):
    save(store / "cifar10.npz", CIFAR, x_train=COLOUR[:, :28])
    with pytest.raises(DataError, match="run `mnist-kit data fetch cifar10`"):
        data.load_cifar10()


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_what_may_not_be_read_is_no_reason_to_look_elsewhere(limited, closed):
    prepare = """
folders.data_folder = lambda: folder / "data"
(folder / "data").mkdir()
(folder / "data" / "mnist.npz").write_bytes(b"")
(folder / "data{}").chmod(0)
""".format("" if closed == "folder" else "/mnist.npz")
    _, said = limited("data.load_mnist(source='offline')", prepare=prepare, unprivileged=True)
    assert "DataError" in said and "reading is not permitted; change the permissions" in said
    assert "mnist.npz" in said


# Downloads


@pytest.fixture
def serve(own_folders, monkeypatch):
    """Serve bytes or arrays as Keras's MNIST from this machine; return the requests made."""
    servers = []

    def start(content, *, sha256=None, cut=None):
        folder = own_folders / "served"
        folder.mkdir()
        if isinstance(content, dict):
            save(folder / "mnist.npz", content)
        else:
            (folder / "mnist.npz").write_bytes(content)
        raw = (folder / "mnist.npz").read_bytes()
        asked = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                asked.append(self.command)

            def copyfile(self, source, output):
                output.write(source.read()[:cut])

        handler = functools.partial(Handler, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        served = replace(
            data.DATASETS["mnist"],
            url=f"http://127.0.0.1:{server.server_port}/mnist.npz",
            sha256=sha256 or hashlib.sha256(raw).hexdigest(),
        )
        monkeypatch.setitem(data.DATASETS, "mnist", served)
        return asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_download_is_kept_in_the_data_folder(serve, arrays, store):
    serve(arrays)
    (x_train, _), _ = data.load_mnist()
    np.testing.assert_array_equal(x_train, arrays["x_train"])
    assert [path.name for path in store.iterdir()] == ["mnist.npz"]


def test_a_download_happens_once(serve, arrays):
    asked = serve(arrays)
    data.load_mnist()
    before = list(asked)
    data.load_mnist()
    assert (asked, kinds()) == (before, "data")


def test_a_download_shows_its_progress_on_stderr(serve, arrays, capsys):
    serve(arrays)
    data.fetch("mnist")
    said = capsys.readouterr()
    assert "MNIST: [#########################] 100%" in said.err and said.out == ""


def test_a_download_demanded_twice_is_made_once(serve, arrays):
    asked = serve(arrays)
    data.load_mnist(source="download")
    before = list(asked)
    data.load_mnist(source="download")
    assert (asked, kinds()) == (before, "download")


def test_a_download_demanded_does_not_overwrite_a_file_of_ones_own(serve, arrays, store):
    serve(arrays)
    path = save(store / "mnist.npz", arrays, y_test=arrays["y_test"][::-1])
    before = path.read_bytes()
    with pytest.raises(DataError, match="not the file that Keras distributes; move it away"):
        data.load_mnist(source="download")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("fault", "said", "why"),
    [
        ({"cut": 1000}, "broke off", "the download broke off"),
        ({"sha256": "0" * 64}, "its SHA-256 differs", "a wrong file was sent"),
    ],
)
def test_a_faulty_download_leaves_nothing(serve, arrays, store, capsys, fault, said, why):
    serve(arrays, **fault)
    with pytest.raises(data.DownloadError, match=said):
        data.fetch("mnist")
    assert list(store.iterdir()) == []
    data.load_mnist()
    assert capsys.readouterr().out.startswith(f"MNIST: {why}, so the embedded stand-in")


def point_at(monkeypatch, url):
    monkeypatch.setitem(data.DATASETS, "mnist", replace(data.DATASETS["mnist"], url=url))


def test_a_missing_page_is_said(serve, arrays, monkeypatch):
    serve(arrays)
    point_at(monkeypatch, data.DATASETS["mnist"].url + ".gone")
    with pytest.raises(data.DownloadError, match="the server answered 404"):
        data.fetch("mnist")


def test_a_closed_port_is_no_network(monkeypatch):
    with socket.socket() as held:  # bound, but not listening
        held.bind(("127.0.0.1", 0))
        point_at(monkeypatch, f"http://127.0.0.1:{held.getsockname()[1]}/mnist.npz")
        with pytest.raises(data.DownloadError, match=r"no network\); connect to the network"):
            data.fetch("mnist")


def test_a_server_that_never_answers_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(data, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        point_at(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}/mnist.npz")
        with pytest.raises(data.DownloadError, match="no network"):
            data.fetch("mnist")


def test_fetch_leaves_a_sound_file_alone(store, arrays):
    path = save(store / "mnist.npz", arrays)
    assert data.fetch("mnist") == path


def test_fetch_does_not_replace_a_damaged_file(store, serve, arrays):
    asked = serve(arrays)
    (store / "mnist.npz").write_text("damaged")
    with pytest.raises(DataError, match="Delete it"):
        data.fetch("mnist")
    assert asked == []


@pytest.mark.parametrize("dataset", KERAS)
def test_keras_has_the_same_addresses_and_checksums(dataset):
    package = Path(importlib.util.find_spec("keras").origin).parent
    text = (package / "src" / "datasets" / f"{dataset}.py").read_text()
    folder, _, name = KERAS[dataset].url.rpartition("/")
    assert folder in text and name in text and KERAS[dataset].sha256 in text


# Status and verify


def states(dataset="mnist"):
    return {place.kind: place.state for place in data.status(dataset)}


def test_status_lists_the_places_in_the_order_of_auto():
    assert [place.kind for place in data.status("mnist")] == list(data.KINDS)


def test_status_tells_found_from_damaged_from_missing(store, cache, arrays):
    save(store / "mnist.npz", arrays)
    (cache / "mnist.npz").write_text("damaged")
    assert states() == {
        "path": "not found",
        "data": "found",
        "cache": "damaged",
        "download": "not found",
        "standin": "not found",
    }


def test_status_shows_what_the_environment_names(saved, monkeypatch):
    monkeypatch.setenv("MNIST_KIT_DATA", str(saved))
    place = data.status("mnist")[0]
    assert (place.state, place.path) == ("found", saved)
    assert place.note == "30 + 10 images; a file of your own"


def test_status_shows_the_standin_once_built():
    data.load_mnist(source="standin")
    assert states()["standin"] == "found"


def test_status_sends_nobody_to_fetch_a_damaged_standin(store):
    standin.cache_file("mnist").write_text("damaged")
    place = data.status("mnist")[-1]
    assert place.state == "damaged" and "built again when it is needed" in place.note


def test_verify_of_a_data_set_lists_the_files_there_are(store, arrays):
    save(store / "mnist.npz", arrays)
    data.load_mnist(source="standin")
    assert [place.kind for place in data.verify("mnist")] == ["data", "standin"]


def test_verify_recognises_kerass_own_file(saved, monkeypatch):
    sha256 = hashlib.sha256(saved.read_bytes()).hexdigest()
    monkeypatch.setitem(data.DATASETS, "mnist", replace(data.DATASETS["mnist"], sha256=sha256))
    assert data.verify(saved)[0].note == "30 + 10 images; Keras's own file"


def test_verify_recognises_mnist_in_another_packing(real_mnist_path, own_folders):
    with np.load(real_mnist_path) as arrays:
        np.savez(own_folders / "repacked.npz", **arrays)
    note = data.verify(own_folders / "repacked.npz")[0].note
    assert note == "60,000 + 10,000 images; a file of your own, with MNIST's very images"


def test_verify_finds_out_which_data_set_a_file_holds(own_folders):
    place = data.verify(save(own_folders / "pictures.npz", CIFAR))[0]
    assert (place.dataset, place.state) == ("cifar10", "found")


def test_verify_reports_a_damaged_file(saved, arrays):
    truncate(saved, arrays)
    place = data.verify(saved)[0]
    assert place.state == "damaged" and "cut short" in place.note


def test_verify_reports_a_missing_file(own_folders):
    assert data.verify(own_folders / "none.npz")[0].state == "not found"


def test_loading_the_data_needs_neither_tensorflow_nor_matplotlib(saved):
    code = (
        "import sys; from mnist_kit import data; data.load_mnist(sys.argv[1]);"
        "print([name for name in ('tensorflow', 'matplotlib', 'sklearn') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(saved)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(folders.checkout())},
    )
    assert run.stdout.splitlines()[-1] == "[]"
