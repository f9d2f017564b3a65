"""A saved model as a model of MLflow: this file is stored next to it as its code, so nothing is pickled."""

from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from counterpoint.saved.model import SavedModel, open_saved

SAVED = "saved"
"""The name of the artifact with the saved model."""


class CounterpointModel(PythonModel):
    """Predicts frames with ``text`` and ``image``: the class, the probabilities and the flags of each row."""

    def load_context(self, context: Any) -> None:
        """Open the saved model."""
        self._saved: SavedModel = open_saved(context.artifacts[SAVED])

    # MLflow warns, in every log, of a model_input without a type. It does not check frames of pandas.
    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return the predictions as a frame of pandas.

        Parameters
        ----------
        context, params
            *context* and *params* are given by MLflow, and not read.
        model_input
            *model_input* is a frame of pandas with ``text``, ``image`` or both.
        """
        return self._saved.predict(model_input).to_pandas()


set_model(CounterpointModel())
