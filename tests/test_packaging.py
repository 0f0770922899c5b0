"""What is declared agrees, holds no address, and installs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RANGES = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]
LOCK = [
    line
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def pinned():
    """Versions in the lock by normalised name."""
    pins = map(Requirement, LOCK)
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def test_every_line_of_the_lock_is_a_name_and_a_version():
    line = re.compile(r"[A-Za-z0-9._-]+==[0-9A-Za-z.]+(; sys_platform != \"win32\")?")
    assert [each for each in LOCK if not line.fullmatch(each)] == []


def test_the_lock_lies_within_the_ranges():
    versions = pinned()
    wrong = [
        requirement
        for requirement in map(Requirement, RANGES)
        if not requirement.specifier.contains(versions[canonicalize_name(requirement.name)])
    ]
    assert wrong == []


def test_the_lock_names_nothing_twice():
    assert len(pinned()) == len(LOCK)


@pytest.mark.parametrize("package", ["pexpect", "ptyprocess"])
def test_the_lock_spares_windows_what_it_cannot_have(package):
    (pin,) = (Requirement(line) for line in LOCK if line.startswith(package + "=="))
    assert not pin.marker.evaluate({"sys_platform": "win32"})
    assert pin.marker.evaluate({"sys_platform": "darwin"})


def test_the_conda_environment_agrees_with_the_project():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, last = environment["dependencies"]
    listed = [line for line in last["pip"] if not line.startswith("-")]
    assert sorted(listed) == sorted(RANGES)
    assert f"python{PROJECT['requires-python']},<3.14" in conda


@pytest.mark.parametrize(
    "name", ["requirements.lock", "pyproject.toml", "environment.yml", "Makefile", ".ci/run"]
)
def test_no_file_names_a_package_index(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"://|file:|index-url|find-links|trusted-host", text)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the kit installed from a wheel, and nothing of the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a build leaves files behind, so none in the repository
    source.mkdir()
    for name in ("pyproject.toml", "mnist_kit"):
        (source / name).symlink_to(ROOT / name)
    (source / "README.md").write_text("# mnist-kit\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    offline = ("--no-deps", "--no-index", "--quiet")
    subprocess.run(
        [*pip, "wheel", "--no-build-isolation", *offline, "--wheel-dir", folder, source], check=True
    )
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", *offline, "--target", folder / "site", wheel], check=True)
    return folder / "site"


def elsewhere(installed, tmp_path, code):
    """What Python code prints in an empty folder, with the installed kit alone."""
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(installed)!r})\n{code}"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return found.stdout.strip()


def test_a_wheel_holds_every_module_and_template(installed):
    def files(root):
        return {
            path.relative_to(root).as_posix()
            for path in (root / "mnist_kit").rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }

    assert files(installed) == files(ROOT)


def test_a_wheel_imports_outside_the_repository(installed, tmp_path):
    printed = elsewhere(installed, tmp_path, "import mnist_kit; print(mnist_kit.__file__)")
    assert Path(printed) == installed / "mnist_kit" / "__init__.py"


def test_a_wheel_runs_notebooks_outside_the_repository(installed, tmp_path):
    import nbformat

    (tmp_path / "notebooks").mkdir()
    cells = [nbformat.v4.new_code_cell("1 + 1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / "01_a.ipynb")
    elsewhere(installed, tmp_path, "from mnist_kit import cli; cli.app(['course'])")
    assert (tmp_path / "build" / "course" / "01_a.html").exists()
