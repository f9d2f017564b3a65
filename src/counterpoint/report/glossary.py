"""The terms and verdicts of the page, explained."""

from collections.abc import Mapping

TERMS: Mapping[str, tuple[str, str]] = {
    "interval": (
        "Interval",
        "A range that contains the true value in the stated share of repetitions with new test pairs. It is about the "
        "fits that were made: it leaves out how much another training set would change the value. With several seeds "
        "it includes their variation. Groups of near-duplicates are resampled together, because they are not "
        "independent evidence.",
    ),
    "contender": ("Contender", "A model that takes part in the comparison, under the name that the study gives it."),
    "modality": ("Modality", "One of the two parts of a pair: its text or its image."),
    "baseline": ("Baseline", "A contender that reads neither text nor image. It shows the score without content."),
    "fold": ("Fold", "A part of the pairs. No fit is tested on a fold on which it was trained, stopped or calibrated."),
    "validation": (
        "Validation",
        "Pairs that are used to stop training, to calibrate and to choose. The same fit is never trained or tested on "
        "them. With several folds, they are test pairs of another fit.",
    ),
    "oof": (
        "Out of fold",
        "The test pairs of all folds together. Each pair was tested by a fit that was not trained on it.",
    ),
    "primary": (
        "Primary contrast",
        "The one comparison that decides: the best contender of both modalities against the best of one. "
        "Both were chosen on validation pairs before a test pair was scored.",
    ),
    "p_holm": (
        "p (Holm)",
        "The probability of a difference at least this large if the two contenders were equally good, corrected for "
        "the number of comparisons.",
    ),
    "minimum_detectable": (
        "Minimum detectable difference",
        "The smallest true difference that this number of test pairs would show four times out of five. "
        "A smaller difference may exist and not be seen.",
    ),
    "seed": (
        "Seed",
        "The number that fixes the random choices of a fit: its first weights, the order of pairs, the augmentation.",
    ),
    "group": (
        "Group",
        "Pairs that belong together, such as near-duplicates. All pairs of a group are in the same part of a split.",
    ),
    "test_evaluation": (
        "Test evaluation",
        "One occasion on which the test pairs were scored. Each further one raises the risk of a result by chance.",
    ),
}

VERDICTS: Mapping[str, str] = {
    "leak": "The label can be read from the input itself",
    "misaligned": "Texts and images do not belong together",
    "training_failed": "A contender was not trained well enough",
    "branch_ignored": "The model of both modalities ignores one of them",
    "redundant": "Text and image carry the same information",
    "text_only": "The text is enough",
    "image_only": "The image is enough",
    "additive_gain": "Both together are better, and each adds its own part",
    "interaction_gain": "Both together are better, and only together",
    "no_signal": "Neither text nor image predicts the class",
    "cannot_tell": "These pairs do not decide the question",
}
GAIN_OF_UNKNOWN_KIND = "A gain whose kind these pairs do not decide"
