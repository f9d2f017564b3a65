"""The study file: one frozen section for each stage.  Sources and contenders check their own keys."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from counterpoint.config.encoders import named_files
from counterpoint.config.evaluate import Evaluate, Share
from counterpoint.config.faults import Fault
from counterpoint.config.files import absolute, overridden, put, read_keys
from counterpoint.config.names import FolderName
from counterpoint.config.tables import Delimited
from counterpoint.redaction import redacted
from counterpoint.rules import KeywordRules, Match, preset
from counterpoint.settings import Count, Name, Pixels, Positive, Section, Seed, Workers

_ROUNDING = 1e-6


class Clean(Section):
    """Rules that a record must pass.  The first rule that it fails is the reason in its Dropped row."""

    min_words: Count = 0
    """Least number of words in a text.  In a script without spaces each letter is a word."""
    max_words: Positive | None = None
    """Largest number of words in a text."""
    allowed_characters: str | None = None
    """A regular expression that the whole text must match, such as ``[a-zA-Z .,]+`` of the 2023 study."""
    min_side_px: Positive = 8
    """Least length of the short side of an image, in pixels."""
    max_side_px: Positive = 20_000
    """Largest length of the long side of an image, in pixels."""
    max_pixels: Pixels = 64_000_000
    """Largest number of pixels of an image, read from its header before decoding."""
    max_aspect: Annotated[float, Field(ge=1)] = 20.0
    """Largest ratio of the long side to the short side."""
    max_decode_s: Annotated[float, Field(gt=0, le=3600)] = 20.0
    """Longest time to read and decode one image, in seconds.  After it the row leaves with ``decode_timeout``."""
    max_dropped_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Largest share of bad rows.  With more the study stops.  Rows left out on purpose do not count."""


class Label(Section):
    """Where labels come from: the source's own column (default), a mapping of its values, or keyword rules."""

    mapping: Mapping[str, str] | None = None
    """Class of each value in the label column.  A row with any other value is dropped."""
    keywords: KeywordRules | None = None
    """Words in the text that decide the label."""
    preset: str | None = None
    """The keyword rules of a published study: ``study-2023``."""
    covered_by: str | None = None
    """Keep only rows to which this preset gives a label, so that labels of two origins compare on the same rows."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        given = [name for name in ("mapping", "keywords", "preset") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give only one of mapping, keywords and preset, not {' and '.join(given)}")
        return self

    def rules(self) -> KeywordRules | None:
        """Return the keyword rules that make the label, or None when it comes from elsewhere."""
        return preset(self.preset) if self.preset else self.keywords


class Align(Section):
    """Pairs without a text or without an image: dropped, or kept with a null that models mask."""

    missing_text: Literal["drop", "keep"] = "drop"
    """``drop`` removes a pair without a text, ``keep`` keeps it."""
    missing_image: Literal["drop", "keep"] = "drop"
    """``drop`` removes a pair without an image, ``keep`` keeps it."""


class Text(Section):
    """Words that are taken out of every text after labels are made and before a model reads it."""

    mask: tuple[str, ...] = ()
    """Words to take out."""
    match: Match = "word"
    """``word`` between word boundaries, ``space`` with a space on both sides, ``substring`` or ``regex``."""
    ignore_case: bool = True
    """Whether ``dog`` also takes out ``Dog``."""


class Group(Section):
    """Near-duplicates, which stay in one part of the split."""

    exact: bool = True
    """Rows with the same image bytes (sha256) are linked."""
    near_images: bool = True
    """Rows with nearly equal perceptual hashes are linked."""
    near_texts: bool = True
    """Rows with texts that share most of their words are linked."""
    max_bits: Annotated[int, Field(ge=0, le=32)] = 4
    """Largest number of different bits between two perceptual hashes of 64 bits."""
    min_jaccard: Share = 0.8
    """Least Jaccard index of the words of two texts.  MinHash finds candidates, and each index is then computed."""
    min_words: Positive = 6
    """Least number of words of a text that is compared with others."""
    max_component_share: Share = 0.05
    """Largest share of rows in one group.  A larger one is reported, and only its exact links are kept."""


class Split(Section):
    """The split of the source, a hold-out, or a k-fold, with its own seed."""

    kind: Literal["auto", "holdout", "kfold", "given"] = "auto"
    """``given`` keeps the split of the source, ``holdout`` and ``kfold`` draw one.  ``auto`` is ``given`` if the source
    has a split, and ``holdout`` if not."""
    test_share: Share = 0.2
    """Share of the rows in the test fold of a hold-out."""
    validation_share: Share = 0.16
    """Share of the rows in the validation fold of a hold-out."""
    folds: Annotated[int, Field(ge=3, le=100)] = 5
    """Number of folds of a k-fold: one to test, one to validate, the others to train."""
    balance: bool | Mapping[str, Share] = False
    """Sample the larger classes down to the size of the smallest, or all classes down to these shares of the rows, as
    in ``{person: 0.58, animal: 0.42}``."""
    limit: Positive | None = None
    """Largest number of rows, by stratified sampling."""
    train_limit: Positive | None = None
    """Largest number of training rows of a hold-out.  The test fold stays the same, as a learning curve needs it."""
    seed: Seed = 0
    """Seed of the split.  The seeds of fits move no row."""

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.test_share + self.validation_share >= 1:
            raise ValueError("test_share and validation_share leave no rows to train on")
        if self.train_limit is not None and self.kind == "kfold":
            raise ValueError("train_limit needs a hold-out, because a k-fold tests on every row")
        if isinstance(self.balance, Mapping) and abs(sum(self.balance.values()) - 1) > _ROUNDING:
            raise ValueError(f"the class shares of balance add up to {sum(self.balance.values()):g}, not to 1")
        return self


class ContenderEntry(Section):
    """One contender of the study: its kind (a name or a path), its name in this study, and its own settings."""

    kind: str
    """A name that ``counterpoint contenders`` lists, or a path such as ``my_lab.bayes:CharBayes``."""
    name: FolderName
    """Name of the contender in tables and on the page (default: its kind)."""
    settings: Mapping[str, Any] = Field(default_factory=dict)
    """Settings of the contender.  They may also stand next to ``kind``."""

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"kind": value, "name": value.rpartition(":")[2]}
        if isinstance(value, Mapping) and "settings" not in value and "kind" in value:
            rest = {key: item for key, item in value.items() if key not in ("kind", "name")}
            name = value.get("name", str(value["kind"]).rpartition(":")[2])
            return {"kind": value["kind"], "name": name, "settings": rest}
        return value


class OutsidePredictions(Delimited, Section):
    """Predictions of an outside model, as a CSV or Parquet of id and p_<class>, that enter the comparison."""

    path: Path
    """The file."""
    name: FolderName
    """Name of the model in tables and on the page."""
    modalities: tuple[Literal["text", "image"], ...] = ("text", "image")
    """Modalities that the model reads."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.modalities)) < len(self.modalities):
            raise ValueError(f"modalities names one twice: {', '.join(self.modalities)}")
        return self


class Fit(Section):
    """How contenders are fitted: seeds, threads of one fit, and fits at once (default: one for each core)."""

    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=1000)] = (0,)
    """Seeds of initialisation, order and augmentation.  A contender is fitted once with each of them."""
    threads: Workers = 1
    """Threads of one fit.  The same number gives the same bytes."""
    workers: Workers | None = None
    """Fits at once (default: as many as the cores here or in the cluster allow)."""
    engine: str = "local"
    """Where fits run: ``local``, ``inline``, ``ray``, or a path such as ``my_lab.cluster:run``."""
    address: str | None = None
    """Address of a Ray cluster.  Null stands for RAY_ADDRESS, or else for a new cluster on this machine."""


class Checks(Section):
    """The depth of the checks for pitfalls, and further checks."""

    depth: Literal["fast", "full"] = "fast"
    """``fast`` reads tables and lets each model predict a few times.  ``full`` also predicts often and fits again."""
    encoders: bool = True
    """Whether CP004 encodes the pairs, where ``counterpoint[encoders]`` is installed.  Each is encoded once for all
    studies of a ``runs`` folder."""
    extra: tuple[str, ...] = ()
    """Paths of checks from outside, such as ``my_lab.checks:FewPairs``, that run after ours."""


class Page(Section):
    """Title and example images of the page."""

    example_images: bool = True
    """False leaves photos and captions out of the page, where they may not be shown."""
    title: str | None = None
    """Title of the page (default: the name of the study)."""


DEFAULT_CONTENDERS = (
    "majority", "keyword-rule", "metadata", "text-svm", "text-lstm", "image-cnn", "lstm-cnn", "late-fusion",
)  # fmt: skip


Tracker = Literal["mlflow", "tensorboard"]
Trackers = Annotated[tuple[Tracker, ...], BeforeValidator(lambda given: [given] if isinstance(given, str) else given)]


class StudyConfig(Section):
    """A whole study file."""

    study: Name
    """Name of the study and of its run folder: letters, digits, dots, dashes and underscores."""
    source: Mapping[str, Any]
    """The source of the records: ``kind``, and the keys of that kind."""
    images: Literal["stat", "hash", "ignore"] = "stat"
    """How a replaced image file is noticed when the study runs again.  ``stat`` compares size and time of change.
    ``hash`` compares the bytes, and reads all of them each time.  ``ignore`` compares nothing."""
    clean: Clean = Clean()
    """Rules that records must pass."""
    label: Label = Label()
    """Where labels come from."""
    align: Align = Align()
    """Policies for pairs without a text or without an image."""
    text: Text = Text()
    """Words that are taken out of texts."""
    exclude: tuple[str, ...] | Path = ()
    """Ids to leave out, or a file of ids: one on each line, or a CSV with the column ``id``."""
    relabel: Mapping[str, str] | Path = Field(default_factory=dict)
    """Labels by id, which override every rule, or a CSV file with the columns ``id`` and ``label``."""
    group: Group = Group()
    """Near-duplicates, which stay in one part of the split."""
    split: Split = Split()
    """The split into parts or folds."""
    faults: tuple[Fault, ...] = ()
    """Faults to plant in the pairs after the split."""
    contenders: Annotated[tuple[ContenderEntry, ...], Field(min_length=1)] = tuple(
        ContenderEntry(kind=name, name=name) for name in DEFAULT_CONTENDERS
    )
    """The models that are compared."""
    predictions: tuple[OutsidePredictions, ...] = ()
    """Outside models, which are compared by their predictions."""
    fit: Fit = Fit()
    """How contenders are fitted."""
    evaluate: Evaluate = Evaluate()
    """How contenders are scored and compared."""
    checks: Checks = Checks()
    """The depth of the checks for pitfalls."""
    page: Page = Page()
    """Title and example images of the page."""
    track: Trackers = ()
    """Where ``counterpoint run`` also logs the finished study: ``mlflow``, ``tensorboard`` or a list of both."""

    @model_serializer(mode="wrap")
    def _without_secrets(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = dump(self)
        for key in {"source", "contenders", "predictions", "fit"} & set(found):
            found[key] = redacted(found[key])
        return found

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [entry.name for entry in self.contenders] + [entry.name for entry in self.predictions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two contenders have the name {twice[0]!r}. Give one of them another name:")
        folded = [name.casefold() for name in names]
        alike = [name for name in names if folded.count(name.casefold()) > 1]
        if alike:
            raise ValueError(f"{alike[0]!r} and {alike[1]!r} differ only in case, and some disks cannot hold both:")
        return self

    @model_validator(mode="after")
    def _can_repeat(self) -> Self:
        if self.evaluate.repeats > 1 and self.split.kind == "given":
            raise ValueError("evaluate.repeats needs another split each time. Set split.kind to holdout or kfold")
        if self.evaluate.repeats > 1 and self.predictions:
            raise ValueError("evaluate.repeats needs fits for another split, which outside predictions lack")
        return self


def read_study(path: Path, overrides: tuple[str, ...] = (), changes: Mapping[str, Any] | None = None) -> StudyConfig:
    """Return the settings of the study file at *path*.  Relative paths in it are relative to its folder.

    Parameters
    ----------
    path
        *path* is a YAML file.
    overrides
        *overrides* change settings, as in ``("split.seed=1",)``.
    changes
        *changes* are values by dotted key.  They are set before *overrides*.

    Raises
    ------
    ConfigError
        When the file is missing, is not YAML, or has a wrong key or value.
    """
    values = read_keys(path)
    for key, value in (changes or {}).items():
        put(values, key, value)
    return StudyConfig.read(_resolved(overridden(values, overrides), path.parent))


def _resolved(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return *values* with each relative path made absolute, from the folder of the study file."""

    def resolve(holder: Any, key: str) -> None:
        if isinstance(holder, dict) and isinstance(holder.get(key), str) and "://" not in holder[key]:
            holder[key] = os.path.realpath(absolute(holder[key], folder))

    for key in ("path", "root", "images", "captions"):
        resolve(values.get("source"), key)
    source = values.get("source")
    resolve(source.get("join") if isinstance(source, dict) else None, "path")
    for key in ("exclude", "relabel"):
        resolve(values, key)
    predictions, contenders = values.get("predictions"), values.get("contenders")
    for entry in predictions if isinstance(predictions, list) else ():
        resolve(entry, "path")
    for holder, key in named_files(contenders):
        resolve(holder, key)
    return values
