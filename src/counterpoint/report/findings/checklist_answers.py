"""The answers that the record of a study gives to the items of the checklist.  Each reads the record only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import polars as pl

from counterpoint import number_formats as numbers
from counterpoint.data.given_split import is_split_given
from counterpoint.metrics import find_metric
from counterpoint.report.cells import cell
from counterpoint.report.record import plain_values, run_command
from counterpoint.safe_text import page_line
from counterpoint.schema import ALARMS, Frame

ONLY_AUTHOR = "Not stated: only you can answer."
MOST_NAMED = 12


class ItemAnswer(NamedTuple):
    """The answer to one item, and whether it is whole."""

    text: str
    state: Literal["answered", "partly", "open"] = "answered"


OPEN = ItemAnswer(ONLY_AUTHOR, "open")


@dataclass(frozen=True)
class StudyRecord:
    """Everything that the run kept: results.json, the tables, and the study file with all defaults."""

    results: Mapping[str, Any]
    tables: Mapping[str, Frame]
    config: Mapping[str, Any]

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a section of the study file, which may lack it."""
        found = self.config.get(name)
        return found if isinstance(found, Mapping) else {}

    def finding(self, code: str) -> str:
        """Return the explanation of the first finding of a check, or nothing."""
        found = self.tables["findings"].filter(code=code)
        return str(found["explanation"][0]) if len(found) else ""

    def titles(self, *severities: str) -> list[str]:
        """Return the titles, or else the codes, of the checks with findings of these severities."""
        found = self.tables["findings"].filter(pl.col("severity").is_in(severities))
        titles = self.results.get("titles") or {}
        return [titles.get(code) or code for code in found["code"].unique(maintain_order=True)]


def data_set(record: StudyRecord) -> ItemAnswer:
    """Return the kind of the source and its attribution."""
    kind = record.section("source").get("kind")
    attribution = record.results.get("attribution")
    known = f"Source of the kind {kind or 'unknown'}, {_rows_in(record)} rows"
    return partly(f"{known}. {attribution.rstrip('. ')}" if attribution else known, "a link or DOI, and the licence")


def code(record: StudyRecord) -> ItemAnswer:
    """Return the version of Counterpoint and the hash of the settings."""
    version, settings = record.results.get("version"), record.results.get("config_hash")
    if not version:
        return OPEN
    return ItemAnswer(f"Counterpoint {version}" + (f", settings {settings}." if settings else "."))


def machine(record: StudyRecord) -> ItemAnswer:
    """Return the machine and the packages."""
    values = plain_values(record.results.get("environment") or {})
    if not values:
        return OPEN
    threads = record.section("fit").get("threads")
    of_fit = f"; threads of one fit {threads}" if threads else ""
    return ItemAnswer("; ".join(f"{name} {value}" for name, value in values.items()) + f"{of_fit}.")


def command(record: StudyRecord) -> ItemAnswer:
    """Return the command that makes everything again."""
    return ItemAnswer(run_command(record.results))


def label_origin(record: StudyRecord) -> ItemAnswer:
    """Return how the labels were made."""
    pairs = record.tables["pairs"]
    origins = _counted(pairs["label_source"].drop_nulls())
    return partly(f"Labels by origin: {origins or 'not recorded'}", "who made them, and when the rows were collected")


def classes(record: StudyRecord) -> ItemAnswer:
    """Return the classes and their shares."""
    labels = record.tables["pairs"]["label"].drop_nulls()
    n = max(1, len(labels))
    shares = [f"{page_line(label, most=40)} {numbers.share(k / n)}" for label, k in _largest(labels)]
    return ItemAnswer(f"The class of a pair, {numbers.count(labels.n_unique())} classes: {_listed(shares)}.")


def sizes(record: StudyRecord) -> ItemAnswer:
    """Return the number of pairs, of groups, and of rows in each fold."""
    pairs = record.tables["pairs"]
    counted = sorted(_largest(pairs["fold"]))
    folds = ", ".join(f"{f'fold {fold}' if fold.isdigit() else fold} {numbers.count(n)}" for fold, n in counted)
    groups = f" in {numbers.count(pairs['group'].n_unique())} groups" if pairs["group"].null_count() == 0 else ""
    return ItemAnswer(f"{numbers.count(len(pairs))} pairs{groups}: {folds}.")


def missing(record: StudyRecord) -> ItemAnswer:
    """Return the share of pairs without a text and without an image, and the classes with the most."""
    pairs = record.tables["pairs"]
    by_class = pairs.group_by("label").agg(pl.col("text", "image").is_null().mean()).sort("label")
    parts = []
    for name in ("text", "image"):
        share = pairs[name].null_count() / len(pairs)
        worst = by_class.top_k(1, by=name)
        most = f" (most in {page_line(worst['label'][0], most=40)}: {numbers.share(worst[name][0])})" if share else ""
        parts.append(f"{numbers.share(share)} of the pairs have no {name}{most}")
    return ItemAnswer(f"{'; '.join(parts)}. {record.finding('CP003')}".strip())


def excluded(record: StudyRecord) -> ItemAnswer:
    """Return the number of dropped rows by reason."""
    dropped = record.tables["dropped"]
    if dropped.is_empty():
        return ItemAnswer(f"None of {_rows_in(record)} rows was dropped.")
    reasons = [f"{page_line(reason, most=60)} {numbers.count(n)}" for reason, n in _largest(dropped["reason"])]
    return ItemAnswer(f"{numbers.count(len(dropped))} of {_rows_in(record)} rows were dropped: {_listed(reasons)}.")


def damaged(record: StudyRecord) -> ItemAnswer:
    """Return the policy for missing parts, and the finding on damaged input."""
    align = record.section("align")
    policy = ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in align.items())
    return ItemAnswer(f"{f'Policy: {policy}.' if policy else ''} {record.finding('CP017')}".strip() or ONLY_AUTHOR)


def changes(record: StudyRecord) -> ItemAnswer:
    """Return the masks and the rules of cleaning."""
    words = record.section("text").get("mask") or ()
    mask = f"{numbers.count(len(words))} words are masked in the texts" if words else "No word of the texts is masked"
    rules = ", ".join(
        f"{key.replace('_', ' ')} {cell(value)}" for key, value in record.section("clean").items() if value
    )
    limits = f" Limits: {rules}." if rules else ""
    return ItemAnswer(f"{mask}.{limits} The settings of each contender in the study file have the sizes of its images.")


def models(record: StudyRecord) -> ItemAnswer:
    """Return the contenders and the modalities that they read."""
    read = record.results.get("modalities") or {}
    if not read:
        return OPEN
    return ItemAnswer(f"{_listed([f'{name} ({_reads(each)})' for name, each in read.items()])}.")


def kinds(record: StudyRecord) -> ItemAnswer:
    """Return the modalities that are compared.  The reason for each kind is not in the record."""
    read = {_reads(each) for each in (record.results.get("modalities") or {}).values()}
    return partly(f"There are contenders that read {', '.join(sorted(read)) or 'nothing'}", "the reason for each kind")


def evaluation(record: StudyRecord) -> ItemAnswer:
    """Return the design: the split, the seeds and the repeats."""
    folds = record.tables["pairs"]["fold"].unique().to_list()
    is_holdout = "test" in folds
    design = "A hold-out" if is_holdout else f"{len(folds)} folds, each tested once"
    seeds = record.tables["predictions"]["seed"].n_unique()
    repeats = record.section("evaluate").get("repeats") or 1
    again = f", {repeats} repeats of the split" if repeats > 1 else ", one split"
    seed = record.section("split").get("seed", 0)
    origin = "as the source gives it" if is_split_given(record.tables["findings"]) else f"drawn with seed {seed}"
    return ItemAnswer(f"{design}, {origin}{again}; {seeds} seed{'s' if seeds != 1 else ''} of the fits.")


def choice(record: StudyRecord) -> ItemAnswer:
    """Return how the two contenders of the primary contrast were chosen."""
    primary = record.results.get("primary") or {}
    if not primary.get("a"):
        return ItemAnswer("All contenders are reported, and no contrast decides.")
    chosen = primary.get("chosen_on") or "validation"
    pair = f"{page_line(primary['a'], most=60)} against {page_line(primary.get('b'), most=60)}"
    return ItemAnswer(
        f"All contenders are reported. {chosen.capitalize()} rows selected the deciding contrast, {pair}."
    )


def settings(record: StudyRecord) -> ItemAnswer:
    """Return the number of trials of each contender."""
    trials = record.tables["costs"].group_by("contender", maintain_order=True).agg(pl.col("trials").max())
    tuned = [f"{page_line(name, most=40)} {n}" for name, n in trials.iter_rows() if n and n > 1]
    if not tuned:
        return ItemAnswer("Each contender had one trial, with the settings of the study file.")
    return ItemAnswer(f"By validation rows, from this many trials: {_listed(tuned)}. The others had one trial.")


def baselines(record: StudyRecord) -> ItemAnswer:
    """Return the contenders that read neither modality."""
    read = record.results.get("modalities") or {}
    names = [page_line(name, most=40) for name, modalities in read.items() if not modalities]
    if not names:
        return ItemAnswer("No contender without text and image is present. Add majority or metadata.", "open")
    return ItemAnswer(
        f"Without text and image: {_listed(names)}. Contenders of one modality are baselines of the others."
    )


def separation(record: StudyRecord) -> ItemAnswer:
    """Return the rule of the folds, and the number of test evaluations."""
    evaluations = record.results.get("test_evaluations") or []
    n = len(evaluations)
    if any("is_lost" in row for row in evaluations):
        times = "The number of test evaluations is not known"
    else:
        times = (
            f"Test rows were evaluated {'once' if n == 1 else f'{n} times'}: {n} evaluation{'s' * (n != 1)} recorded"
        )
    return ItemAnswer(f"No fit is tested on rows that it was trained, stopped or chosen on. {times}.")


def duplicates(record: StudyRecord) -> ItemAnswer:
    """Return whether groups exist, and the finding on duplicates across folds."""
    pairs = record.tables["pairs"]
    sizes = pairs["group"].drop_nulls().value_counts()["count"]
    n = int((sizes > 1).sum())
    groups = f"{numbers.count(n)} groups have more than one row, and each stays in one fold." if n else "No groups."
    return ItemAnswer(f"{groups} {record.finding('CP002')}".strip())


def inputs(record: StudyRecord) -> ItemAnswer:
    """Return the findings on inputs that predict the class by themselves."""
    known = " ".join(filter(None, map(record.finding, ("CP001", "CP013", "CP021"))))
    rest = "whether each input is known at the time of use"
    return partly(known.rstrip(".") or "No check looked for such inputs", rest)


def metrics(record: StudyRecord) -> ItemAnswer:
    """Return the metrics, the one that decides first."""
    names = record.tables["scores"]["metric"].unique(maintain_order=True).to_list()
    if not names:
        return OPEN
    primary = (record.results.get("primary") or {}).get("metric") or record.section("evaluate").get("primary")
    deciding = f" {find_metric(str(primary)).label} decides." if primary in names else ""
    return ItemAnswer(f"{_listed([find_metric(name).label for name in names])}.{deciding}")


def uncertainty(record: StudyRecord) -> ItemAnswer:
    """Return the level of the intervals, and the variation that they include."""
    level = numbers.level(record.section("evaluate").get("confidence") or 0.95)
    repeats = record.section("evaluate").get("repeats") or 1
    n_seeds = record.tables["predictions"]["seed"].n_unique()
    of_fits = f" and of the fits of {n_seeds} seeds" if n_seeds > 1 else ""
    left_out = "new training rows" if of_fits else "other fits or new training rows"
    what = f"It includes the variation of test rows{of_fits}, but not that of {left_out}."
    more = " That of the primary contrast is over all repeats of the split." if repeats > 1 else ""
    return ItemAnswer(f"Each score and difference has its {level} interval, over groups of rows. {what}{more}")


def tests(record: StudyRecord) -> ItemAnswer:
    """Return the tests of the differences."""
    n = len(record.tables["differences"])
    if not n:
        return ItemAnswer("No differences were tested.")
    return ItemAnswer(
        f"{numbers.count(n)} paired differences on the same test rows, each tested by Student's t. The p (Holm) is "
        "corrected for all pairs of contenders in one metric. Groups of rows are taken as independent of each other."
    )


def other_data(record: StudyRecord) -> ItemAnswer:
    """Return that all test rows are of one source, and the finding on differences between the parts."""
    return partly(f"All test rows come from the source of the training rows. {record.finding('CP022')}".rstrip(". "),
                   "results on other data")  # fmt: skip


def limits(record: StudyRecord) -> ItemAnswer:
    """Return the checks that fail or warn."""
    titles = [page_line(title, most=80) for title in record.titles(*ALARMS)]
    known = f"Checks that fail or warn: {_listed(titles)}" if titles else "No check fails or warns"
    return partly(known, "the settings in which the result should not be used")


def partly(known: str, rest: str) -> ItemAnswer:
    """Return an answer of which *rest* is not in the record.

    >>> partly("Source of the kind table", "a link or DOI").text
    'Source of the kind table. Not stated: a link or DOI. Only you can answer.'
    """
    return ItemAnswer(f"{known}. Not stated: {rest}. Only you can answer.", "partly")


def _rows_in(record: StudyRecord) -> str:
    n_in = (record.results.get("rows") or {}).get("in")
    return numbers.count(n_in or len(record.tables["pairs"]) + len(record.tables["dropped"]))


def _reads(modalities: Iterable[str]) -> str:
    return " and ".join(modalities) or "neither"


def _largest(values: pl.Series) -> list[tuple[str, int]]:
    counted = values.drop_nulls().value_counts(name="n").sort("n", values.name, descending=[True, False])
    return list(counted.iter_rows())


def _counted(values: pl.Series) -> str:
    return ", ".join(f"{page_line(name, most=40)} {numbers.count(n)}" for name, n in _largest(values))


def _listed(names: list[str]) -> str:
    """Return the first names, and the number of the others.

    >>> _listed([str(n) for n in range(14)])
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 others'
    """
    rest = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {numbers.count(rest)} others" if rest > 0 else "")
