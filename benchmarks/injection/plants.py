"""The fault of each check: its planting, its strengths, and the reason why clean draws lack it.

Every strength was fixed here before the runs.  The bar applies at ``strength``.  ``grid`` lists the other strengths of
the curve, in order of growing fault.  The curve gives the strength of even odds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from counterpoint.config import StudyConfig
from counterpoint.data.words import ENGLISH
from counterpoint.diagnose import Inputs
from injection import records
from injection.sources import FLICKR8K, GENERATED, LOST, OPENMOJI, masked_words
from injection.studies import HOLDOUT, SIGNALS, UNGROUPED, Place, contenders, study

MakeStudy = Callable[[Place, float], StudyConfig]
Alter = Callable[[Inputs, float, int], Inputs]
BOTH_SIGNALS = {"text_signal": 0.6, "image_signal": 0.6}
NETWORKS = ("text-svm", "text-lstm", "image-cnn", "lstm-cnn")
CLEAN = ("majority", "keyword-rule", "metadata", "text-svm", "text-lstm", "image-cnn", "late-fusion")
SOLVING = {
    "start": "scratch", "text": {"embed": 16, "hidden": 8, "word_dropout": 0.0},
    "image": {"side_px": 16, "width": 8, "augment": 0.0}, "hidden": 64, "hide": 0.0, "auxiliary": 0.0, "dropout": 0.0,
    "patience": 30, "encoder_rate": 1.0,
}  # fmt: skip
"""Settings with which the joint network learns an exclusive or from scratch."""
MISSING = 0.3
"""The share of missing images in draws without the fault of CP014."""
LIGHT = 0.6
"""The darkest value in light images, as a share of white."""
SHARED = 0.45
"""The share of rows with one image or text in draws without the fault of CP020."""
MISREAD = 0.2
"""The share of rows that the simpler contender misreads in draws of CP023."""
COPIED = 0.1
"""The share of near-copies in draws of CP024."""
FEW_EPOCHS = 3
TEXT_WIDTH = 8
NAMING = {"person": ["man", "woman", "boy", "girl", "people"], "animal": ["dog", "dogs"]}
"""Words in captions that name a class."""
UNBOUND = {"epochs": 5, "lr": 0.005, "dropout": 0.0, "word_dropout": 0.0, "label_smoothing": 0.0}
"""A text network without regularisation, so that its width has an effect."""


@dataclass(frozen=True)
class Plant:
    """The fault of one check.

    Attributes
    ----------
    make
        *make* returns the study with the fault at a strength, or None if *alter* changes the record of a clean study
        instead.
    clean_at
        *clean_at* is the strength at which *make* plants nothing, or None if the clean study serves as the comparison.
    clean
        *clean* is the reason why draws without the fault lack it by construction.
    """

    fault: str
    unit: str
    strength: float
    clean: str
    grid: tuple[float, ...] = ()
    make: MakeStudy | None = None
    alter: Alter | None = None
    clean_at: float | None = None
    trains: bool = False
    kinds: tuple[str, ...] = ()
    """The kinds of fault, if one check has two: the first in draws of even seeds, the second in draws of odd seeds."""
    real: Mapping[str, float] = field(default_factory=dict)
    """The real sets that are known to lack the fault, and the strength at which none is planted."""


def clean_study(place: Place) -> StudyConfig:
    """Return the study without a fault: rows are lost at random, and late fusion combines two contenders.

    It has no joint network.  A network that finds no interaction has the fault of CP009, and training one that finds it
    takes too long.  Small studies have five folds, so networks train on three fifths of the rows.  With three folds
    they would train on a third, which is too few of 1,000 rows.
    """
    source = {**SIGNALS, "fault": "lost", "strength": LOST}
    return study(place, source, contenders(place, *CLEAN), split=_folds(place, 5 if place.n < 3000 else 3))


def _folds(place: Place, n_folds: int = 5) -> dict[str, Any]:
    return {"kind": "kfold", "folds": n_folds, "seed": place.seed}


def _one_fit(place: Place, source: Mapping[str, Any], named: list[Any], **sections: Any) -> StudyConfig:
    return study(place, source, named, split={**HOLDOUT, "seed": place.seed}, **sections)


def _rule(place: Place, share: float) -> StudyConfig:
    if place.pairs != GENERATED:
        return _rule_of_captions(place, share)
    # The word determines the label, except for flips.  Without the fault the label is the same and the word is masked.
    source = {"text_signal": 1.0, "image_signal": 0.5, "label_noise": round(1 - share, 4) if share else 0.05}
    text = {} if share else {"text": {"mask": list(ENGLISH.class_words)}}
    return study(place, source, contenders(place, "majority", "keyword-rule"), **text)


def _rule_of_captions(place: Place, share: float) -> StudyConfig:
    # Words of the caption determine the label, except for flips.  Without the fault, other captions determine it, and
    # the words of this one are masked.
    flips = [{"kind": "flip_labels", "share": round(1 - share, 4), "seed": place.seed}]
    rule = {"label": {"keywords": {"classes": NAMING}}, "faults": flips, "clean": {"max_dropped_share": 0.9}}
    sections = rule if share else {"text": {"match": "word", "mask": masked_words()}}
    return study(place, {}, contenders(place, "majority", "keyword-rule"), **sections)


def _copies(place: Place, share: float) -> StudyConfig:
    source = {**SIGNALS, "fault": "copied", "strength": share, "are_folds_random": True}
    return study(place, source, contenders(place, "majority"), group=UNGROUPED, split={"kind": "given"})


def _losses(place: Place, share: float) -> StudyConfig:
    return study(place, {**SIGNALS, "fault": "lost", "strength": share}, contenders(place, "majority"))


def _misaligned(place: Place, share: float) -> StudyConfig:
    # Each text names its class: a text with little information cannot be distinguished from the text of another row.
    # Text and image also match within the class.  Otherwise the check would warn of every draw, permuted or not.
    source = {"text_signal": 1.0, "image_signal": 0.65, "joint_signal": 0.6}
    faults = [{"kind": "shuffle_texts", "share": share, "seed": place.seed}] if share else []
    return study(place, source, contenders(place, "majority", "text-svm", "image-cnn"), faults=faults)


def _large_text(place: Place, times: float) -> StudyConfig:
    width = round(TEXT_WIDTH * times)
    text = {"embed": 2 * width, "hidden": width, **UNBOUND}
    source = {"text_signal": 0.8, "image_signal": 0.8}  # both learn, which a comparison of speeds requires
    named = contenders(place, "majority", "text-lstm", "image-cnn", text_lstm=text)
    return study(place, source, named, split=_folds(place))


def _frozen(place: Place, share: float) -> StudyConfig:
    model = {"kind": "injection.models:FrozenImage", "share": share}
    return _one_fit(place, SIGNALS, contenders(place, *NETWORKS, lstm_cnn=model))


def _additive(place: Place, share: float) -> StudyConfig:
    # Without the fault, only both modalities together predict the class, and the joint network trains long enough.
    source = BOTH_SIGNALS if share else {"joint_signal": 0.95}
    joint = {} if share else {**SOLVING, "epochs": 12 if place.n > 1000 else 16}
    return _one_fit(place, source, contenders(place, *NETWORKS, "late-fusion", lstm_cnn=joint))


def _nothing_to_gain(place: Place, share: float) -> StudyConfig:
    # In draws of even seeds the image repeats the text.  In the others the image has no signal.
    alone = 0.6 * (1 - share)
    both = {"text_signal": alone, "image_signal": alone, "redundant_signal": 0.9 * share}
    source = both if place.seed % 2 == 0 else {"text_signal": 0.6, "image_signal": alone}
    return study(place, source, contenders(place, "majority", "text-svm", "image-cnn"))


def _lengths(place: Place, share: float) -> StudyConfig:
    return study(place, {**SIGNALS, "fault": "long", "strength": share}, contenders(place, "majority", "metadata"))


def _missing(place: Place, share: float) -> StudyConfig:
    # A black image must be unlike all training images, so these are light.  Without the fault, as many images are
    # missing, but they are marked as missing, and the network was trained with hidden modalities.
    model = {"kind": "injection.models:ZeroFilled"} if share else {}
    source = {**SIGNALS, "missing_image": share or MISSING, "fault": "light", "strength": LIGHT}
    return _one_fit(place, source, contenders(place, *NETWORKS, lstm_cnn=model), align={"missing_image": "keep"})


def _untrained(place: Place, strength: float) -> StudyConfig:  # noqa: ARG001 - the fault has no strength
    # In draws of even seeds each hidden layer is a softmax.  In the others text-lstm keeps weights without a signal.
    if place.seed % 2:
        kept = {"lr": 1e-6, "epochs": 2}
        return _one_fit(place, BOTH_SIGNALS, contenders(place, "majority", "text-svm", "text-lstm", text_lstm=kept))
    joint = {"kind": "paper-lstm-cnn", "name": "lstm-cnn", "padding": "post", "side_px": 16, "length": 20}
    joint |= {"hidden": 16, "epochs": 6}
    return _one_fit(place, BOTH_SIGNALS, [*contenders(place, "majority", "text-svm", "image-cnn"), joint])


def _damaged(place: Place, share: float) -> StudyConfig:
    # Draws of even seeds have blank images, the others unknown words, a third more of them: 30 % and 40 %.
    is_blank = place.seed % 2 == 0
    fault = {"fault": "blank", "strength": share} if is_blank else {"fault": "unknown_words", "strength": share * 4 / 3}
    return study(place, {**SIGNALS, **fault}, contenders(place, "majority"))


def _imbalanced(place: Place, share: float) -> StudyConfig:
    weights = (share, 1 - share)
    return study(place, {**SIGNALS, "balance": weights}, contenders(place, "majority", "text-svm"))


def _overfitted(place: Place, epochs: float) -> StudyConfig:
    # Without the fault, the last epoch is also kept, but of few epochs on all rows, while the loss still falls.
    joint = {"kind": "paper-lstm-cnn", "name": "lstm-cnn", "padding": "post", "activation": "relu", "side_px": 16}
    joint |= {"length": 20, "hidden": 16, "epochs": int(epochs) or FEW_EPOCHS}
    split = {"kind": "holdout", "train_limit": 200 if epochs and place.n > 300 else None, "seed": place.seed}
    return study(place, BOTH_SIGNALS, [*contenders(place, "majority", "text-svm"), joint], split=split)


def _flipped(place: Place, share: float) -> StudyConfig:
    # Without the fault, many rows share one image, one text or both.
    named = contenders(
        place, "majority", "text-svm", "image-cnn"
    )  # both learn, because the check compares two models that predict the class
    fault = {"label_noise": share} if share else {"fault": "shared", "strength": SHARED}
    return study(place, {**BOTH_SIGNALS, **fault}, named, split=_folds(place))


def _worse(place: Place, share: float) -> StudyConfig:
    simple = {"kind": "injection.models:Simple", "name": "simple", "share": MISREAD}
    network = {"kind": "injection.models:Complex", "name": "complex", "share": MISREAD + share}
    return study(place, BOTH_SIGNALS, [*contenders(place, "majority"), simple, network])


def _conflicting(place: Place, share: float) -> StudyConfig:
    # Copies in draws of even seeds have other labels.  In the others, labels of the same class are written otherwise.
    fault = "conflicting" if place.seed % 2 == 0 else "spelled"
    source = {**SIGNALS, "near_duplicates": COPIED, "fault": fault, "strength": share}
    return study(place, source, contenders(place, "majority"))


def _properties(place: Place, share: float) -> StudyConfig:
    # Draws of even seeds have another file for a class, the others another appearance.
    fault = {"fault": "processed_file" if place.seed % 2 == 0 else "processed_look", "strength": share}
    return study(place, {**SIGNALS, **(fault if share else {})}, contenders(place, "majority"))


def _shift(place: Place, share: float) -> StudyConfig:
    kind = "longer" if place.seed % 2 == 0 else "darker"
    source = {**SIGNALS, "fault": kind, "strength": share, "are_folds_random": True}
    return study(place, source, contenders(place, "majority"), group=UNGROUPED, split={"kind": "given"})


def _shared(place: Place, share: float) -> StudyConfig:
    fault = {"fault": "placeholder" if place.seed % 2 == 0 else "boilerplate", "strength": share}
    return study(place, {**SIGNALS, **fault}, contenders(place, "majority"))


PLANTS: Mapping[str, Plant] = {
    "CP001": Plant(
        "A word determines the label, except for flips", "of labels that follow the word", 0.95,
        "The labels are the same, but the words that determine them are masked in the text.",
        grid=(0.84, 0.87, 0.89, 0.91, 0.93), make=_rule, clean_at=0.0, real={FLICKR8K: 0.0},
    ),
    "CP002": Plant(
        "Test rows are copies of training rows", "of the test rows", 0.05,
        "Each row was made independently, so a split without groups separates no copies.",
        grid=(0.01, 0.02, 0.03, 0.04), make=_copies, clean_at=0.0, real={FLICKR8K: 0.0},
    ),
    "CP003": Plant(
        "Rows of one class are lost more often", "lost of one class, 10 % of the other", 0.20,
        "A tenth of the rows of each class is lost.",
        grid=(0.12, 0.14, 0.16, 0.18), make=_losses, real={FLICKR8K: LOST, OPENMOJI: LOST},
    ),
    "CP004": Plant(
        "Texts that name their class are permuted across rows", "of the pairs", 0.5,
        "The pairs are the same, and each text has its own image. Most pairs also match within their class.",
        grid=(0.1, 0.2, 0.3, 0.4), make=_misaligned, clean_at=0.0, trains=True, real={FLICKR8K: 0.0, OPENMOJI: 0.0},
    ),
    "CP005": Plant(
        "The multimodal contender was tuned, and the other was not", "trials", 12,
        "Each contender has one trial, and late fusion chooses among three fits.",
        grid=(2, 3, 4, 6, 8), alter=records.many_trials,
    ),
    "CP006": Plant(
        "The study has no fusion of separately trained branches", "yes", 1,
        "The multimodal contender is itself a fusion of separately trained branches.", alter=records.no_control,
    ),
    "CP007": Plant(
        "The text branch is larger and has no regularisation", "times the width", 8,
        "Both branches are small, have dropout and smoothed labels, and train for three to five epochs.",
        grid=(2, 4), make=_large_text, trains=True,
    ),
    "CP008": Plant(
        "The image branch is frozen at random weights", "of the way to random weights", 1,
        "The image branch is also frozen, but at its own trained weights, which use the image.",
        grid=(0.25, 0.5, 0.75), make=_frozen, clean_at=0.0, trains=True,
    ),
    "CP009": Plant(
        "A joint network is compared on pairs without an interaction", "yes", 1,
        "The class is only in the exclusive or of both modalities, and the joint network trains long enough.",
        make=_additive, clean_at=0.0, trains=True,
    ),
    "CP010": Plant(
        "The image repeats the text, or has no signal", "of its own information removed", 1,
        "Where one modality has no signal, the other has one in half of the rows, and both together have more.",
        grid=(0.5, 0.75), make=_nothing_to_gain, trains=True,
        kinds=("the image repeats the text", "the image has no signal"),
    ),
    "CP011": Plant(
        "Each network has few fits", "fits", 1,
        "Each network has three fits or more, and the true difference on the test rows exceeds ten points.",
        grid=(3, 2), alter=records.few_fits,
    ),
    "CP012": Plant(
        "Test rows were scored repeatedly", "test evaluations", 8,
        "The test rows were scored once.", grid=(2, 3, 4, 5, 6), alter=records.many_evaluations,
    ),
    "CP013": Plant(
        "The length of the text predicts the class", "of the classes predicted by length", 0.65,
        "Long texts are equally frequent in both classes.",
        grid=(0.53, 0.56, 0.59, 0.62), make=_lengths, clean_at=0.5,
    ),
    "CP014": Plant(
        "All images are light, and missing ones are filled with black", "of the images", 0.30,
        "As many images are missing, but they are marked, and the network was trained with hidden modalities.",
        grid=(0.1, 0.2), make=_missing, clean_at=0.0, trains=True,
    ),
    "CP015": Plant(
        "The contenders of one modality are overconfident", "times the logits", 4,
        "The probabilities of every contender are calibrated on rows that it was not trained on.",
        grid=(1.5, 2, 2.5, 3), alter=records.confident, trains=True,
        kinds=("image contenders", "text contenders"),
    ),
    "CP016": Plant(
        "Each hidden layer has softmax as its activation, or the kept weights learned nothing", "yes", 1,
        "Every network has ReLU or tanh, and its score is better than chance.", make=_untrained, trains=True,
        kinds=("softmax as activation", "kept weights that learned nothing"),
    ),
    "CP017": Plant(
        "Images are blank, or words are unknown", "of the images, or a third more of the words", 0.30,
        "Every image was drawn with noise, and all texts use the same sixty words.",
        grid=(0.02, 0.05, 0.1, 0.2), make=_damaged, clean_at=0.0, kinds=("images are blank", "words are unknown"),
        real={FLICKR8K: 0.0},
    ),
    "CP018": Plant(
        "One class is much more frequent", "of the rows", 0.9,
        "The classes are equal or four to one, and a network with class weights learns both.",
        grid=(0.75, 0.8, 0.83, 0.87), make=_imbalanced, real={FLICKR8K: 0.5, OPENMOJI: 0.75},
    ),
    "CP019": Plant(
        "The last epoch is kept, after training on 200 rows", "epochs", 30,
        "The last of three epochs on all rows is kept, while the validation loss still falls.",
        grid=(5, 10, 20), make=_overfitted, clean_at=0.0, trains=True,
    ),
    "CP020": Plant(
        "Labels are flipped", "of the labels", 0.10,
        "No label is flipped. Many rows share one image, one text or both.",
        grid=(0.02, 0.04, 0.07), make=_flipped, clean_at=0.0, trains=True,
    ),
    "CP023": Plant(
        "A network reads the text of another row, more often than a linear model does", "of the rows, beyond a fifth",
        0.4, "Both read the text of another row equally often, each in other rows.",
        grid=(0.1, 0.2, 0.3), make=_worse, clean_at=0.0,
    ),
    "CP024": Plant(
        "Near-copies have other labels, or labels of one class are written otherwise", "of copies, or of all labels",
        0.2, "A tenth of the rows are near-copies of others, with the same label, written in the same way.",
        grid=(0.05, 0.1), make=_conflicting, clean_at=0.0,
        kinds=("copies have other labels", "labels are written otherwise"),
    ),
    "CP021": Plant(
        "The images of one class have another file or another appearance", "of the classes predicted by it", 1.0,
        "The images of both classes are stored and processed alike. Their shapes and textures depend on the class.",
        grid=(0.65, 0.8, 0.9, 0.95), make=_properties, clean_at=0.0,
        kinds=("format, quality or border", "brightness, contrast, colour or blur"),
        real={FLICKR8K: 0.0, OPENMOJI: 0.0},
    ),
    "CP022": Plant(
        "Test texts are longer, or test images are darker", "of the test rows", 0.5,
        "Each row is assigned to its part at random.",
        grid=(0.1, 0.2, 0.3, 0.4), make=_shift, clean_at=0.0, kinds=("test texts are longer", "test images are darker"),
        real={FLICKR8K: 0.0, OPENMOJI: 0.0},
    ),
    "CP025": Plant(
        "Images of one class are one placeholder, or its texts have a stock phrase", "of that class", 0.10,
        "Each image is drawn by itself. Texts share openings, but equally in both classes.",
        grid=(0.01, 0.02, 0.03, 0.05), make=_shared, clean_at=0.0, kinds=("one placeholder", "a stock phrase"),
        real={FLICKR8K: 0.0, OPENMOJI: 0.0},
    ),
}  # fmt: skip
