"""The inputs that a check may need, by name: tables and settings of a study, and values that several checks share.

A shared input is made from others at its first use, once for all checks.
"""

from collections.abc import Callable, Iterable, Mapping
from inspect import signature
from typing import Any, Literal, NamedTuple

from counterpoint.errors import ConfigError, did_you_mean
from counterpoint.measures.comparison_tables import Members, Modalities, balanced_scores
from counterpoint.measures.contender_fits import FitOf
from counterpoint.measures.encoded_fits import EncodedFit, encoded_fits
from counterpoint.measures.encoded_pairs import Encode, EncodedPairs, encoded_pairs
from counterpoint.measures.information_gain import InformationGain, information_gain
from counterpoint.measures.pair_agreement import pair_agreement
from counterpoint.measures.readers import Readers, best_contenders, reader_predictions, reader_scores, readers
from counterpoint.measures.simplicity import Simplicity, simplicity
from counterpoint.measures.single_predictions import SinglePredictions, single_predictions
from counterpoint.schema import Frame

Depth = Literal["fast", "full"]
Primary = Mapping[str, Any]


class CheckInput(NamedTuple):
    """One input: its type, one sentence on it, and the function that makes it from other inputs where it is shared."""

    kind: Any
    explanation: str
    make: Callable[..., Any] | None = None


INPUTS: Mapping[str, CheckInput] = {
    "pairs": CheckInput(
        Frame, "The rows that contenders are compared on: schema.PAIRS and further columns of the source."
    ),
    "dropped": CheckInput(Frame, "The rows that left before the comparison, each with its reason: schema.DROPPED."),
    "predictions": CheckInput(Frame, "The probabilities of every contender for every row: schema.PREDICTIONS."),
    "history": CheckInput(Frame, "The learning curves: schema.HISTORY."),
    "costs": CheckInput(Frame, "The trials, epochs, parameters and seconds of each fit: schema.COSTS."),
    "scores": CheckInput(Frame, "Every score with its interval: schema.SCORES."),
    "repeats": CheckInput(Frame, "The primary contrast in each fold of each repeat: schema.REPEATS."),
    "repeated": CheckInput(Frame, "The primary contrast over all repeats, if there are several: schema.REPEATED."),
    "differences": CheckInput(Frame, "Every paired difference on test rows: schema.DIFFERENCES."),
    "primary": CheckInput(Primary | None, "The primary contrast, with a (multimodal) and b (one modality), or None."),
    "modalities": CheckInput(Modalities, "The modalities that each contender reads, by its name."),
    "additive": CheckInput(tuple[str, ...], "The contenders whose logits are a sum over modalities."),
    "members": CheckInput(Members, "The contenders that each combination combines: each of them is trained apart."),
    "complexity": CheckInput(
        Mapping[str, int],
        "The place of each contender in the order of simplicity, where its class declares one: 0 is the simplest.",
    ),
    "pretrained": CheckInput(
        frozenset[str],
        "The modalities that a pretrained model has read, or an outside model, whose training is not known.",
    ),
    "n_fits": CheckInput(int, "Seeds × folds × repeats of the contenders whose fits depend on the seed."),
    "test_evaluations": CheckInput(int, "How often test rows of this study were scored with different settings."),
    "is_record_lost": CheckInput(bool, "Whether the record of test evaluations was once damaged or removed."),
    "metric": CheckInput(str, "The primary metric."),
    "margin": CheckInput(float | None, "The largest difference in the primary metric that does not matter, or None."),
    "confidence": CheckInput(float, "The level of the intervals."),
    "untrained": CheckInput(
        tuple[str, ...], "The contenders that show nothing about a modality: rules of a few words, learned or given."
    ),
    "depth": CheckInput(Depth, '"fast" reads tables and predicts little.  "full" may also predict more and fit again.'),
    "encode": CheckInput(
        Encode | None,
        "Returns the vectors of pairs by an encoder.  None where the encoders of the joint space are not installed.",
    ),
    "fit_of": CheckInput(FitOf, "Returns the first fit of a contender by its name, or None."),
    "readers": CheckInput(
        Readers,
        "The best contender of the text alone and of the image alone in each fold and seed, by validation rows.",
        readers,
    ),
    "best_contenders": CheckInput(
        Mapping[str, str | None],
        "The best contender of the text alone and of the image alone, by validation rows: the most frequent choice.",
        best_contenders,
    ),
    "reader_predictions": CheckInput(
        Frame,
        "The predictions, with the contender chosen in each fold and seed under the names of best_contenders.",
        reader_predictions,
    ),
    "balanced_scores": CheckInput(
        Frame,
        "The balanced accuracy of every contender on each part, by its own rule whichever metric is primary.",
        balanced_scores,
    ),
    "reader_scores": CheckInput(
        Frame,
        "The balanced_scores, where a best contender has the score of the choices of all folds and seeds.",
        reader_scores,
    ),
    "encoded_fits": CheckInput(
        list[EncodedFit],
        "The first fit of each multimodal contender with separate encoders, and its test rows encoded.",
        encoded_fits,
    ),
    "encoded_pairs": CheckInput(
        EncodedPairs | None,
        "The pairs with their vectors in the joint space.  None where they are few, or without an encoder.",
        encoded_pairs,
    ),
    "agreement": CheckInput(
        Frame,
        "The agreement of the text and the image of each encoded pair: schema.AGREEMENT.",
        pair_agreement,
    ),
    "information_gain": CheckInput(
        InformationGain | None,
        "The bits about the class by text, image, their sum and each multimodal contender.  None if rows are few.",
        information_gain,
    ),
    "single_predictions": CheckInput(
        SinglePredictions,
        "The predictions of the best_contenders: how they are associated, and their bits about the class.",
        single_predictions,
    ),
    "simplicity": CheckInput(
        Simplicity,
        "Which of two contenders is simpler, by declared complexity, or else by the number of parameters.",
        simplicity,
    ),
}
"""By name, in the order in which a reader meets them."""


class Inputs:
    """The inputs of one finished comparison.  A shared one is made at its first use and kept.

    Parameters
    ----------
    given
        *given* are the inputs that are not made from others.

    Examples
    --------
    >>> inputs = Inputs({"metric": "accuracy", "modalities": {}, "primary": None, "fit_of": {}.get})
    >>> inputs.select(("metric", "encoded_fits"))
    {'metric': 'accuracy', 'encoded_fits': []}
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        for name in given:
            input_named(name)
        self._given = dict(given)
        self._shared: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return the input *name*."""
        if name in self._given:
            return self._given[name]
        if name not in self._shared:
            make = input_named(name).make
            assert make is not None, f"the input {name} is not given"
            self._shared[name] = make(**self.select(signature(make).parameters))
        return self._shared[name]

    def select(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the inputs *names* by name."""
        return {name: self[name] for name in names}

    def replaced(self, **changes: Any) -> "Inputs":
        """Return the inputs with *changes*.  Shared ones are made again."""
        return Inputs(self._given | changes)


def input_named(name: str) -> CheckInput:
    """Return the input *name*.

    Raises
    ------
    ConfigError
        When there is none of that name.
    """
    if name not in INPUTS:
        raise ConfigError(f"Checks have no input {name!r}.{did_you_mean(name, INPUTS)}")
    return INPUTS[name]
