"""The models of a study, by name; a path such as ``my_lab.bayes:CharBayes`` works wherever a name does."""

from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import create_model

from counterpoint.lookup import find
from counterpoint.settings import Section

if TYPE_CHECKING:
    from counterpoint.contenders.base import Contender

MODELS = {
    "majority": "counterpoint.contenders.majority:Majority",
    "keyword-rule": "counterpoint.contenders.keyword_rule:KeywordRule",
    "metadata": "counterpoint.contenders.metadata:Metadata",
    "text-svm": "counterpoint.contenders.text_svm:TextSVM",
    "text-lstm": "counterpoint.contenders.text_lstm:TextLSTM",
    "image-cnn": "counterpoint.contenders.image_cnn:ImageCNN",
    "lstm-cnn": "counterpoint.contenders.lstm_cnn:LSTMCNN",
    "late-fusion": "counterpoint.contenders.late_fusion:LateFusion",
    "paper-text-svm": "counterpoint.contenders.published.text_svm:PaperTextSVM",
    "paper-text-lstm": "counterpoint.contenders.published.text_lstm:PaperTextLSTM",
    "paper-image-cnn": "counterpoint.contenders.published.image_cnn:PaperImageCNN",
    "paper-lstm-cnn": "counterpoint.contenders.published.lstm_cnn:PaperLSTMCNN",
}


def make(kind: str, /, **settings: Any) -> "Contender":
    """Return an unfitted contender.

    Parameters
    ----------
    kind
        *kind* is a name in ``MODELS``, or a path such as ``my_lab.bayes:CharBayes``.
    settings
        *settings* are keyword arguments of its class; those not given keep their defaults.  Every contender takes a
        ``seed``; one from elsewhere that has none does without.

    Raises
    ------
    ConfigError
        When there is no such contender or setting, or a value is not allowed.

    Examples
    --------
    >>> make("text-svm", c=0.5).c
    0.5
    >>> make("text-svm", min_counts=2)
    Traceback (most recent call last):
    counterpoint.errors.ConfigError: Unknown key 'text-svm.min_counts'. Did you mean 'min_count'?
    """
    model = find(kind, MODELS, what="contender")
    section = settings_of(model)
    if "seed" not in section.model_fields and not getattr(model, "is_seeded", False):
        settings.pop("seed", None)
    checked = section.read(settings, where=kind)
    return model(**{name: getattr(checked, name) for name in settings})  # type: ignore[no-any-return]


def settings_of(model: type) -> type[Section]:
    """Return the section of settings that the annotations of ``model.__init__`` describe.

    >>> from counterpoint.contenders.majority import Majority
    >>> settings_of(Majority).read({"smoothing": "2"}).smoothing
    2.0
    """
    hints = get_type_hints(model.__init__, include_extras=True)  # type: ignore[misc]
    defaults = getattr(model.__init__, "__kwdefaults__", None) or {}  # type: ignore[misc]  # of a class without its own
    fields: Any = {name: (hints.get(name, Any), default) for name, default in defaults.items()}
    return create_model(model.__name__, __base__=Section, **fields)
