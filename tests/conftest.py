"""Thread caps before numpy is imported: many small fits on few cores fight over threads otherwise."""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(variable, "1")

from jaxtyping import install_import_hook

# Shapes of tensors are checked at run time in tests only.
install_import_hook("counterpoint.networks", "beartype.beartype")
