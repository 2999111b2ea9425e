"""Does 07 know how hard switching is? Two outages of services that bind people by a contract or an account.

    OMP_NUM_THREADS=1 python bench/hard_switching.py [--name "this code"]

* TSB, April 2018: 1.9 million customers were locked out. In the whole second quarter 26,000 customers switched away
  (TSB, results for the first half of 2018), to all banks together. What is the probability that one rival gains more?
* Optus, November 2023: 10 million were cut off. Telstra added 933,000 accounts in that half-year, 848,000 in the one a
  year before (`optus-2023-11-08-australia--telstra--2`): some 85,000 more, for whatever reason. What is the probability
  that it gains more than 100,000?

The prior of the switching term was moved from a factor of 20 to one of 55 after this table had been seen (0.33 and 0.23
with the former): these two cases are a check of its size, no test of it.

The events themselves, and later ones of the service, are in no rule that is asked (as in every report of 07). Adds a
line to hard_switching.csv for each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import evidence, params
from helpers.scenario import predict, question

TABLE = Path(__file__).with_suffix(".csv")
LEFT, MANY = 26_000.0, 100_000.0
#: Event, rival and people. The evidence names no rival of TSB: of another bank the rule knows only that it is one.
ASKED = (("tsb-2018-04-20-uk", "bank-of-america", LEFT), ("optus-2023-11-08-australia", "telstra", MANY))
QUARTER = 24.0 * 91


def main() -> None:
    """Ask, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", default="this code")
    wanted = parser.parse_args()
    known, rows = evidence.load(), []
    for outage_id, rival, many in ASKED:
        given = {"outage_id": outage_id, "rivals": [rival], "horizon_hours": QUARTER}
        given |= {"duration_hours": 168.0} if outage_id.startswith("tsb") else {}
        asked = params.check("07_next_outage", given, known)
        found = question.scenario(known, evidence.ROOT / "data", asked)
        (made,) = predict.predict(found, known, np.random.default_rng(asked.seed))
        low, middle, high = np.quantile(made.extra, [0.025, 0.5, 0.975])
        row = {"code": wanted.name, "outage_id": outage_id, "rival": rival, "more than": many}
        rows.append(row | {"probability": (made.extra > many).mean(), "low": low, "median": middle, "high": high})
    before = pd.read_csv(TABLE).to_dict("records") if TABLE.is_file() else []
    table = pd.DataFrame([*(old for old in before if old["code"] != wanted.name), *rows])
    table.to_csv(TABLE, index=False, float_format="%.4g", lineterminator="\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
