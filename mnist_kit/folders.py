"""Where the kit keeps things, in a checkout of the repository and installed from a wheel."""

import tomllib
from pathlib import Path


def checkout():
    """The root of the repository the package runs from, or None when installed elsewhere."""
    root = Path(__file__).resolve().parents[1]
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return root if project.get("project", {}).get("name") == "mnist-kit" else None


def data_folder():
    """Folder of data sets: `data/` of the checkout, else the user's cache folder."""
    root = checkout()
    if root:
        return root / "data"
    import platformdirs

    return Path(platformdirs.user_cache_dir("mnist-kit", appauthor=False))


def build_folder():
    """Folder of everything generated: `build/` of the checkout, else of the current folder."""
    return (checkout() or Path.cwd()) / "build"


def notebooks_folder():
    """Folder of the notebooks: `notebooks/` of the checkout, else of the current folder."""
    return (checkout() or Path.cwd()) / "notebooks"
