"""The study file: one frozen section a stage.  Sources and contenders check their own keys when they are looked up."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from counterpoint.config.files import absolute, load, overridden, put
from counterpoint.config.names import FolderName
from counterpoint.config.tables import Delimited
from counterpoint.redaction import redacted
from counterpoint.rules import KeywordRules, Match, preset
from counterpoint.settings import Count, Name, Pixels, Positive, Section, Seed, Workers

Share = Annotated[float, Field(gt=0, lt=1)]
DEFAULT_METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "pr_auc", "log_loss", "ece")


class Clean(Section):
    """Rules that a record must pass; each that it fails first is the reason of a Dropped row."""

    min_words: Count = 0
    """Fewest words of a text; see `counterpoint.rules.words` for what a word is in each script."""
    max_words: Positive | None = None
    """Most words of a text."""
    allowed_characters: str | None = None
    """A regular expression that the whole text must match, such as ``[a-zA-Z .,]+`` of the 2023 study."""
    min_side_px: Positive = 8
    """Shortest side of an image."""
    max_side_px: Positive = 20_000
    """Longest side of an image."""
    max_pixels: Pixels = 64_000_000
    """Most pixels of an image, read from its header before it is decoded."""
    max_aspect: Annotated[float, Field(ge=1)] = 20.0
    """Longest side over shortest side, at most."""
    max_decode_s: Annotated[float, Field(gt=0, le=3600)] = 20.0
    """Longest time to read and decode one image; its worker is ended then, and the row is ``decode_timeout``."""
    max_dropped_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """More bad rows than this share is a bad table.  Rows left out on purpose do not count."""


class Label(Section):
    """Where labels come from: the source's own column (default), a mapping of its values, or keyword rules."""

    mapping: Mapping[str, str] | None = None
    """From a value of the source's label to the name of its class; a row with any other value is dropped."""
    keywords: KeywordRules | None = None
    """Words that make the label from the text."""
    preset: str | None = None
    """The keyword rules of a published study: ``study-2023``."""
    covered_by: str | None = None
    """Keep only rows that the rules of this preset label, whatever they say: two origins compare on the same rows."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        given = [name for name in ("mapping", "keywords", "preset") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give one of mapping, keywords, preset; not {' and '.join(given)}")
        return self

    def rules(self) -> KeywordRules | None:
        """Return the keyword rules that make the label, or None when it comes from elsewhere."""
        return preset(self.preset) if self.preset else self.keywords


class Align(Section):
    """What is done with a pair of which one side is missing: drop it, or keep it with a null that models mask."""

    missing_text: Literal["drop", "keep"] = "drop"
    """What is done with a pair without text."""
    missing_image: Literal["drop", "keep"] = "drop"
    """What is done with a pair whose image is not there."""


class Text(Section):
    """Words taken out of every text before any model sees it (labels are made before)."""

    mask: tuple[str, ...] = ()
    """Words to take out."""
    match: Match = "word"
    """``word`` between word boundaries, ``space`` with a space on both sides, ``substring`` or ``regex``."""
    ignore_case: bool = True
    """Whether ``Dog`` is taken out by ``dog``."""


class Group(Section):
    """Which rows are near-duplicates, and so must stand on one side of the split."""

    exact: bool = True
    """Rows with the same image bytes (sha256) are linked."""
    near_images: bool = True
    """Rows whose perceptual hashes nearly agree are linked."""
    near_texts: bool = True
    """Rows whose texts share most of their words are linked."""
    max_bits: Annotated[int, Field(ge=0, le=32)] = 4
    """How many of the 64 bits of two perceptual hashes may differ."""
    min_jaccard: Share = 0.8
    """Least Jaccard index of the words of two texts; MinHash finds the candidates, each is then counted."""
    min_words: Positive = 6
    """Texts with fewer words are not compared."""
    max_component_share: Share = 0.05
    """A chain of links over more than this share of the rows is reported, and only its exact links kept."""


class Split(Section):
    """The source's own split, a hold-out, or a k-fold; the split has its own seed."""

    kind: Literal["auto", "holdout", "kfold", "given"] = "auto"
    """``given`` keeps the source's own split, ``holdout`` and ``kfold`` draw one.  ``auto`` keeps that of the source
    where it has one, and is else ``holdout``."""
    test_share: Share = 0.2
    """Share of the rows in the test fold of a hold-out."""
    validation_share: Share = 0.16
    """Share of the rows in the validation fold of a hold-out."""
    folds: Annotated[int, Field(ge=3, le=100)] = 5
    """How many folds a k-fold has: one to test, one to validate, the rest to train."""
    balance: bool = False
    """Leave out rows of the larger classes, by seeded sampling, until all are as large as the smallest."""
    limit: Positive | None = None
    """Keep at most so many rows, by seeded stratified sampling."""
    train_limit: Positive | None = None
    """Keep at most so many training rows of a hold-out; its other rows stay, so that a curve has one test fold."""
    seed: Seed = 0
    """The split's own seed; a fit's seeds never move a row."""

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.test_share + self.validation_share >= 1:
            raise ValueError("test_share and validation_share leave nothing to train on")
        if self.train_limit is not None and self.kind == "kfold":
            raise ValueError("train_limit needs a hold-out: of a k-fold every row is tested on")
        return self


class Fault(Section):
    """A fault planted on purpose, to see what it does; the page of such a study says so."""

    kind: Literal["shuffle_texts", "shift_images", "flip_labels"]
    """``shuffle_texts`` deals texts anew, ``shift_images`` gives each pair the image of a later one, ``flip_labels``
    gives a row another class."""
    part: Literal["train", "validation", "test", "all"] = "all"
    """Which fold's rows; single folds are those of a hold-out."""
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of those rows."""
    by: Positive = 1
    """How many rows later the image is from."""
    seed: Seed = 0
    """The fault's own seed."""


class ContenderEntry(Section):
    """One contender of the study: its kind (a name or a path), the name it goes by here, and its own settings."""

    kind: str
    """A name that ``counterpoint contenders`` lists, or a path such as ``my_lab.bayes:CharBayes``."""
    name: FolderName
    """What it is called in tables and on the page; its kind, unless given."""
    settings: Mapping[str, Any] = Field(default_factory=dict)
    """The contender's own settings; they may also stand beside ``kind``."""

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
    """What the model is called in tables and on the page."""
    modalities: tuple[Literal["text", "image"], ...] = ("text", "image")
    """What the model reads."""


class Fit(Section):
    """How contenders are fitted: which seeds, how many threads a fit, how many fits at once (one a core)."""

    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=1000)] = (0,)
    """A contender is fitted with each of these; they change initialisation, order and augmentation."""
    threads: Workers = 1
    """Threads of one fit; the same number gives the same bytes."""
    workers: Workers | None = None
    """Fits at once; by default as many as there are cores for, here or in the cluster."""
    engine: str = "local"
    """Where fits run: ``local``, ``inline``, ``ray``, or a path such as ``my_lab.cluster:run``."""
    address: str | None = None
    """Of a Ray cluster; null: RAY_ADDRESS, else a cluster of this machine's own."""


class Evaluate(Section):
    """Which metrics, which of them decides, and how intervals are made."""

    metrics: Annotated[tuple[str, ...], Field(min_length=1)] = DEFAULT_METRICS
    """Names that ``counterpoint metrics`` lists."""
    primary: str = "balanced_accuracy"
    """The metric that decides; of ``metrics``, and one of which more is better."""
    bootstrap: Annotated[int, Field(ge=100, le=100_000)] = 2000
    """Draws of the bootstrap over groups."""
    confidence: Share = 0.95
    """Level of the intervals."""
    seed: Seed = 0
    """The bootstrap's own seed."""

    @model_validator(mode="after")
    def _primary(self) -> Self:
        if self.primary not in self.metrics:
            raise ValueError(f"primary is {self.primary!r}, which is not in metrics: {', '.join(self.metrics)}")
        return self


class Checks(Section):
    """What the checks for pitfalls may cost."""

    depth: Literal["fast", "full"] = "fast"
    """``fast`` reads tables and asks each model a few times; ``full`` also asks often, and fits anew."""


class Page(Section):
    """What the page shows beside the numbers."""

    example_images: bool = True
    """False keeps photos and captions that may not be shown off the page."""
    title: str | None = None
    """The page's title; the study's name, unless given."""


DEFAULT_CONTENDERS = (
    "majority", "keyword-rule", "metadata", "text-svm", "text-lstm", "image-cnn", "lstm-cnn", "late-fusion",
)  # fmt: skip


class StudyConfig(Section):
    """A whole study file."""

    study: Name
    """The study's name, which is also its run folder's: letters, digits, dots, dashes and underscores."""
    source: Mapping[str, Any]
    """Where records come from: ``kind``, and the keys of that kind."""
    images: Literal["stat", "hash", "ignore"] = "stat"
    """How a replaced image file is noticed when the study runs again: by its size and time of change, by its bytes
    (all are read each time), or not at all."""
    clean: Clean = Clean()
    """Which records are fit to use."""
    label: Label = Label()
    """Where labels come from."""
    align: Align = Align()
    """What is done with a pair of which one side is missing."""
    text: Text = Text()
    """What is taken out of the text."""
    exclude: tuple[str, ...] | Path = ()
    """Ids to leave out, or a file of them: one a line, or a CSV with the column ``id``."""
    relabel: Mapping[str, str] | Path = Field(default_factory=dict)
    """Labels by id that stand above every rule, or a CSV file with the columns ``id`` and ``label``."""
    group: Group = Group()
    """Which rows must stay together."""
    split: Split = Split()
    """How rows are divided."""
    faults: tuple[Fault, ...] = ()
    """Faults to plant in the pairs once they are split."""
    contenders: Annotated[tuple[ContenderEntry, ...], Field(min_length=1)] = tuple(
        ContenderEntry(kind=name, name=name) for name in DEFAULT_CONTENDERS
    )
    """Which models compete."""
    predictions: tuple[OutsidePredictions, ...] = ()
    """Outside models that compete by their predictions."""
    fit: Fit = Fit()
    """How they are fitted."""
    evaluate: Evaluate = Evaluate()
    """How they are scored and compared."""
    checks: Checks = Checks()
    """What the checks for pitfalls may cost."""
    page: Page = Page()
    """What the page shows."""

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
            raise ValueError(f"two contenders go by the name {twice[0]!r}; give one of them another name:")
        folded = [name.casefold() for name in names]
        alike = [name for name in names if folded.count(name.casefold()) > 1]
        if alike:
            raise ValueError(f"{alike[0]!r} and {alike[1]!r} differ only in case, and some disks cannot hold both:")
        return self


def read_study(path: Path, overrides: tuple[str, ...] = (), changes: Mapping[str, Any] | None = None) -> StudyConfig:
    """Return the study that the YAML file at *path* describes, after *overrides* such as ``split.seed=1``.

    *changes* are overrides as values, by dotted key; they come first.  Relative paths in the file are relative to its
    folder.

    Raises
    ------
    ConfigError
        When the file is not there, is not YAML, or has a wrong key or value.
    """
    values = load(path)
    for key, value in (changes or {}).items():
        put(values, key, value)
    return StudyConfig.read(_resolved(overridden(values, overrides), path.parent))


def _resolved(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return *values* with the paths that a study file may hold made relative to the file's folder."""

    def resolve(holder: Any, key: str) -> None:
        if isinstance(holder, dict) and isinstance(holder.get(key), str) and "://" not in holder[key]:
            holder[key] = os.path.realpath(absolute(holder[key], folder))

    for key in ("path", "root", "images", "captions"):
        resolve(values.get("source"), key)
    source = values.get("source")
    resolve(source.get("join") if isinstance(source, dict) else None, "path")
    for key in ("exclude", "relabel"):
        resolve(values, key)
    predictions = values.get("predictions")
    for entry in predictions if isinstance(predictions, list) else ():
        resolve(entry, "path")
    return values
