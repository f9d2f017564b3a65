"""Each check's fault: how it is planted, how strongly, and why the draws without it are without it.

Every strength was written down here before it was run.  ``strength`` is the one that the bar is about; ``grid`` are the
others of the curve, in order of growing fault, from which the strength of even odds is read.
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
BOTH_TELL = {"text_signal": 0.6, "image_signal": 0.6}
NETWORKS = ("text-svm", "text-lstm", "image-cnn", "lstm-cnn")
CLEAN = ("majority", "keyword-rule", "metadata", "text-svm", "text-lstm", "image-cnn", "late-fusion")
SOLVING = {
    "start": "scratch", "text": {"embed": 16, "hidden": 8, "word_dropout": 0.0},
    "image": {"side_px": 16, "width": 8, "augment": 0.0}, "hidden": 64, "hide": 0.0, "auxiliary": 0.0, "dropout": 0.0,
    "patience": 30, "encoder_rate": 1.0,
}  # fmt: skip
"""The joint network as it learns an exclusive or, from scratch."""
MISSING = 0.3
"""The share of images that a network which knows what to do without them has to do without."""
LIGHT = 0.6
"""The darkest that light pictures get, as a share of white."""
FEW_EPOCHS = 3
TEXT_WIDTH = 8
NAMING = {"person": ["man", "woman", "boy", "girl", "people"], "animal": ["dog", "dogs"]}
"""Words of captions that name a class."""
UNBOUND = {"epochs": 5, "lr": 0.005, "dropout": 0.0, "word_dropout": 0.0, "label_smoothing": 0.0}
"""A text network that nothing holds back, so that its width is felt."""


@dataclass(frozen=True)
class Plant:
    """One check's fault.

    Attributes
    ----------
    make
        *make* returns the study in which the fault is that strong; None where *alter* makes a record of a clean study
        say so.
    clean_at
        *clean_at* is the strength at which *make* plants nothing; None where the clean study has no such fault.
    clean
        *clean* says why those draws are without the fault by construction.
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
    """What every other draw plants, where faults of two kinds have one check: draws of even seeds, and of odd ones."""
    real: Mapping[str, float] = field(default_factory=dict)
    """The real sets of which it is known that they are without the fault, and the strength at which none is planted."""


def clean_study(place: Place) -> StudyConfig:
    """Return the study in which nothing is wrong: what is lost is lost at random, and late fusion adds two voices.

    It has no joint network: one that finds no interaction has the fault of CP009, and one that finds it takes too long.
    Of five folds three are trained on: of three it is one, a third of 1,000 rows, on which networks learn too little.
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
    # The label is the word, but for flips; without a fault, it is the same label and the word is masked.
    source = {"text_signal": 1.0, "image_signal": 0.5, "label_noise": round(1 - share, 4) if share else 0.05}
    text = {} if share else {"text": {"mask": list(ENGLISH.class_words)}}
    return study(place, source, contenders(place, "majority", "keyword-rule"), **text)


def _rule_of_captions(place: Place, share: float) -> StudyConfig:
    # Words of the caption make the label, but for flips; without the fault other captions do, and its words are masked.
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
    # Each text names its class: of a text that tells little by nature, one of another row cannot be told.  Text and
    # image go together beyond the class, for else that alone would warn, of texts dealt anew or not.
    source = {"text_signal": 1.0, "image_signal": 0.65, "joint_signal": 0.6}
    faults = [{"kind": "shuffle_texts", "share": share, "seed": place.seed}] if share else []
    return study(place, source, contenders(place, "majority", "text-svm", "image-cnn"), faults=faults)


def _large_text(place: Place, times: float) -> StudyConfig:
    width = round(TEXT_WIDTH * times)
    text = {"embed": 2 * width, "hidden": width, **UNBOUND}
    source = {"text_signal": 0.8, "image_signal": 0.8}  # both learn: speeds need that
    named = contenders(place, "majority", "text-lstm", "image-cnn", text_lstm=text)
    return study(place, source, named, split=_folds(place))


def _frozen(place: Place, share: float) -> StudyConfig:
    model = {"kind": "injection.models:FrozenImage", "share": share}
    return _one_fit(place, SIGNALS, contenders(place, *NETWORKS, lstm_cnn=model))


def _additive(place: Place, share: float) -> StudyConfig:
    # Without the fault, only the two together tell the class, and the joint network is trained long enough to find it.
    source = BOTH_TELL if share else {"joint_signal": 0.95}
    joint = {} if share else {**SOLVING, "epochs": 12 if place.n > 1000 else 16}
    return _one_fit(place, source, contenders(place, *NETWORKS, "late-fusion", lstm_cnn=joint))


def _nothing_to_gain(place: Place, share: float) -> StudyConfig:
    # Every other draw has an image that says what the text says, the others one that says nothing.
    alone = 0.6 * (1 - share)
    both = {"text_signal": alone, "image_signal": alone, "redundant_signal": 0.9 * share}
    source = both if place.seed % 2 == 0 else {"text_signal": 0.6, "image_signal": alone}
    return study(place, source, contenders(place, "majority", "text-svm", "image-cnn"))


def _lengths(place: Place, share: float) -> StudyConfig:
    return study(place, {**SIGNALS, "fault": "long", "strength": share}, contenders(place, "majority", "metadata"))


def _missing(place: Place, share: float) -> StudyConfig:
    # Black must be no picture that the network knows: pictures are light, as photos on white are.  Without the fault
    # as many images are missing, and the network is told so, and has learned to do without.
    model = {"kind": "injection.models:ZeroFilled"} if share else {}
    source = {**SIGNALS, "missing_image": share or MISSING, "fault": "light", "strength": LIGHT}
    return _one_fit(place, source, contenders(place, *NETWORKS, lstm_cnn=model), align={"missing_image": "keep"})


def _softmax(place: Place, strength: float) -> StudyConfig:  # noqa: ARG001 - it is there or not
    joint = {"kind": "paper-lstm-cnn", "name": "lstm-cnn", "side_px": 16, "length": 20, "hidden": 16, "epochs": 6}
    return _one_fit(place, BOTH_TELL, [*contenders(place, "majority", "text-svm", "image-cnn"), joint])


def _damaged(place: Place, share: float) -> StudyConfig:
    # Every other draw has blank images, the others words that nobody knows, a third more of them: 30 % and 40 %.
    is_blank = place.seed % 2 == 0
    fault = {"fault": "blank", "strength": share} if is_blank else {"fault": "unknown_words", "strength": share * 4 / 3}
    return study(place, {**SIGNALS, **fault}, contenders(place, "majority"))


def _imbalanced(place: Place, share: float) -> StudyConfig:
    weights = (share, 1 - share)
    return study(place, {**SIGNALS, "balance": weights}, contenders(place, "majority", "text-svm"))


def _overfitted(place: Place, epochs: float) -> StudyConfig:
    # Without the fault the last epoch is kept as well, of a few on all rows: the loss still falls.
    joint = {"kind": "paper-lstm-cnn", "name": "lstm-cnn", "activation": "relu", "side_px": 16, "length": 20}
    joint |= {"hidden": 16, "epochs": int(epochs) or FEW_EPOCHS}
    split = {"kind": "holdout", "train_limit": 200 if epochs and place.n > 300 else None, "seed": place.seed}
    return study(place, BOTH_TELL, [*contenders(place, "majority", "text-svm"), joint], split=split)


def _flipped(place: Place, share: float) -> StudyConfig:
    named = contenders(place, "majority", "text-svm", "image-cnn")  # both learn: doubts need two that can tell
    return study(place, {**BOTH_TELL, "label_noise": share}, named, split=_folds(place))


PLANTS: Mapping[str, Plant] = {
    "CP001": Plant(
        "A word makes the label, 5 % flipped", "of the labels follow the word", 0.95,
        "The same labels, and the words that make them masked: the text says nothing of them.",
        grid=(0.84, 0.87, 0.89, 0.91, 0.93), make=_rule, clean_at=0.0, real={FLICKR8K: 0.0},
    ),
    "CP002": Plant(
        "Test rows are copies of training rows", "of the test rows", 0.05,
        "Each row was made by itself: a split that groups nothing has no copies to part.",
        grid=(0.01, 0.02, 0.03, 0.04), make=_copies, clean_at=0.0, real={FLICKR8K: 0.0},
    ),
    "CP003": Plant(
        "A class is lost more often", "lost of one class, 10 % of the other", 0.20,
        "Of both classes a tenth is lost, whatever the class.",
        grid=(0.12, 0.14, 0.16, 0.18), make=_losses, real={FLICKR8K: LOST, OPENMOJI: LOST},
    ),
    "CP004": Plant(
        "Texts, each of which names its class, are dealt anew", "of the pairs", 0.5,
        "The same pairs, each text with the image that it was made with; most match within their class as well.",
        grid=(0.1, 0.2, 0.3, 0.4), make=_misaligned, clean_at=0.0, trains=True, real={FLICKR8K: 0.0, OPENMOJI: 0.0},
    ),
    "CP005": Plant(
        "The multimodal side was tuned, the other was not", "trials", 12,
        "Every contender is tried once, late fusion chooses among three fits.",
        grid=(2, 3, 4, 6, 8), alter=records.many_trials,
    ),
    "CP006": Plant(
        "No fusion of branches trained apart", "yes", 1,
        "The multimodal side is itself a fusion of branches trained apart.", alter=records.no_control,
    ),
    "CP007": Plant(
        "The text branch is larger, and nothing holds it back", "times the width", 8,
        "Both branches are small, with dropout and smoothed labels, and trained for three to five epochs.",
        grid=(2, 4), make=_large_text, trains=True,
    ),
    "CP008": Plant(
        "The image branch is frozen at random weights", "of the way to random weights", 1,
        "The image branch is frozen as well, at the weights of its own training, which read the image.",
        grid=(0.25, 0.5, 0.75), make=_frozen, clean_at=0.0, trains=True,
    ),
    "CP009": Plant(
        "A joint network for an additive truth", "yes", 1,
        "The exclusive or of both alone tells the class, and the joint network is trained long enough to learn it.",
        make=_additive, clean_at=0.0, trains=True,
    ),
    "CP010": Plant(
        "The image says what the text says, or nothing", "of what it says alone taken out", 1,
        "Of the rows of which one modality says nothing, the other says half, and both together more.",
        grid=(0.5, 0.75), make=_nothing_to_gain, trains=True, kinds=("the image says the same", "it says nothing"),
    ),
    "CP011": Plant(
        "One fit of each network", "fits", 1,
        "Three fits or more, and a true difference of over ten points on as many test rows as the study has.",
        grid=(3, 2), alter=records.few_fits,
    ),
    "CP012": Plant(
        "Test rows were scored again and again", "looks", 8,
        "The test rows were scored once.", grid=(2, 3, 4, 5, 6), alter=records.many_evaluations,
    ),
    "CP013": Plant(
        "The length of the text tells the class", "of the classes told by length", 0.65,
        "As many texts of either class are long.",
        grid=(0.53, 0.56, 0.59, 0.62), make=_lengths, clean_at=0.5,
    ),
    "CP014": Plant(
        "Images, all of them light, are missing, and filled with black", "of the images", 0.30,
        "As many images are missing, and the network is told so, and trained with modalities hidden.",
        grid=(0.1, 0.2), make=_missing, clean_at=0.0, trains=True,
    ),
    "CP015": Plant(
        "One modality's contenders are too sure", "times the logits", 4,
        "Each network keeps the epoch of its lowest validation loss, its labels smoothed; the SVM is calibrated.",
        grid=(1.5, 2, 2.5, 3), alter=records.confident, trains=True,
        kinds=("of image contenders", "of text contenders"),
    ),
    "CP016": Plant(
        "Softmax behind every hidden layer", "yes", 1,
        "Every network has ReLU or tanh, and learned: it does better than chance.", make=_softmax, trains=True,
    ),
    "CP017": Plant(
        "Images are blank, or words unknown", "of the images, a third more of the words", 0.30,
        "Every image was drawn with noise, and all texts are of the same sixty words.",
        grid=(0.02, 0.05, 0.1, 0.2), make=_damaged, clean_at=0.0, kinds=("images are blank", "words are unknown"),
        real={FLICKR8K: 0.0},
    ),
    "CP018": Plant(
        "One class is far more frequent", "of the rows", 0.9,
        "The classes are equal, or four to one, of which a network that weighs classes reads both.",
        grid=(0.75, 0.8, 0.83, 0.87), make=_imbalanced, real={FLICKR8K: 0.5, OPENMOJI: 0.75},
    ),
    "CP019": Plant(
        "The last epoch is kept, on 200 rows", "epochs", 30,
        "The last of three epochs on all rows is kept: the validation loss still falls.",
        grid=(5, 10, 20), make=_overfitted, clean_at=0.0, trains=True,
    ),
    "CP020": Plant(
        "Labels are flipped", "of the labels", 0.10,
        "No label is flipped: a row is labelled as it was made.",
        grid=(0.02, 0.04, 0.07), make=_flipped, trains=True,
    ),
}  # fmt: skip
