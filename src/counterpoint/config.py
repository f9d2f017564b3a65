"""The study file: one frozen section a stage.  Sources and contenders check their own keys when they are looked up."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from counterpoint.errors import ConfigError
from counterpoint.rules import KeywordRules, Match, preset
from counterpoint.settings import Section

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "pr_auc", "log_loss", "ece")


class Clean(Section):
    """Rules that a record must pass; each that it fails first is the reason of a Dropped row."""

    min_words: Count = 0
    max_words: Positive | None = None
    allowed_characters: str | None = None
    """A regular expression that the whole text must match, such as ``[a-zA-Z .,]+`` of the 2023 study."""
    min_side_px: Positive = 8
    max_side_px: Positive = 20_000
    max_pixels: Positive = 64_000_000
    max_aspect: Annotated[float, Field(ge=1)] = 20.0
    max_dropped_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """More bad rows than this share is a bad table.  Rows left out on purpose do not count."""


class Label(Section):
    """Where labels come from: the source's own column (default), a mapping of its values, or keyword rules."""

    mapping: Mapping[str, str] | None = None
    keywords: KeywordRules | None = None
    preset: str | None = None

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
    missing_image: Literal["drop", "keep"] = "drop"


class Text(Section):
    """Words taken out of every text before any model sees it (labels are made before)."""

    mask: tuple[str, ...] = ()
    match: Match = "word"
    ignore_case: bool = True


class Group(Section):
    """Which rows are near-duplicates, and so must stand on one side of the split (DESIGN.md, Duplicates)."""

    exact: bool = True
    near_images: bool = True
    near_texts: bool = True
    max_bits: Annotated[int, Field(ge=0, le=32)] = 4
    min_jaccard: Share = 0.8
    min_words: Positive = 6
    max_component_share: Share = 0.05


class Split(Section):
    """Hold-out or k-fold; the split has its own seed."""

    kind: Literal["holdout", "kfold", "given"] = "holdout"
    test_share: Share = 0.2
    validation_share: Share = 0.16
    folds: Annotated[int, Field(ge=3)] = 5
    balance: bool = False
    """Leave out rows of the larger classes, by seeded sampling, until all are as large as the smallest."""
    limit: Positive | None = None
    """Keep at most so many rows, by seeded stratified sampling."""
    seed: int = 0

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.test_share + self.validation_share >= 1:
            raise ValueError("test_share and validation_share leave nothing to train on")
        return self


class ContenderEntry(Section):
    """One contender of the study: its kind (a name or a path), the name it goes by here, and its own settings."""

    kind: str
    name: str
    settings: Mapping[str, Any] = Field(default_factory=dict)

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


class OutsidePredictions(Section):
    """Predictions of an outside model, as a CSV or Parquet of id and p_<class>, that enter the comparison."""

    path: Path
    name: str
    modalities: tuple[Literal["text", "image"], ...] = ("text", "image")


class Fit(Section):
    """How contenders are fitted: which seeds, how many threads a fit, how many fits at once (one a core)."""

    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    threads: Positive = 1
    workers: Positive | None = None
    engine: str = "local"


class Evaluate(Section):
    """Which metrics, which of them decides, and how intervals are made."""

    metrics: Annotated[tuple[str, ...], Field(min_length=1)] = METRICS
    primary: str = "balanced_accuracy"
    bootstrap: Annotated[int, Field(ge=100)] = 2000
    confidence: Share = 0.95
    seed: int = 0

    @model_validator(mode="after")
    def _primary(self) -> Self:
        if self.primary in ("log_loss", "ece"):
            raise ValueError(f"primary must be a metric of which more is better; {self.primary} is not")
        if self.primary not in self.metrics:
            raise ValueError(f"primary is {self.primary!r}, which is not in metrics: {', '.join(self.metrics)}")
        return self


class Page(Section):
    """What the page shows beside the numbers."""

    example_images: bool = True
    """False keeps photos and captions that may not be shown off the page."""
    title: str | None = None


DEFAULT_CONTENDERS = (
    "majority", "keyword-rule", "metadata", "text-svm", "text-lstm", "image-cnn", "lstm-cnn", "late-fusion",
)  # fmt: skip


class StudyConfig(Section):
    """A whole study file."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    source: Mapping[str, Any]
    clean: Clean = Clean()
    label: Label = Label()
    align: Align = Align()
    text: Text = Text()
    exclude: tuple[str, ...] | Path = ()
    relabel: Mapping[str, str] | Path = Field(default_factory=dict)
    group: Group = Group()
    split: Split = Split()
    contenders: Annotated[tuple[ContenderEntry, ...], Field(min_length=1)] = tuple(
        ContenderEntry(kind=name, name=name) for name in DEFAULT_CONTENDERS
    )
    predictions: tuple[OutsidePredictions, ...] = ()
    fit: Fit = Fit()
    evaluate: Evaluate = Evaluate()
    page: Page = Page()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [entry.name for entry in self.contenders] + [entry.name for entry in self.predictions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two contenders go by the name {twice[0]!r}; give one of them another name:")
        return self


def read_study(path: Path, overrides: tuple[str, ...] = ()) -> StudyConfig:
    """Return the study that the YAML file at *path* describes, after *overrides* such as ``split.seed=1``.

    Relative paths in the file are relative to its folder.

    Raises
    ------
    ConfigError
        When the file is not there, is not YAML, or has a wrong key or value.
    """
    return StudyConfig.read(_resolved(_override(_load(path), overrides), path.parent))


def _load(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"Cannot read study file {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} should hold keys such as study and source; it holds a {type(values).__name__}.")
    return values


def _override(values: dict[str, Any], overrides: tuple[str, ...]) -> dict[str, Any]:
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise ConfigError(f"--set takes KEY=VALUE, such as split.seed=1; got {override!r}.")
        *parents, last = key.split(".")
        section = values
        for parent in parents:
            section = section.setdefault(parent, {})
            if not isinstance(section, dict):
                raise ConfigError(f"--set {key}: {parent!r} holds a value, not keys.")
        section[last] = yaml.safe_load(text)
    return values


def _resolved(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return *values* with the paths that a study file may hold made relative to the file's folder."""

    def resolve(holder: Any, key: str) -> None:
        if isinstance(holder, dict) and isinstance(holder.get(key), str):
            holder[key] = str((folder / Path(holder[key]).expanduser()).resolve())

    for key in ("path", "root", "images", "captions"):
        resolve(values.get("source"), key)
    for key in ("exclude", "relabel"):
        resolve(values, key)
    for entry in values.get("predictions") or ():
        resolve(entry, "path")
    return values
