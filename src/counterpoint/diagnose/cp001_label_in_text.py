"""CP001: a rule of a few words predicts the label, so that a text model only learns this rule.

The rule is the contender keyword-rule, if the study has one of at most eight words or of given words.  Otherwise it is
learned on training rows (0.5 s).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, final

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.diagnose.inputs import Depth
from counterpoint.errors import SchemaError
from counterpoint.measures.comparison_tables import scores_on_test_rows
from counterpoint.measures.contender_fits import FitOf
from counterpoint.measures.held_out_rows import correct_shares, correctness, parts_by_fold
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.metrics.decision import BALANCED
from counterpoint.schema import Frame

FAIL_AT, WARN_AT = 0.995, 0.90
MAX_WORDS = 8
CONTENDER = "keyword-rule"
LEAST_BALANCED = 0.85
"""If nine in ten rows are of one class, a rule is correct on nine in ten without any word.  So its balanced accuracy
must be high as well."""
MADE_FROM_TEXT = ("keywords", "preset")
"""Values of ``label_source`` for labels that keywords of the text made.  The cause is known, so the check fails from
`WARN_AT` on."""


class _Rule(NamedTuple):
    accuracy: float
    balanced: float
    leaves: Sequence[tuple[str, str, int]] = ()
    kind: str = "of at most eight words"

    @property
    def words(self) -> list[str]:
        return [word for word, *_ in self.leaves[:-1]]


@final
class LabelInText(Check):
    """Measure the accuracy of a rule of at most eight words on held-out rows."""

    code = "CP001"
    title = "The label is a function of the text"
    advice = (
        "Take the labels from another origin, or mask these words with text.mask. "
        "Where few words are enough by nature, report this with the score."
    )
    cost = Cost(
        "under 0.1 s, or 0.5 s in a study without keyword-rule",
        "Also fit a linear model of the texts of one fold, with the words of the rule and without them (0.2 s).",
    )
    needs = ("pairs", "scores", "predictions", "fit_of", "depth")

    def run(self, *, pairs: Frame, scores: Frame, predictions: Frame, fit_of: FitOf, depth: Depth) -> Finding:
        """Return the finding on the contender keyword-rule, or on a rule that is learned here."""
        rule = _of_contender(scores, predictions, fit_of) or _learned(pairs)
        if rule is None:
            return self.not_applicable(
                "label", "No rule can be learned: this needs texts of two classes in training rows, and test rows."
            )
        severity, advice = _severity(rule, pairs)
        masked = _masked(pairs, rule.words) if depth == "full" and rule.words else {}
        share = numbers.share(rule.accuracy, decimals=1)
        measured = f"A rule {rule.kind}{_named(rule.words)} predicts {share} of the labels of held-out rows."
        evidence = {"accuracy": rule.accuracy, "balanced_accuracy": rule.balanced, **masked}
        table = [{"word": word, "most frequent label": label, "training rows": n} for word, label, n in rule.leaves]
        return self.finding(severity, "label", f"{measured} {advice}{_without_words(masked)}", **evidence, table=table)


def _severity(rule: _Rule, pairs: Frame) -> tuple[str, str]:
    if rule.balanced < LEAST_BALANCED:
        return "info", "The label depends on more than a few words."
    by_text = "label_source" in pairs.columns and pairs["label_source"].is_in(MADE_FROM_TEXT).any()
    if rule.accuracy >= (WARN_AT if by_text else FAIL_AT):
        cause = " Keywords of the text made the labels of this study." if by_text else ""
        advice = "Take labels from another source, or mask these words (text.mask)."
        return "fail", f"The label is a function of the text.{cause} {advice}"
    if rule.accuracy >= WARN_AT:
        return "warn", "A few words are enough. This may be legitimate or a leak: check the origin of the labels."
    return "info", "The label depends on more than a few words."


def _without_words(masked: dict[str, Any]) -> str:
    if not masked:
        return ""
    without, whole = (numbers.share(masked[f"{name}_accuracy"], decimals=1) for name in ("masked", "unmasked"))
    return f" Without these words, a linear model of the text predicts {without} of the labels, and with them {whole}."


def _named(words: Sequence[str]) -> str:
    return f" ({', '.join(words)})" if words else ""


def _of_contender(scores: Frame, predictions: Frame, fit_of: FitOf) -> _Rule | None:
    rule = _predicted(predictions) or _scored(scores)
    fit = fit_of(CONTENDER)
    if rule is None or fit is None:
        return rule
    if any(getattr(fit.model, name, None) for name in ("classes", "preset")):
        return rule._replace(kind="of the words that the study names")
    is_short = getattr(fit.model, "n_words", MAX_WORDS + 1) <= MAX_WORDS
    return rule._replace(leaves=fit.model.rule_) if is_short else None


def _predicted(predictions: Frame) -> _Rule | None:
    """Return the scores of the contender by its predictions, each with the predicted classes that are its best."""
    rows, plain = (correct_shares(predictions, CONTENDER, metric=metric) for metric in (BALANCED, "accuracy"))
    return _Rule(_mean(plain), _balanced(rows)) if len(rows) else None


def _scored(scores: Frame) -> _Rule | None:
    """Return the scores of the contender in a table without predictions."""
    accuracy, balanced = (
        scores_on_test_rows(scores, metric).filter(contender=CONTENDER)["value"].drop_nulls().to_list()
        for metric in ("accuracy", BALANCED)
    )
    return _Rule(accuracy[0], [*balanced, *accuracy][0]) if accuracy else None


def _learned(pairs: Frame) -> _Rule | None:
    """Learn a rule on the training rows of each fold, and return its score on the test rows of all folds."""
    if not {"text", "label"} <= set(pairs.columns) or pairs["text"].null_count() == len(pairs):
        return None
    from counterpoint.contenders.keyword_rule import KeywordRule  # noqa: PLC0415 - loads scikit-learn

    models: list[KeywordRule] = []
    rows: dict[str, list[Frame]] = {BALANCED: [], "accuracy": []}
    for fold in parts_by_fold(pairs):
        try:
            models.append(KeywordRule(n_words=MAX_WORDS).fit(fold["train"], fold["train"]["label"]))
        except SchemaError:  # the training rows have one class
            return None
        for metric, found in rows.items():
            found.append(correctness(models[-1], fold["test"], metric=metric))
    if not any(map(len, rows[BALANCED])):
        return None
    return _Rule(_mean(pl.concat(rows["accuracy"])), _balanced(pl.concat(rows[BALANCED])), models[0].rule_)


def _mean(rows: Frame) -> float:
    return float(rows["hit"].to_numpy().mean())


def _balanced(rows: Frame) -> float:
    return balanced_mean(rows["hit"].to_numpy(), rows["label"].to_numpy())


def _masked(pairs: Frame, words: Sequence[str]) -> dict[str, Any]:
    """Return the accuracy of a text-svm, fitted on the first fold, with and without *words*."""
    from counterpoint.contenders.text_svm import TextSVM  # noqa: PLC0415 - loads scikit-learn
    from counterpoint.rules import masked  # noqa: PLC0415

    accuracies = {}
    for name, text in (("masked", masked(pl.col("text"), words)), ("unmasked", pl.col("text"))):
        fold = next(parts_by_fold(pairs.with_columns(text)), None)
        if fold is None or fold["test"].is_empty() or fold["train"]["label"].n_unique() < 2:
            return {}
        model = TextSVM().fit(fold["train"], fold["train"]["label"])
        accuracies[f"{name}_accuracy"] = _mean(correctness(model, fold["test"], metric="accuracy"))
    return accuracies
