"""The injection benchmark: comparisons with a fault and without it, and how often each check says so.

Import it before numpy: two draws are made at once, one a core, and threads of one would take the other's.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(variable, "1")
