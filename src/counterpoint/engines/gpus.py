"""Whether this machine may have a GPU, known without loading torch."""

import sys
from pathlib import Path

DRIVERS = ("/dev/nvidiactl", "/dev/nvmap", "/dev/kfd", "/dev/dxg")
"""Files of the drivers for NVIDIA, Jetson, AMD, and GPUs in Windows' Linux."""


def may_have_gpu() -> bool:
    """Report whether a GPU may be here.  Only torch knows, and only then needs to be asked.

    >>> may_have_gpu() in (True, False)
    True
    """
    return not sys.platform.startswith("linux") or any(Path(driver).exists() for driver in DRIVERS)
