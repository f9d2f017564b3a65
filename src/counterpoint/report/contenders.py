"""The contenders of a page: their order, their titles, and the style that marks each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from counterpoint.contenders.titles import titles_of
from counterpoint.report.drawing.palette import ModalityStyle, modality_style
from counterpoint.report.scores import ScoreTable
from counterpoint.schema import Frame


@dataclass(frozen=True)
class Contenders:
    """The contenders of a study, the best on test rows first, and the style and the title of each."""

    names: tuple[str, ...]
    styles: Mapping[str, ModalityStyle]
    titles: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def style(self, name: str) -> ModalityStyle:
        """Return the style of a contender, which may be none of `names`."""
        return self.styles.get(name, modality_style(None))

    def title(self, name: str) -> str:
        """Return the title of a contender, which may be none of `names`."""
        return self.titles.get(name, name)

    def way(self, name: str) -> str:
        """Return the title of a contender without its modalities, which the mark next to it shows.

        >>> Contenders(("svm",), {}, {"svm": "text, word counts"}).way("svm")
        'word counts'
        """
        title = self.title(name)
        return title.partition(", ")[2] or title

    def led_by(self, names: Iterable[str]) -> "Contenders":
        """Return the same contenders, those of *names* first."""
        first = [name for name in names if name in self.names]
        return replace(self, names=(*first, *(name for name in self.names if name not in first)))

    def sorted(self, rows: Frame) -> Frame:
        """Return *rows* with a column contender in the order of the contenders."""
        places = {name: place for place, name in enumerate(self.names)}
        return rows.sort(pl.col("contender").replace_strict(places, return_dtype=pl.Int64))

    def of_modality(self, *labels: str) -> list[str]:
        """Return the contenders whose style has one of these labels."""
        return [name for name in self if self.style(name).label in labels]


def ranked_contenders(
    scores: ScoreTable,
    others: Iterable[Frame],
    *,
    modalities: Mapping[str, Iterable[str]],
    models: Mapping[str, Any],
    kinds: Mapping[str, str] | None = None,
) -> Contenders:
    """Return all contenders of a study, ranked by the metric that decides.

    Parameters
    ----------
    scores
        *scores* rank the contenders on test rows.
    others
        *others* are tables with a column contender. A contender without a test score comes last, in their order.
    modalities
        *modalities* are the modalities that each contender reads, from results.json.
    models
        *models* are fits by contender. The modalities of a fit replace those of results.json.
    kinds
        *kinds* has the kind of each contender by its name (default: its name).

    Returns
    -------
    Contenders
        The names in order, and the style and the title of each.
    """
    ranked = scores.test.filter(pl.col("metric") == scores.metric).drop_nulls("value")
    ranked = ranked.sort("value", descending=scores.is_more_better, maintain_order=True)
    columns = [ranked["contender"], scores.table["contender"], *(table["contender"] for table in others)]
    names = pl.concat(columns).unique(maintain_order=True).to_list()
    read = {name: getattr(models.get(name), "modalities", modalities.get(name)) for name in (*names, *modalities)}
    styles = {name: modality_style(each) for name, each in read.items()}
    return Contenders(tuple(names), styles, titles_of(kinds or {}, read))
