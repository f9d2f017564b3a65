"""An environment of its own for a library that cannot be installed beside ours."""

import shutil
import subprocess
import sys
from pathlib import Path


def python_of(folder: Path, requirements: Path) -> Path | None:
    """Return the Python of the environment in *folder*, or None if it lacks these *requirements*.

    >>> python_of(Path("nowhere"), Path("requirements.txt"))
    """
    python, mark = folder / "bin" / "python", folder / requirements.name
    is_ready = mark.exists() and mark.read_bytes() == requirements.read_bytes()
    return python if is_ready else None


def install(folder: Path, requirements: Path) -> None:
    """Make the environment in *folder*, unless it has these *requirements*."""
    if python_of(folder, requirements) is None:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--requirement", requirements], check=True)
        shutil.copy(requirements, folder)
