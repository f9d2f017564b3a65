"""The terms and verdicts of the page, explained."""

from collections.abc import Mapping

TERMS: Mapping[str, tuple[str, str]] = {
    "interval": (
        "Interval",
        "A range that contains the true value in the stated share of repetitions with new test pairs and seeds. "
        "It does not include the variation from new training pairs, unless a study repeats its split. "
        "A group of near-duplicates counts as one, because its pairs are not independent evidence.",
    ),
    "contender": ("Contender", "A model that takes part in the comparison, under the name that the study gives it."),
    "modality": ("Modality", "One of the two parts of a pair: its text or its image."),
    "baseline": ("Baseline", "A contender that reads neither text nor image. It shows the score without content."),
    "fold": ("Fold", "A part of the pairs. No fit is tested on a fold on which it was trained, stopped or chosen."),
    "validation": (
        "Validation",
        "Pairs that a fit uses to stop training, to calibrate and to choose. The same fit is never trained or tested "
        "on them. With several folds, another fit is tested on them.",
    ),
    "oof": (
        "Out of fold",
        "The test pairs of all folds together. Each pair was tested by a fit that was not trained on it.",
    ),
    "primary": (
        "Primary contrast",
        "The one comparison that decides: the best contender of both modalities against the best of one. Both are "
        "chosen on the validation pairs of each fold, by the fits of the other seeds, before a test pair is scored. "
        "Where the choices differ, it compares the two ways of choosing, and names the contenders chosen most often.",
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
    "repeat": (
        "Repeat",
        "The whole comparison with another split and other fits. The primary contrast is that of all repeats together. "
        "Its interval includes the variation over fits.",
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
    "misaligned": "Texts and images of some rows do not belong together",
    "training_failed": "A contender was not trained well enough",
    "branch_ignored": "The model of both modalities ignores one of them",
    "redundant": "Either of them predicts the class, and both together add little or nothing",
    "equivalent": "Reading both makes no difference that matters",
    "not_asked": "No trained model reads one of the modalities alone",
    "text_only": "Models here that read only the image are hardly better than guessing",
    "image_only": "Models here that read only the text are hardly better than guessing",
    "averaging_gain": "Both together are better, and mostly read the same thing",
    "additive_gain": "Both together are better, and a sum of both is enough",
    "interaction_gain": "Both together are better, and only together",
    "no_signal": "Models here that read only one of them are hardly better than guessing",
    "cannot_tell": "These pairs do not decide the question",
}
GAIN_OF_UNKNOWN_KIND = "A gain whose kind these pairs do not decide"
GAIN_OF_UNKNOWN_REASON = "A better score whose reason these pairs do not decide"
NO_GAIN_OF_UNKNOWN_REASON = "No gain, for a reason that these pairs do not decide"
