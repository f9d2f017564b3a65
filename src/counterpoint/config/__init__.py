"""The files of settings: one frozen section a stage.  ``study`` is study.yaml, ``acquire`` is acquire.yaml."""

from counterpoint.config.evaluate import DEFAULT_METRICS, Evaluate
from counterpoint.config.faults import Fault
from counterpoint.config.study import (
    DEFAULT_CONTENDERS,
    Align,
    Clean,
    ContenderEntry,
    Fit,
    Group,
    Label,
    OutsidePredictions,
    Page,
    Split,
    StudyConfig,
    Text,
    read_study,
)
from counterpoint.config.tables import Delimited

__all__ = [
    "DEFAULT_CONTENDERS",
    "DEFAULT_METRICS",
    "Align",
    "Clean",
    "ContenderEntry",
    "Delimited",
    "Evaluate",
    "Fault",
    "Fit",
    "Group",
    "Label",
    "OutsidePredictions",
    "Page",
    "Split",
    "StudyConfig",
    "Text",
    "read_study",
]
