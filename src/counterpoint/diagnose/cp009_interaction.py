"""CP009: no interaction of text and image is used, so that a sum of two models, each trained alone, is enough.

The score of a joint contender is set against that of its additive projection (EMAP) on the same test rows.  An
interval above 0 says that it reads the two together.

That none is used is no fault of the data: most honest data are additive.  It is a waste, and misread, where a network
trained jointly stands for the gain.  So it warns where a joint contender tells more than the better voice alone, in
bits, while the interaction is not above 0, makes less than `HALF` of the gain in score and, by the interval, not all of
it.  Interaction and gain are those of one fit, the first, on the same rows.  It does not warn where nothing is gained
(that is CP010's).  What the joint network costs is not asked: it cannot be had for less than its branches, and seconds
differ from run to run.

Takes about 1 s at 730 test rows for each joint contender, above what CP008 has already read.
"""

import numpy as np

from counterpoint.diagnose import Case
from counterpoint.measures import Estimate, emap_gap
from counterpoint.measures.encoded_fits import Heads, heads_of
from counterpoint.measures.information_gain import told
from counterpoint.metrics.class_means import balanced_mean
from counterpoint.schema import finding
from counterpoint.seeds import child_seed

TITLE = "No interaction is used"
HALF = 0.5
"""A gain of which an interaction is less than this share is a sum's."""


def look(case: Case) -> dict[str, str]:
    """Look at what each joint contender loses when it may only add what it says of text and of image."""
    joint = [heads for heads in heads_of(case) if heads.name not in case.additive]
    if not joint:
        said = "The study has no joint contender that offers its heads."
        return finding("CP009", "not_applicable", "interaction", said)
    gaps = {heads.name: _gap(heads) for heads in joint}
    evidence = {"table": [{"contender": name, **gap._asdict()} for name, gap in gaps.items()]}
    for heads in joint:
        name, gap, gain = heads.name, gaps[heads.name], _gain(case, heads)
        if gain is not None and gap.low <= 0 and gap.value < HALF * gain and gap.high < gain:
            said = (
                f"{name} uses no interaction that is seen: beyond a sum over text and image, {_measured(gap)}, of "
                f"{gain:+.3f} that this fit gains over one modality. Two models trained apart and added are enough: "
                "prefer them (late-fusion), or compare with them."
            )
            return finding("CP009", "warn", name, said, **evidence)
    name, gap = next(iter(gaps.items()))
    if gap.low > 0:
        said = f"{name} reads text and image together: no sum over the two can make {_measured(gap)}."
    else:
        said = f"{name} uses no interaction that is seen: beyond a sum over text and image, {_measured(gap)}."
    return finding("CP009", "info", name, said, **evidence)


def _gap(heads: Heads) -> Estimate:
    return emap_gap(heads, heads.pairs, heads.pairs["label"], seed=child_seed(0, "cp009"))


def _measured(gap: Estimate) -> str:
    return f"{gap.value:+.3f} of its score ({gap.low:+.3f} to {gap.high:+.3f})"


def _gain(case: Case, heads: Heads) -> float | None:
    """Return the score of the fit *heads* less that of the better voice alone, on the rows of that fit.

    None where it is not clear in bits, over all folds and seeds, that the contender tells more.
    """
    known = told(case)
    if known is None:
        return None
    voice = max(("text", "image"), key=lambda side: known.bits[side].mean())
    if known.beyond(heads.name, voice).low <= 0:
        return None
    other = heads.hits_of(case, known.single[voice])
    shared = np.isfinite(other)
    more, codes = (heads.hits() - other)[shared], heads.codes[shared]
    return balanced_mean(more, codes)
