"""Settings, contenders and versions that differ between two runs, as one flat list each."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from counterpoint.compared_runs.lettered_run import LetteredRun

DEFAULT = "default"
"""The value of a setting that is not given."""
_NAMED_LISTS = ("contenders", "predictions")
"""Sections that are lists of entries with a name."""
WITHOUT_EFFECT = ("page.", "checks.", "track.", "fit.engine.", "fit.workers.", "fit.address.")
"""The starts of settings that change no score."""


class Change(NamedTuple):
    """A value that differs: its dotted key, and its value before and after.  A missing entry of a list is None."""

    key: str
    before: Any
    after: Any

    @property
    def may_change_scores(self) -> bool:
        """Whether the setting may change a score."""
        return not f"{self.key}.".startswith(WITHOUT_EFFECT)


class ContenderChanges(NamedTuple):
    """The contenders that are in one run only, and those in both whose fits are the same or have other inputs."""

    added: list[str]
    removed: list[str]
    same_fits: list[str]
    """They have the same fits in both runs."""
    other_inputs: list[str]
    """Their settings and pairs are the same.  But their fits differ, as an encoder or a contender that they need."""


def setting_changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    """Return the settings that differ, in the order of the settings of *a*.

    >>> one = {"split": {"seed": 0, "folds": 5}, "contenders": [{"name": "svm", "kind": "text-svm", "settings": {}}]}
    >>> other = {"split": {"seed": 1, "folds": 5}, "contenders": [{"name": "svm", "settings": {"c": 2.0}}]}
    >>> [f"{change.key}: {change.before} -> {change.after}" for change in setting_changes(one, other)]
    ['split.seed: 0 -> 1', 'contenders.svm.kind: text-svm -> default', 'contenders.svm.c: default -> 2.0']
    """
    return list(_changes(_by_name(a), _by_name(b), ""))


def _by_name(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings without the name of the study, and with the entries of lists by their name."""
    named = {key: value for key, value in config.items() if key != "study"}
    for section in _NAMED_LISTS:
        entries = named.get(section)
        if isinstance(entries, list) and all(isinstance(each, dict) and "name" in each for each in entries):
            named[section] = {str(each["name"]): _entry(each) for each in entries}
    return named


def _entry(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of a list without its name, and with its settings next to its kind."""
    settings = given.get("settings")
    others = {key: value for key, value in given.items() if key not in ("name", "settings")}
    return others | settings if isinstance(settings, dict) else others


def _changes(a: Mapping[str, Any], b: Mapping[str, Any], start: str) -> Iterator[Change]:
    for key in dict.fromkeys([*a, *b]):
        before, after = (each.get(key, None if start[:-1] in _NAMED_LISTS else DEFAULT) for each in (a, b))
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(before, after, f"{start}{key}.")
        elif before != after or type(before) is not type(after):
            yield Change(f"{start}{key}", before, after)


def version_changes(a: LetteredRun, b: LetteredRun) -> list[Change]:
    """Return the versions and the machines that differ: Counterpoint, Python, packages, cores, encoders.

    An encoder of one run only is a change of the settings.  Runs of earlier versions do not name their encoders.
    """
    one, other = ({"counterpoint": run.results.version} | _flat(run.results.environment) for run in (a, b))
    before, after = ({each.name: each.version for each in run.results.encoders} for run in (a, b))
    encoders = [
        Change(f"encoder {name}", version, after[name])
        for name, version in before.items()
        if after.get(name, version) != version
    ]
    return [*_changes(one, other, ""), *encoders]


def _flat(environment: Mapping[str, Any]) -> dict[str, Any]:
    packages = environment.get("packages")
    others = {key: value for key, value in environment.items() if key != "packages"}
    return others | packages if isinstance(packages, dict) else others


def contender_changes(a: LetteredRun, b: LetteredRun, settings: list[Change]) -> ContenderChanges:
    """Return the contenders that were added or removed, and those whose fits are the same or have other inputs.

    Parameters
    ----------
    a, b
        *a* is the reference, and *b* the other run.
    settings
        *settings* is the result of `setting_changes`.
    """
    before, after = a.results.modalities, b.results.modalities
    both = [name for name in before if name in after and name in a.fits and name in b.fits]
    same = [name for name in both if a.fits[name] == b.fits[name]]
    are_same_pairs = a.pairs_key is not None and a.pairs_key == b.pairs_key
    is_same_fit = not any(change.key.startswith("fit.") and change.may_change_scores for change in settings)
    touched = {name for name in both for change in settings if change.key.startswith(f"contenders.{name}.")}
    others = [name for name in both if name not in same and name not in touched] if are_same_pairs else []
    return ContenderChanges(
        [name for name in after if name not in before],
        [name for name in before if name not in after],
        same,
        others if is_same_fit else [],
    )
