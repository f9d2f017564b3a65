"""The models of a study, by name.  A path such as ``my_lab.bayes:CharBayes`` may replace a name."""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isabstract
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

from pydantic import Field, create_model

from counterpoint.errors import ConfigError
from counterpoint.lookup import find
from counterpoint.settings import Section, Seed

Kind = TypeVar("Kind")
Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
MODELS = {
    "majority": "counterpoint.contenders.majority:Majority",
    "keyword-rule": "counterpoint.contenders.keyword_rule:KeywordRule",
    "metadata": "counterpoint.contenders.metadata:Metadata",
    "text-svm": "counterpoint.contenders.text_svm:TextSVM",
    "text-ngrams": "counterpoint.contenders.text_ngrams:TextNGrams",
    "text-lstm": "counterpoint.contenders.text_lstm:TextLSTM",
    "text-probe": "counterpoint.contenders.probes.text_probe:TextProbe",
    "image-hog": "counterpoint.contenders.image_hog:ImageHOG",
    "image-cnn": "counterpoint.contenders.image_cnn:ImageCNN",
    "image-probe": "counterpoint.contenders.probes.image_probe:ImageProbe",
    "zero-shot": "counterpoint.contenders.zero_shot:ZeroShot",
    "lstm-cnn": "counterpoint.contenders.lstm_cnn:LSTMCNN",
    "late-fusion": "counterpoint.contenders.late_fusion:LateFusion",
    "pair-probe": "counterpoint.contenders.probes.pair_probe:PairProbe",
    "probe-average": "counterpoint.contenders.probe_average:ProbeAverage",
    "boosted-embeddings": "counterpoint.contenders.boosted_embeddings:BoostedEmbeddings",
    "ensemble": "counterpoint.contenders.ensemble:Ensemble",
    "paper-text-svm": "counterpoint.contenders.published.text_svm:PaperTextSVM",
    "paper-text-lstm": "counterpoint.contenders.published.text_lstm:PaperTextLSTM",
    "paper-image-cnn": "counterpoint.contenders.published.image_cnn:PaperImageCNN",
    "paper-lstm-cnn": "counterpoint.contenders.published.lstm_cnn:PaperLSTMCNN",
}
WITHOUT_ENCODERS = {
    "majority", "keyword-rule", "metadata", "text-svm", "text-ngrams", "text-lstm", "image-hog", "image-cnn",
    "lstm-cnn", "paper-text-svm", "paper-text-lstm", "paper-image-cnn", "paper-lstm-cnn",
}  # fmt: skip
"""Names in ``MODELS`` whose contenders read no vectors of encoders.  So keys of fits are found without torch."""

LARGEST: Mapping[str, int] = {
    "epochs": 100_000, "batch": 65_536, "rounds": 100_000, "leaves": 10_000,
    "embed": 4096, "hidden": 4096, "width": 1024, "vocabulary": 1_000_000, "max_words": 65_536,
    "words": 10, "n_words": 10_000, "min_count": 10**9, "patience": 10**9,
}  # fmt: skip
"""The largest value of each setting.  With a larger one a fit would not end, or not fit into memory."""


def make(kind: str, /, **settings: Any) -> Any:
    """Return an unfitted contender.

    Parameters
    ----------
    kind
        *kind* is a name in ``MODELS``, or a path such as ``my_lab.bayes:CharBayes``.
    settings
        *settings* are keyword arguments of the class.  The others keep their defaults.  A ``seed`` is always allowed,
        and ignored where a contender from outside has no such setting and is not seeded.

    Returns
    -------
    An instance of the class, which is a child of ``counterpoint.contenders.base:Contender``.

    Raises
    ------
    ConfigError
        When no such contender or setting exists, or a value is not allowed.

    Examples
    --------
    >>> make("text-svm", c=0.5).c
    0.5
    >>> make("text-svm", min_counts=2)
    Traceback (most recent call last):
    counterpoint.errors.ConfigError: Unknown key 'text-svm.min_counts'. Did you mean 'min_count'?
    """
    model = find(kind, MODELS, what="contender")
    if not (isinstance(model, type) and hasattr(model, "fit")):
        raise ConfigError(f"{kind!r} is no contender. It must be a subclass of counterpoint.contenders.base:Contender.")
    if isabstract(model):
        missing = ", ".join(sorted(getattr(model, "__abstractmethods__", ())))
        raise ConfigError(f"The contender {kind!r} lacks {missing}.")
    section = settings_of(model)
    if "seed" not in section.model_fields and not getattr(model, "is_seeded", False):
        settings.pop("seed", None)
    if settings and not section.model_fields:
        hint = "A setting is an annotated field of a class under @settings_as_fields"
        raise ConfigError(f"Unknown key '{kind}.{next(iter(settings))}': this contender has no settings. {hint}.")
    checked = section.read(settings, where=kind)
    return model(**{name: getattr(checked, name) for name in settings})


def settings_of(model: type) -> type[Section]:
    """Return the section of settings that the annotations of ``model.__init__`` describe.

    >>> from counterpoint.contenders.majority import Majority
    >>> settings_of(Majority).read({"smoothing": "2"}).smoothing
    2.0
    """
    hints = get_type_hints(model.__init__, include_extras=True)  # type: ignore[misc]
    defaults = getattr(model.__init__, "__kwdefaults__", None) or {}  # type: ignore[misc]  # of a class without its own
    # The settings of the class itself stand first, those that it inherits after them.
    depth = {name: i for i, kind in enumerate(model.__mro__) for name in vars(kind).get("__annotations__", ())}
    names = sorted(defaults, key=lambda name: depth.get(name, 0))
    fields: Any = {name: (_bounded(name, hints.get(name, Any)), defaults[name]) for name in names}
    return create_model(model.__name__, __base__=Section, **fields)


@dataclass_transform(kw_only_default=True, eq_default=False)
def settings_as_fields(model: type[Kind]) -> type[Kind]:
    """Make the annotated fields of *model* its settings: its ``__init__`` takes them by keyword and stores them.

    scikit-learn needs this form.  A child inherits the settings and may change a default.  The string below a field
    explains it in the documentation.

    >>> @settings_as_fields
    ... class Counts:
    ...     longest: Annotated[int, Field(ge=1)] = 3
    >>> Counts(longest=2).longest, settings_of(Counts)().longest
    (2, 3)
    """
    return dataclass(kw_only=True, eq=False, repr=False)(model)


def _bounded(name: str, hint: Any) -> Any:
    """Return the annotation *hint*, and for an integer also the largest value of a setting of this *name*."""
    if not _is_whole(hint):
        return hint
    return Seed if name == "seed" else Annotated[hint, Field(le=LARGEST[name])] if name in LARGEST else hint


def _is_whole(hint: Any) -> bool:
    """Report whether *hint* allows only integers, or null.

    >>> _is_whole(Annotated[int, Field(ge=1)] | None), _is_whole(int | str)
    (True, False)
    """
    if get_origin(hint) is Annotated:
        return _is_whole(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return all(_is_whole(kind) for kind in get_args(hint) if kind is not type(None))
    return hint is int
