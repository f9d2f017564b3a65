"""The form of results.json, as far as a comparison of runs reads it.  The file may come from a stranger."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from counterpoint.errors import RunFolderError
from counterpoint.runs.finished import AGAIN
from counterpoint.runs.places import RESULTS
from counterpoint.safe_text import error_value


class _Form(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class RowsForm(_Form):
    """The account of the rows of the source."""

    n_in: int = Field(alias="in")
    pairs: int
    dropped: dict[str, int] = {}
    folds: dict[str, int] = {}


class ScoreForm(_Form):
    """One row of schema.SCORES."""

    contender: str
    part: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    seeds: int


class ChoiceForm(_Form):
    """The two contenders that were chosen in one fold for one seed."""

    fold: str
    seed: int
    a: str
    b: str


class PrimaryForm(_Form):
    """The primary contrast: the contenders that were chosen most often, and every choice."""

    a: str
    b: str
    metric: str
    choices: list[ChoiceForm] = []


class DifferenceForm(_Form):
    """One row of schema.DIFFERENCES."""

    a: str
    b: str
    metric: str
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    is_primary: bool = False


class FindingForm(_Form):
    """One row of schema.FINDINGS, without its evidence."""

    code: str
    severity: str
    subject: str
    explanation: str


class AnswerForm(_Form):
    """The answer of a study."""

    verdict: str
    headline: str
    doubt: str | None = None


class EncoderForm(_Form):
    """The version of an encoder."""

    name: str
    version: str


class Results(_Form):
    """The content of results.json."""

    study: str
    version: str
    config_hash: str | None = None
    rows: RowsForm
    classes: list[str]
    modalities: dict[str, list[str]]
    scores: list[ScoreForm]
    primary: PrimaryForm | None = None
    differences: list[DifferenceForm] = []
    findings: list[FindingForm] = []
    titles: dict[str, str] = {}
    answer: AnswerForm
    attribution: str | None = None
    config: str
    environment: dict[str, Any] = {}
    encoders: list[EncoderForm] = []


def results_in_form(found: Any, root: Path) -> Results:
    """Return the content of the results.json of folder *root*.

    Raises
    ------
    RunFolderError
        When a value is missing, or has another form.
    """
    try:
        return Results.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = error_value(".".join(map(str, first["loc"])) or "the file")
        raise RunFolderError(f"{root / RESULTS} is not usable: {where}: {first['msg'].lower()}. {AGAIN}.") from None
