"""How far the particles' own log evidence is off: what lets a fit give up a delayed response before its last rounds.

Every first curve of every event of the evidence, with a plain and with a delayed response, for some seeds: the log
evidence on the road from prior to posterior less that of the importance weights. Writes rough_evidence.csv beside this
file; exits with 1 if a fit could have been given up that would have been kept (see `helpers.sampling.ROUGH`).

    OMP_NUM_THREADS=1 python bench/rough_evidence.py
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import case, evidence, sampling
from helpers.likelihood import Model

SEEDS = (1, 2, 3)


def differences() -> np.ndarray:
    """Return road less weights for every curve, response and seed that converges."""
    known, found = evidence.load(), []
    for outage_id in known.outages["outage_id"]:
        for series in case.primary(case.build(known, outage_id)):
            for delayed in (False, True):
                model = Model(series.shocks, series.statements, delayed=delayed)
                for seed in SEEDS:
                    try:
                        sample = sampling.sample(model.log_likelihood, len(model.names), seed)
                    except sampling.ConvergenceError:
                        continue
                    found.append(sample.rough_evidence - sample.log_evidence)
    return np.array(found)


def main() -> int:
    """Measure, write the table, and say whether ROUGH holds."""
    off = differences()
    rows = {"fits": len(off), "mean": off.mean(), "standard deviation": off.std(), "lowest": off.min()}
    table = pd.Series(rows | {"highest": off.max(), "granted": sampling.ROUGH}, name="log evidence").round(3)
    table.to_csv(Path(__file__).with_name("rough_evidence.csv"), index_label="measure", lineterminator="\n")
    print(table.to_string())
    return int(off.min() < -sampling.ROUGH)


if __name__ == "__main__":
    sys.exit(main())
