"""How much one class of claimant says more than another, and how far each strays: from outages where both spoke.

Nearly every figure of a company is one of sign-ups, and nearly every one of a panel is one of installs. What
companies claim in sign-ups over what panels measure in installs is therefore estimated well; how much of that gap is
exaggeration and how much conversion is not, and leans on the prior of both (:mod:`helpers.published.claimant_model`).

Nothing is subtracted from a company's figure: a figure is what it says; who corrected it by a gap that may be
conversion would publish a number that nobody claimed. The bias is handed to the fit as a doubt that all figures of
the claimant share, the scale as each figure's own. Without any pair the scales are CLAIMANT_SCALE.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers import words
from helpers.claims import CLAIMANT_SCALE
from helpers.curve import Array
from helpers.evidence import Evidence
from helpers.published.claimant_model import ENOUGH, SEED, Draws, Posterior, posterior, quantiles
from helpers.published.pairs import pairs

#: What pairs are made of: a change anywhere else leaves the estimate as it is.
_MADE_OF = {
    "growth_figures": [
        *("figure_id", "outage_id", "service_id", "quantity", "value", "unit", "value_kind", "reading", "platform"),
        *("qualifier", "window_start_utc", "window_end_utc", "window_hours", "scope", "claimant_class", "repeats"),
    ],
    "baselines": [
        *("baseline_id", "service_id", "quantity", "value", "unit", "reading", "window_start_utc", "window_end_utc"),
        *("scope", "platform", "role"),
    ],
    "outages": ["outage_id", "start_utc"],
}
_known: dict[tuple[int, ...], tuple[pd.DataFrame, Posterior]] = {}
_KEPT = 8


def _estimated(evidence: Evidence) -> tuple[pd.DataFrame, Posterior]:
    """All pairs and the posterior given those used; kept for tables of the same content."""
    key = tuple(
        hash(pd.util.hash_pandas_object(getattr(evidence, table)[columns], index=False).to_numpy().tobytes())
        for table, columns in _MADE_OF.items()
    )
    if key not in _known:
        found = pairs(evidence)
        made = (found, posterior(found[found["used"].astype(bool)]))
        while len(_known) >= _KEPT:
            _known.pop(next(iter(_known)))
        _known[key] = made
    return _known[key]


def errors(evidence: Evidence, without: str | Collection[str] = ()) -> tuple[dict[str, float], dict[str, float]]:
    """Scale and bias of each class of claimant (log), as the fit wants them.

    The scale is its posterior median. Nobody knows which way a bias goes until it is estimated, and nothing is
    subtracted: what is handed on is the root mean square of its draws.

    Parameters
    ----------
    without : an outage, or several, whose figures do not count: a figure must not set its own error.

    Returns
    -------
    tuple of two dict
        Standard deviation of a figure's own error, and of the error that a claimant's figures share; one number for
        each class of CLAIMANT_SCALE.
    """
    told, found = _estimated(evidence)
    out = [without] if isinstance(without, str) else list(without)
    if found.effective(out) < ENOUGH / 4:
        found, out = posterior(told[told["used"].astype(bool) & ~told["outage_id"].isin(out)]), []
    weights = found.weights(out)
    both = {c: _handed(found.draws, c, weights) for c in CLAIMANT_SCALE}
    return {c: scale for c, (scale, _) in both.items()}, {c: bias for c, (_, bias) in both.items()}


def scales(evidence: Evidence, without: str | Collection[str] = ()) -> dict[str, float]:
    """Standard deviation of the whole log error by class of claimant, ``hypot(scale, bias)`` of :func:`errors`."""
    scale, bias = errors(evidence, without)
    return {c: float(np.hypot(scale[c], bias[c])) for c in scale}


def _handed(draws: Draws, name: str, weights: Array) -> tuple[float, float]:
    return quantiles(draws.scale[name], weights, 0.5)[1], float(np.sqrt(weights @ draws.bias[name] ** 2))


@dataclass(frozen=True)
class Interval:
    """Posterior median and equal-tailed interval."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Claimants:
    """Who claims what, over all outages where two classes of claimant spoke.

    Attributes
    ----------
    pairs : all pairs (see :func:`helpers.published.pairs.pairs`).
    classes : DataFrame, one row a class: claimant_class; figures, how many of them stand in a pair that is used;
        prior, the scale assumed; scale_low, scale, scale_high; bias_low, bias, bias_high (log; the panel is zero);
        handed, the scale handed to the fit.
    gap : how many times as many sign-ups companies claim as panels count installs, in an outage like these.
    next_gap : the same for one more outage and two more figures, none of them simply wrong.
    conversion : log of sign-ups over installs as far as it is no bias; ``outage`` its standard deviation between
        outages.
    conversion_scale : standard deviation (log) of installs taken for sign-ups in one outage, to set beside
        CONVERSION_SCALE.
    effective : effective draws. level : of every interval.
    text : the answer in a few sentences.
    """

    pairs: pd.DataFrame
    classes: pd.DataFrame
    gap: Interval
    next_gap: Interval
    conversion: Interval
    outage: Interval
    conversion_scale: Interval
    effective: float
    level: float
    text: str


def estimate(evidence: Evidence, level: float = 0.95) -> Claimants:
    """Estimate bias and scale of each class of claimant.

    Raises
    ------
    ValueError
        If ``level`` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}, expected a number between 0 and 1")
    found, made = _estimated(evidence)
    weights, draws = made.weights(), made.draws

    def interval(values: Array) -> Interval:
        return Interval(*quantiles(values, weights, level))

    used = found[found["used"].astype(bool)]
    told = pd.concat([used["first_class"], used["second_class"]])
    classes = [
        {
            "claimant_class": c,
            "figures": int((told == c).sum()),
            "prior": prior,
            **dict(zip(("scale_low", "scale", "scale_high"), quantiles(draws.scale[c], weights, level), strict=True)),
            **dict(zip(("bias_low", "bias", "bias_high"), quantiles(draws.bias[c], weights, level), strict=True)),
            "handed": float(np.hypot(*_handed(draws, c, weights))),
        }
        for c, prior in CLAIMANT_SCALE.items()
    ]
    gap = draws.bias["company"] - draws.bias["panel"] + draws.conversion
    rng = np.random.default_rng(SEED)
    strays = np.sqrt(draws.outage**2 + draws.scale["company"] ** 2 + draws.scale["panel"] ** 2)
    following = gap + strays * rng.standard_normal(len(gap))
    times, after = interval(np.exp(gap)), interval(np.exp(following))
    return Claimants(
        pairs=found,
        classes=pd.DataFrame(classes),
        gap=times,
        next_gap=after,
        conversion=interval(draws.conversion),
        outage=interval(draws.outage),
        conversion_scale=interval(np.hypot(draws.conversion, draws.outage)),
        effective=made.effective(),
        level=level,
        text=_text(used, times, after, level),
    )


def _text(used: pd.DataFrame, gap: Interval, after: Interval, level: float) -> str:
    both = used[(used["first_class"] == "company") & (used["second_class"] == "panel")]
    if both.empty:
        return "No outage has a figure of a company and one of a panel that can be compared."

    def times(found: Interval) -> str:
        return " to ".join(words.digits(words.significant(v, 2)) for v in (found.low, found.high))

    outages = both["outage_id"].nunique()
    return (
        f"Companies claim {times(gap)} times what panels count ({words.percent(level)} interval; "
        f"{len(both)} {'pair' if len(both) == 1 else 'pairs'} of figures in {outages} "
        f"{'outage' if outages == 1 else 'outages'}); in one more outage it would be {times(after)} times. "
        "The companies speak of sign-ups and the panels of installs: how much of this is exaggeration and how "
        "much is people who need no new install, or installs that bring nobody, the figures cannot tell."
    )
