"""Does the interval keep its promise? Coverage and simulation-based calibration on outages with a known truth.

    python bench/honesty.py [--outages 800] [--jobs 2]

Writes bench/honesty.csv (coverage and width, in all and by number of figures) and bench/calibration.csv
(uniformity of the ranks of the truth among posterior draws: Talts et al. 2018).
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import chisquare
from simulate import gained, outage

from helpers import sampling
from helpers.prior import Prior

HERE = Path(__file__).parent
RANKED = ("baseline", "half_life", "gain_0")
BINS = 20


def one(seed: int) -> dict[str, float]:
    """Simulate, fit, and compare with the truth."""
    rng = np.random.default_rng([20140222, seed])
    figures = seed % 8 + 1
    model, truth = outage(rng, figures, Prior())
    try:
        fitted = sampling.sample(model.log_likelihood, len(model.names), seed)
    except sampling.ConvergenceError:
        return {"figures": figures, "refused": 1.0}
    extra, true = gained(model.unpack(fitted.draws)), gained(truth.curve)[0]
    row = {"figures": figures, "refused": 0.0, "effective": fitted.effective, "tail": fitted.tail}
    for level in (0.5, 0.95):
        low, high = np.quantile(extra, [(1 - level) / 2, (1 + level) / 2])
        row[f"covers_{level}"] = float(low <= true <= high)
        row[f"factor_{level}"] = high / max(low, 1e-9)
    row["rank_extra"] = float((extra < true).mean())
    for name in RANKED:
        column = model.names.index(name)
        row[f"rank_{name}"] = float((fitted.draws[:, column] < truth.z[0, column]).mean())
    return row


def main() -> None:
    """Run and write the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--outages", type=int, default=800)
    parser.add_argument("--jobs", type=int, default=2)
    wanted = parser.parse_args()
    with ProcessPoolExecutor(wanted.jobs) as pool:
        rows = pd.DataFrame(pool.map(one, range(wanted.outages), chunksize=8))
    kept = rows[rows["refused"] == 0]
    groups = [("all", kept), *((str(n), part) for n, part in kept.groupby("figures"))]
    table = pd.DataFrame(
        {
            "figures": name,
            "outages": len(part),
            "refused": int(rows["refused"].sum()) if name == "all" else "",
            "cover_95": part["covers_0.95"].mean(),
            "cover_50": part["covers_0.5"].mean(),
            "median_factor_95": part["factor_0.95"].median(),
            "median_factor_50": part["factor_0.5"].median(),
            "least_effective_draws": part["effective"].min(),
        }
        for name, part in groups
    )
    table.to_csv(HERE / "honesty.csv", index=False, float_format="%.3f", lineterminator="\n")
    ranks = []
    for name in ("extra", *RANKED):
        counts, _ = np.histogram(kept[f"rank_{name}"], bins=BINS, range=(0, 1))
        ranks.append({"quantity": name, "outages": len(kept), "bins": BINS, "p_uniform": chisquare(counts).pvalue})
    calibration = pd.DataFrame(ranks)
    calibration.to_csv(HERE / "calibration.csv", index=False, float_format="%.3f", lineterminator="\n")
    print(table.to_string(index=False), calibration.to_string(index=False), sep="\n\n")


if __name__ == "__main__":
    main()
