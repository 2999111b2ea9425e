"""From a fit to what its figure shows: the curve's bands, the published figures as marks, the events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from helpers import curve as curves
from helpers import words
from helpers.case import Case
from helpers.charts.plots import CurveView, Mark, Range, Update
from helpers.claims import Claim
from helpers.fit import Fit, Five, bands, compared, extra, five, within
from helpers.likelihood import AFTERMATH, ANTICIPATION
from helpers.robustness import Variant

#: What one event does, in the words of a figure.
CAUSES = {"outage": "the outage", "block": "the block", "shutdown": "the shutdown", "policy_shock": "the news"}
KIND_NOUNS = {"outage": "outage", "block": "block", "shutdown": "shutdown", "policy_shock": "news"}
NOUNS = {
    "signups": "sign-ups",
    "installs": "installs",
    "ported_numbers": "numbers moved",
    "daily_active": "daily users",
    "visits": "daily visits",
    "searches": "daily searches",
    "usage": "daily uses",
}
POINTS = 320
SHOWN_WHOLE = 240.0
LONGEST_LABEL = 56
DRAWS = 1_500


def curve_view(case: Case, fitted: Fit, names: pd.Series, horizon: float, level: float, seed: int) -> CurveView:
    """Collect what the main figure shows of one rival.

    Parameters
    ----------
    names : service names by service id.
    horizon : hours after the origin up to which extra users count.
    """
    model, made = fitted.model, fitted.made
    hours = _hours_shown(fitted, horizon)
    some = np.linspace(0, len(made.tau) - 1, DRAWS).astype(int)
    few = Fit(fitted.series, model, fitted.sample, _picked(made, some))
    rate = bands(curves.rate(few.made, hours), level)
    usual = np.quantile(made.baseline, [(1 - level) / 2, 0.5, (1 + level) / 2])
    outage = case.outage
    other = [shock for j, shock in enumerate(model.shocks) if j in model.others]
    return CurveView(
        service=fitted.series.service,
        unit_noun=NOUNS[fitted.series.quantity],
        times=pd.DatetimeIndex([_at(case, hour) for hour in hours]),
        rate=rate,
        baseline=(float(usual[0]), float(usual[1]), float(usual[2])),
        extra_outage=bands(extra(fitted, hours, model.own), level),
        extra_other=bands(extra(fitted, hours, model.others), level) if other else None,
        other_label="the other event" if len(other) == 1 else "the other events",
        outage_start=_at(case, float(made.start[:, 0].min())),
        outage_end=_end(case),
        outage_label=event_label(case, names),
        marks=_marks(case, fitted, level, seed),
        others=[
            (_at(case, (shock.start[0] + shock.start[1]) / 2), event_words(case, shock.event_id))
            for shock in other
            if shock.event_id not in (ANTICIPATION, AFTERMATH)
        ],
        level=level,
        cause=CAUSES[outage["kind"]],
    )


def event_label(case: Case, names: pd.Series) -> str:
    """Name the event on the figure, in a few words: "WhatsApp down 19:00-22:48 UTC"."""
    outage, name = case.outage, names[case.outage["service_id"]]
    if outage["kind"] == "policy_shock":
        return f"news about {name} (nothing failed)"
    what = {"outage": "down", "block": "blocked", "shutdown": "shut down"}[outage["kind"]]
    what = f"partly {what}" if outage["partial"] else what
    if outage["time_precision"] not in ("minute", "hour"):
        return f"{name} {what}"
    begun, ended = outage["start_utc"], outage["end_utc"]
    if pd.isna(ended):
        return f"{name} {what} from {begun:%H:%M} UTC"
    same_day = begun.normalize() == ended.normalize()
    return f"{name} {what} {begun:%H:%M} to {ended:%H:%M} UTC" if same_day else f"{name} {what}"


def event_words(case: Case, event_id: str, longest: int = LONGEST_LABEL) -> str:
    """Say what another event was, in a few words of its cause."""
    row = case.confounders.set_index("outage_id").loc[event_id]
    name = str(row["service"]).split(" (")[0]
    happened = f"{KIND_NOUNS[row['kind']]} of {words.day(row['start_utc'])}"
    cause = (str(row["cause"]) or happened).split(" (")[0].split(";")[0]
    cause = cause if name in cause else f"{name}: {cause}"
    return cause if len(cause) <= longest else cause[: longest - 1].rsplit(" ", 1)[0] + " …"


def _at(case: Case, hour: float) -> pd.Timestamp:
    return (case.origin + pd.Timedelta(hours=hour)).round("s")


def _end(case: Case) -> pd.Timestamp | None:
    outage = case.outage
    if outage["kind"] == "policy_shock":
        return _at(case, 0.0)
    if pd.isna(outage["end_utc"]) and pd.notna(outage["duration_hours"]):
        return outage["start_utc"] + pd.Timedelta(hours=float(outage["duration_hours"]))
    return outage["end_utc"] if pd.notna(outage["end_utc"]) else None


def _hours_shown(fitted: Fit, horizon: float) -> curves.Array:
    """Hours on the axis: from before the first event or figure until the surge or the last figure is over."""
    claims = [c for c in fitted.series.claims if c.reading != "baseline"]
    starts = [c.start + c.shift[0] for c in claims] + [shock.start[0] for shock in fitted.model.shocks]
    ends = [c.end + c.shift[1] for c in claims if c.end <= horizon]
    first = max(min(starts, default=0.0), -240.0) - 12
    # A horizon of some days is shown whole, so that the panel ends at the number of the title.
    last = horizon if horizon <= SHOWN_WHOLE else min(max([72.0, *ends]) + 12, horizon)
    edges = np.concatenate([fitted.made.start, fitted.made.end], axis=1)
    known = np.median(edges, axis=0)
    inside = known[(known > first) & (known < last)]
    hours: curves.Array = np.unique(np.concatenate([np.linspace(first, last, POINTS), inside]))
    return hours


def _picked(made: curves.Curve, some: np.ndarray) -> curves.Curve:
    rise = None if made.rise is None else made.rise[some]
    return curves.Curve(
        made.baseline[some], made.amplitude[some], made.tau[some], made.start[some], made.end[some], made.season, rise
    )


def _marks(case: Case, fitted: Fit, level: float, seed: int) -> list[Mark]:
    rows = fitted.series.figures.set_index("figure_id")
    fits = compared(fitted, level, seed).set_index("figure_id")["fits"]
    made = []
    for claim in fitted.series.claims:
        if claim.figure_id in rows.index:
            row = rows.loc[claim.figure_id]
            label = words.published(row["value"], row["unit"], row["qualifier"])
            mark = _mark(case, fitted, claim, label, bool(fits[claim.figure_id]))
            made += [mark] if mark else []
    return made


def _mark(case: Case, fitted: Fit, claim: Claim, label: str, agrees: bool) -> Mark | None:
    """Draw a claim as what it is; None for a total that lies below the usual growth."""
    low, high = claim.low, claim.high
    usual = float(np.median(fitted.made.baseline))
    moved = sum(claim.shift) / 2 + claim.anchored * float(np.median(fitted.made.start[:, 0]))
    start, end = claim.start + moved, claim.end + moved
    hours = max(end - start, 1e-3)
    if claim.since:
        # On the panel of extra users: what was extra when the earlier total was told, and what came since.
        gained = float(np.median(extra(fitted, start, fitted.model.own))) - usual * hours
        low, high = max(low + gained, 0.0), high + gained
        if high <= 0:
            return None
    elif claim.reading == "ratio_peak":
        low, high = low * usual, high * usual
    elif claim.reading == "ratio_mean":
        low, high = low * usual * hours, high * usual * hours
    elif claim.reading == "excess":
        low, high = low + usual * hours, high + usual * hours
    elif claim.reading in ("rate_mean", "daily_level"):
        low, high = low * hours, high * hours
    value = {"lower": low, "upper": high, "none": (low + high) / 2}[claim.bound]
    if claim.since:
        return Mark("total", label, _at(case, end - 12), _at(case, end + 12), value, low, high, agrees)
    if claim.reading in ("rate_instant", "rate_peak", "ratio_peak"):
        low, high = (
            (low, np.inf) if claim.bound == "lower" else (-np.inf, high) if claim.bound == "upper" else (low, high)
        )
        return Mark("point", label, _at(case, start), _at(case, end), value, low, high, agrees)
    kind = {"lower": "floor", "upper": "ceiling", "none": "box"}[claim.bound]
    return Mark(kind, label, _at(case, start), _at(case, end), value, low, high, agrees)  # type: ignore[arg-type]


def overview(fits: Sequence[Fit], horizon: float, level: float) -> list[Range]:
    """Extra count of every rival, for one line each."""
    return [
        Range(
            named(fitted),
            five(within(fitted, horizon), level),
            fitted.counted,
        )
        for fitted in fits
    ]


def named(fitted: Fit) -> str:
    """Name a curve: its rival, its place and what it counts, where that is not people who joined."""
    counts = "" if fitted.series.quantity == "signups" else f", {fitted.counted}"
    panel = f" by {fitted.series.panel}" if fitted.series.panel else ""
    return f"{fitted.series.service}{fitted.series.place}{counts}{panel}"


def survival(variants: Sequence[Variant], figures: pd.DataFrame, level: float) -> list[Range]:
    """The answer under each changed assumption, with the figure left out named as it was published."""
    rows = figures.set_index("figure_id")
    made = []
    for variant in variants:
        label = variant.label
        if variant.left_out in rows.index:
            row = rows.loc[variant.left_out]
            label = f"without “{words.published(row['value'], row['unit'], row['qualifier'])}”"
        if variant.extra is None:
            made.append(Range(label, None, "the sampler refused to answer"))
        else:
            made.append(Range(label, five(variant.extra, level), ""))
    return made


def updates(fitted: Fit, level: float) -> list[Update]:
    """What was assumed beforehand, beside what the figures made of it."""
    prior = fitted.model.prior
    normal = np.array([ndtri((1 - level) / 2), ndtri(0.25), 0.0, ndtri(0.75), ndtri((1 + level) / 2)])
    half = prior.half_life_hours * np.exp(prior.half_life_sd * normal)
    made = fitted.made
    per_day = made.baseline * curves.DAY
    middle, sd = prior.gain(np.median(per_day, keepdims=True))
    gain = made.amplitude[:, 0] * (made.end - made.start)[:, 0] / per_day
    return [
        Update("half-life", _five(half), five(curves.half_life(fitted.made), level), "hours"),
        Update("extra, in usual days", _five(np.exp(middle + sd * normal)), five(gain, level), "count"),
    ]


def _five(values: curves.Array) -> Five:
    low, first, middle, third, high = (float(v) for v in values)
    return low, first, middle, third, high


def alt(title: str, subtitle: str, shown: CurveView) -> str:
    """Describe the main figure for who cannot see it, with its finding and the figures drawn on it."""
    drawn = words.listing([mark.label + ("" if mark.agrees else " (does not fit)") for mark in shown.marks])
    return (
        f"{title}. {subtitle} Above, over time, the fitted rate of {shown.unit_noun} of {shown.service} with "
        f"its bands, the event shaded and the published figures ({drawn or 'none'}); below, the extra count so far."
    )
