"""Does the claim less the usual hold what came because of the event, if the claim is right?

    python bench/headline.py [--claims 4000]

Simulated claims: a usual level, hours of a window and a share that would have come anyway (one of the evidence,
`data/derived/rule.json`); the number is published as people do (`simulate.publish`: rounded, "more than", "up to"), the
usual level with an error of known size, or not at all: then the share is predicted from those of other events, as in a
report. The claimant does not err: how far claimants are off stands beside the headline and is not in
it. Writes bench/headline.csv: coverage and width at 95% and 80%.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from simulate import publish

from helpers import claims as cl
from helpers import evidence
from helpers.anyway import predict
from helpers.case import Series
from helpers.claims import Claim
from helpers.excess import excess
from helpers.likelihood import Shock
from helpers.pooled import kept

TABLE = Path(__file__).with_suffix(".csv")
LEVELS = (0.95, 0.8)


def one(seed: int, rules: kept.Kept) -> dict[str, float | bool] | None:
    """Simulate one claim and take the usual off; None where it is too small to be told."""
    rng = np.random.default_rng([13, seed])
    real = rules.shares[rules.shares["share"] < 1]
    mine = real.iloc[int(rng.integers(len(real)))]
    hours, usual = 24.0 * rng.integers(1, 8), float(np.exp(rng.normal(np.log(400), 2.0)))
    value = usual * hours / mine["share"]
    told = publish(value, rng)
    if told is None:
        return None
    low, high = cl.interval(told[0], "users", told[1], "increment")
    claim = Claim("a", "increment", low, high, cl.bound_of(told[1]), 0.0, hours, (0.0, 0.0), 0.27)
    scale, known = float(rng.uniform(0.1, 0.6)), bool(rng.random() < 0.5)
    level = usual * np.exp(scale * rng.standard_normal())
    levels = (Claim("b", "baseline", level, level, "none", 0, 0, (0.0, 0.0), scale),) if known else ()
    series = Series("x", "X", "signups", "world", "", (Shock("e", "e", (0, 0), (4, 4)),), (claim,), levels,
                    pd.DataFrame(), "")  # fmt: skip
    share = predict(rules.shares_without({mine["outage_id"]}), mine["quantity"], mine["failed"])
    found = excess(claim, series, share, seed)
    assert found is not None
    row: dict[str, float | bool] = {"usual level": known}
    for wanted in LEVELS:
        low, _, high = found.ends(wanted)
        row[f"covers_{wanted}"] = low <= max(value - usual * hours, 0.0) <= high
        row[f"factor_{wanted}"] = high / max(low, 1e-9)
    return row


def main() -> None:
    """Run and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=4000)
    wanted = parser.parse_args().claims
    rules = kept.load(evidence.ROOT / "data")
    rows = pd.DataFrame([row for seed in range(wanted) if (row := one(seed, rules)) is not None])
    parts = [("all", rows), *((f"usual level {'known' if known else 'unknown'}", p) for known, p in
             rows.groupby("usual level"))]  # fmt: skip
    table = pd.DataFrame(
        {"claims": name, "n": len(part)}
        | {f"coverage, {level:.0%}": part[f"covers_{level}"].mean() for level in LEVELS}
        | {f"median factor, {level:.0%}": part[f"factor_{level}"].median() for level in LEVELS}
        for name, part in parts
    )
    table.to_csv(TABLE, index=False, float_format="%.3f", lineterminator="\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
