"""Our intervals at 1x beside those of the tools in use, on the same simulated series.

Coverage, width and cost of the others are read from `results.csv` of the shared benchmark, their interval scores typed
from its `RESULTS.md` ("Mean interval score at 1x"; the table "Hourly" below it). The reference fit, which knows the
form of the process, is run here as well, so that both stand on all the series.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shared_sets
from joblib import Parallel, delayed
from one_measurement import interval_score

OURS = "this project"
REFERENCE = "reference fit"
#: Peer and variant in results.csv: name, mean interval score in thousands over all its series and over the first ten.
SCORES: dict[tuple[str, str], tuple[str, float, float]] = {
    ("REFERENCE", "ref_log_ar1_multistart_controls"): (f"{REFERENCE}, with controls", 53.0, 58.8),
    ("REFERENCE", "ref_log_ar1_multistart"): (REFERENCE, 61.4, 69.4),
    ("statsmodels", "uc_ll_log_simulate"): ("statsmodels UC, log, simulated", 73.8, 66.5),
    ("statsmodels", "uc_ll_simulate"): ("statsmodels UC, simulated", 79.9, 76.8),
    ("pycausalimpact_pinned", "default_nseasons7"): ("pycausalimpact", 88.3, 58.8),
    ("prophet", "sumpw"): ("Prophet, daily bounds summed", 93.4, 87.5),
    ("statsforecast", "autoarima_sumpw"): ("AutoARIMA, daily bounds summed", 99.2, 96.9),
    ("statsmodels", "its_ols_hac14"): ("ITS, OLS and HAC", 114.3, 82.3),
    ("causalpy", "its_linear_standardised"): ("CausalPy, standardised", np.nan, 129.7),
    ("statsmodels", "nb_dummy"): ("negative binomial with a dummy", 132.8, 90.7),
    ("prophet", "joint_samples"): ("Prophet, joint samples", 294.0, 239.3),
    ("statsmodels", "poisson_dummy"): ("Poisson with a dummy", 318.4, 215.2),
    ("tfp-causalimpact", "seasons7"): ("tfp-causalimpact", np.nan, 54.0),
    ("tfcausalimpact", "vi_nseasons7"): ("tfcausalimpact", np.nan, 47.9),
    ("statsmodels", "hourly_uc_ll_log_fourier_sim"): ("statsmodels UC, log, Fourier", 25.0, np.nan),
    ("statsmodels", "hourly_its_ols_hac48_how"): ("ITS, OLS and HAC", 44.0, np.nan),
    ("statsmodels", "hourly_quasipoisson_how"): ("quasi-Poisson with a dummy", 87.5, np.nan),
    ("prophet", "hourly_joint_samples_mult"): ("Prophet, joint samples", 184.7, np.nan),
}
#: Numbers of series that the others were measured on, so that ours stand on the same.
COUNTS = {"daily": (10, 50, 60), "hourly": (12, 20)}


def published(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of the others."""
    table = pd.read_csv(folder / "results.csv").query("mult == 1").set_index(["peer", "variant"])
    rows = []
    for which, (name, score, first) in SCORES.items():
        found = table.loc[which]
        rows.append(
            {
                "method": name,
                "kind": found["kind"],
                "n": int(found["n"]),
                "coverage_95": found["coverage"],
                "mean_width_95": found["width_mean"],
                "mean_interval_score_95": 1000 * score,
                "score_first_10": 1000 * first,
                "cpu_s_median": found["med_cpu_s"],
                "measured_by": "RESULTS.md",
            }
        )
    return rows


def row(name: str, kind: str, ends: np.ndarray, seconds: float) -> dict[str, Any]:
    """Return a row of ours; `ends` are truth, low and high: (n, 3)."""
    truth, low, high = ends.T
    score = interval_score(truth, low, high, 0.95)
    return {
        "method": name,
        "kind": kind,
        "n": len(ends),
        "coverage_95": np.mean((low <= truth) & (truth <= high)),
        "mean_width_95": np.mean(high - low),
        "mean_interval_score_95": score.mean(),
        "score_first_10": score[:10].mean(),
        "cpu_s_median": seconds,
        "measured_by": "this script",
    }


def peers(folder: Path, answers: dict[tuple[str, str], list[Any]], series: int) -> pd.DataFrame:
    """Return the table: ours on as many series as each of the others, and the reference on all.

    Parameters
    ----------
    answers : measurements at 1x, in the order of the series, by kind and what was given; none refused.
    """
    rows = []
    for (kind, given), found in answers.items():
        results = [answer.result for answer in found]
        ends = np.array([(r.truth, r.low, r.high) for r in results])
        for count in sorted({*(c for c in COUNTS[kind] if c < len(ends)), len(ends)}):
            seconds = float(np.median([r.seconds for r in results[:count]]))
            rows.append(row(f"{OURS}, with controls" if given else OURS, kind, ends[:count], seconds))
    for controls in (False, True):
        fits = np.array(Parallel()(delayed(_reference)(folder, i, controls) for i in range(series)))
        ends = np.column_stack([np.zeros(series), fits[:, 1:]])
        for count in sorted({*(c for c in (60,) if c < series), series}):
            name = f"{REFERENCE}, with controls" if controls else REFERENCE
            rows.append(row(name, "daily", ends[:count], np.nan))
    table = pd.DataFrame(rows + published(folder))
    return table.sort_values(["kind", "n", "mean_interval_score_95"], ascending=[True, False, True], kind="stable")


def _reference(folder: Path, i: int, controls: bool) -> tuple[float, float, float]:
    with warnings.catch_warnings():
        # Of its several starts some do not converge; the best one is taken.
        warnings.simplefilter("ignore")
        return shared_sets.reference(folder, i, controls)
