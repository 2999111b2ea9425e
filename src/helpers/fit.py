"""The posterior of a rival's adoption curve, and what it answers.

How many joined because of the outage, how fast, for how long, how much of it another event did, and how much
of the answer is prior: each from the same draws, so that no two numbers of a report disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from helpers import curve as curves
from helpers import sampling
from helpers.case import PEOPLE, Series
from helpers.ceilings import LONG_AGO, OF_A_DAY, Ceiling, highest
from helpers.claims import Claim, per_hour
from helpers.curve import DAY, Array, Curve, Season
from helpers.likelihood import AFTERMATH, Model, Shock, counter, observed
from helpers.prior import Prior
from helpers.results import Estimate
from helpers.shocks import LOOSE_START

#: Ends of the interval, quartiles and median: low, first, middle, third, high.
Five = tuple[float, float, float, float, float]
#: A delayed response replaces the plain one only where a figure contradicts the plain one, and where it predicts
#: the figures this many times better.
BETTER = 10.0
#: Figures from which on a curve may go on being pushed.
SEVERAL = 3
#: A figure is doubtful from this chance of being wrong on.
HALF = 0.5
#: Rounds that a delayed response gets to be drawn well: the plain one is there already.
FEWER_ATTEMPTS = 3
#: The response is over when the extra rate is this share of the usual one.
OVER = 0.1
#: Width of the 95% interval of a standard normal variable: what the prior of every parameter is.
WIDTH = 2 * 1.959963984540054
#: A ceiling changed the answer where it cut off more than this share of the draws; so large a share must be left for
#: the rest to be drawn enough.
BITES, ENOUGH_LEFT = 0.01, 0.4
#: Units of the extra count, by quantity.
COUNTED = {
    "signups": "users",
    "installs": "installs",
    "ported_numbers": "numbers",
    "daily_active": "user-days",
    "visits": "visits",
    "searches": "searches",
    "usage": "uses",
}


@dataclass(frozen=True)
class Bite:
    """A ceiling that changed an answer: ``above`` is the share of the gain's draws that it cut off."""

    ceiling: Ceiling
    above: float


@dataclass(frozen=True)
class Fit:
    """Posterior draws of one rival's curve: ``made`` holds the curves, ``bites`` the ceilings that changed them."""

    series: Series
    model: Model
    sample: sampling.Sample
    made: Curve
    bites: tuple[Bite, ...] = ()

    @property
    def counted(self) -> str:
        """Unit of the extra count."""
        return COUNTED[self.series.quantity]

    @property
    def name(self) -> str:
        """Name of the extra count among the results: extra_users for sign-ups."""
        return f"extra_{self.counted}".replace("-", "_")


def fit(series: Series, seed: int, prior: Prior | None = None, season: Season | None = None) -> Fit:
    """Fit a rival's curve to its claims.

    A plain response first. Where some claim is more likely wrong than not, a delayed response is tried too, and where
    SEVERAL figures or more ask for it, one that goes on being pushed in the days after. Another response is kept when
    the published figures are BETTER times as probable under it (ratio of marginal likelihoods: the score of predicting
    each figure from those before it, Dawid 1984).

    Raises
    ------
    helpers.sampling.ConvergenceError
        If the draws cannot be trusted.
    """
    model = Model(
        series.shocks,
        series.statements,
        prior or Prior(),
        season or Season(),
        ceilings=series.ceilings,
        of_a_day=series.quantity in OF_A_DAY,
    )
    longer = prolonged(model) if len(series.claims) >= SEVERAL else model
    try:
        best = draw(series, model, seed)
    except sampling.ConvergenceError:
        if longer is model:
            raise
        return draw(series, longer, seed)
    if not doubtful(best):
        return best
    enough = best.sample.log_evidence + float(np.log(BETTER))
    for other in (replace(model, delayed=True), longer):
        try:
            tried = best if other is model else draw(series, other, seed, enough, attempts=FEWER_ATTEMPTS)
        except (sampling.ConvergenceError, sampling.OutOfReachError):
            continue  # not better, or nothing to compare with; the best so far has converged
        if tried.sample.log_evidence > max(enough, best.sample.log_evidence):
            best = tried
    return best


def prolonged(model: Model) -> Model:
    """The same curve, where the event goes on pushing people evenly until the last hour that a figure speaks of.

    The model itself where no figure speaks of more than a day after.
    """
    begin = model.shocks[0].start[0] + model.shocks[0].hours[1]
    until = max((claim.end for claim in model.claims if claim.reading != "baseline"), default=0.0)
    if until - begin < DAY:
        return model
    after = Shock(AFTERMATH, "the days after", (begin, begin), (until - begin, until - begin))
    return replace(model, shocks=(*model.shocks, after))


def draw(
    series: Series,
    model: Model,
    seed: int,
    at_least: float = -np.inf,
    attempts: int = sampling.ATTEMPTS,
    more: bool = True,
) -> Fit:
    """Draw from the posterior of one model, unless its log evidence is surely not ``at_least`` so much.

    Without the ceilings first: where few draws break one, those are dropped, which is exact; else once more with them.
    """
    free = replace(model, ceilings=())
    sample = sampling.sample(free.log_likelihood, len(model.names), seed, at_least, attempts=attempts, more=more)
    made = model.unpack(sample.draws)
    kept = model.possible(made)
    if kept.all():
        return Fit(series, model, sample, made)
    bit = _bites(model, made)
    if kept.mean() >= ENOUGH_LEFT:
        evidence = sample.log_evidence + float(np.log(kept.mean()))
        sample = replace(
            sample, draws=sample.draws[kept], effective=sample.effective * kept.mean(), log_evidence=evidence
        )
    else:
        sample = sampling.sample(model.log_likelihood, len(model.names), seed, at_least, attempts=attempts, more=more)
    return Fit(series, model, sample, model.unpack(sample.draws), bit)


def _bites(model: Model, made: Curve) -> tuple[Bite, ...]:
    """Name the ceilings below which less than nearly all of a gain lies that was fitted without them."""
    found = []
    for ceiling in model.ceilings:
        above = float((highest(made, ceiling, model.own, model.of_a_day) > ceiling.most).mean())
        if above > BITES:
            found.append(Bite(ceiling, above))
    return tuple(sorted(found, key=lambda bite: -bite.above))


def wrong(fitted: Fit) -> dict[str, float]:
    """Probability that each claim is simply wrong, by figure id."""
    return {claim.figure_id: fitted.model.false(claim, fitted.made) for claim in fitted.model.claims}


def doubtful(fitted: Fit) -> tuple[str, ...]:
    """Ids of the figures that are more likely wrong than not."""
    return tuple(name for name, chance in wrong(fitted).items() if chance >= HALF)


def extra(fitted: Fit, until: float | Array, shocks: tuple[int, ...]) -> Array:
    """Extra users because of some shocks, from long ago until an hour (or several): (n,) or (n, m)."""
    hours = np.atleast_1d(np.asarray(until, dtype=float))
    gained = np.zeros((len(fitted.made.tau), len(hours)))
    for j in shocks:
        gained = gained + curves.extra(fitted.made, LONG_AGO, hours, j)
    return gained[:, 0] if np.ndim(until) == 0 else gained


def until(fitted: Fit, horizon: float) -> Array:
    """Hour since the origin at which each draw's horizon ends: (n,).

    Counted from the origin, and from each draw's own start where only the month of the event is known.
    """
    early, late = fitted.model.shocks[0].start
    start = fitted.made.start[:, 0] if late - early > LOOSE_START else np.zeros(len(fitted.made.tau))
    ends: Array = start + horizon
    return ends


def within(fitted: Fit, horizon: float, shocks: tuple[int, ...] | None = None) -> Array:
    """Extra users because of some shocks (the event's own) within the horizon: (n,)."""
    ends = until(fitted, horizon)[:, None]
    parts = (curves.extra(fitted.made, LONG_AGO, ends, j) for j in (fitted.model.own if shocks is None else shocks))
    total: Array = np.sum([part[:, 0] for part in parts], axis=0)
    return total


def told_until(fitted: Fit) -> float:
    """Hour since the origin at which the last window ends that a figure of the curve speaks of; a day at least."""
    ends = [claim.end + (claim.shift[0] + claim.shift[1]) / 2 for claim in fitted.series.claims]
    return max([DAY, *ends])


def told(fitted: Fit) -> Array:
    """All that was extra until the last hour that a figure speaks of, as the curve's reference counts: (n,)."""
    return extra(fitted, told_until(fitted), tuple(range(fitted.made.shocks)))


def back_to_usual(fitted: Fit) -> Array:
    """Hours from the outage's beginning until its extra rate has sunk to OVER times the usual rate: (n,)."""
    made, level = fitted.made, OVER * fitted.made.baseline
    pushes = [j for j, shock in enumerate(fitted.model.shocks) if j == 0 or shock.event_id == AFTERMATH]
    over = made.end[:, 0]
    for j in pushes:
        height = sum(made.amplitude[:, i] * curves.response(made, made.end[:, [j]], i)[:, 0] for i in pushes)
        over = np.where(height > level, made.end[:, j] + made.tau * np.log(np.maximum(height / level, 1.0)), over)
    hours: Array = over - made.start[:, 0]
    return hours


def quantities(fitted: Fit, horizon: float, affected: float | None = None) -> dict[tuple[str, str], Array]:
    """Draws of everything a report states, by (name, unit).

    Parameters
    ----------
    horizon : hours after the origin up to which extra users count.
    affected : people whom the outage hit.
    """
    made, model = fitted.made, fitted.model
    own, ends = within(fitted, horizon), until(fitted, horizon)[:, None]
    first = np.minimum(ends - horizon, made.start[:, list(model.own)].min(axis=1, keepdims=True))
    top, when = curves.peak(made, first, ends)
    when = when - (ends - horizon)
    result = {
        (fitted.name, f"{fitted.counted}{fitted.series.place}"): own,
        ("peak_rate", f"{fitted.counted}/s"): top[:, 0] / 3600,
        ("peak_hour", "hours after the start"): np.round(when[:, 0], 6) + 0.0,
        ("half_life", "hours"): curves.half_life(made),
        ("back_to_usual", "hours after the start"): back_to_usual(fitted),
        ("baseline_rate", f"{fitted.counted}/day"): made.baseline * DAY,
    }
    result[(f"{fitted.name}_told_hours", f"{fitted.counted}{fitted.series.place}")] = told(fitted)
    if model.others:
        other = within(fitted, horizon, model.others)
        result[(f"{fitted.name}_confounder", f"{fitted.counted}{fitted.series.place}")] = other
        result[("share_from_outage", "share")] = own / (own + other)
        result[(f"{fitted.name}_all_events", f"{fitted.counted}{fitted.series.place}")] = own + other
    if fitted.series.quantity in PEOPLE:
        result["extra_people", f"people{fitted.series.place}"] = people(fitted, own)
    if affected and fitted.series.quantity in PEOPLE:
        result[("gain_per_affected_user", f"{fitted.counted} per person affected")] = own / affected
    return result


def people(fitted: Fit, counted: Array) -> Array:
    """Draws of people behind a count (n,): less the bias of who counts, of which only the size is known.

    Draws above a ceiling are dropped: people are never more than that.
    """
    model = fitted.model
    sd = next((claim.bias for claim in model.claims if counter(claim) == model.reference), 0.0)
    draws = counted * np.exp(sd * np.random.default_rng(0).standard_normal(len(counted)))
    most = min((c.most for c in model.ceilings if c.until == np.inf), default=np.inf)
    possible: Array = draws[draws <= most]
    return possible if len(possible) else counted


def estimates(fitted: Fit, horizon: float, level: float, affected: float | None = None) -> list[Estimate]:
    """Median and equal-tailed interval of every quantity."""
    ends = [(1 - level) / 2, 0.5, (1 + level) / 2]
    made = []
    for (name, unit), draws in quantities(fitted, horizon, affected).items():
        low, median, high = (float(v) for v in np.quantile(draws, ends))
        service = fitted.series.service_id
        made.append(Estimate(service=service, quantity=name, unit=unit, median=median, low=low, high=high, level=level))
    return made


def seed_error(fitted: Fit, draws: Array, level: float) -> float:
    """Standard error of the ends of an interval that another seed would show, as a share of the end; the larger one.

    From the order statistics: the effective number of draws says how far the probability below an end may be off.
    """
    shares = []
    for p in ((1 - level) / 2, (1 + level) / 2):
        off = float(np.sqrt(p * (1 - p) / min(fitted.sample.effective, len(draws))))
        low, middle, high = np.quantile(draws, [max(p - off, 0.0), p, min(p + off, 1.0)])
        shares.append(float(high - low) / 2 / max(float(middle), 1e-9))
    return max(shares)


def prior_left(fitted: Fit) -> dict[str, float]:
    """Share of the prior's width (95% interval, log scale) that the figures left standing, 0 to 1."""
    columns = {"half-life": "half_life", "extra count in usual days": "gain_0"}
    left = {}
    for label, name in columns.items():
        low, high = np.quantile(fitted.sample.draws[:, fitted.model.names.index(name)], [0.025, 0.975])
        left[label] = float(min((high - low) / WIDTH, 1.0))
    return left


def compared(fitted: Fit, level: float, seed: int) -> pd.DataFrame:
    """Each figure as published beside what the curve says of the same thing.

    Returns
    -------
    DataFrame
        One row a claim of the evidence: figure_id; low, median and high in the unit that was published; wrong,
        the probability that the claim is simply wrong; fits, whether that is below one half.
    """
    rows = fitted.series.figures.set_index("figure_id")
    doubts = wrong(fitted)
    rng = np.random.default_rng(seed)
    made = []
    for claim in fitted.series.claims:
        value = observed(claim, fitted.made, rng.integers(0, 1 << 16, len(fitted.made.tau)))[:, 0]
        low, median, high = np.quantile(as_published(value, claim, rows.loc[claim.figure_id]), _ends(level))
        doubt = doubts[claim.figure_id]
        made.append(
            {
                "figure_id": claim.figure_id,
                "low": low,
                "median": median,
                "high": high,
                "wrong": doubt,
                "fits": doubt < 0.5,
            }
        )
    return pd.DataFrame(made, columns=["figure_id", "low", "median", "high", "wrong", "fits"])


def as_published(value: Array, claim: Claim, row: pd.Series) -> Array:
    """Turn values per hour, counts or ratios back into the unit a figure was published in, totals included."""
    if claim.reading.startswith("ratio"):
        return (value - 1) * 100 if row["unit"] == "percent" else value
    return claim.since + value / per_hour(str(row["unit"]), claim.reading)


def bands(draws: Array, level: float) -> dict[float, Array]:
    """Quantiles over draws (n, m) that a figure shows, keyed as the figures want them: (m,) each."""
    low, high = (1 - level) / 2, (1 + level) / 2
    keys = (0.025, 0.25, 0.5, 0.75, 0.975)
    return dict(zip(keys, np.quantile(draws, [low, 0.25, 0.5, 0.75, high], axis=0), strict=True))


def five(draws: Array, level: float) -> Five:
    """Ends of the interval, quartiles and median of draws (n,)."""
    low, first, middle, third, high = (float(v[0]) for v in bands(draws[:, None], level).values())
    return low, first, middle, third, high


def _ends(level: float) -> list[float]:
    return [(1 - level) / 2, 0.5, (1 + level) / 2]
