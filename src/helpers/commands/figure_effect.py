"""What one more growth figure does to the answer for its outage: the fit without it beside the fit with it."""

from __future__ import annotations

from helpers import case, fit, words
from helpers.case import Series
from helpers.evidence import Evidence
from helpers.published import consistency
from helpers.results import Estimate
from helpers.sampling import ConvergenceError

HORIZON, LEVEL, SEED = 168.0, 0.95, 20140222
_SHOWN = {"peak_rate": "at the peak", "half_life": "half-life", "baseline_rate": "usual day"}


def effect(before: Evidence, after: Evidence, figure_id: str) -> list[str]:
    """Say in lines of text how the fit of a figure's curve changes when it enters.

    Parameters
    ----------
    before, after : Evidence
        The tables without and with the figure.
    figure_id : str
        Key of the new row, in ``after``.

    Returns
    -------
    list of str
        Whether the figure enters a curve and fits it, and every estimate before and after (95% intervals, a
        week from the start of the outage, seed fixed). One line where it enters none, with the reason. Then every
        smallest set of figures with it that cannot be true together.
    """
    return [*_curve(before, after, figure_id), *_agreement(after, figure_id)]


def _agreement(after: Evidence, figure_id: str) -> list[str]:
    """Say which figures of the same kind the new one cannot be true beside, whatever the curve."""
    row = after.growth_figures.set_index("figure_id").loc[figure_id]
    checks = consistency.check(after, str(row["outage_id"]), str(row["service_id"]))
    found = [one for checked in checks for one in checked.contradictions.to_dict("records")]
    against = [one["text"] for one in found if figure_id in one["figure_ids"]]
    return [f"Without any curve: {text}" for text in dict.fromkeys(against)]


def _curve(before: Evidence, after: Evidence, figure_id: str) -> list[str]:
    row = after.growth_figures.set_index("figure_id").loc[figure_id]
    old, new = (_series(tables, row) for tables in (before, after))
    if new is None:
        return ["It is about the failing service itself: shown in the report, on no rival's curve."]
    why = new.figures.set_index("figure_id").loc[figure_id, "why_not"]
    if why:
        return [f"It is shown in the report but on no curve: {why}."]
    try:
        with_it = fit.fit(new, SEED)
    except ConvergenceError as error:
        return [f"With it the fit cannot be trusted: {error}"]
    doubt = fit.wrong(with_it)[figure_id]
    agrees = "fits the others" if doubt < 0.5 else "does not fit the others"
    lines = [
        f"It enters the curve of {new.service}{new.place} and {agrees}: chance that it is wrong {words.percent(doubt)}."
    ]
    was = _numbers(old) if old is not None and old.fits else {}
    for name, text in _numbers(new, with_it).items():
        lines.append(f"  {name}: {was.get(name, 'no curve before')} -> {text}")
    return lines


def _series(tables: Evidence, row: object) -> Series | None:
    key = tuple(str(row[name]) for name in case.KEY)  # type: ignore[index]
    for series in case.build(tables, str(row["outage_id"])).series:  # type: ignore[index]
        if (series.service_id, series.quantity, series.scope, series.platform) == key:
            return series
    return None


def _numbers(series: Series, fitted: fit.Fit | None = None) -> dict[str, str]:
    try:
        fitted = fitted or fit.fit(series, SEED)
    except ConvergenceError:
        return {}
    found = {estimate.quantity: estimate for estimate in fit.estimates(fitted, HORIZON, LEVEL)}
    extra = found[fitted.name]
    numbers = {f"extra {fitted.counted} within a week": words.interval(extra.low, extra.high)}
    return numbers | {text: _said(found[name]) for name, text in _SHOWN.items()}


def _said(estimate: Estimate) -> str:
    if estimate.unit == "hours":
        return words.duration_interval(estimate.low, estimate.high)
    if estimate.unit.endswith("/s"):
        return words.rate_interval(estimate.low, estimate.high)
    return f"{words.interval(estimate.low, estimate.high)} a day"
