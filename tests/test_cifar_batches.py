"""CIFAR-10's batches are read without unpickling them."""

import io
import os
import pickle
import struct
import tarfile

import numpy as np
import pytest

from mnist_kit import cifar_batches, data
from mnist_kit.npz import DataError

WIDTH = 3072


def short(text):
    return b"U" + bytes([len(text)]) + text


def batch(rows, labels, *, count=None, dtype=b"u1", extra=b""):
    """A batch as Python 2's cPickle wrote it by protocol 2: `rows` are the bytes of the pixels."""
    count = len(labels) if count is None else count
    return b"".join(
        [
            b"\x80\x02}q\x01(",
            short(b"batch_label"),
            b"q\x02",
            short(b"training batch 1 of 5"),
            b"q\x03",
            short(b"labels"),
            b"q\x04]q\x05(",
            b"".join(b"K" + bytes([label]) for label in labels),
            b"e",
            short(b"data"),
            b"q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85",
            short(b"b"),
            b"\x87Rq\x09(K\x01M" + struct.pack("<H", count) + b"M\x00\x0c\x86cnumpy\ndtype\nq\x0a",
            short(dtype),
            b"K\x00K\x01\x87Rq\x0b(K\x03",
            short(b"|"),
            b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<i", len(rows)),
            rows,
            b"tb",
            extra,
            short(b"filenames"),
            b"q\x0c]q\x0d(",
            b"".join(short(b"labels_%d.png" % number) for number in range(len(labels))),
            b"eu.",
        ]
    )


@pytest.fixture
def small(monkeypatch):
    """Batches of 12 rows instead of 10,000: their pixels and labels."""
    monkeypatch.setattr(cifar_batches, "ROWS", 12)
    rows = np.random.default_rng(0).integers(0, 256, (12, WIDTH), np.uint8)
    return rows, [number % 10 for number in range(12)]


@pytest.fixture
def folder(tmp_path, small):
    rows, labels = small
    place = tmp_path / "cifar-10-batches-py"
    place.mkdir()
    for number, name in enumerate((*cifar_batches.TRAIN_BATCHES, cifar_batches.TEST_BATCH)):
        (place / name).write_bytes(batch((rows + number).tobytes(), labels))
    (place / "readme.html").write_text("unrelated")
    return place


@pytest.fixture
def archive(folder):
    path = folder.parent / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(folder, folder.name)
    return path


def test_the_hand_written_batch_is_what_python_reads_as_a_batch(small):
    rows, labels = small
    loaded = pickle.loads(batch(rows.tobytes(), labels), encoding="bytes")
    np.testing.assert_array_equal(loaded[b"data"], rows)
    assert loaded[b"labels"] == labels


def test_a_batch_of_the_genuine_size_is_read():
    rows = np.random.default_rng(0).integers(0, 256, (10_000, WIDTH), np.uint8)
    labels = np.arange(10_000, dtype=np.uint8) % 10
    images, read = cifar_batches.read_batch("batch", batch(rows.tobytes(), labels.tolist()))
    np.testing.assert_array_equal(images, rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(read, labels)


def test_colours_come_last(small):
    rows, labels = small
    images, _ = cifar_batches.read_batch("batch", batch(rows.tobytes(), labels))
    red, green, blue = rows[5].reshape(3, 32, 32)
    np.testing.assert_array_equal(images[5], np.dstack([red, green, blue]))


@pytest.mark.parametrize("form", ["folder", "archive"])
def test_five_batches_train_and_one_tests(form, small, request):
    (x_train, y_train), (x_test, y_test) = cifar_batches.read(request.getfixturevalue(form))
    assert (x_train.shape, y_train.shape) == ((60, 32, 32, 3), (60,))
    assert (x_test.shape, y_test.shape) == ((12, 32, 32, 3), (12,))
    assert x_test[0, 0, 0, 0] == (small[0] + 5)[0, 0]


def test_the_archive_is_not_unpacked(archive, folder):
    for path in folder.iterdir():
        path.unlink()
    cifar_batches.read(archive)
    assert list(folder.iterdir()) == []


def test_batches_that_keras_extracted_are_found_one_folder_down(folder):
    outer = folder.parent / "cifar-10-batches-py-target"
    outer.mkdir()
    folder.rename(outer / folder.name)
    assert cifar_batches.read(outer)[1][0].shape == (12, 32, 32, 3)


@pytest.mark.parametrize("place", ["data", "keras"])
@pytest.mark.parametrize("form", ["folder", "archive"])
def test_load_cifar10_finds_them(place, form, own_folders, request):
    path = request.getfixturevalue(form)
    target = own_folders / "data"
    if place == "keras":
        target = own_folders / "home" / ".keras" / "datasets"
        target.mkdir(parents=True)
    path.rename(target / path.name)
    (x_train, y_train), _ = data.load_cifar10(source="offline")
    assert (x_train.shape, y_train.shape) == ((60, 32, 32, 3), (60, 1))
    assert data.class_names("cifar10")[3] == "cat"


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_batch_is_refused_and_nothing_executed(tmp_path, small, protocol):
    witness = tmp_path / "witness"
    blob = pickle.dumps(Malicious(witness), protocol)
    with pytest.raises(DataError, match="nothing of it was executed"):
        cifar_batches.read_batch("batch", blob)
    assert not witness.exists()
    pickle.loads(blob)  # the proof that it would have been
    assert witness.exists()


def test_a_command_hidden_between_sound_pixels_is_refused(tmp_path, small):
    rows, labels = small
    witness = tmp_path / "witness"
    command = b"cposix\nsystem\n(" + short(f"touch {witness}".encode()[:250]) + b"tR0"
    blob = batch(rows.tobytes(), labels, extra=command)
    with pytest.raises(DataError, match="GLOBAL posix system"):
        cifar_batches.read_batch("batch", blob)
    assert not witness.exists()


def test_a_batch_cut_short_says_so(small):
    rows, labels = small
    with pytest.raises(DataError, match="a_batch: cut short or damaged"):
        cifar_batches.read_batch("a_batch", batch(rows.tobytes(), labels)[:-4000])


def test_too_few_pixels_say_so(small):
    rows, labels = small
    with pytest.raises(DataError, match="12 rows of 3,072 bytes"):
        cifar_batches.read_batch("batch", batch(rows[:-1].tobytes(), labels))


def test_pixels_of_another_type_say_so(small):
    rows, labels = small
    with pytest.raises(DataError, match="12 rows of 3,072 bytes"):
        cifar_batches.read_batch("batch", batch(rows.tobytes(), labels, dtype=b"i1"))


def test_pixels_of_another_shape_say_so(small):
    rows, labels = small
    with pytest.raises(DataError, match="12 rows of 3,072 bytes"):
        cifar_batches.read_batch("batch", batch(rows.tobytes(), labels, count=24))


def test_too_few_labels_say_so(small):
    rows, labels = small
    blob = batch(rows.tobytes(), labels[:-1], count=12)
    with pytest.raises(DataError, match="11 labels for 12 images"):
        cifar_batches.read_batch("batch", blob)


def test_a_label_beyond_nine_says_so(small):
    rows, labels = small
    with pytest.raises(DataError, match="runs from 0 to 10"):
        cifar_batches.read_batch("batch", batch(rows.tobytes(), [*labels[:-1], 10]))


def test_a_missing_batch_is_named(folder):
    (folder / "data_batch_4").unlink()
    with pytest.raises(DataError, match="no data_batch_4; expected CIFAR-10's six batches"):
        cifar_batches.read(folder)


@pytest.mark.parametrize("kept", [0, 100, 0.5, 0.999])
def test_an_archive_cut_short_says_so(archive, kept):
    whole = archive.read_bytes()
    archive.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz: cut short or damaged"):
        cifar_batches.read(archive)


def test_an_archive_with_changed_bytes_says_so(archive):
    raw = bytearray(archive.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    archive.write_bytes(raw)
    with pytest.raises(DataError):
        cifar_batches.read(archive)


def test_a_link_in_the_archive_is_not_followed(tmp_path, small):
    path = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name in (*cifar_batches.TRAIN_BATCHES, cifar_batches.TEST_BATCH):
            link = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
            tar.addfile(link, io.BytesIO())
    with pytest.raises(DataError, match="no data_batch_1"):
        cifar_batches.read(path)
