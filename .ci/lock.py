"""Write requirements.lock: what the ranges in pyproject.toml give today on the lowest Python."""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOWEST = (3, 11)
HEADER = """\
# Tested versions, made by `make lock` from the ranges in pyproject.toml. Do not edit.
# What only one system needs, and is not listed here, pip chooses by itself.
"""
NOT_ON_WINDOWS = {"pexpect", "ptyprocess"}


def main():
    if sys.version_info[:2] != LOWEST:
        sys.exit(
            "The lock is made with Python 3.11, so that it holds on 3.11 to 3.13:\n"
            "make lock PYTHON=python3.11"
        )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = project["dependencies"] + project["optional-dependencies"]["test"]
    lines = sorted(map(_line, _resolve(ranges)), key=str.lower)
    (ROOT / "requirements.lock").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


def _resolve(ranges):
    """Names and versions for Python 3.11.0: some packages refuse the first 3.11 releases, which
    Linux distributions still ship, and a later 3.11 would not notice."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--dry-run", "--report", report),
                *("--python-version", "3.11.0", "--only-binary", ":all:", "--target", folder),
                *ranges,
            ],
            check=True,
        )
        installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [(each["metadata"]["name"], each["metadata"]["version"]) for each in installs]


def _line(package):
    name, version = package
    marker = '; sys_platform != "win32"' if name in NOT_ON_WINDOWS else ""
    return f"{name}=={version}{marker}"


if __name__ == "__main__":
    main()
