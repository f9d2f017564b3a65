"""What the words and numbers of the page mean, in plain words."""

from collections.abc import Mapping

TERMS: Mapping[str, tuple[str, str]] = {
    "interval": (
        "Interval",
        "The range that holds the true value in so many of a hundred repetitions of the study on fresh pairs. "
        "Groups of near-duplicates are drawn together, since they are no independent evidence.",
    ),
    "contender": ("Contender", "A model that takes part in the comparison, under the name it goes by in the study."),
    "modality": ("Modality", "One of the two voices of a pair: its text or its image."),
    "baseline": ("Baseline", "A contender that reads neither text nor image, to show what comes for free."),
    "fold": ("Fold", "A part of the pairs. No contender is tested on a fold that it was trained or chosen on."),
    "validation": ("Validation", "Pairs used to stop, calibrate and choose; never trained on, never tested on."),
    "oof": ("Out of fold", "The test pairs of all folds together: each pair was tested by a fit that never saw it."),
    "primary": (
        "Primary contrast",
        "The one comparison that decides: the best contender that reads both against the best that reads one, "
        "each chosen on validation before a test pair was scored.",
    ),
    "p_holm": (
        "p (Holm)",
        "How surprising the difference would be if the two contenders were equally good, made stricter for the "
        "number of pairs compared.",
    ),
    "minimum_detectable": (
        "Minimum detectable difference",
        "The smallest true difference that this many test pairs would show four times out of five. "
        "A smaller one can hide: not seen does not mean not there.",
    ),
    "seed": ("Seed", "The number that fixes a fit's chance: its first weights, the order of pairs, augmentation."),
    "group": ("Group", "Pairs that belong together, such as near-duplicates; a group stands on one side of a split."),
    "test_evaluation": (
        "Test evaluation",
        "One occasion on which the test pairs were scored. Each further one raises the risk of a result by chance.",
    ),
}

VERDICTS: Mapping[str, str] = {
    "leak": "The label can be read off",
    "misaligned": "Texts and images do not belong together",
    "training_failed": "A contender was not trained well enough to say",
    "branch_ignored": "The model of both does not use one of them",
    "redundant": "Text and image say the same",
    "text_only": "The text is enough",
    "image_only": "The image is enough",
    "additive_gain": "Both together are better, each adding its own",
    "interaction_gain": "Both together are better, and only together",
    "no_signal": "Neither text nor image tells the class",
    "cannot_tell": "These pairs cannot tell",
}
GAIN_OF_UNKNOWN_KIND = "A gain; these pairs cannot tell of which kind"
