"""The answer, its doubt and the next step in words for readers who know neither the checks nor the models.

``{single}`` is the modality that the best contender of one modality reads, ``{other}`` the other one, and ``{unread}``
the one that no trained contender reads alone.  docs/verdict.md has the rules of claims and verdicts.
"""

from collections.abc import Mapping

ANSWERS: Mapping[str, str] = {
    "better": "Use text and image together.",
    "better_alone": "The model of both does better, but not because it reads both.",
    "not_shown": "The model of both does better. That reading both is the reason is not shown.",
    "same": "Use either: reading both makes no difference that matters.",
    "worse": "Use the {single} alone: reading both does worse.",
    "none": "Use the {single} alone: no gain from reading both is shown.",
    "open": "Not settled: a gain from reading both is neither shown nor ruled out.",
    "not_asked": "No answer yet: no trained model reads the {unread} alone.",
    "not_comparable": "No answer: the comparison does not hold.",
    "nothing": "No answer yet: there is nothing to compare.",
}
"""The answer by the claim."""
ANSWERS_OF_VERDICTS: Mapping[tuple[str, str], str] = {
    ("none", "no_signal"): "No model of the text or of the image alone does more than a little better than guessing.",
    ("worse", "no_signal"): "No model of the text or of the image alone does more than a little better than guessing.",
    ("better_alone", "text_only"): "The model of both does better, but the text alone may explain it.",
    ("better_alone", "image_only"): "The model of both does better, but the image alone may explain it.",
    ("not_comparable", "leak"): "No answer: a few words of the text give the class away.",
    ("not_comparable", "misaligned"): "No answer: texts and images of some pairs do not belong together.",
    ("not_comparable", "training_failed"): "No answer: a model was not trained well enough.",
    ("not_comparable", "branch_ignored"): "No answer: the model of both makes no use of one of them.",
}
"""The answer where the verdict says more than the claim."""
NOT_USABLE: Mapping[str, str] = {
    "better": "Text and image together do better than either, but a model that reads neither does better still.",
    "better_alone": "The model of both does better, but a model that reads neither does better still.",
    "not_shown": "The model of both does better, but a model that reads neither does better still.",
    "same": "Reading both makes no difference that matters, but the {single} alone is not shown to beat a model that "
    "reads neither.",
    "worse": "Reading both does worse than the {single} alone, and a model that reads neither does better than that.",
    "none": "No gain from reading both is shown, and a model that reads neither does better.",
}
"""The answer by the claim, where it recommends no contender because one that reads nothing may do as well or better."""
TOO_FEW = "No answer yet: too few pairs were kept for the test."
NOT_YET = "This study has no answer yet."

NEXT: Mapping[str, str] = {
    "leak": "Take the labels from another source, or hide those words from the models, and run again.",
    "misaligned": "Find the step that joined texts and images, and run again.",
    "training_failed": "Find out why the training failed, and run again.",
    "branch_ignored": "Train a model for the text and one for the image apart, combine them, and run again.",
    "not_asked": "Add a trained model that reads the {unread} alone, and run again.",
    "no_signal": "Look at the labels first: can you see the class in the text or in the image?",
}
"""The next step by the verdict, where no contender is ready to be used."""

DOUBTS_IN_WORDS: Mapping[str, str] = {
    "CP001": "A rule of a few words predicts most labels, so the labels may come from the text itself.",
    "CP004": "Texts and images of some pairs may not belong together.",
    "CP002": "Some pairs of the test have near-copies among the pairs that trained the models.",
    "CP022": "The pairs of the test differ from those that trained the models.",
    "CP021": "Simple properties of the image files, such as borders or brightness, predict the class.",
    "CP013": "Sizes, lengths or web hosts alone predict the class better than chance.",
    "CP025": "Many pairs share a placeholder picture or a stock phrase.",
    "CP024": "Equal pairs have different classes.",
    "CP020": "Some labels look wrong.",
    "CP016": "A network was not trained well.",
    "CP003": "The rows that were lost differ from the others.",
    "CP012": "The pairs of the test were scored several times, so luck had several chances.",
    "CP011": "Another training, or other pairs, may reverse the difference.",
    "CP023": "A larger model does worse than a simpler one.",
    "CP005": "The two models had unequal efforts of training.",
}
"""The alarm that undermines the answer most, by its code, as in `counterpoint.diagnose.claim.DOUBTS`."""
BEATEN = "A simpler model does better than the model of the {single} compared here, so the gain may be smaller."
"""The doubt CP023 where the loser is the contender of one modality in the primary contrast."""


def answer_in_words(claim: str, verdict: str, *, is_usable: bool = True) -> str:
    """Return the answer, with its places in braces.

    Parameters
    ----------
    claim, verdict
        *claim* and *verdict* are those of the answer.
    is_usable
        *is_usable* is False where the answer recommends no contender, although its claim is about a usable one.

    Examples
    --------
    >>> answer_in_words("none", "no_signal"), answer_in_words("none", "redundant").format(single="text")
    ('No model of the text or of the image alone does more than a little better than guessing.', 'Use the text alone: no gain from reading both is shown.')
    >>> answer_in_words("none", "redundant", is_usable=False)
    'No gain from reading both is shown, and a model that reads neither does better.'
    """  # noqa: E501 - one value a line
    of_verdict = ANSWERS_OF_VERDICTS.get((claim, verdict))
    if of_verdict:
        return of_verdict
    return (None if is_usable else NOT_USABLE.get(claim)) or ANSWERS.get(claim, NOT_YET)
