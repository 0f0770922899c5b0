"""The stand-ins: what they are made of, how they are kept, and that they teach the lesson."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mnist_kit import data, files, models, schedules, standin

DATASETS = ("mnist", "cifar10")


@pytest.fixture(scope="session")
def built():
    """Both stand-ins as built, in a dictionary."""
    return {dataset: standin.build(dataset) for dataset in DATASETS}


@pytest.fixture
def quick(own_folders, built, monkeypatch):
    """Building costs nothing, and is counted."""
    builds = []
    monkeypatch.setattr(standin, "build", lambda name: (builds.append(name), built[name])[1])
    return builds


# What they are made of


@pytest.mark.parametrize(("dataset", "shape"), [("mnist", (28, 28)), ("cifar10", (32, 32, 3))])
def test_there_are_20000_images_to_learn_from_and_4000_to_test(built, dataset, shape):
    for (images, labels), count in zip(built[dataset], (20_000, 4_000), strict=True):
        assert (images.shape, images.dtype) == ((count, *shape), np.uint8)
        assert (labels.shape, labels.dtype) == ((count,), np.uint8)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_ten_digits_are_nearly_as_frequent(built, dataset):
    for _, labels in built[dataset]:
        shares = np.bincount(labels, minlength=10) / len(labels)
        assert np.all(abs(shares - 0.1) < 0.01)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_digits_are_shuffled(built, dataset):
    for _, labels in built[dataset]:
        assert np.mean(labels[1:] == labels[:-1]) < 0.15


def test_originals_are_split_before_they_are_multiplied():
    (x_train, y_train), (x_test, y_test) = standin._originals()
    assert (len(x_train), len(x_test)) == (1347, 450)
    learnt = {image.tobytes() for image in x_train}
    assert not any(image.tobytes() in learnt for image in x_test)
    assert np.all(abs(np.bincount(y_train) / 3 - np.bincount(y_test)) < 1.5)  # stratified


def test_originals_are_centred_by_mass():
    from scipy import ndimage

    (originals, _), _ = standin._originals()
    centres = np.array([ndimage.center_of_mass(image) for image in originals])
    assert np.all(abs(centres - 13.5) < 0.5)


def test_digits_are_white_ink_on_black_paper_with_a_soft_edge(built):
    (images, _), _ = built["mnist"]
    black, white = np.mean(images == 0), np.mean(images > 250)
    assert 0.6 < black < 0.9 and 0.05 < white < 0.2
    assert not images[:, [0, -1]].mean() > 5  # a margin all round


def test_no_two_images_are_the_same(built):
    (x_train, _), (x_test, _) = built["mnist"]
    images = np.concatenate([x_train, x_test])
    assert len({image.tobytes() for image in images}) == len(images)


def test_photographs_are_cut_in_half_between_training_and_test():
    photographs = np.zeros((2, 60, 100, 3), np.uint8)
    photographs[:, :, 50:] = 200
    left, right = np.split(photographs, 2, axis=2)
    rng = np.random.default_rng(0)
    assert standin._cuts(left, 200, rng).max() == 0
    assert standin._cuts(right, 200, rng).min() == 200


def test_the_coloured_digits_have_colours_and_places_of_their_own(built):
    (images, _), _ = built["cifar10"]
    assert images.std(axis=0).min() > 40  # every pixel and channel varies


def test_building_needs_no_network_and_is_the_same_in_every_process(four_processes, built):
    prints = {line for line in four_processes[0] if len(line) == 16}
    assert prints == {data._fingerprint(built["mnist"])}


# How they are kept


@pytest.fixture(scope="module")
def four_processes(tmp_path_factory):
    """What four processes said that asked for the stand-in at once, and the folder they shared."""
    folder = tmp_path_factory.mktemp("shared")
    code = """
import pathlib, sys
from mnist_kit import data, folders
folders.data_folder = lambda: pathlib.Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
data.load_mnist(source="standin")
print(data.source_of("mnist").fingerprint)
"""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(Path(standin.__file__).parents[1]),
                "OMP_NUM_THREADS": str(number),
            },
        )
        for number in (1, 2, 3, 4)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    said = [child.communicate()[0].splitlines() for child in children]
    return [line for lines in said for line in lines], folder


def test_four_processes_at_once_leave_one_whole_file(four_processes):
    said, folder = four_processes
    assert [path.name for path in folder.iterdir()] == ["standin-mnist-v1.npz"]
    assert sum(line.startswith("MNIST: as asked, the embedded stand-in") for line in said) == 4


def test_the_file_they_leave_holds_what_each_of_them_built(four_processes, monkeypatch):
    said, folder = four_processes
    monkeypatch.setattr(standin.folders, "data_folder", lambda: folder)
    monkeypatch.setattr(standin, "build", None)
    arrays, _ = standin.load("mnist")
    assert data._fingerprint(arrays) in said


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_standin_is_built_once_and_read_after(quick, built, dataset):
    standin.load(dataset)
    arrays, path = standin.load(dataset)
    assert quick == [dataset]
    assert path.name == f"standin-{dataset}-v1.npz"
    assert data._fingerprint(arrays) == data._fingerprint(built[dataset])


def test_a_damaged_file_is_built_again_and_said_so(quick, capsys):
    _, path = standin.load("mnist")
    path.write_bytes(path.read_bytes()[:1000])
    standin.load("mnist")
    assert quick == ["mnist", "mnist"]
    assert "standin-mnist-v1.npz was damaged and is built again" in capsys.readouterr().out
    assert data.npz.read(path, (28, 28))


TRY = """
(x_train, _), _ = data.load_mnist(source="standin")
print(x_train.shape, data.source_of("mnist").path, "left:", list((folder / "data").iterdir()))
"""
LITTLE = """
import numpy as np
arrays = ((np.ones((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8)),) * 2
standin.build = lambda name: arrays
folders.data_folder = lambda: folder / "data"
(folder / "data").mkdir(mode={mode})
"""


def test_a_full_disk_leaves_the_standin_in_memory_and_nothing_else(limited):
    _, said = limited(TRY, prepare=LITTLE.format(mode="0o755"), file_size=2000)
    lines = said.splitlines()
    assert lines[0].startswith("The stand-in is kept in memory only:")
    assert "beyond the size allowed here" in lines[0]
    assert lines[1].startswith("MNIST: as asked") and lines[2:] == ["(10, 28, 28) None left: []"]


def test_a_closed_folder_leaves_the_standin_in_memory(limited):
    _, said = limited(TRY, prepare=LITTLE.format(mode="0o555"), unprivileged=True)
    lines = said.splitlines()
    assert lines[0].startswith("The stand-in is kept in memory only:")
    assert "writing is not permitted there" in lines[0]
    assert lines[2:] == ["(10, 28, 28) None left: []"]


def test_an_interrupted_build_leaves_nothing(quick, own_folders, monkeypatch):
    def interrupted(path, arrays):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(standin, "_save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        standin.load("mnist")
    assert list((own_folders / "data").iterdir()) == []


def test_other_errors_than_the_disks_are_not_hidden(quick, monkeypatch):
    monkeypatch.setattr(files, "write_whole", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        standin.load("mnist")


# That they teach the lesson

slow = pytest.mark.skipif(
    not os.environ.get("MNIST_KIT_SLOW"), reason="minutes of training; set MNIST_KIT_SLOW=1"
)


def accuracy(arrays, model, epochs, callbacks=()):
    """Test accuracy of a model after training with Adam and batches of 128."""
    import keras

    keras.utils.set_random_seed(1)
    (x_train, y_train), (x_test, y_test) = arrays
    x_train, x_test = (images / np.float32(255) for images in (x_train, x_test))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, batch_size=128, epochs=epochs, verbose=0, callbacks=callbacks)
    return model.evaluate(x_test, y_test, verbose=0)[1]


def test_softmax_regression_reaches_90_to_95_percent(built):
    assert 0.90 <= accuracy(built["mnist"], models.softmax_regression(), 5) <= 0.95


def test_a_perceptron_reaches_95_to_98_percent(built):
    assert 0.95 <= accuracy(built["mnist"], models.mlp(), 5) <= 0.98


@slow
def test_a_batch_normalised_cnn_reaches_99_percent(built):
    from keras.callbacks import LearningRateScheduler

    slowing = LearningRateScheduler(schedules.decay_per_epoch)
    assert accuracy(built["mnist"], models.cnn_batch_norm(), 5, [slowing]) >= 0.99


@slow
def test_a_perceptron_stays_near_50_percent_on_the_coloured_digits(built):
    model = models.mlp((32, 32, 3), hidden_layers=(512, 256))
    assert 0.40 <= accuracy(built["cifar10"], model, 10) <= 0.60


@slow
def test_a_batch_normalised_cnn_passes_88_percent_on_the_coloured_digits(built):
    model = models.cnn_batch_norm(
        (32, 32, 3), filters=(32, 32, 64, 64), kernel_sizes=(3,) * 4, strides=(1, 2, 1, 2)
    )
    assert accuracy(built["cifar10"], model, 10) > 0.88
