"""The injection benchmark: comparisons with and without a fault, and the rate at which each check detects it.

Import it before numpy, because it limits each process to one thread: two draws run at once, one per core.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
"""The variables of the number of threads of a process."""

for variable in THREADS:
    os.environ.setdefault(variable, "1")
