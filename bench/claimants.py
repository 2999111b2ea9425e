"""Who claims what: do the intervals for bias and scale hold the truth? Simulated evidence, known bias and scales.

    python bench/claimants.py [--sets 400] [--jobs 2]

Each set has the pairs of the real tables (classes, bounds, widths, windows), once or three times over, with numbers
drawn from parameters that are drawn from the prior: errors of the class, one claim in ten simply wrong, bounds told
fresh or late. Writes bench/claimants.csv.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import claims as cl
from helpers import evidence
from helpers.prior import Prior
from helpers.published import claimant_model as model
from helpers.published.pairs import pairs

HERE = Path(__file__).parent
TIMES = (1, 3)


@lru_cache(maxsize=1)
def design() -> pd.DataFrame:
    """Return the pairs that the real tables hold."""
    found = pairs(evidence.load())
    return found[found["used"].astype(bool)].reset_index(drop=True)


def simulate(real: pd.DataFrame, times: int, rng: np.random.Generator) -> tuple[pd.DataFrame, model.Draws]:
    """Draw parameters from the prior and the numbers of all pairs from them."""
    truth = model.unpack(rng.standard_normal((1, model.DIMENSIONS)))
    prior = Prior()
    made = []
    for copy in range(times):
        own: dict[tuple[str, str], float] = {}
        for _, pair in real.iterrows():
            key = (pair["outage_id"], pair["service_id"])
            outage = own.setdefault(key, truth.outage[0] * rng.standard_normal())
            sign = 0.0 if not pair["converted"] else 1.0 if pair["first_quantity"] == "signups" else -1.0
            ratio = rng.uniform(pair["shape_low"], pair["shape_high"]) + sign * (truth.conversion[0] + outage)
            for name, way in (("first", 1.0), ("second", -1.0)):
                kind = pair[f"{name}_class"]
                spread = prior.wrong if rng.random() < prior.false else truth.scale[kind][0]
                late = rng.exponential(cl.PASSED) * (rng.random() > cl.FRESH)
                lag = {"none": 0.0, "lower": -late, "upper": late}[pair[f"{name}_bound"]]
                ratio += way * (truth.bias[kind][0] + spread * rng.standard_normal() + lag)
            width = pair["log_high"] - pair["log_low"]
            low = ratio - width * rng.random()
            made.append({**pair, "outage_id": f"{key[0]} {copy}", "log_low": low, "log_high": low + width})
    return pd.DataFrame(made), truth


def told(truth: model.Draws, draws: model.Draws) -> dict[str, tuple[float, np.ndarray]]:
    """Name what is estimated: its true value and its draws."""
    names = {"conversion": (truth.conversion[0], draws.conversion), "outage": (truth.outage[0], draws.outage)}
    for c in ("company", "api_count", "press"):
        names[f"bias {c}"] = (truth.bias[c][0], draws.bias[c])
    for c in ("company", "panel", "api_count", "press"):
        names[f"scale {c}"] = (truth.scale[c][0], draws.scale[c])
    names["gap"] = (truth.bias["company"][0] + truth.conversion[0], draws.bias["company"] + draws.conversion)
    return names


def one(task: tuple[int, int]) -> list[dict[str, object]]:
    """Simulate one set and compare."""
    seed, times = task
    used, truth = simulate(design(), times, np.random.default_rng([20211004, times, seed]))
    made = model.posterior(used)
    weights = made.weights()
    rows = []
    for name, (true, draws) in told(truth, made.draws).items():
        row: dict[str, object] = {"times": times, "pairs": len(used), "what": name, "effective": made.effective()}
        for level in (0.5, 0.95):
            low, _, high = model.quantiles(draws, weights, level)
            row |= {f"cover_{level}": float(low <= true <= high), f"width_{level}": high - low}
        rows.append(row)
    return rows


def main() -> None:
    """Run and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=2)
    wanted = parser.parse_args()
    tasks = [(seed, times) for times in TIMES for seed in range(wanted.sets)]
    with ProcessPoolExecutor(wanted.jobs) as pool:
        rows = pd.DataFrame([row for rows in pool.map(one, tasks, chunksize=8) for row in rows])
    table = rows.groupby(["pairs", "what"], sort=False).agg(
        sets=("what", "size"),
        cover_95=("cover_0.95", "mean"),
        cover_50=("cover_0.5", "mean"),
        median_width_95=("width_0.95", "median"),
        least_effective_draws=("effective", "min"),
    )
    table.reset_index().to_csv(HERE / "claimants.csv", index=False, float_format="%.3f", lineterminator="\n")
    print(table.to_string())


if __name__ == "__main__":
    main()
