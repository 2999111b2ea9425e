"""Each published figure predicted from the others of its curve: coverage, width and scores.

Every curve with three figures or more is fitted again without one of them, and the figure is predicted from what is
left: the value that the curve holds at the figure's hours, with the error of its claimant (one in ten simply wrong).
What the claimant's other figures say of its bias and its time zone is used.
A figure is an interval of values (a rounding, or a bound up to the next round number; see `claims.rounding`): it
counts as held where that interval and the predictive interval meet. The log score is the log of the predictive
probability of what was published; the interval score (Gneiting and Raftery 2007) is taken of the log of the middle of
the figure's interval. Run from the root: ``python bench/left_out_figures.py``; ``--data`` names another folder.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.special import logsumexp

from helpers import case, evidence, fit
from helpers.claims import Claim
from helpers.coarsened import ERROR_NODES, ERROR_WEIGHTS, own_scale
from helpers.curve import Array, Curve
from helpers.fit import Fit
from helpers.likelihood import CLOCK_NODES, NODES, Model, observed, slides
from helpers.pooled import informed, kept
from helpers.sampling import ConvergenceError

SEED = 20140222
TABLE = Path(__file__).with_suffix(".csv")


def predicted(fitted: Fit, claim: Claim) -> dict[str, float]:
    """Scores of one figure that the fit has not seen."""
    rng = np.random.default_rng(SEED)
    prior = fitted.model.prior
    rest = replace(fitted.model, ceilings=(), counts_as=fitted.model.reference)
    both = replace(rest, claims=(*rest.claims, claim))
    z = fitted.sample.draws
    score = float(logsumexp(both.log_likelihood(z) - rest.log_likelihood(z)) - np.log(len(z)))
    truth, shared = expected(both, claim, fitted.made, rng)
    own = own_scale(claim)
    wrong = rng.random(len(z)) < prior.false
    draws = truth + np.where(wrong, 0.0, shared) + np.where(wrong, prior.wrong, own) * rng.standard_normal(len(z))
    low, high = np.log(np.maximum([claim.low, claim.high], 1e-12))
    # A bound may lie anywhere beyond its mark: its interval has no end there.
    low, high = (low, np.inf) if claim.bound == "lower" else (-np.inf, high) if claim.bound == "upper" else (low, high)
    row = {"log_score": score}
    for level in (0.95, 0.8):
        least, most = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
        row[f"held_{level:.0%}"] = float(low <= most and high >= least)
        outside = max(least - high, low - most, 0.0)
        row[f"interval_score_{level:.0%}"] = float(most - least + 2 / (1 - level) * outside)
    return row


def expected(model: Model, claim: Claim, made: Curve, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draws of a claim's log value as its curve has it, and of the error that it shares: (n,) each.

    Place and error are drawn given what the other claims of its group say.
    """
    group, clock = next(one for one in model.looked_up if any(c.figure_id == claim.figure_id for c, _ in one[0]))
    nodes = CLOCK_NODES if clock else NODES
    log = np.log(ERROR_WEIGHTS)[None, None] + np.zeros((nodes if clock else 1, len(made.tau), 1))
    for other, table in group:
        if other.figure_id == claim.figure_id:
            mine = other
            continue
        part = table.log_at(observed(other, made, nodes=nodes))
        alone = logsumexp(part, axis=0, keepdims=True) - np.log(len(part))
        log = log + (part if clock and slides(other) else alone)
    log = np.moveaxis(log, 1, 0)
    flat = log.reshape(len(log), -1)
    chosen = (flat + rng.gumbel(size=flat.shape)).argmax(axis=1)
    place, node = np.divmod(chosen, log.shape[2])
    truth = np.log(np.maximum(observed(mine, made, nodes=nodes), 1e-12))
    if not (clock and slides(mine)):
        place = rng.integers(0, truth.shape[1], len(truth))
    return truth[np.arange(len(truth)), place], model.shared(claim) * ERROR_NODES[node]


def of_event(tables: evidence.Evidence, outage_id: str, seed: int) -> list[dict[str, object]]:
    """Scores of all figures of one event that stand on a curve with three or more."""
    found = case.build(tables, outage_id)
    made: list[dict[str, object]] = []
    several = [series for series in found.series if len(series.claims) >= 3]
    # What all other events lead to expect does not know the event's figures.
    beforehand = informed.priors(tables, kept.load(evidence.ROOT / "data"), found, several)
    for series, prior in zip(several, beforehand, strict=True):
        for claim in series.claims:
            rest = replace(series, claims=tuple(other for other in series.claims if other is not claim))
            row: dict[str, object] = {"figure_id": claim.figure_id}
            try:
                row |= predicted(fit.fit(rest, seed, prior), claim)
            except ConvergenceError:
                row["refused"] = 1.0
            made.append(row)
    return made


def measured(folder: Path, workers: int) -> pd.DataFrame:
    """Scores of every figure: one row each."""
    tables = evidence.load(folder)
    ids = [i for i in tables.outages["outage_id"] if i in set(tables.growth_figures["outage_id"])]
    parts = Parallel(workers)(delayed(of_event)(tables, i, SEED) for i in ids)
    return pd.DataFrame([row for part in parts for row in part])


def summary(rows: pd.DataFrame, name: str) -> dict[str, object]:
    """One line of the table."""
    told = rows[rows["log_score"].notna()]
    return {
        "code and evidence": name,
        "figures": len(told),
        "refused": len(rows) - len(told),
        "held at 95%": int(told["held_95%"].sum()),
        "held at 80%": int(told["held_80%"].sum()),
        "share held at 95%": round(told["held_95%"].mean(), 3),
        "share held at 80%": round(told["held_80%"].mean(), 3),
        "mean log score": round(told["log_score"].mean(), 3),
        "mean interval score, 95%": round(told["interval_score_95%"].mean(), 2),
        "mean interval score, 80%": round(told["interval_score_80%"].mean(), 2),
    }


def main() -> None:
    """Measure, and put the line into the table beside this file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=evidence.ROOT / "data")
    parser.add_argument("--name", default="this code, this evidence")
    parser.add_argument("--rows", type=Path, help="also write one row a figure there")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    rows = measured(asked.data, asked.workers)
    if asked.rows:
        rows.to_csv(asked.rows, index=False)
    line = summary(rows, asked.name)
    before = pd.read_csv(TABLE).to_dict("records") if TABLE.is_file() else []
    kept = [old for old in before if old["code and evidence"] != asked.name]
    pd.DataFrame([*kept, line]).to_csv(TABLE, index=False, lineterminator="\n")
    print(pd.DataFrame([line]).T.to_string(header=False))


if __name__ == "__main__":
    main()
