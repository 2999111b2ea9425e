"""Does the sampler find every mode, and do printed ends depend on the seed?

KT after the breach of SK Telecom 2025, plain and delayed, for 48 seeds: a seed missed a mode where its log evidence is
0.12 below the median of all (a missed mode shifts it by some 0.3, the seeds' own spread is 0.03). Telegram after the
outage of WhatsApp 2014 for 25 seeds: the ends of the 95% interval of its gain within a week. Writes modes.csv.

    OMP_NUM_THREADS=1 python bench/modes.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from helpers import case, evidence, fit, sampling
from helpers.likelihood import Model
from helpers.sampling import ConvergenceError

TABLE = Path(__file__).with_suffix(".csv")
SEEDS, FEWER_SEEDS, MISSED = 48, 25, 0.12


def first(outage_id: str, rival: str) -> case.Series:
    """Return the first curve of a rival after an event."""
    found = case.primary(case.build(evidence.load(), outage_id))
    return next(series for series in found if series.service_id == rival)


def log_evidence(series: case.Series, late: bool, seed: int) -> float:
    """Log evidence of one run; not a number where the sampler refused."""
    model = Model(series.shocks, series.statements, delayed=late)
    try:
        return sampling.sample(model.log_likelihood, len(model.names), seed).log_evidence
    except ConvergenceError:
        return float("nan")


def ends(series: case.Series, seed: int) -> np.ndarray:
    """Ends of the 95% interval of the gain within a week."""
    return np.quantile(fit.within(fit.fit(series, seed), 168.0), [0.025, 0.975])


def main() -> None:
    """Measure and write the table."""
    rows, far = [], first("sktelecom-2025-04-22-breach", "kt")
    for late in (False, True):
        told = np.array(Parallel(2)(delayed(log_evidence)(far, late, seed) for seed in range(SEEDS)))
        missed = int((told < np.nanmedian(told) - MISSED).sum())
        name = f"KT 2025, {'delayed' if late else 'plain'} response"
        rows += [
            {"what": f"{name}: seeds that missed a mode, of {SEEDS}", "value": missed},
            {"what": f"{name}: refused", "value": int(np.isnan(told).sum())},
            {"what": f"{name}: spread of the log evidence", "value": round(float(np.nanstd(told)), 3)},
        ]
    known = first("whatsapp-2014-02-22", "telegram")
    both = np.array(Parallel(2)(delayed(ends)(known, seed) for seed in range(FEWER_SEEDS))) / 1e6
    for name, found in zip(("lower", "upper"), both.T, strict=True):
        rows += [
            {
                "what": f"Telegram 2014, {name} end, millions: least of {FEWER_SEEDS} seeds",
                "value": round(found.min(), 2),
            },
            {
                "what": f"Telegram 2014, {name} end, millions: most of {FEWER_SEEDS} seeds",
                "value": round(found.max(), 2),
            },
        ]
    pd.DataFrame(rows).to_csv(TABLE, index=False, lineterminator="\n")
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
