"""Does a rule made of more evidence predict what was known before no worse?

    OMP_NUM_THREADS=1 python bench/rule_growth.py [--before 83eaaa5]

Every event in the rule of an earlier commit is left out in turn, with those of its days, and its gains *as that commit
had them* are predicted twice: by the rule of that commit's gains and people hit, and by the rule of today's. So both
are scored on the same figures. Writes bench/rule_growth.csv: mean log scores, and the leads of the rule over the same
share of the people hit and over the median gain of all.
"""

from __future__ import annotations

import argparse
import io
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import evidence
from helpers.ceilings import PEOPLE_HIT
from helpers.curve import Array
from helpers.pooled import events, kept, left_out, rule
from helpers.pooled.design import Table, lay_out, moments
from helpers.pooled.gains import PLACES, Gain
from helpers.pooled.question import RIVAL_RULES

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).with_suffix(".csv")


def told_then(commit: str, name: str) -> pd.DataFrame:
    """Read a table of the evidence as a commit has it."""
    text = subprocess.check_output(["git", "show", f"{commit}:data/{name}"], cwd=ROOT, text=True)
    return pd.read_csv(io.StringIO(text), keep_default_na=False)


def gains_then(commit: str) -> list[Gain]:
    """Gains of the rule that a commit kept; how many people they are is not asked here."""
    rows = told_then(commit, "derived/gains.csv")
    keys = rows[["outage_id", "rival_id"]].drop_duplicates().merge(pd.Series(["total", "week"], name="of"), how="cross")
    people = pd.DataFrame(0.0, index=pd.MultiIndex.from_frame(keys), columns=range(len(PLACES)))
    return [kept._gain(part, people) for _, part in rows.groupby(["outage_id", "rival_id"], sort=False)]


def scores(table: Table, held: dict[str, float] | None, before: Table) -> Array:
    """Log score of the gains in a table from before, each predicted by a rule of another table without its event."""
    found, refitted, made = rule.fit(table, kept.SEED, held), {}, []
    place = {event.outage_id: number for number, event in enumerate(table.events)}
    for event in before.events:
        number = place[event.outage_id]
        draws, weight, _, _ = left_out.without(found, number, kept.SEED, held, refitted)
        mine = [gain for gain in before.gains if gain.outage_id == event.outage_id]
        likelihood = rule.Model(lay_out([table.events[number]], mine, table.known), held or {}).by_event(draws)[:, 0]
        made.append(float(np.log(weight @ np.exp(likelihood))))
    return np.array(made)


def main() -> None:
    """Compare and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", default="83eaaa5", help="commit to compare with")
    commit = parser.parse_args().before
    known = events.all_events(evidence.load(ROOT / "data"))
    rows = told_then(commit, "outages.csv").set_index("outage_id")
    people = pd.to_numeric(rows["affected_users"], errors="coerce").where(rows["affected_unit"].isin(PEOPLE_HIT))
    earlier = [replace(one, affected=float(people[one.outage_id])) for one in known if one.outage_id in rows.index]
    gains = gains_then(commit)
    now = kept.load(ROOT / "data").table(known)
    same = {event.outage_id for event in now.events}
    gains = [gain for gain in gains if gain.outage_id in same]
    then = lay_out(earlier, gains, moments(earlier))
    found = {
        (when, name): scores(table, held, then)
        for when, table in (("before", then), ("now", now))
        for name, held in RIVAL_RULES.items()
    }
    made = []
    for (when, name), score in found.items():
        lead = found[when, "this rule"] - score
        error = lead.std(ddof=1) / np.sqrt(len(lead)) if lead.any() else 0.0
        made.append(
            {"evidence": when, "rule": name, "events": len(score), "score": score.mean(), "lead": lead.mean(),
             "error": error}
        )  # fmt: skip
    better = found["now", "this rule"] - found["before", "this rule"]
    made.append(
        {"evidence": "now over before", "rule": "this rule", "events": len(better), "score": better.mean(),
         "lead": better.mean(), "error": better.std(ddof=1) / np.sqrt(len(better))}
    )  # fmt: skip
    table = pd.DataFrame(made)
    table.to_csv(TABLE, index=False, float_format="%.3f", lineterminator="\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
