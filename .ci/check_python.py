"""Stop with a plain sentence where this Python cannot run the course; parses in any Python 3."""

import sys

LOWEST, HIGHEST = (3, 11), (3, 13)

if not LOWEST <= sys.version_info[:2] <= HIGHEST:
    sys.exit(
        "Python {}.{} was found, but the pinned TensorFlow needs 3.11, 3.12 or 3.13.\n"
        "Install one of them and name it, for example: make course PYTHON=python3.13".format(
            *sys.version_info
        )
    )
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    sys.exit(
        "This Python has no venv module. On Debian and Ubuntu it is a package of its own:\n"
        "sudo apt-get install python3-venv"
    )
