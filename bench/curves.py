"""Every curve of the evidence: the 95% interval of its gain within a week, and what that gain cannot exceed.

Writes curves.csv, one row a curve, with the least of its ceilings (people hit, a later total, a population), worked out
from the tables, and the firmest claim less the usual (the headline). Adds one line to curves_summary.csv: how wide the
intervals are and how many upper ends are impossible. ``--data`` names another folder of evidence, ``--name`` the line.

    OMP_NUM_THREADS=1 python bench/curves.py
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from helpers import case, claimed, evidence, fit
from helpers.case import PEOPLE
from helpers.grade import NAMES
from helpers.pooled import informed
from helpers.sampling import ConvergenceError
from helpers.shocks import LOOSE_START

SEED, WEEK, LEVEL = 20140222, 168.0, 0.95
ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
HERE = Path(__file__).parent
#: Below this a lower end is nobody.
NOBODY = 1.0


def least(series: case.Series) -> float:
    """The lowest ceiling that holds until the week is over, whenever the event began."""
    begun = series.shocks[0].start
    over = WEEK + (begun[1] if begun[1] - begun[0] > LOOSE_START else 0.0)
    return min((ceiling.most for ceiling in series.ceilings if ceiling.until >= over), default=np.inf)


def of_event(tables: evidence.Evidence, outage_id: str) -> list[dict[str, Any]]:
    """Interval and ceilings of every curve of one event."""
    found = case.build(tables, outage_id)
    first = {id(series) for series in case.primary(found)}
    made: list[dict[str, Any]] = []
    fits: list[fit.Fit] = []
    for series in found.series:
        if not series.fits:
            continue
        row: dict[str, Any] = {
            "outage_id": outage_id,
            "rival": series.service_id,
            "quantity": series.quantity,
            "scope": series.scope,
            "platform": series.platform,
            "panel": series.panel,
            "primary": id(series) in first,
            "figures": len(series.claims),
            "ceiling": least(series),
        }
        try:
            (fitted,) = informed.fits(tables, evidence.ROOT / "data", found, [series], SEED)
            fits.append(fitted)
        except ConvergenceError as error:
            row["refused"] = str(error)
        made.append(row)
    told = [row for row in made if "refused" not in row]
    for row, fitted in zip(told, fits, strict=True):
        low, middle, high = np.quantile(fit.within(fitted, WEEK), [ENDS[0], 0.5, ENDS[1]])
        cut = " ".join(f"{bite.ceiling.kind.replace(' ', '_')}:{bite.above:.2f}" for bite in fitted.bites)
        (firm,) = claimed.collect(tables, evidence.ROOT / "data", found, [fitted], SEED, LEVEL, fits)
        row |= {"told_low": firm.told[0], "told_high": firm.told[2], "grade": firm.grade.name}
        row |= {"headline": firm.factor(LEVEL), "two_readings": firm.readings is not None}
        if firm.excess is not None:
            ends = dict(zip(("claim_low", "claim_median", "claim_high"), firm.excess.ends(LEVEL), strict=True))
            row |= ends | {"claim": firm.excess.claim.figure_id, "claim_hours": firm.excess.hours}
        row |= {"low": low, "median": middle, "high": high, "cut": cut, "refused": ""}
    return made


def summary(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    """One line of the table, of the first curve of each rival that counts people."""
    answered = rows[rows["refused"] == ""]
    people = answered[answered["quantity"].isin(PEOPLE)]
    first = people[people["primary"]]
    factor = first["high"] / first["low"].clip(lower=1e-9)
    told = first["told_high"] / first["told_low"].clip(lower=1e-9)
    return {
        "code and evidence": name,
        "curves": len(rows),
        "refused": len(rows) - len(answered),
        "upper ends above a ceiling": int((people["high"] > people["ceiling"]).sum()),
        "lower ends of nobody": int((answered["low"] < NOBODY).sum()),
        "first curves that count people": len(first),
        "median factor": round(float(factor.median()), 1),
        "under 10": round(float((factor < 10).mean()), 3),
        "over 100": round(float((factor > 100).mean()), 3),
        "with a claim in a window": int(first["claim_high"].notna().sum()),
        "headline: median factor": round(float(first["headline"].median()), 2),
        "headline: under 10": round(float((first["headline"] < 10).mean()), 3),
        "told hours: median factor": round(float(told.median()), 1),
        **{grade: int((first["grade"] == grade).sum()) for grade in NAMES},
    }


def main() -> None:
    """Measure, and write both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=evidence.ROOT / "data")
    parser.add_argument("--name", default="this code, this evidence")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    tables = evidence.load(asked.data)
    with_figures = set(tables.growth_figures["outage_id"])
    ids = [name for name in tables.outages["outage_id"] if name in with_figures]
    parts = Parallel(asked.workers)(delayed(of_event)(tables, name) for name in ids)
    rows = pd.DataFrame([row for part in parts for row in part])
    if asked.data == evidence.ROOT / "data":
        text = rows.to_csv(index=False, float_format="%.5g", lineterminator="\n")
        (HERE / "curves.csv").write_text(text, encoding="utf-8", newline="")
    line, table = summary(rows, asked.name), HERE / "curves_summary.csv"
    before = pd.read_csv(table).to_dict("records") if table.is_file() else []
    kept = [old for old in before if old["code and evidence"] != asked.name]
    pd.DataFrame([*kept, line]).to_csv(table, index=False, lineterminator="\n")
    print(pd.DataFrame([line]).T.to_string(header=False))


if __name__ == "__main__":
    main()
