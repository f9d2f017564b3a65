"""The files of settings: one frozen section a stage.  ``study`` is study.yaml, ``acquire`` is acquire.yaml."""

from counterpoint.config.study import (
    DEFAULT_CONTENDERS,
    METRICS,
    Align,
    Clean,
    ContenderEntry,
    Evaluate,
    Fault,
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

__all__ = [
    "DEFAULT_CONTENDERS",
    "METRICS",
    "Align",
    "Clean",
    "ContenderEntry",
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
