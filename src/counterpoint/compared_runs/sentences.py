"""A comparison of two runs in sentences: the result first, then its limits and all that cannot be compared."""

from collections.abc import Iterator, Sequence
from typing import Any

from counterpoint import number_formats as numbers
from counterpoint.compared_runs.changes import Change
from counterpoint.compared_runs.comparison import RunComparison
from counterpoint.compared_runs.paired import Measured
from counterpoint.compared_runs.score_changes import ScoreChange, metric_label
from counterpoint.metrics import find_metric
from counterpoint.metrics.parts import FEW_GROUPS
from counterpoint.report.cells import cell
from counterpoint.safe_text import page_line

MOST_NAMED = 3


def sentences(found: RunComparison) -> list[str]:
    """Return the changes and their result: settings, scores, primary contrast, verdict."""
    return [_of_settings(found), *_of_scores(found), *_of_contrast(found), _of_verdict(found)]


def _of_settings(found: RunComparison) -> str:
    start, name = f"{found.b.letter} differs from {found.a.letter}", _with_values if len(found.tried) == 1 else _key
    changed = [name(each) for each in found.tried]
    parts = [f"{_count(changed, 'setting')} ({_named(changed)})"] if changed else []
    contenders = found.contenders
    parts += [f"{_count(names, f'contender {state}')}" for names, state in
              ((contenders.added, "added"), (contenders.removed, "removed")) if names]  # fmt: skip
    version = next((each for each in found.versions if each.key == "counterpoint"), None)
    parts += [f"the version of Counterpoint ({version.before} to {version.after})"] if version else []
    if parts:
        return f"{start} in {_listed(parts)}."
    if found.settings:
        return f"{start} in no setting that may change scores."
    return f"{found.b.letter} has the same settings as {found.a.letter}."


def _key(change: Change) -> str:
    return page_line(change.key, most=60)


def _with_values(change: Change) -> str:
    return f"{_key(change)}: {shown_value(change.before)} → {shown_value(change.after)}"


def _count(names: Sequence[str], what: str) -> str:
    noun, _, rest = what.partition(" ")
    return f"{numbers.count(len(names))} {noun}{'s' if len(names) != 1 else ''}{' ' if rest else ''}{rest}"


def _named(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    shown = [*names[:MOST_NAMED], f"{numbers.count(more)} more"] if more > 0 else list(names)
    return _listed(shown)


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _of_scores(found: RunComparison) -> Iterator[str]:
    if found.metric is None or not found.has_same_classes:
        return
    known = [each for each in found.of_metric(found.metric) if each.change]
    label = metric_label(found.metric, [found.a, found.b])
    tested = [each for each in known if each.p_holm is not None]
    same = [each for each in known if each.change and each.change.is_same]
    if tested:
        yield f"In {label}, {_clear(found, tested)}"
    elif known and len(same) == len(known):
        yield f"In {label}, all {numbers.count(len(known))} contenders predict the same in both."
    elif known:
        largest = max(known, key=lambda each: abs(each.change.value) if each.change else 0.0)
        yield f"The rows differ, so no change is tested. In {label}, the largest is {_with_change(largest)}."


def _clear(found: RunComparison, tested: Sequence[ScoreChange]) -> str:
    clear = [each for each in tested if each.is_clear(found.a.confidence)]
    total = f"{numbers.count(len(tested))} contender{'s' if len(tested) != 1 else ''}"
    if not clear:
        largest = max(tested, key=lambda each: abs(each.change.value) if each.change else 0.0)
        none = "no change is shown" if len(tested) == 1 else f"no change is shown for any of {total}"
        return f"{none}. The largest measured one is {_with_change(largest)}."
    verb = "changes" if len(clear) == 1 else "change"
    return f"{numbers.count(len(clear))} of {total} {verb} clearly: {_listed([_with_change(each) for each in clear])}."


def _with_change(each: ScoreChange) -> str:
    return f"{page_line(each.contender, most=60)} by {change_in_words(each.change)}"


def change_in_words(change: Measured | None) -> str:
    """Return a change with its interval.

    >>> change_in_words(Measured(0.021, -0.004, 0.046))
    '+0.021 (−0.004 to +0.046)'
    """
    return numbers.NOTHING if change is None else numbers.signed_with_interval(change.value, change.low, change.high)


def _of_contrast(found: RunComparison) -> Iterator[str]:
    change = found.contrast.change
    if change is None:
        return
    if change.is_same:
        yield "The primary contrast is the same in both."
        return
    start = f"The gain from reading both changes by {change_in_words(change)}"
    if change.low is None or change.high is None:
        yield f"{start}."
    elif change.low <= 0 <= change.high:
        yield f"{start}: its interval includes 0, so no change is shown."
    else:
        yield f"{start}: its interval excludes 0."


def _of_verdict(found: RunComparison) -> str:
    before, after = (_verdict(run.results.answer.verdict) for run in (found.a, found.b))
    if found.has_new_verdict:
        return f"The verdict changes from “{before}” to “{after}”."
    return f"The verdict is “{after}” in both."


def _verdict(name: str) -> str:
    return page_line(name.replace("_", " "), most=40)


def limits(found: RunComparison) -> list[str]:
    """Return the limits of a comparison: all that cannot be compared, then all that a reader should know."""
    return [*_not_compared(found), *_of_rows(found), *_of_fits(found), *_of_rules(found)]


def _not_compared(found: RunComparison) -> Iterator[str]:
    a, b = found.a, found.b
    if not found.has_same_classes:
        classes = [", ".join(page_line(name, most=30) for name in run.results.classes[:8]) for run in (a, b)]
        yield f"Scores cannot be compared: {a.letter} has the classes {classes[0]}, and {b.letter} has {classes[1]}."
    elif found.rows.why_not is not None:
        why = page_line(found.rows.why_not)
        yield f"Changes (≈) are not paired: {why}. So they may come from the rows, and they have no p."
    for run, other in ((a, b), (b, a)):
        alone = [page_line(name, most=60) for name in run.metrics if name not in other.metrics]
        if alone:
            yield f"Only {run.letter} reports {_named(alone)}. {_plural(alone, 'It is', 'They are')} not compared."
    if found.contrast.why_not is not None and found.has_same_classes:
        yield f"The primary contrasts cannot be compared: {found.contrast.why_not}."
    untrusted = [name for name in a.metrics if name in b.metrics and not (a.can_import(name) and b.can_import(name))]
    if untrusted:
        names = _named([page_line(name, most=60) for name in untrusted])
        yield f"{names} is not of this package, and so not paired. --trust reads it."


def _plural(names: Sequence[Any], one: str, many: str) -> str:
    return one if len(names) == 1 else many


def _of_rows(found: RunComparison) -> Iterator[str]:
    n, a, b = found.rows.counts, found.a.letter, found.b.letter
    shared = n["test_shared"]
    if found.rows.why_not is None and not shared == n["test_a"] == n["test_b"]:
        yield (
            f"Differences are on the {numbers.count(shared)} test rows that are in both. Scores are on all "
            f"{numbers.count(n['test_a'])} test rows of {a} and {numbers.count(n['test_b'])} of {b}."
        )
    for key, text in (("labels_differ", "another label"), ("other_pairs", "another text and another image")):
        if n[key]:
            rows = f"{numbers.count(n[key])} row{_plural(range(n[key]), ' has', 's have')}"
            yield f"{rows} {text} under the same id in {b}. They are not paired."
    groups = found.rows.test.join(found.a.rows.select("id", "label"), on="id").unique(["label", "group"])
    few = [row for row in groups["label"].value_counts().iter_rows() if row[1] < FEW_GROUPS]
    if few and any(each.p_holm is not None for each in found.scores):
        name, least = min(few, key=lambda row: row[1])
        yield (
            f"Class {page_line(name, most=30)} has only {numbers.count(least)} groups of shared test rows. "
            "The intervals may be much too narrow."
        )


def _of_fits(found: RunComparison) -> Iterator[str]:
    contenders = found.contenders
    if contenders.same_fits:
        yield f"The fits of {_names(contenders.same_fits)} are the same in both."
    if contenders.other_inputs:
        yield (
            f"The fits of {_names(contenders.other_inputs)} differ, but not their settings or pairs. An encoder or a "
            "contender that they need is another one, or the version."
        )
    if len({row.seeds for each in found.scores for row in (each.before, each.after)} | {1}) == 1 and found.scores:
        yield "Each contender has one seed. The intervals are for these fits: another training may differ (fit.seeds)."


def _names(names: Sequence[str]) -> str:
    return _named([page_line(name, most=60) for name in names])


def _of_rules(found: RunComparison) -> Iterator[str]:
    a, b = found.a, found.b
    if a.primary_metric != b.primary_metric:
        yield "evaluate.primary differs, so the same probabilities may give other predicted classes."
    if a.confidence != b.confidence:
        levels = [numbers.level(run.confidence) for run in (a, b)]
        yield f"Intervals are {levels[0]} for {a.letter} and for changes, and {levels[1]} for {b.letter}."
    if len(found.tried) > 1:
        yield "Several settings differ. These runs do not show which one has an effect: a sweep changes one at a time."
    if a.n_repeats != b.n_repeats or a.n_repeats > 1:
        yield "With repeats, scores are those of the first repeat, and the primary contrasts are not paired."


def metric_heading(found: RunComparison, metric: str) -> str:
    """Return the name of a metric, and whether less of it is better."""
    runs = [found.a, found.b]
    is_known = all(run.can_import(metric) for run in runs)
    less = " (less is better)" if is_known and not find_metric(metric).higher_is_better else ""
    return f"{page_line(metric_label(metric, runs), most=60)}{less}"


def rows_in_words(found: RunComparison) -> str:
    """Return the account of the rows of both runs."""
    n, a, b = found.rows.counts, found.a.letter, found.b.letter
    parts = [
        f"{numbers.count(n['shared'])} pairs are in both by their id, {numbers.count(n['only_a'])} only in {a}, "
        f"{numbers.count(n['only_b'])} only in {b}"
    ]
    names = {"other_pairs": "text and image", "labels_differ": "label", "texts_differ": "text",
             "images_differ": "image", "folds_differ": "fold"}  # fmt: skip
    differing = [f"{numbers.count(n[key])} have another {name}" for key, name in names.items() if n[key]]
    tested = f"{numbers.count(n['test_shared'])} are test rows in both"
    return f"{'. '.join([*parts, _listed([tested, *differing])])}."


def shown_value(value: Any) -> str:
    """Return a value of a setting for a cell.

    >>> shown_value(None), shown_value(["a", 2]), shown_value(1.0), shown_value(True), shown_value([])
    ('–', 'a, 2', '1.0', 'true', 'none')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    return "none" if value in ({}, [], "") else cell(value)
