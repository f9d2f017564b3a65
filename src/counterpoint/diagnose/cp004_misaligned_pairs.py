"""CP004: texts that belong to other images, in all rows, in some, or in one part of a split.

The check looks for these cases in turn:

- **Shift**: a model of texts and images (`measures.own_image_rate`) is fitted on some rows.  On others it does not find
  the own image of a text among all images, but the image of a row nearby.
- **One part differs**: a single-entity contender is far better on validation rows than on test rows, or far worse.
- **Some rows**: the texts have a lapse rate (`lapse_rate`): a share of rows on which the text is correct only by
  chance, at any confidence.  On these rows the images agree with the label (`label_support`).  If the labels were
  wrong, the images would agree with the text.  Off-topic texts leave the same trace, so the finding names both.  Texts
  must be clear where they do not lapse: weak evidence may flatten the curve of a model without a lapse.
- **No association**: the model does not find the own image, among all images or within each class.  Then text and image
  do not both predict the class.  If both do, text and image are two independent signs of it, and the finding only
  reports that: texts of other rows would not predict the class of their row.  If it is unknown whether weak evidence
  predicts it, the association is unknown.
- **Class alone**: the model finds images of the class, but not the own image among them.  Nor are the predictions of a
  text and an image contender associated within a class.  This is reported, in the answer too, and is no warning.  Two
  signs that are independent given the class have this pattern, and so have two unrelated sets that were joined on class
  alone.  A permutation within the classes does not change the distribution of the first, so no test of the pairs can
  tell them apart.  The joint space does not either: the cosine of a text with the most similar image of its class was
  as high for random words as for the names of drawings.

If the model finds the own image only within each class, the pairs are aligned, as in an exclusive or.  Then text and
image together may predict the class where neither does alone.  The test is of the part of the association that differs
by class (`Contrast`).  Its evidence is given in every finding, because no claim that both together carry nothing can
be made where it is not absent.

There are two such models.  One reads cheap features, and needs 800 pairs to show that there is no association.  The
other is the joint space of the encoders that work offline (`measures.joint_map`), where they are installed.  It needs
50 pairs.  An association that either finds is one.

In the joint space each pair has an agreement score (`measures.pair_agreement`).  The least agreeing pairs form the
queue of this finding, whether or not it warns.

Some faults leave no trace.  If text and image are independent given the class, permuted texts look like texts with a
weaker signal.  Permuted images look like images that are hard to read.

Takes 2 s at 1,000 rows, mostly to read images.  Pairs that were not encoded yet are encoded, which takes longer.
"""

from collections.abc import Sequence
from typing import final

from counterpoint import number_formats as numbers
from counterpoint.diagnose.check import Check, Cost, Finding
from counterpoint.diagnose.misaligned_rows import Problem, different_part, lapsing_texts
from counterpoint.diagnose.pair_association import LEVEL, association, contrasts, percent
from counterpoint.diagnose.queues import queue_evidence
from counterpoint.encoders.catalogue import INSTALL
from counterpoint.measures.comparison_tables import Modalities
from counterpoint.measures.contender_fits import FitOf
from counterpoint.measures.encoded_pairs import FEW_PAIRS, Encode, EncodedPairs, with_both
from counterpoint.measures.matched_pairs import FEW_ROWS, MatchedPairs, cheaply_matched, jointly_matched
from counterpoint.measures.own_image_rate import OwnImageRate
from counterpoint.measures.pair_agreement import least_agreeing
from counterpoint.measures.single_predictions import SinglePredictions
from counterpoint.schema import Frame

WEAK = 0.54
"""The rate above which an interval is no sign of a shift."""
SHIFTS = (1, -1, 2, -2)
SHIFTED = 0.0001
"""A shift of the images is found at this p.  The check then fails, which must be rare among right pairs."""
SUBJECT = "pairs"
ADVICE = (
    "The queue has the fifth of the pairs whose text and image agree least, the least first. Look at them, and leave "
    "out those that do not belong together with exclude: [id]."
)


@final
class MisalignedPairs(Check):
    """Look for texts that belong to other images, in all rows, in some rows, or in one part of a split."""

    code = "CP004"
    title = "Misaligned pairs"
    advice = (
        "Look at a dozen pairs of the queue. Join texts and images by an id, not by a position. "
        "Leave single wrong pairs out with the setting exclude."
    )
    cost = Cost(
        "2 s, and longer where pairs are first encoded",
        "Encode all pairs, where more than 10,000 have a text and an image.",
    )
    needs = (
        "pairs", "predictions", "modalities", "single_predictions", "fit_of", "encode", "encoded_pairs", "agreement",
    )  # fmt: skip

    def run(
        self,
        *,
        pairs: Frame,
        predictions: Frame,
        modalities: Modalities,
        single_predictions: SinglePredictions,
        fit_of: FitOf,
        encode: Encode | None,
        encoded_pairs: EncodedPairs | None,
        agreement: Frame,
    ) -> Finding:
        """Return the first problem that is found, or else how text and image are associated."""
        whole, image = with_both(pairs), single_predictions.best["image"]
        least = FEW_PAIRS if encode else FEW_ROWS
        if len(whole) < least or whole["label"].n_unique() < 2:
            needed = f"The check needs {least} pairs that have a text and an image, of two classes."
            return self.not_applicable(SUBJECT, f"{needed} It got {numbers.count(len(whole))}.{_fewer(encode)}")
        cheap = cheaply_matched(whole, fit_of(image) if image else None)
        models = [each for each in (jointly_matched(encoded_pairs) if encoded_pairs else None, cheap) if each]
        if not models:
            return self.not_applicable(SUBJECT, "The images of the pairs can no longer be read.")
        problem = (
            _shifted(models)
            or different_part(predictions, modalities)
            or lapsing_texts(models[-1].rows, predictions, modalities)
            or association(models, single_predictions, _fewer(encode))
        )
        rates = {each.name: list(each.at_all) for each in models}
        evidence = {"own_image": rates, "n": len(models[-1].rows)} | contrasts(models) | problem.evidence
        queue = queue_evidence(least_agreeing(agreement), "standing") if len(agreement) else {}
        explanation = f"{problem.explanation}{f' {ADVICE}' if queue else ''}"
        return self.finding(problem.severity, SUBJECT, explanation, **queue | evidence)


def _fewer(encode: Encode | None) -> str:
    """Return how the check applies to fewer pairs, where the encoders are not installed."""
    return "" if encode else f" With `{INSTALL}`, {FEW_PAIRS} pairs are enough."


def _shifted(models: Sequence[MatchedPairs]) -> Problem | None:
    """Return a problem if texts match the image of a row nearby, and better than their own image."""
    if any(each.at_all.p <= LEVEL and each.at_all.low > WEAK for each in models):
        return None
    for model in models:
        shifts = {by: shifted for by in SHIFTS if (shifted := model.shifted(by)) is not None}
        if not shifts:
            continue
        by, (rate, n_rows) = max(shifts.items(), key=lambda item: item[1][0].rate)
        if rate.p <= SHIFTED and rate.low > model.at_all.high:
            return _shift(by, rate, n_rows, model.at_all)
    return None


def _shift(by: int, rate: OwnImageRate, n_rows: int, at_all: OwnImageRate) -> Problem:
    place = f"{abs(by)} {'row' if abs(by) == 1 else 'rows'} {'later' if by > 0 else 'earlier'}"
    explanation = (
        f"The images are shifted against the texts. A text matches the image {place} better than another image in "
        f"{percent(rate)} of the cases, and its own in {percent(at_all)}. Join them by an id, not by a position."
    )
    return Problem("fail", explanation, {"shifted_by": by, "shifted_image": list(rate), "n_shifted": n_rows})
