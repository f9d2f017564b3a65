"""The record of a study as answers to a checklist, in the manner of REFORMS.

The eight modules and 32 items follow Kapoor et al., Science Advances 10, eadk3452, 2024. They are named in our words.
An item that the record cannot answer says so, because only the author can.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import polars as pl

from counterpoint.report.findings import checklist_answers as answers
from counterpoint.report.findings.checklist_answers import ItemAnswer, StudyRecord
from counterpoint.schema import PAIRS, Frame, empty

Content = dict[str, Any]
SOURCE = "Kapoor et al., REFORMS, Science Advances 10, eadk3452, 2024"


QUESTION = answers.partly("The study compares models of text, of image and of both on the same rows", "the reason")
INSTRUCTIONS = ItemAnswer("The section How to reproduce has the commands and the study file.")


class Item(NamedTuple):
    """One item: its short name, and its answer, or the function that reads it from the record."""

    name: str
    answer: ItemAnswer | Callable[[StudyRecord], ItemAnswer]

    def of(self, record: StudyRecord) -> Content:
        """Return the item with its answer for one study."""
        answer = self.answer if isinstance(self.answer, ItemAnswer) else self.answer(record)
        return {"name": self.name, "text": answer.text, "state": answer.state}


MODULES: Mapping[str, tuple[Item, ...]] = {
    "Goals": (
        Item("Population that the claim is about", answers.OPEN),
        Item("Reason for this population", answers.OPEN),
        Item("Reason for learned models", QUESTION),
    ),
    "Reproducibility": (
        Item("Data and where to get them", answers.data_set),
        Item("Code and its version", answers.code),
        Item("Machine and software", answers.machine),
        Item("Instructions", INSTRUCTIONS),
        Item("One command for all results", answers.command),
    ),
    "Data quality": (
        Item("Sources, time and origin of labels", answers.label_origin),
        Item("Frame that the rows were sampled from", answers.OPEN),
        Item("Fitness of the data for the question", answers.OPEN),
        Item("Outcome and its classes", answers.classes),
        Item("Number of rows", answers.sizes),
        Item("Missing texts and images", answers.missing),
        Item("Likeness of rows and population", answers.OPEN),
    ),
    "Preparation": (
        Item("Excluded rows and reasons", answers.excluded),
        Item("Damaged rows", answers.damaged),
        Item("Changes to texts and images", answers.changes),
    ),
    "Modelling": (
        Item("All models", answers.models),
        Item("Reason for these kinds of models", answers.kinds),
        Item("Method of evaluation", answers.evaluation),
        Item("Choice of the reported models", answers.choice),
        Item("Choice of settings", answers.settings),
        Item("Baselines", answers.baselines),
    ),
    "Leakage": (
        Item("Separation of training and test", answers.separation),
        Item("Duplicates and dependent rows", answers.duplicates),
        Item("Inputs that give the answer away", answers.inputs),
    ),
    "Metrics and uncertainty": (
        Item("Metrics", answers.metrics),
        Item("Uncertainty", answers.uncertainty),
        Item("Tests and their assumptions", answers.tests),
    ),
    "Generality and limits": (
        Item("Evidence on other data", answers.other_data),
        Item("Where the result is not expected to hold", answers.limits),
    ),
}


def checklist_section(
    results: Mapping[str, Any], tables: Mapping[str, Frame], *, config: Mapping[str, Any]
) -> Content | None:
    """Return the modules with their items and answers, and the number of items in each state.

    Parameters
    ----------
    results
        *results* is the content of results.json.
    tables
        *tables* are the tables that the page reads.
    config
        *config* is the content of the study file, with all defaults.

    Returns
    -------
    dict or None
        modules, n, n_answered, n_open and source. None without pairs.
    """
    if tables["pairs"].is_empty():
        return None
    pairs = pl.concat([empty(PAIRS), tables["pairs"]], how="diagonal_relaxed")  # a column may be absent
    record = StudyRecord(results, {**tables, "pairs": pairs}, config)
    modules = {title: [item.of(record) for item in items] for title, items in MODULES.items()}
    states = [item["state"] for items in modules.values() for item in items]
    return {
        "modules": modules,
        "n": len(states),
        "n_answered": states.count("answered"),
        "n_partly": states.count("partly"),
        "n_open": states.count("open"),
        "source": SOURCE,
    }
