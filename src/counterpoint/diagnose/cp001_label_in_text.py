"""CP001: a rule of a few words predicts the label, so that a text model's score is that rule read back.

Takes the contender keyword-rule where the study has one; else learns such a rule on training rows (0.1 s).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, final

import polars as pl

from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.diagnose.inputs import Depth
from counterpoint.errors import SchemaError
from counterpoint.measures.comparison_tables import scores_on_test_rows
from counterpoint.measures.contender_fits import FitOf
from counterpoint.measures.held_out_rows import correct_shares, correctness, parts_by_fold
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.schema import Frame

FAIL_AT, WARN_AT = 0.995, 0.90
MAX_WORDS = 8
CONTENDER = "keyword-rule"
LEAST_BALANCED = 0.85
"""Of nine in ten rows of one class, any rule is right on nine in ten: the classes must be told apart as well."""
MADE_FROM_TEXT = ("keywords", "preset")
"""Of such labels the record of the study says what a few words that suffice leave open elsewhere: it is a leak."""


class _Rule(NamedTuple):
    accuracy: float
    balanced: float
    leaves: Sequence[tuple[str, str, int]] = ()

    @property
    def words(self) -> list[str]:
        return [word for word, *_ in self.leaves[:-1]]


@final
class LabelInText(Check):
    """Look at the accuracy of a rule of at most eight words, on rows that it was not learned from."""

    code = "CP001"
    title = "The label is a function of the text"
    cost = Cost(
        "under 0.1 s; 0.1 s in a study without keyword-rule",
        "Also fit a linear model of the texts of one fold, with the words of the rule and without them (0.2 s).",
    )
    needs = ("pairs", "scores", "predictions", "fit_of", "depth")

    def run(self, *, pairs: Frame, scores: Frame, predictions: Frame, fit_of: FitOf, depth: Depth) -> Finding:
        """Return the finding on the contender keyword-rule, or else on a rule that is learned here."""
        rule = _of_contender(scores, predictions, fit_of) or _learned(pairs)
        if rule is None:
            return self.not_applicable("label", "There are no texts on both sides of a split to learn from.")
        severity, advice = _severity(rule, pairs)
        masked = _masked(pairs, rule.words) if depth == "full" and rule.words else {}
        if masked:
            advice += (
                f" Without these words, a linear model of the text predicts {masked['masked_accuracy']:.1%} "
                f"(with them {masked['unmasked_accuracy']:.1%})."
            )
        measured = f"A rule of at most eight words{_named(rule.words)} predicts {rule.accuracy:.1%} of the labels"
        evidence = {"accuracy": rule.accuracy, "balanced_accuracy": rule.balanced, **masked}
        table = [{"word": word, "predicts": label, "training rows": n} for word, label, n in rule.leaves]
        return self.finding(severity, "label", f"{measured} of rows it has not seen; {advice}", **evidence, table=table)


def _severity(rule: _Rule, pairs: Frame) -> tuple[str, str]:
    if rule.balanced < LEAST_BALANCED:
        return "info", "the label is more than a few words."
    by_text = "label_source" in pairs.columns and pairs["label_source"].is_in(MADE_FROM_TEXT).any()
    if rule.accuracy >= (WARN_AT if by_text else FAIL_AT):
        made = " (the labels of this study were made by keywords of it)" if by_text else ""
        return "fail", f"the label is a function of the text{made}: take labels from elsewhere, or mask those words."
    if rule.accuracy >= WARN_AT:
        return "warn", "few words suffice, which may be legitimate or a leak: look at where the labels come from."
    return "info", "the label is more than a few words."


def _named(words: Sequence[str]) -> str:
    return f" ({', '.join(words)})" if words else ""


def _of_contender(scores: Frame, predictions: Frame, fit_of: FitOf) -> _Rule | None:
    scored = scores_on_test_rows(scores, "accuracy").filter(contender=CONTENDER)["value"].drop_nulls()
    if scored.is_empty():
        return None
    rows = correct_shares(predictions.filter(pl.col("part") == "test"), CONTENDER)
    balanced = _balanced(rows) if len(rows) else scored[0]
    fit = fit_of(CONTENDER)
    if fit is None:
        return _Rule(scored[0], balanced)
    is_given = any(getattr(fit.model, name, None) for name in ("classes", "preset"))
    is_short = getattr(fit.model, "n_words", MAX_WORDS + 1) <= MAX_WORDS
    return _Rule(scored[0], balanced, fit.model.rule_) if is_short and not is_given else None


def _learned(pairs: Frame) -> _Rule | None:
    """Return a rule learned on the training rows of each fold in turn, scored on the test rows of all."""
    if not {"text", "label"} <= set(pairs.columns) or pairs["text"].null_count() == len(pairs):
        return None
    from counterpoint.contenders.keyword_rule import KeywordRule  # noqa: PLC0415 - loads scikit-learn

    models, rows = [], []
    for fold in parts_by_fold(pairs):
        try:
            models.append(KeywordRule(n_words=MAX_WORDS).fit(fold["train"], fold["train"]["label"]))
        except SchemaError:  # the training rows have one class
            return None
        rows.append(correctness(models[-1], fold["test"]))
    tested = pl.concat(rows) if rows else pl.DataFrame()
    if tested.is_empty():
        return None
    return _Rule(float(tested["hit"].to_numpy().mean()), _balanced(tested), models[0].rule_)


def _balanced(rows: Frame) -> float:
    return balanced_mean(rows["hit"].to_numpy(), rows["label"].to_numpy())


def _masked(pairs: Frame, words: Sequence[str]) -> dict[str, Any]:
    """Return the accuracy of a text-svm of the first fold with and without *words*."""
    from counterpoint.contenders.text_svm import TextSVM  # noqa: PLC0415 - loads scikit-learn
    from counterpoint.rules import masked  # noqa: PLC0415

    found = {}
    for name, text in (("masked", masked(pl.col("text"), words)), ("unmasked", pl.col("text"))):
        fold = next(parts_by_fold(pairs.with_columns(text)), None)
        if fold is None or fold["test"].is_empty() or fold["train"]["label"].n_unique() < 2:
            return {}
        model = TextSVM().fit(fold["train"], fold["train"]["label"])
        found[f"{name}_accuracy"] = float(correctness(model, fold["test"])["hit"].to_numpy().mean())
    return found
