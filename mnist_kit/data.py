"""The data sets and where they come from: `load_mnist`, `load_cifar10`, and what `data` shows.

Sources, in the order in which `source="auto"` asks them: `path` (an argument or the environment
variable MNIST_KIT_DATA), `data` (the kit's folder), `cache` (Keras's), `download` (Keras's address
and checksum), `standin` (built from what scikit-learn carries). `source="offline"` leaves out the
download; any other word demands that one. MNIST_KIT_SOURCE sets the default.
"""

import hashlib
import os
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from mnist_kit import cifar_batches, files, folders, npz, standin
from mnist_kit.npz import DataError

__all__ = [
    "DATASETS",
    "DataError",
    "DownloadError",
    "Place",
    "Source",
    "class_names",
    "fetch",
    "load_cifar10",
    "load_mnist",
    "source_of",
    "status",
    "verify",
]

KINDS = ("path", "data", "cache", "download", "standin")
CONNECT_SECONDS, READ_SECONDS = 5, 20


class DownloadError(DataError):
    """A download failed, for `reason` in a word or two; nothing of it was kept."""

    def __init__(self, message, reason):
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Source:
    """Where a data set came from.

    `kind` is a word of `KINDS`, `title` names the data as a figure's caption would, `path` is the
    file or None, `fingerprint` is 16 hexadecimal digits of the arrays' SHA-256.
    """

    dataset: str
    kind: str
    title: str
    path: Path | None
    fingerprint: str


@dataclass(frozen=True)
class Place:
    """One place where a data set may be: `state` is "found", "not found" or "damaged"."""

    dataset: str
    kind: str
    path: Path | None
    state: str
    note: str


@dataclass(frozen=True)
class Dataset:
    """What is known of a data set before any file is opened."""

    title: str
    image_shape: tuple
    label_shape: tuple
    files: tuple  # names it goes by, in order of preference
    url: str  # Keras's own, with its checksum; the file is named after the last part
    sha256: str
    fingerprint: str  # of the genuine arrays, however packed; empty where unknown
    standin: str
    class_names: tuple

    @property
    def download(self):
        return self.url.rpartition("/")[2]


_DIGITS = tuple("0123456789")

DATASETS = {
    "mnist": Dataset(
        title="MNIST",
        image_shape=(28, 28),
        label_shape=(),
        files=("mnist.npz",),
        url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
        sha256="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        fingerprint="d91379e1ba6ef3c8",
        standin="digits after scikit-learn",
        class_names=_DIGITS,
    ),
    "cifar10": Dataset(
        title="CIFAR-10",
        image_shape=(32, 32, 3),
        label_shape=(1,),
        files=(
            "cifar10.npz",
            "cifar-10-batches-py",
            "cifar-10-python.tar.gz",
            # Keras's cache, in the names of its later and its earlier versions
            "cifar-10-batches-py-target",
            "cifar-10-batches-py-target_archive",
            "cifar-10-batches-py.tar.gz",
        ),
        url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        fingerprint="",
        standin="digits after scikit-learn on two photographs",
        class_names=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
    ),
}

_used = {}


def load_mnist(path=None, *, source=None):
    """Load MNIST, or its stand-in, and say once which it was.

    Parameters
    ----------
    path : str or Path, optional
        An `mnist.npz`, or a folder that holds one. Default: MNIST_KIT_DATA, if set.
    source : str, optional
        "auto", "offline", "path", "data", "cache", "download" or "standin". Default:
        MNIST_KIT_SOURCE, else "auto".

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        As `keras.datasets.mnist.load_data` does: images uint8 of shape (n, 28, 28), labels uint8
        of shape (n,).

    Raises
    ------
    DataError
        If the source demanded cannot be had, or a file found on the way is damaged.
    """
    return _load("mnist", path, source)


def load_cifar10(path=None, *, source=None):
    """Load CIFAR-10, or its stand-in, and say once which it was.

    Parameters
    ----------
    path : str or Path, optional
        A `cifar10.npz`, `cifar-10-python.tar.gz`, folder of unpacked batches, or a folder that
        holds one of these. Default: MNIST_KIT_DATA, if set.
    source : str, optional
        As for `load_mnist`.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        As `keras.datasets.cifar10.load_data` does: images uint8 of shape (n, 32, 32, 3), labels
        uint8 of shape (n, 1).

    Raises
    ------
    DataError
        If the source demanded cannot be had, or a file found on the way is damaged.
    """
    return _load("cifar10", path, source)


def source_of(dataset):
    """The `Source` that "mnist" or "cifar10" was last loaded from in this process, or None."""
    _known(dataset)
    return _used.get(dataset)


def class_names(dataset):
    """The ten classes, in the order of their labels, of what was last loaded as `dataset`."""
    spec, source = _known(dataset), source_of(dataset)
    return list(_DIGITS if source and source.kind == "standin" else spec.class_names)


def status(dataset):
    """Every place where a data set may come from, in the order of "auto", as a list of `Place`.

    Files found are read in full.
    """
    spec = _known(dataset)
    asked = _named_by_environment(spec)
    places = [
        Place(dataset, "path", None, "not found", "MNIST_KIT_DATA does not name it")
        if asked is None
        else _inspect(dataset, "path", _resolve(spec, asked)),
        *(
            _inspect(dataset, kind, _within(spec, folder))
            for kind in ("data", "cache")
            for folder in _folders(kind)
        ),
        Place(dataset, "download", None, "not found", f"fetched when needed: {spec.url}"),
    ]
    cached = _inspect(dataset, "standin", standin.cache_file(dataset))
    note = "built when needed" if cached.state == "not found" else cached.note
    note = f"{note}; {spec.standin}, not {spec.title}"
    return [*places, replace(cached, note=note)]


def verify(target):
    """Check files in full and say what they are, as a list of `Place`.

    Parameters
    ----------
    target : str or Path
        "mnist" or "cifar10" for every file of it that is found, or one file or folder.
    """
    if target in DATASETS:
        return [place for place in status(target) if place.state != "not found"]
    places = [_inspect(name, "path", _resolve(spec, target)) for name, spec in DATASETS.items()]
    guess = "cifar10" if "cifar" in Path(target).name else "mnist"
    places.sort(key=lambda place: (place.state != "found", place.dataset != guess))
    return places[:1]


def fetch(dataset):
    """Download a data set into the kit's folder, unless a sound file stands there already.

    Returns the file's Path. Raises `DownloadError` if it cannot be had, `DataError` if a damaged
    file is in the way, `files.FileError` if it cannot be written.
    """
    spec = _known(dataset)
    path = folders.data_folder() / spec.download
    if not _there(path):
        return _download(spec, path)
    _read(spec, "data", path)
    return path


def _load(dataset, path, source):
    spec = _known(dataset)
    if source is None:
        source = "auto" if path is not None else os.environ.get("MNIST_KIT_SOURCE") or "auto"
    if source not in ("auto", "offline", *KINDS):
        known = ", ".join(("auto", "offline", *KINDS))
        raise DataError(f"source {source!r} is unknown; expected one of {known}")
    if source in ("auto", "offline", "path"):
        path = _named_by_environment(spec) if path is None else path
    elif path is not None:
        raise DataError(f"path and source={source!r} contradict each other; leave one of them out")

    kind, file, arrays, reason = _obtain(dataset, path, source)
    title = f"{spec.standin} (stand-in, not {spec.title})" if kind == "standin" else spec.title
    _announce(Source(dataset, kind, title, file, _fingerprint(arrays)), arrays, reason)
    return tuple((images, labels.reshape(-1, *spec.label_shape)) for images, labels in arrays)


def _obtain(dataset, path, source):
    """Kind, file and arrays of the first source that has them, and why it is the stand-in."""
    spec, demanded = DATASETS[dataset], source in KINDS
    if path is not None:
        path = _resolve(spec, path)
        return "path", path, _read(spec, "path", path), ""
    if source == "path":
        raise DataError(
            f"source='path', but no path is given and MNIST_KIT_DATA does not name {spec.title}; "
            f"name a {spec.files[0]}"
        )
    for kind in ("data", "cache"):
        if source in ("auto", "offline", kind):
            for folder in _folders(kind):
                file = _within(spec, folder)
                if _there(file):
                    return kind, file, _read(spec, kind, file), ""
            if demanded:
                raise DataError(
                    f"{_folders(kind)[0]} holds no {spec.title}; expected a {spec.files[0]}. "
                    f"Put one there, or run `{_fetch_command(spec)}` and ask for source='data'."
                )
    reason = "as asked," if demanded else "no file here, so"
    if source in ("auto", "download"):
        file = folders.data_folder() / spec.download
        try:
            _download(spec, file)
            return "download", file, _read(spec, "data", file), ""
        except (DownloadError, files.FileError) as error:
            if demanded:
                raise DataError(str(error)) from error
            reason = getattr(error, "reason", "the download could not be written") + ", so"
    arrays, file = standin.load(dataset)
    return "standin", file, arrays, reason


def _known(dataset):
    if dataset not in DATASETS:
        raise DataError(f"data set {dataset!r} is unknown; expected {' or '.join(DATASETS)}")
    return DATASETS[dataset]


def _folders(kind):
    """The folders that "data" or "cache" stands for."""
    if kind == "cache":
        return [Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"]
    return [folders.data_folder(), *([] if folders.checkout() else [Path("data").resolve()])]


def _named_by_environment(spec):
    """The path in MNIST_KIT_DATA, unless what it names is another data set only."""
    path = os.environ.get("MNIST_KIT_DATA")
    if not path:
        return None
    path = Path(path).expanduser()
    for other in DATASETS.values():
        if other is not spec and (path.name in other.files or _holds(path, other)):
            return path if _holds(path, spec) else None
    return path


def _holds(folder, spec):
    return any(os.path.lexists(folder / name) for name in spec.files)


def _resolve(spec, path):
    """The file that `path`, a file or a folder, stands for; it need not exist."""
    path = Path(path).expanduser()
    if not os.path.isdir(path) or os.path.exists(path / cifar_batches.TEST_BATCH):
        return path
    return _within(spec, path)


def _within(spec, folder):
    """The file of a data set in a folder, or the one expected there."""
    names = [name for name in spec.files if os.path.lexists(folder / name)]
    return folder / (names or spec.files)[0]


def _there(path):
    """Whether something stands at `path`; a folder closed to us is no answer."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise npz.unreadable(path, error) from error
    return True


def _read(spec, kind, path):
    """The arrays in a file, or a DataError that ends in what to do."""
    try:
        if path.suffix == ".npz" or spec.label_shape == ():
            return npz.read(path, spec.image_shape)
        return cifar_batches.read(path)
    except DataError as error:
        remedies = {
            "path": "Correct it, or name another file.",
            "standin": "It is built again when it is needed.",
        }
        remedy = remedies.get(kind, f"Delete it and run `{_fetch_command(spec)}`.")
        raise DataError(f"{error}. {remedy}") from error


def _fetch_command(spec):
    dataset = next(name for name, other in DATASETS.items() if other is spec)
    return "mnist-kit data fetch" + ("" if dataset == "mnist" else f" {dataset}")


def _inspect(dataset, kind, path):
    """The Place of a file after reading it in full."""
    spec = DATASETS[dataset]
    try:
        if not _there(path):
            return Place(dataset, kind, path, "not found", "no such file")
        arrays = _read(spec, kind, path)
    except DataError as error:
        return Place(dataset, kind, path, "damaged", str(error))
    note = _sizes(arrays)
    if kind != "standin":
        if path.is_file() and _sha256(path) == spec.sha256:
            note += "; Keras's own file"
        elif _fingerprint(arrays) == spec.fingerprint:
            note += f"; a file of your own, with {spec.title}'s very images"
        else:
            note += "; a file of your own"
    return Place(dataset, kind, path, "found", note)


def _download(spec, path):
    """Download Keras's file to `path`, whole or not at all, unless it stands there already."""
    if _there(path):
        if path.is_file() and _sha256(path) == spec.sha256:
            return path
        raise DataError(f"{path} is not the file that Keras distributes; move it away first")
    _reach(spec.url)

    def get(temporary):
        from pooch import HTTPDownloader
        from requests import RequestException

        downloader = HTTPDownloader(
            timeout=(CONNECT_SECONDS, READ_SECONDS), chunk_size=1 << 16, progressbar=_Bar(spec)
        )
        try:
            downloader(spec.url, temporary, None)
        except RequestException as error:
            raise DownloadError(
                f"The download from {spec.url} broke off ({error}); try again",
                "the download broke off",
            ) from error
        if _sha256(temporary) != spec.sha256:
            raise DownloadError(
                f"What came from {spec.url} is not Keras's file: its SHA-256 differs. Perhaps the "
                "network asks for a sign-in first; open the address in a browser, then try again",
                "a wrong file was sent",
            )

    return files.write_whole(path, get)


def _reach(url):
    """Raise DownloadError unless a server answers for `url` within CONNECT_SECONDS."""
    answer = []

    def ask():
        import requests

        try:
            status = requests.head(url, timeout=CONNECT_SECONDS, allow_redirects=True).status_code
            answer.append("" if status == 200 else f"the server answered {status}")
        except requests.RequestException:
            answer.append("no network")

    # In a thread, because no time-out of requests bounds the look-up of the host's name.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(CONNECT_SECONDS)
    reason = answer[0] if answer else "no network"
    if reason:
        raise DownloadError(
            f"{url} could not be reached ({reason}); connect to the network and try again, or put "
            "the file there yourself",
            reason,
        )


class _Bar:
    """A progress bar on one line of stderr, in the form that pooch calls."""

    def __init__(self, spec):
        self.title, self.total, self.done, self.shown = spec.title, 0, 0, -1

    def update(self, count):
        self.done += count
        percent = min(100, 100 * self.done // (self.total or 1))
        if percent > self.shown:
            self.shown = percent
            bar = "#" * (percent // 4)
            print(
                f"\r{self.title}: [{bar:<25}] {percent:3d}% of {self.total / 1e6:.0f} MB",
                end="",
                file=sys.stderr,
                flush=True,
            )

    def reset(self):
        self.done = 0

    def close(self):
        print(file=sys.stderr)


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fingerprint(arrays):
    digest = hashlib.sha256()
    for images, labels in arrays:
        digest.update(repr(images.shape).encode())
        digest.update(images)
        digest.update(labels)
    return digest.hexdigest()[:16]


def _sizes(arrays):
    (x_train, _), (x_test, _) = arrays
    return f"{len(x_train):,} + {len(x_test):,} images"


def _announce(source, arrays, reason):
    """Print one line per process and data set, and another only when the source changes."""
    spec = DATASETS[source.dataset]
    if source != _used.get(source.dataset):
        # No absolute path: notebooks keep this line, and it would name the author's folders.
        near = source.path and f"{source.path.parent.name}/{source.path.name}"
        line = (
            f"{spec.title}: {_sizes(arrays)} "
            + {
                "path": f"from {source.path and source.path.name}, the file you named.",
                "data": f"from {near}.",
                "cache": "from Keras's cache.",
                "download": f"downloaded from Keras's address, now in {near}.",
                "standin": "",
            }[source.kind]
        )
        if source.kind == "standin":
            line = (
                f"{spec.title}: {reason} the embedded stand-in: {spec.standin} "
                f"({_sizes(arrays)}), not {spec.title}. See `mnist-kit data`."
            )
        print(line)
    _used[source.dataset] = source
