"""Simulated sign-ups with a known truth, so that notebooks run without a network: nobody ever signed up here.

    python bench/simulated_signups.py [FOLDER]

Writes into data/simulated (or FOLDER): signups_hourly.csv, panel_daily.csv.gz and their truths. The generator knows
nothing of the estimators in src/: counts are negative binomial around mean = level x trend x day x week x exp(drift),
the extra ones are drawn apart from them, so what was realised is known to the unit.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parents[1] / "data" / "simulated"
HOURLY_SEED, PANEL_SEED = 20250305, 20250915

# One market by the hour: 70 days, the last 12 of them after the outage of a rival.
HOURS = pd.date_range("2025-01-07", periods=70 * 24, freq="h", tz="UTC")
OUTAGE, OUTAGE_HOURS = pd.Timestamp("2025-03-05T14:00Z"), 5
SURGE, HALF_LIFE, STAYED = 4.0, 9.0, 0.03
EARLIER, EARLIER_HOURS, EARLIER_SURGE, EARLIER_HALF_LIFE = pd.Timestamp("2025-01-29T09:00Z"), 3, 1.8, 4.0
LEVEL, CONTROL_LEVEL = 800.0, 450.0
ABSENT, EMPTY = 6, 1

# Ten countries and six rivals by the day: 300 days before the outage of a seventh, 21 from it on. Rivals are trees.
DAYS_BEFORE, DAYS_AFTER = 300, 21
OUTAGE_DAY = pd.Timestamp("2025-09-15")
COUNTRIES = ("BR", "DE", "ID", "IN", "IT", "JP", "MX", "NG", "TR", "US")
RIVALS = ("alder", "birch", "cedar", "elm", "maple", "rowan")
GAINS = (1.15, 1.25, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.5, 3.0, 4.0, 6.0)
LOSSES = (0.75, 0.55)
SPECIAL = ("too_short", "all_zero", "half_missing")
SMALLEST, LARGEST = 5.0, 50_000.0

WEEK = 1 + 0.12 * np.array([0.9, 0.7, 0.4, 0.2, -0.2, -1.1, -0.9])  # Monday to Sunday


def autoregressive(rng: np.random.Generator, length: int, memory: float, scatter: float) -> np.ndarray:
    """Draw a stationary first-order series of standard deviation `scatter`."""
    shocks = rng.normal(0, scatter * np.sqrt(1 - memory**2), length)
    shocks[0] = rng.normal(0, scatter)
    for step in range(1, length):
        shocks[step] += memory * shocks[step - 1]
    return shocks


def counts(rng: np.random.Generator, mean: np.ndarray, dispersion: float) -> np.ndarray:
    """Draw negative binomial counts of variance mean + dispersion * mean^2."""
    return rng.poisson(rng.gamma(1 / dispersion, dispersion * mean))


def response(hours: np.ndarray, length: float, peak: float, half_life: float) -> np.ndarray:
    """Return extra sign-ups as a share of the usual: peak - 1 while it lasts, then halving; zero before hour 0."""
    return np.where(hours < 0, 0.0, (peak - 1) * 0.5 ** (np.maximum(hours + 1 - length, 0) / half_life))


def since(moment: pd.Timestamp) -> np.ndarray:
    """Return hours from a moment to the start of each hour of the market."""
    return ((HOURS - moment) / pd.Timedelta(hours=1)).to_numpy()


def hourly() -> tuple[pd.DataFrame, dict[str, Any]]:
    """Simulate the market by the hour and a control next to it."""
    rng = np.random.default_rng(HOURLY_SEED)
    hour, weekday = HOURS.hour.to_numpy(), HOURS.day_of_week.to_numpy()
    turn = 2 * np.pi * (hour - 19) / 24
    rhythm = np.exp(0.55 * np.cos(turn) + 0.12 * np.cos(2 * turn)) * WEEK[weekday]
    shared, own, other = (autoregressive(rng, len(HOURS), 0.99, scatter) for scatter in (0.05, 0.02, 0.03))
    usual = LEVEL * (1 + 0.05 * np.arange(len(HOURS)) / len(HOURS)) * rhythm / rhythm.mean() * np.exp(shared + own)
    turn = 2 * np.pi * (hour - 17) / 24
    beside = np.exp(0.5 * np.cos(turn)) * WEEK[weekday]
    control = counts(rng, CONTROL_LEVEL * beside / beside.mean() * np.exp(shared + other), 0.004)
    without = counts(rng, usual, 0.004)
    after = since(OUTAGE)
    # The hours of the outage itself have the full surge; the first hour after it the first of the halving.
    surge = counts(rng, usual * response(after, OUTAGE_HOURS, SURGE, HALF_LIFE) + 1e-9, 0.004)
    stayed = counts(rng, usual * np.where(after >= OUTAGE_HOURS, STAYED, 0.0) + 1e-9, 0.004)
    unmarked = counts(
        rng, usual * response(since(EARLIER), EARLIER_HOURS, EARLIER_SURGE, EARLIER_HALF_LIFE) + 1e-9, 0.004
    )
    signups = without + surge + stayed + unmarked
    table = pd.DataFrame({"time": HOURS.strftime("%Y-%m-%dT%H:%MZ"), "signups": signups, "control": control})
    table["signups"] = table["signups"].astype("Int64")
    lost = rng.choice(np.flatnonzero(after < -48), ABSENT + EMPTY, replace=False)
    table.loc[lost[ABSENT:], "signups"] = pd.NA
    table = table.drop(index=lost[:ABSENT])
    extra = surge + stayed
    windows = {str(hours): int(extra[(after >= 0) & (after < hours)].sum()) for hours in (24, 72, 168)}
    truth = {
        "simulated": True,
        "seed": HOURLY_SEED,
        "outage_start": f"{OUTAGE:%Y-%m-%dT%H:%MZ}",
        "outage_end": f"{OUTAGE + pd.Timedelta(hours=OUTAGE_HOURS):%Y-%m-%dT%H:%MZ}",
        "surge": SURGE,
        "half_life_hours": HALF_LIFE,
        "stayed_share": STAYED,
        "extra_realised_by_hours": {**windows, "to_the_end": int(extra.sum())},
        "stayed_realised_to_the_end": int(stayed.sum()),
        "unmarked_event": {
            "start": f"{EARLIER:%Y-%m-%dT%H:%MZ}",
            "hours": EARLIER_HOURS,
            "surge": EARLIER_SURGE,
            "half_life_hours": EARLIER_HALF_LIFE,
            "extra_realised": int(unmarked.sum()),
        },
        "missing_hours": sorted(HOURS[lost].strftime("%Y-%m-%dT%H:%MZ")),
    }
    return table, truth


def panel() -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Simulate a series for each country and rival; which of them gains is drawn, and told in the truth."""
    rng = np.random.default_rng(PANEL_SEED)
    length = DAYS_BEFORE + DAYS_AFTER
    days = pd.date_range(OUTAGE_DAY - pd.Timedelta(days=DAYS_BEFORE), periods=length)
    names = [(country, rival) for country in COUNTRIES for rival in RIVALS]
    sizes = rng.permutation(np.geomspace(SMALLEST, LARGEST, len(names)))
    kinds = ["gains"] * len(GAINS) + ["loses"] * len(LOSSES) + list(SPECIAL)
    peaks = [*GAINS, *LOSSES, *[1.0] * len(SPECIAL)]
    drawn = dict(zip(rng.permutation(len(names))[: len(kinds)].tolist(), zip(kinds, peaks, strict=True), strict=True))
    national = {country: autoregressive(rng, length, 0.95, 0.04) for country in COUNTRIES}
    tables, truths = [], []
    since_outage = np.arange(length) - DAYS_BEFORE
    for number, (country, rival) in enumerate(names):
        kind, peak = drawn.get(number, ("none", 1.0))
        growth, jitter = rng.uniform(-0.1, 0.4), rng.normal(0, 0.02, 7)
        drift = national[country] + autoregressive(rng, length, 0.9, 0.04)
        week = (WEEK + jitter)[days.day_of_week.to_numpy()]
        mean = sizes[number] * (1 + growth * np.arange(length) / 365) * week * np.exp(drift)
        half_life = float(np.round(rng.uniform(1, 4), 1))
        without = counts(rng, mean, 0.002) * (kind != "all_zero")
        share = response(since_outage, 1.0, peak, half_life)
        if kind == "loses":
            change = rng.binomial(without, 1 + share) - without
        else:
            change = counts(rng, mean * share + 1e-12, 0.002)
        seen = np.ones(length, bool)
        if kind == "too_short":
            seen = since_outage >= -10
        elif kind == "half_missing":
            seen = rng.random(length) < 0.5
        label = f"{country} / {rival}"
        shown = pd.DataFrame({"series": label, "time": days.strftime("%Y-%m-%d"), "count": without + change})
        tables.append(shown[seen])
        week_after = change[(since_outage >= 0) & (since_outage < 7)]
        truth: dict[str, Any] = {"series": label, "kind": kind, "extra_realised": int(change.sum())}
        truth["extra_realised_7_days"] = int(week_after.sum())
        if peak != 1.0:
            truth |= {"first_day_times": peak, "half_life_days": half_life}
        truths.append(truth)
    return pd.concat(tables), truths


def write(folder: Path) -> None:
    """Write the two sets and their truths."""
    folder.mkdir(parents=True, exist_ok=True)
    table, truth = hourly()
    (folder / "signups_hourly.csv").write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
    (folder / "signups_hourly_truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    table, truths = panel()
    text = table.to_csv(index=False, lineterminator="\n").encode()
    # No time and no name inside, so that the same rows make the same bytes.
    (folder / "panel_daily.csv.gz").write_bytes(gzip.compress(text, 9, mtime=0))
    lines = ",\n  ".join(json.dumps(one) for one in truths)
    head = {
        "simulated": True,
        "seed": PANEL_SEED,
        "outage_start": f"{OUTAGE_DAY:%Y-%m-%dT%H:%MZ}",
        "outage_end": f"{OUTAGE_DAY + pd.Timedelta(days=1):%Y-%m-%dT%H:%MZ}",
        "days_after": DAYS_AFTER,
    }
    body = json.dumps(head, indent=1)[:-2] + f',\n "series": [\n  {lines}\n ]\n}}\n'
    (folder / "panel_daily_truth.json").write_text(body, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
