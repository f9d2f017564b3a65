"""Checks: each looks at a finished comparison for one pitfall, and returns one finding with its numbers and advice."""

import re
from collections.abc import Sequence
from inspect import isclass, signature

import polars as pl

from counterpoint.diagnose.check import ADVICE, Check, Cost, Finding
from counterpoint.diagnose.inputs import INPUTS, Depth, Inputs
from counterpoint.errors import ConfigError, CounterpointError, did_you_mean
from counterpoint.lookup import find
from counterpoint.schema import FINDINGS, NOTE, SEVERITY_NAMES, Frame

__all__ = [
    "CHECKS", "CODE", "INPUTS", "Check", "Cost", "Depth", "Finding", "Inputs", "advice_of", "all_checks", "check_of",
    "depths", "finding_of", "run_checks", "title_of",
]  # fmt: skip

CHECKS = {
    "CP001": "counterpoint.diagnose.cp001_label_in_text:LabelInText",
    "CP002": "counterpoint.diagnose.cp002_duplicates:Duplicates",
    "CP003": "counterpoint.diagnose.cp003_lost_rows:LostRows",
    "CP004": "counterpoint.diagnose.cp004_misaligned_pairs:MisalignedPairs",
    "CP005": "counterpoint.diagnose.cp005_budgets:Budgets",
    "CP006": "counterpoint.diagnose.cp006_joint_control:JointControl",
    "CP007": "counterpoint.diagnose.cp007_overfitting_speeds:OverfittingSpeeds",
    "CP008": "counterpoint.diagnose.cp008_branch_ignored:BranchIgnored",
    "CP009": "counterpoint.diagnose.cp009_interaction:Interaction",
    "CP010": "counterpoint.diagnose.cp010_nothing_to_gain:NothingToGain",
    "CP011": "counterpoint.diagnose.cp011_noise:Noise",
    "CP012": "counterpoint.diagnose.cp012_test_evaluations:ChosenOnTestRows",
    "CP013": "counterpoint.diagnose.cp013_shortcuts:Shortcuts",
    "CP014": "counterpoint.diagnose.cp014_missing_modality:MissingModality",
    "CP015": "counterpoint.diagnose.cp015_overconfidence:Overconfidence",
    "CP016": "counterpoint.diagnose.cp016_training_failed:TrainingFailed",
    "CP017": "counterpoint.diagnose.cp017_damaged_input:DamagedInput",
    "CP018": "counterpoint.diagnose.cp018_imbalance:Imbalance",
    "CP019": "counterpoint.diagnose.cp019_overfitting:Overfitting",
    "CP020": "counterpoint.diagnose.cp020_wrong_labels:WrongLabels",
    "CP021": "counterpoint.diagnose.cp021_image_properties:ImageProperties",
    "CP022": "counterpoint.diagnose.cp022_shift:PartsDiffer",
    "CP023": "counterpoint.diagnose.cp023_loses_to_simpler:LosesToSimpler",
    "CP024": "counterpoint.diagnose.cp024_conflicting_labels:ConflictingLabels",
    "CP025": "counterpoint.diagnose.cp025_shared_content:SharedContent",
}
NOTE_ADVICE = "Check that the rows were read as you meant. The settings of the source change it."
CODE = r"[A-Z]+[0-9]{3}"


def run_checks(inputs: Inputs, extra: Sequence[str] = ()) -> Frame:
    """Return the finding of every check of ``CHECKS``, then of every check of *extra*: schema.FINDINGS.

    Parameters
    ----------
    inputs
        *inputs* are the inputs of a finished comparison.
    extra
        *extra* are paths of checks from outside, such as ``my_lab.checks:FewPairs``.

    Raises
    ------
    ConfigError
        When a path leads to no check, or a check returns no finding of its own code.
    CounterpointError
        When a check from outside raises.
    """
    found = [finding_of(check, inputs) for check in all_checks(extra)]
    return pl.DataFrame(found, schema=dict(FINDINGS))


def finding_of(check: Check, inputs: Inputs) -> Finding:
    """Return the finding of *check*.

    Raises
    ------
    ConfigError
        When it returns no finding of its own code.
    CounterpointError
        When it is from outside, and raises.
    """
    selected = inputs.select(check.needs)
    try:
        found = check.run(**selected)
    except Exception as error:
        if check.code in CHECKS:
            raise
        reason = f"{type(error).__name__}: {error}"
        raise CounterpointError(f"Check {check.code} ({_path(check)}) failed: {reason}") from error
    if not isinstance(found, dict) or list(found) != list(FINDINGS) or found["code"] != check.code:
        raise ConfigError(f"Check {check.code} returned {found!r}. It must return self.finding(...).")
    if found["severity"] not in SEVERITY_NAMES:
        near = did_you_mean(found["severity"], SEVERITY_NAMES)
        raise ConfigError(f"Check {check.code} returned the severity {found['severity']!r}.{near}")
    return found


def _path(check: Check) -> str:
    return f"{type(check).__module__}:{type(check).__name__}"


def all_checks(extra: Sequence[str] = ()) -> list[Check]:
    """Return every check of ``CHECKS``, then those at the paths *extra*.

    Raises
    ------
    ConfigError
        When a path cannot be imported, leads to no check, or to one whose code another has.
    """
    checks = [check_of(name) for name in [*CHECKS, *extra]]
    codes = [check.code for check in checks]
    twice = next((code for code in codes if codes.count(code) > 1), None)
    if twice:
        raise ConfigError(f"Two checks have the code {twice}. Give the check in checks.extra another code.")
    return checks


def check_of(name: str) -> Check:
    """Return the check that *name* stands for: a code of ``CHECKS``, or a path.

    Raises
    ------
    ConfigError
        When *name* is not known, cannot be imported, or leads to no check.

    Examples
    --------
    >>> check_of("CP012").title
    'Chosen on the test rows'
    """
    found = find(name, CHECKS, what="check")
    if not isclass(found) or not issubclass(found, Check):
        raise ConfigError(f"{name!r} is no check. It must be a subclass of counterpoint.diagnose.Check.")
    missing = [part for part in ("code", "title", "needs", "run") if not hasattr(found, part)]
    if not (found.__doc__ or "").strip():
        missing.append("a docstring")
    if missing:
        raise ConfigError(f"Check {name!r} lacks {', '.join(missing)}.")
    _require_known_attributes(name, found)
    _require_known_needs(name, found)
    check: Check = found()
    return check


def _require_known_attributes(name: str, check: type[Check]) -> None:
    if not re.fullmatch(CODE, str(check.code)):
        raise ConfigError(f"Check {name!r} has the code {check.code!r}. A code is capital letters and three digits.")
    if not isinstance(check.cost, Cost):
        raise ConfigError(f"Check {name!r} has the cost {check.cost!r}. It must be a counterpoint.diagnose.Cost.")
    if not isinstance(check.needs, tuple):
        raise ConfigError(f'Check {name!r} has the needs {check.needs!r}. It must be a tuple, as in ("pairs",).')
    if signature(check).parameters:
        raise ConfigError(f"Check {name!r} has parameters of __init__. A check has none.")


def _require_known_needs(name: str, check: type[Check]) -> None:
    unknown = next((need for need in check.needs if need not in INPUTS), None)
    if unknown is not None:
        raise ConfigError(f"Check {name!r} needs {unknown!r}, which is no input.{did_you_mean(str(unknown), INPUTS)}")
    takes = [parameter for parameter in signature(check.run).parameters if parameter != "self"]
    without = next((need for need in check.needs if need not in takes), None)
    if without is not None:
        raise ConfigError(f"Check {name!r} needs {without!r}, but run has no such parameter.")
    further = next((each for each in takes if each not in check.needs), None)
    if further is not None:
        near = did_you_mean(further, check.needs)
        raise ConfigError(f"In check {name!r}, run has the parameter {further!r}, which is not in needs.{near}")


def title_of(code: str, extra: Sequence[str] = ()) -> str:
    """Return the title of the check *code*, of ours or of *extra*, or nothing.

    >>> title_of("CP012"), title_of("CP000")
    ('Chosen on the test rows', '')
    """
    if code in CHECKS:
        return check_of(code).title
    titles = {check.code: check.title for check in map(check_of, extra)}
    return titles.get(code, "")


def advice_of(code: str) -> str:
    """Return the advice of the check *code*. A code that is not ours has the general advice.

    >>> advice_of("CP012")
    'Confirm the result on new rows or a new split. Choose settings by validation rows only.'
    """
    if code == NOTE:
        return NOTE_ADVICE
    return check_of(code).advice if code in CHECKS else ADVICE


def depths(check: Check) -> dict[Depth, str]:
    """Return the work of *check* by default, and its extra work with ``checks.depth: full``, each with its cost.

    >>> depths(check_of("CP012"))
    {'fast': 'Look at how often test rows of this study were scored (under 0.1 s).', 'full': 'Nothing more.'}
    """
    first = (type(check).__doc__ or "").strip().splitlines()[0].removesuffix(".")
    return {"fast": f"{first} ({check.cost.fast}).", "full": check.cost.full}
